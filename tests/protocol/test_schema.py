import csv
import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.schema import (
    LARGEST_CATEGORIES,
    LARGEST_COLUMNS,
    LARGEST_SIZE,
    Category,
    Column,
    Number,
    Schema,
)

from .examples import AGE, SCHEMA, SEX, columns, schemas

WEIGHT: dict[str, Any] = {"name": "weight", "kind": "number", "lower": "0", "upper": "9", "step": "1", "missing": False}


def number(lower: str, upper: str, step: str) -> Number:
    return Number("x", Decimal(lower), Decimal(upper), Decimal(step), missing=False)


@given(schemas())
def test_a_schema_survives_being_written_and_read(schema: Schema) -> None:
    document = schema.document()
    assert canonical.encode(document)
    assert Schema.of_document(document) == schema


@given(columns("x"), st.data())
def test_every_code_has_a_text_of_its_own(column: Column, data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(0, column.size - 1)) for _ in range(2))
    assert (column.text(first) == column.text(second)) == (first == second)


@given(schemas(), st.data())
def test_no_line_of_csv_is_longer_than_the_schema_says(schema: Schema, data: st.DataObject) -> None:
    cells = [
        "" if column.missing and data.draw(st.booleans()) else column.text(data.draw(st.integers(0, column.size - 1)))
        for column in schema.columns
    ]
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    assert len(line.getvalue().encode()) <= schema.row_bytes


def test_the_points_of_a_grid_and_their_texts() -> None:
    column = number("-1", "1.5", "0.5")
    assert [column.text(code) for code in range(column.size)] == ["-1.0", "-0.5", "0.0", "0.5", "1.0", "1.5"]


def test_a_large_number_is_written_without_an_exponent() -> None:
    assert number("1E+3", "3E+3", "1E+3").text(2) == "3000"


def test_a_column_is_found_by_its_name() -> None:
    assert SCHEMA.names == ("sex", "ward", "age")
    assert SCHEMA.column("age") is AGE
    with pytest.raises(Invalid, match="expected one of the columns sex, ward, age; got 'height'"):
        SCHEMA.column("height")


def test_the_unit_says_whom_the_guarantee_protects() -> None:
    assert Schema((SEX,), None, 1).unit == "one row is one person"
    assert Schema((SEX,), "id", 1).unit == "one person, of whom one row at most is used"
    assert SCHEMA.unit == "one person, of whom 3 rows at most are used"


@pytest.mark.parametrize("name", ["", " sex", "sex ", "a\nb", "a\x00", "x" * 201])
def test_a_bad_column_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="expected a column name of 1 to 200 printable characters"):
        Category(name, ("a",), missing=False)
    with pytest.raises(Invalid, match="expected a column name of 1 to 200 printable characters"):
        replace(AGE, name=name)


@pytest.mark.parametrize("values", [(), ("a", "a")])
def test_a_list_of_categories_that_is_empty_or_repeats_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="column 'x': expected a list of different categories"):
        Category("x", values, missing=False)


@pytest.mark.parametrize("value", ["", "a\nb", "a\rb"])
def test_a_category_that_is_empty_or_has_two_lines_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="column 'x': expected categories of one line"):
        Category("x", ("a", value), missing=False)


def test_too_many_categories_are_refused() -> None:
    with pytest.raises(Invalid, match=f"at most {LARGEST_CATEGORIES} categories, got {LARGEST_CATEGORIES + 1}"):
        Category("x", tuple(map(str, range(LARGEST_CATEGORIES + 1))), missing=False)


