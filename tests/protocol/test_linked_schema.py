"""Schemas whose rows hang together under persons: timelines, fixed columns, further tables."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.constraints import Condition
from marketplace.protocol.result import (
    DOCUMENTS_BYTES,
    least_rows_bytes,
    most_bytes,
    most_table_bytes,
    names_of,
    sheets,
)
from marketplace.protocol.schema import (
    LARGEST_SIZE,
    LARGEST_TABLES,
    MAIN,
    OWN_PREFIX,
    Category,
    Number,
    Schema,
    Table,
    Timeline,
)
from marketplace.protocol.specification import Curve, Workload
from tests.protocol.examples import SCHEMA, SPECIFICATION, linked_schemas, schemas
from tests.vault.linked import CLINIC, LIVER

LABS = LIVER.tables[0]


@given(linked_schemas())
def test_a_linked_schema_survives_being_written_and_read(schema: Schema) -> None:
    document = schema.document()
    assert canonical.encode(document)
    assert Schema.of_document(document) == schema


@given(schemas())
def test_a_schema_without_persons_is_written_as_before(schema: Schema) -> None:
    assert not schema.is_linked
    assert set(schema.document()) == {"columns", "person", "rows_per_person"}
    (sheet,) = sheets(schema)
    assert (sheet.file, sheet.schema, sheet.least_rows, sheet.most_rows) == ("synthetic.csv", schema, 1, 1)


def test_the_unit_says_what_is_used_of_each_table() -> None:
    assert CLINIC.unit == "one person, of whom no more is used than the first 4 rows in time"
    assert LIVER.unit == "one person, of whom no more is used than one row and the first 5 rows in time of labs"


def test_a_result_has_a_file_for_each_table_and_the_person_number_first_in_each() -> None:
    assert names_of(LIVER) == ("synthetic.csv", "labs.csv", "report.html", "picture.png")
    assert names_of(SCHEMA) == ("synthetic.csv", "report.html", "picture.png")
    main, labs = sheets(LIVER)
    assert main.schema.names == ("patient", "sex", "age") and labs.schema.names == ("patient", "days", "test", "value")
    assert (labs.least_rows, labs.most_rows) == (0, 5)
    assert main.schema.columns[0].text(0) == "1"


@given(linked_schemas(), st.integers(1, 1_000))
def test_a_result_is_padded_for_all_tables_at_their_longest(schema: Schema, persons: int) -> None:
    longest = sum(persons * sheet.most_rows * sheet.schema.row_bytes for sheet in sheets(schema))
    assert most_bytes(schema, persons) > longest + DOCUMENTS_BYTES
    assert least_rows_bytes(schema, persons) <= most_table_bytes(schema, persons) < most_bytes(schema, persons)


def test_more_persons_than_keys_are_refused() -> None:
    replace(SPECIFICATION, rows=LARGEST_SIZE + 1, workload=type(SPECIFICATION.workload)(), only=()).check(SCHEMA)
    with pytest.raises(Invalid, match="expected at most 1000000 persons, got 1000001"):
        replace(SPECIFICATION, rows=LARGEST_SIZE + 1, workload=type(SPECIFICATION.workload)(), only=()).check(CLINIC)


REFUSED: dict[str, tuple[Schema, dict[str, object], str]] = {
    "no person": (CLINIC, {"person": None, "rows_per_person": 1}, "expected a person column beside a timeline"),
    "a category as time": (
        CLINIC,
        {"timeline": Timeline("edema", True)},
        "column 'edema': expected a number that is never",
    ),
    "a time that may be missing": (CLINIC, {"timeline": Timeline("bilirubin", True)}, "'bilirubin': expected a number"),
    "an unknown time": (CLINIC, {"timeline": Timeline("hour", True)}, "expected one of the columns"),
    "a fixed time": (CLINIC, {"fixed": ("day",)}, "expected columns other than the timeline's as fixed"),
    "fixed twice": (CLINIC, {"fixed": ("sex", "sex")}, "expected columns other than the timeline's as fixed"),
    "an unknown fixed column": (CLINIC, {"fixed": ("height",)}, "expected one of the columns"),
    "fixed without a timeline": (LIVER, {"fixed": ("sex",)}, "only beside a timeline"),
    "several rows without a timeline": (LIVER, {"rows_per_person": 2}, "expected 1 row per person or a timeline"),
    "tables without a person": (LIVER, {"person": None}, "'labs': expected the person column of the main table"),
    "another person column": (LIVER, {"person": "subject"}, "'labs': expected the person column of the main table"),
    "a table twice": (LIVER, {"tables": (LABS, LABS)}, "expected at most 8 further tables with different names"),
    "too many tables": (
        LIVER,
        {"tables": tuple(replace(LABS, name=f"t{place}") for place in range(LARGEST_TABLES + 1))},
        "expected at most 8 further tables",
    ),
    "a table in a table": (LIVER, {"tables": (Table("labs", LIVER),)}, "'labs': expected neither tables nor fixed"),
    "a fixed column in a table": (LIVER, {"tables": (Table("labs", CLINIC),)}, "'labs': expected neither tables nor"),
    "several rows in a table without a timeline": (
        LIVER,
        {"tables": (replace(LABS, schema=replace(LABS.schema, timeline=None)),)},
        "'labs': expected 1 row per person or a timeline",
    ),
    "a column of the product's own": (
        LIVER,
        {"columns": (*LIVER.columns, Category(OWN_PREFIX + "x", ("a",), missing=False))},
        "none of which begins with 'agora:'",
    ),
    "a name with no room before it": (
        LIVER,
        {"columns": (*LIVER.columns, Category("x" * 101, ("a",), missing=False))},
        "with names of at most 100 characters",
    ),
    "no room for person numbers": (
        LIVER,
        {"columns": tuple(Number(f"x{n}", Decimal(0), Decimal(1), Decimal(1), missing=False) for n in range(200))},
        "expected fewer than 200 columns under persons",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_tables_that_cannot_stand_under_persons_are_refused(case: str) -> None:
    schema, changes, words = REFUSED[case]
    with pytest.raises(Invalid, match=words):
        replace(schema, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "Labs", "synthetic", "a b", "../labs", "x" * 41, "1st", "läbs"])
def test_a_table_has_the_name_of_a_plain_file(name: str) -> None:
    with pytest.raises(Invalid, match="expected a further table's name of 1 to 40 small letters"):
        replace(LIVER, tables=(replace(LABS, name=name),))


def test_a_document_of_tables_in_tables_is_no_schema_however_deep_it_goes() -> None:
    document: dict[str, object] = {"name": "labs", **LABS.schema.document()}
    for _ in range(300):
        document = {"name": "labs", **LABS.schema.document(), "tables": [document]}
    with pytest.raises(Corrupt, match="expected a schema with columns, person and rows_per_person"):
        Schema.of_document({name: part for name, part in document.items() if name != "name"})


@pytest.mark.parametrize(
    "part",
    [
        {"timeline": None},
        {"timeline": {"column": "day"}},
        {"timeline": {"column": "day", "strict": 1}},
        {"timeline": {"column": 3, "strict": True}},
        {"fixed": "sex"},
        {"fixed": []},
        {"fixed": [1]},
        {"tables": []},
        {"tables": {}},
        {"tables": ["labs"]},
        {"tables": [{"name": 1, **LABS.schema.document()}]},
        {"tables": [{"name": "labs"}]},
    ],
)
def test_a_document_with_other_parts_is_no_linked_schema(part: dict[str, object]) -> None:
    with pytest.raises(Corrupt, match="expected a schema with columns, person and rows_per_person"):
        Schema.of_document(CLINIC.document() | part)


def test_a_wish_names_a_column_of_a_further_table_with_the_table() -> None:
    assert LIVER.place("sex") == (MAIN, "sex") and LIVER.place("labs/value") == ("labs", "value")
    twin = replace(LIVER, columns=(*LIVER.columns, Category("labs/value", ("a",), missing=False)))
    assert twin.place("labs/value") == (MAIN, "labs/value")
    for name, words in (("labs/height", "days, test, value"), ("value", "sex, age"), ("stays/ward", "sex, age")):
        with pytest.raises(Invalid, match=f"expected one of the columns {words}; got"):
            LIVER.place(name)


def test_the_columns_of_a_marginal_are_of_one_table_and_a_curve_is_of_the_main_one() -> None:
    workload = Workload((("labs/test", "labs/value"), ("sex", "age"), ("labs/days",)))
    workload.check(LIVER)
    assert workload.of_table("labs", LIVER).marginals == (("test", "value"), ("days",))
    assert workload.of_table(MAIN, LIVER).marginals == (("sex", "age"),)
    with pytest.raises(
        Invalid, match="expected the columns of one table in a marginal, sex, labs/value are of several"
    ):
        Workload((("sex", "labs/value"),)).check(LIVER)
    with pytest.raises(Invalid, match="expected one of the columns sex, age; got 'labs/days'"):
        Workload((), (Curve("labs/days", "labs/test"),)).check(LIVER)


def test_subgroups_and_conditions_are_of_the_main_table() -> None:
    for wishes in ({"subgroups": "labs/test"}, {"only": (Condition("labs/test", values=("hdl",)),)}):
        with pytest.raises(Invalid, match="expected one of the columns sex, age; got 'labs/test'"):
            replace(SPECIFICATION, workload=Workload(), thresholds=(), **wishes).check(LIVER)
