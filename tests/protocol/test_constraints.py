from decimal import Decimal
from typing import Any

import pytest

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.constraints import Condition, Constraint, Implies, Order, Sum, is_kept
from marketplace.protocol.schema import Category, Number, Schema

COLUMNS = (
    Category("site", ("lung", "breast", "brain"), missing=False),
    Category("stage", ("I", "II", "III"), missing=True),
    Number("diagnosed", Decimal(0), Decimal(100), Decimal(1), missing=False),
    Number("died", Decimal(-10), Decimal(90), Decimal("0.5"), missing=True),
    Number("dose", Decimal(0), Decimal(50), Decimal("0.1"), missing=True),
    Number("boost", Decimal(0), Decimal(10), Decimal("0.5"), missing=True),
    Number("total", Decimal(0), Decimal(60), Decimal("0.1"), missing=True),
)
ORDER = Order("diagnosed", "died")
SUM = Sum(("dose", "boost"), "total")
BRAIN = Implies(Condition("site", values=("brain",)), Condition("stage", present=False))
OLD = Implies(Condition("diagnosed", lower=Decimal(50)), Condition("dose", upper=Decimal("20.05")))
SCHEMA = Schema(COLUMNS, None, 1, (ORDER, SUM, BRAIN, OLD))
ROW = {"site": 0, "stage": 1, "diagnosed": 20, "died": 60, "dose": 100, "boost": 4, "total": 120}


def test_a_schema_with_constraints_survives_being_written_and_read() -> None:
    assert Schema.of_document(SCHEMA.document()) == SCHEMA


def test_a_schema_without_constraints_is_written_as_it_always_was() -> None:
    document = Schema(COLUMNS, None, 1).document()
    assert set(document) == {"columns", "person", "rows_per_person"}
    assert Schema.of_document(document).constraints == ()


@pytest.mark.parametrize(
    ("constraint", "changes", "kept"),
    [
        (ORDER, {}, True),
        (ORDER, {"died": 59}, False),
        (ORDER, {"died": None}, True),
        (SUM, {}, True),
        (SUM, {"total": 121}, False),
        (SUM, {"boost": None, "total": 7}, True),
        (BRAIN, {}, True),
        (BRAIN, {"site": 2}, False),
        (BRAIN, {"site": 2, "stage": None}, True),
        (OLD, {"diagnosed": 49, "dose": 201}, True),
        (OLD, {"diagnosed": 50, "dose": 201}, False),
        (OLD, {"diagnosed": 50, "dose": 200}, True),
        (OLD, {"diagnosed": 50, "dose": None}, False),
    ],
)
def test_rows_keep_or_break_a_constraint(constraint: Constraint, changes: dict[str, Any], kept: bool) -> None:
    assert is_kept(constraint, SCHEMA.by_name, {**ROW, **changes}) is kept


@pytest.mark.parametrize(
    ("condition", "spans"),
    [
        (Condition("site", values=("breast", "lung")), ((0, 2),)),
        (Condition("site", values=("lung", "brain")), ((0, 1), (2, 3))),
        (Condition("died", lower=Decimal("0.3")), ((21, 201),)),
        (Condition("died", upper=Decimal("0.3")), ((0, 21),)),
        (Condition("died", lower=Decimal(-99), upper=Decimal(-10)), ((0, 1),)),
        (Condition("died", present=True), ((0, 201),)),
        (Condition("died", present=False), ()),
    ],
)
def test_a_condition_is_met_by_spans_of_codes(condition: Condition, spans: tuple[tuple[int, int], ...]) -> None:
    assert condition.spans(SCHEMA.column(condition.column)) == spans


