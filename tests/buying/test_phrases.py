"""Conditions and curves as a buyer types them, and what a schema says of rows in words."""

from decimal import Decimal

import pytest

from marketplace.buying.phrases import (
    condition_of,
    condition_text,
    constraint_text,
    curve_of,
    marginal_of,
    threshold_of,
)
from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition, Implies, Order, Sum
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Curve, Specification, Workload
from marketplace.protocol.threshold import Threshold

SCHEMA = Schema(
    (
        Category("stage", ("I", "II", "III", "IV"), missing=True),
        Category("stage.old", ("a, b", "c=d"), missing=False),
        Number("age", Decimal(0), Decimal(120), Decimal("0.5"), missing=True),
        Number("d.time", Decimal(-9), Decimal(9), Decimal(3), missing=False),
    ),
    None,
    1,
)


def met(condition: Condition) -> list[str]:
    """The declared values that meet the condition."""
    column = SCHEMA.column(condition.column)
    return [column.text(code) for first, end in condition.spans(column) for code in range(first, end)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("stage=III,IV", ["III", "IV"]),
        ("  stage = III , IV ", ["III", "IV"]),
        ("stage is there", ["I", "II", "III", "IV"]),
        ('stage.old="a, b"', ["a, b"]),
        ("stage.old=c=d", ["c=d"]),
        ("age<1", ["0.0", "0.5"]),
        ("age<0.75", ["0.0", "0.5"]),
        ("age<=0.75", ["0.0", "0.5"]),
        ("age<=1", ["0.0", "0.5", "1.0"]),
        ("age > 119", ["119.5", "120.0"]),
        ("age>119.2", ["119.5", "120.0"]),
        ("age >= 119.5", ["119.5", "120.0"]),
        ("age=50", ["50.0"]),
        ("d.time<-4", ["-9", "-6"]),
        ("d.time>-4", ["-3", "0", "3", "6", "9"]),
    ],
)
def test_a_condition_means_the_declared_values_that_it_says(text: str, values: list[str]) -> None:
    assert met(condition_of(text, SCHEMA)) == values


def test_a_missing_value_can_be_asked_for() -> None:
    assert condition_of("age is missing", SCHEMA) == Condition("age", present=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("height<3", "got 'height<3', the columns are stage, stage.old, age, d.time; name a column"),
        ("", "expected a condition as in stage=III,IV"),
        ("age", "got 'age'; name a column"),
        ("age 50", "got 'age 50'"),
        ("ageless=5", "got 'ageless=5'"),
        ("age<young", "condition on 'age': expected a number behind <, got 'young'"),
        ("age<", "condition on 'age': expected a number behind <"),
        ("age<NaN", "condition on 'age': expected a number behind <"),
        ("age<1e3", "condition on 'age': expected a number behind <"),
        ("age=50.2", "condition on 'age': expected one that a declared value can meet"),
        ("age<0", "condition on 'age': expected one that a declared value can meet"),
        ("age>120", "condition on 'age': expected one that a declared value can meet"),
        ("stage=V", "condition on 'stage': expected categories from its list"),
        ("stage=", "condition on 'stage': expected one of values"),
        ("stage<III", "condition on 'stage': expected = and values of a category, got <"),
        ("stage is gone", "condition on 'stage': expected `is missing` or `is there`"),
        ("d.time is missing", "condition on 'd.time': expected one that a declared value can meet"),
    ],
)
def test_a_condition_that_says_nothing_about_the_schema_names_the_column(text: str, words: str) -> None:
    with pytest.raises(Invalid) as raised:
        condition_of(text, SCHEMA)
    assert words in str(raised.value)


def test_curves_and_marginals_are_names_between_commas() -> None:
    assert curve_of("time, event") == Curve("time", "event")
    assert curve_of("time,event,stage") == Curve("time", "event", "stage")
    assert marginal_of("a, b,c") == ("a", "b", "c")
    for text in ("", "time", "time,", ",event", "a,b,c,d"):
        with pytest.raises(Invalid, match="expected a curve as TIME,EVENT"):
            curve_of(text)


def test_constraints_and_conditions_are_told_in_words() -> None:
    late = Condition("stage", values=("III", "IV"))
    old = Condition("age", lower=Decimal("50.5"), upper=Decimal(60))
    exact = Condition("age", lower=Decimal(50), upper=Decimal(50))
    assert condition_text(old) == "age is at least 50.5 and at most 60"
    assert condition_text(exact) == "age is 50"
    assert condition_text(Condition("age", present=False)) == "age is missing"
    assert constraint_text(Implies(late, Condition("age", present=True))) == "where stage is III or IV, age is there"
    assert constraint_text(Order("diagnosis", "death")) == "diagnosis is at most death"
    assert constraint_text(Sum(("a", "b"), "c")) == "a + b = c"


def test_conditions_that_no_value_meets_together_are_invalid_by_the_schema_alone() -> None:
    made = Specification(b"o" * 32, 10, Workload(), 60, b"k" * SEALING_KEY_BYTES, b"n" * 32)

    def check(*texts: str) -> None:
        only = tuple(condition_of(text, SCHEMA) for text in texts)
        Specification(**{**vars(made), "only": only}).check(SCHEMA)

    check("age>=50", "age<50.5", "stage=I,IV", "stage=IV,II")
    check("age is missing", "age is missing")
    for texts in (("age<50", "age>=50"), ("stage=I", "stage=II"), ("age<50", "age is missing")):
        with pytest.raises(Invalid, match=r"conditions on '(age|stage)': expected ones that a declared value can meet"):
            check(*texts)


def test_a_curve_names_the_value_that_counts() -> None:
    assert curve_of("d.time,stage=III,stage.old") == Curve("d.time", "stage", "stage.old", "III")
    assert curve_of("d.time,stage") == Curve("d.time", "stage")


def test_a_threshold_is_a_score_and_its_most() -> None:
    assert threshold_of(" l1_2way = 0.1 ") == Threshold("l1_2way", "0.1")
    for wrong in ("l1_2way", "=0.1", "l1_2way=", "l1_2way<0.1", "l1_2way=much"):
        with pytest.raises(Invalid, match="expected"):
            threshold_of(wrong)