@pytest.mark.parametrize("bound", ["NaN", "sNaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", ["lower", "upper", "step"])
def test_a_bound_that_is_no_finite_number_is_refused(bound: str, place: str) -> None:
    with pytest.raises(Invalid, match="column 'age': expected finite bounds and step"):
        replace(AGE, **{place: Decimal(bound)})


@pytest.mark.parametrize(
    ("lower", "upper", "step"),
    [("0", "1e40", "1"), ("1e-30", "1", "0.5"), ("-1e999999", "9e999999", "1e999999"), ("0", "1", "1e-13")],
)
def test_a_grid_that_decimals_cannot_hold_exactly_is_refused(lower: str, upper: str, step: str) -> None:
    with pytest.raises(Invalid, match=r"column 'x': expected bounds and step below 10\^12 with at most 12 decimals"):
        number(lower, upper, step)


def test_a_unit_is_a_ucum_code_that_is_written_only_where_there_is_one() -> None:
    weighed = replace(number("0", "9", "1"), unit="kg")
    assert weighed.label == "x (kg)" and number("0", "9", "1").label == "x"
    assert weighed.document()["unit"] == "kg" and "unit" not in number("0", "9", "1").document()
    for wrong in ("milli grams", "µg", "k" * 41, "kg\n"):
        with pytest.raises(Invalid, match="column 'x': expected a unit as a UCUM code"):
            replace(weighed, unit=wrong)


@pytest.mark.parametrize(
    ("lower", "upper", "step"), [("0", "1", "0"), ("0", "1", "-1"), ("1", "0", "1"), ("0", "1", "0.3")]
)
def test_a_step_that_does_not_lead_from_bound_to_bound_is_refused(lower: str, upper: str, step: str) -> None:
    with pytest.raises(Invalid, match="column 'x': expected a step above 0 that divides"):
        number(lower, upper, step)


def test_too_many_points_between_the_bounds_are_refused() -> None:
    assert number("1", str(LARGEST_SIZE), "1").size == LARGEST_SIZE
    with pytest.raises(Invalid, match=f"column 'x': expected at most {LARGEST_SIZE} points between the bounds"):
        number("0", str(LARGEST_SIZE), "1")


def test_a_schema_without_columns_or_with_one_name_twice_or_with_too_many_is_refused() -> None:
    many = tuple(replace(SEX, name=f"c{index}") for index in range(LARGEST_COLUMNS + 1))
    for parts in ((), (SEX, SEX), many):
        with pytest.raises(Invalid, match=f"expected 1 to {LARGEST_COLUMNS} columns with different names"):
            Schema(parts, None, 1)


def test_a_person_column_within_the_result_is_refused() -> None:
    with pytest.raises(Invalid, match="expected the person column 'sex' outside the columns"):
        Schema((SEX, AGE), "sex", 1)


@pytest.mark.parametrize("rows", [0, -1, 1_001])
def test_a_bound_on_rows_outside_1_to_1000_is_refused(rows: int) -> None:
    with pytest.raises(Invalid, match="expected a bound of 1 to 1000 rows per person"):
        Schema((SEX,), "id", rows)


def test_more_rows_per_person_without_a_person_column_are_refused() -> None:
    with pytest.raises(Invalid, match="name the person column"):
        Schema((SEX,), None, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": None},
        {"columns": [1]},
        {"columns": ["sex"]},
        {"columns": [{}]},
        {"person": 1},
        {"rows_per_person": "3"},
        {"rows_per_person": True},
        {"more": 1},
        {"columns": [WEIGHT | {"kind": "picture"}]},
        {"columns": [WEIGHT | {"more": 1}]},
        {"columns": [WEIGHT | {"lower": 0}]},
        {"columns": [WEIGHT | {"lower": "zero"}]},
        {"columns": [WEIGHT | {"missing": 0}]},
        {"columns": [WEIGHT | {"name": 5}]},
        {"columns": [WEIGHT | {"unit": ""}]},
        {"columns": [WEIGHT | {"unit": 1}]},
        {"columns": [{"name": "x", "kind": "category", "values": "abc", "missing": False}]},
        {"columns": [{"name": "x", "kind": "category", "values": [1], "missing": False}]},
        {"columns": [{"name": "x", "kind": "category", "values": ["a"], "missing": False, "more": 1}]},
    ],
)
def test_a_document_with_other_parts_is_no_schema(changes: dict[str, Any]) -> None:
    with pytest.raises(Corrupt, match="expected a schema with columns, person and rows_per_person"):
        Schema.of_document(SCHEMA.document() | changes)


@pytest.mark.parametrize("part", ["columns", "person", "rows_per_person"])
def test_a_document_without_a_part_is_no_schema(part: str) -> None:
    document = SCHEMA.document()
    del document[part]
    with pytest.raises(Corrupt, match="got other parts"):
        Schema.of_document(document)


def test_a_document_whose_parts_contradict_each_other_is_invalid() -> None:
    with pytest.raises(Invalid, match="expected a bound of 1 to 1000 rows per person"):
        Schema.of_document(SCHEMA.document() | {"rows_per_person": 0})