@pytest.mark.parametrize(
    ("constraint", "reason"),
    [
        (Order("diagnosed", "buried"), "'buried': expected one of the columns site, stage"),
        (Order("site", "died"), "expected numbers, got a category"),
        (Order("died", "died"), "different columns"),
        (Order("late", "early"), "no declared values do"),
        (Sum(("dose", "boost"), "boost"), "different columns"),
        (Sum((), "total"), "2 to 11 different columns"),
        (Sum(("dose",), "boost"), "on the total's grid"),
        (Sum(("late",), "early"), "no declared values do"),
        (Order("tiny", "huge"), "not so far apart"),
        (Implies(Condition("site", values=("skin",)), Condition("stage", present=True)), "categories from its list"),
        (Implies(Condition("dose", values=("1",)), Condition("stage", present=True)), "categories from its list"),
        (Implies(Condition("site", present=True), Condition("site", lower=Decimal(1))), "it is a category"),
        (Implies(Condition("site", present=True), Condition("dose", lower=Decimal(51))), "a declared value can meet"),
        (Implies(Condition("site", present=True), Condition("dose", upper=Decimal(-1))), "a declared value can meet"),
        (Implies(Condition("site", present=True), Condition("diagnosed", present=False)), "a declared value can meet"),
        (
            Implies(Condition("site", present=True), Condition("dose", lower=Decimal("1.01"), upper=Decimal("1.09"))),
            "a declared value can meet",
        ),
    ],
)
def test_a_constraint_that_fits_no_row_or_no_column_is_refused(constraint: Constraint, reason: str) -> None:
    columns = (
        *COLUMNS,
        Number("early", Decimal(0), Decimal(5), Decimal(1), missing=False),
        Number("late", Decimal(6), Decimal(9), Decimal(1), missing=False),
        Number("tiny", Decimal(0), Decimal("0.000000000001"), Decimal("0.000000000001"), missing=False),
        Number("huge", Decimal(0), Decimal(900_000_000_000), Decimal(900_000_000_000), missing=False),
    )
    with pytest.raises(Invalid, match=reason):
        Schema(columns, None, 1, (constraint,))


@pytest.mark.parametrize(
    "parts",
    [{}, {"values": ("a",), "present": True}, {"lower": Decimal(1), "values": ("a",)}, {"lower": Decimal("Infinity")},
     {"upper": Decimal("1e12")}, {"lower": Decimal("1e-999999999")}, {"upper": Decimal("sNaN")}],
)  # fmt: skip
def test_a_condition_that_says_nothing_or_too_much_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="condition on 'x': expected"):
        Condition("x", **parts)


def test_too_many_constraints_are_refused() -> None:
    with pytest.raises(Invalid, match="at most 100 constraints, got 101"):
        Schema(COLUMNS, None, 1, (ORDER,) * 101)


@pytest.mark.parametrize(
    "constraint",
    [
        {},
        {"kind": "chance", "columns": ["diagnosed", "died"]},
        {"kind": "order", "columns": ["diagnosed"]},
        {"kind": "order", "columns": "ab"},
        {"kind": "order", "columns": ["diagnosed", 1]},
        {"kind": "order", "columns": ["diagnosed", "died"], "strict": True},
        {"kind": "sum", "parts": "dose", "total": "total"},
        {"kind": "implies", "when": {"column": "site"}, "then": {"column": "stage", "present": True}},
        {"kind": "implies", "when": {"column": "site", "in": "lung"}, "then": {"column": "stage", "present": True}},
        {"kind": "implies", "when": {"column": "dose", "from": 1}, "then": {"column": "stage", "present": True}},
        {"kind": "implies", "when": {"column": "dose", "from": "x"}, "then": {"column": "stage", "present": True}},
        {"kind": "implies", "when": {"column": "site", "present": 1}, "then": {"column": "stage", "present": True}},
        "order",
    ],
)
def test_a_document_of_other_parts_is_corrupt(constraint: Any) -> None:
    with pytest.raises(Corrupt, match="expected a schema"):
        Schema.of_document({**SCHEMA.document(), "constraints": [constraint]})


def test_an_empty_list_of_constraints_is_corrupt_since_one_schema_has_one_form() -> None:
    with pytest.raises(Corrupt):
        Schema.of_document({**SCHEMA.document(), "constraints": []})
