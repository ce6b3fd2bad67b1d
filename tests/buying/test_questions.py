"""A file of questions to several providers: what is an analysis, and what is none."""

import json
from decimal import Decimal
from typing import get_args

import pytest

from marketplace.buying.questions import KINDS, questions_of
from marketplace.errors import Invalid
from marketplace.protocol.analysis import Analysis
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.spelling import Spelling

SURVIVAL = {"kind": "survival", "time": "t", "event": "e", "happened": "x"}
SPELT = Linkage(3, 4096, KnownTo.ALL, Spelling.LETTERS_AND_DIGITS)
ASKED = (Count(), Mean("age"), Histogram("age", 5), Contingency("sex", "stage"), Linkage(3, 4096, KnownTo.TWO), SPELT)


def test_every_question_survives_being_written_down() -> None:
    written = [analysis.document() for analysis in ASKED]
    assert questions_of(json.dumps(written).encode()) == ASKED
    assert questions_of(json.dumps(written, indent=2).encode()) == ASKED


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"{}", b"[]", b'"count"', b"\xff"])
def test_a_file_without_a_list_of_questions_is_invalid(data: bytes) -> None:
    with pytest.raises(Invalid, match="expected a JSON list of analyses"):
        questions_of(data)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (1, "expected one of the kinds count, histogram"),
        ("count", "expected one of the kinds"),
        ({}, "expected one of the kinds"),
        ({"kind": "guess"}, "expected one of the kinds"),
        ({"kind": ["count"]}, "expected one of the kinds"),
        ({"kind": "mean"}, "mean: expected the parts column, got no column"),
        ({"kind": "count", "column": "age"}, "expected the parts that it has, which are none, got 'column' beside"),
        ({"kind": "mean", "columns": "age"}, "got no column and 'columns' beside them"),
        ({"kind": "mean", "column": 5}, "expected values as in docs/analyses.md, got another for one of column"),
        ({"kind": "histogram", "column": "age", "bins": "5"}, "got another for one of column, bins"),
        ({"kind": "histogram", "column": "age", "bins": True}, "got another for one of column, bins"),
        (SURVIVAL | {"grid": ["one"]}, "got another for one of time"),
        (SURVIVAL | {"grid": [True]}, "got another for one of time"),
        (SURVIVAL | {"grid": "30"}, "got another for one of time"),
        (SURVIVAL | {"grid": {"every": 30}}, "got another for one of time"),
        (SURVIVAL | {"grid": {"every": 0, "to": 30}}, "got another for one of time"),
        (SURVIVAL | {"grid": {"every": 1, "to": "1e9"}}, "got another for one of time"),
        (SURVIVAL | {"grid": {"every": 10, "to": 30, "from": 5}}, "got another for one of time"),
        (SURVIVAL | {"grid": [60, 30]}, "survival: expected a time grid of 1 to 10000 rising points"),
        (SURVIVAL | {"grid": ["30"], "by": None}, "got another for one of time"),
    ],
)
def test_a_question_that_is_none_is_named_by_its_place_and_what_is_wrong_with_it(written: object, words: str) -> None:
    with pytest.raises(Invalid, match=f"question 2.*{words}"):
        questions_of(json.dumps([{"kind": "count"}, written]).encode())


def test_what_has_a_default_may_be_left_out() -> None:
    asked = {"kind": "logistic regression", "outcome": "died", "happened": "yes", "predictors": ["age"]}
    assert questions_of(json.dumps([asked]).encode()) == (LogisticRegression("died", "yes", ("age",)),)


@pytest.mark.parametrize("grid", [["0.5", "1.0", "1.5"], [0.5, 1.0, 1.5], {"every": 0.5, "to": "1.9"}])
def test_a_grid_is_written_as_texts_as_numbers_or_by_its_width(grid: object) -> None:
    (found,) = questions_of(json.dumps([SURVIVAL | {"grid": grid}]).encode())
    assert isinstance(found, Survival)
    assert found.grid == (Decimal("0.5"), Decimal("1.0"), Decimal("1.5"))


def test_every_analysis_has_a_word() -> None:
    assert set(KINDS.values()) == set(get_args(Analysis))
