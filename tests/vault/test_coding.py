"""From texts to codes under a declared schema."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Order
from marketplace.protocol.schema import Category, Number, Schema
from node.vault.cells import MISSING
from node.vault.coding import Coded, Fault, code, code_of
from node.vault.records import open_records
from tests.vault.examples import VISITS, lines, written

AGE = Number("age", Decimal(0), Decimal(120), Decimal("0.5"), missing=True)


def coded(tmp_path: Path, text: str, schema: Schema = VISITS) -> Coded:
    return code(open_records(written(tmp_path / "r.csv", text)), schema, str.encode)


def refusal(tmp_path: Path, text: str, schema: Schema = VISITS) -> str:
    with pytest.raises(Invalid) as caught:
        coded(tmp_path, text, schema)
    assert "\n" not in str(caught.value)
    assert "hushhush" not in str(caught.value)
    return str(caught.value)


def test_categories_numbers_and_missing_cells_become_codes(tmp_path: Path) -> None:
    found = coded(tmp_path, "age,patient,extra,sex\n0,a,1,male\n60.5,b,2,female\nNA,a,3,male\n")
    assert found.rows.tolist() == [[1, 0], [0, 121], [1, -1]]
    assert found.identities == [b"a", b"b", b"a"]


@pytest.mark.parametrize("text", sorted(MISSING))
def test_each_declared_text_for_missing_is_missing(text: str) -> None:
    assert code_of(AGE, text) == -1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.25", 0), ("0.75", 2), ("0.250001", 1), ("1e1", 20), ("+1.", 2), (".5", 1), ("120", 240), ("-0", 0),
        ("120.1", Fault.OUTSIDE), ("-0.1", Fault.OUTSIDE), ("1e999", Fault.OUTSIDE), ("1e-999", 0),
        ("inf", Fault.INFINITE), ("-Infinity", Fault.INFINITE), ("old", Fault.NOT_A_NUMBER), (" 1", Fault.NOT_A_NUMBER),
        ("1_0", Fault.NOT_A_NUMBER), ("1,5", Fault.NOT_A_NUMBER), ("0x1", Fault.NOT_A_NUMBER), ("١", Fault.NOT_A_NUMBER),
        ("1e99999999", Fault.NOT_A_NUMBER), ("1" * 101, Fault.NOT_A_NUMBER),
    ],
)  # fmt: skip
def test_a_number_goes_to_its_nearest_point_a_tie_to_the_even_code(text: str, expected: int) -> None:
    assert code_of(AGE, text) == expected


@given(
    lower=st.integers(-1000, 1000),
    step=st.sampled_from(["0.001", "0.03", "0.5", "1", "7"]),
    points=st.integers(1, 5000),
    share=st.decimals(0, 1, allow_nan=False, places=12),
)
def test_the_code_is_the_nearest_by_exact_arithmetic(lower: int, step: str, points: int, share: Decimal) -> None:
    column = Number("x", Decimal(lower), Decimal(lower) + points * Decimal(step), Decimal(step), missing=False)
    value = column.lower + (column.upper - column.lower) * share
    distance = (Fraction(value) - lower) / Fraction(step)
    assert code_of(column, f"{value:f}") == round(distance)


def test_contradictions_are_counted_by_column_and_record_and_never_quoted(tmp_path: Path) -> None:
    rows = [
        ["a", "male", "1"],
        ["b", "hushhush", "300"],
        ["c", "", "hushhush"],
        ["", "male", "inf"],
        ["NA", "hushhush", "2"],
    ]
    message = refusal(tmp_path, lines(["patient", "sex", "age"], rows))
    assert "column 'sex': 2 cells outside the declared categories, the first in record 2" in message
    assert "column 'sex': 1 missing cells where the schema allows none, the first in record 3" in message
    assert "column 'age': 1 cells outside the declared bounds, the first in record 2" in message
    assert "column 'age': 1 cells that are no numbers, the first in record 3" in message
    assert "column 'age': 1 infinite numbers, the first in record 4" in message
    assert "1 complaints more" in message


def test_missing_persons_are_counted(tmp_path: Path) -> None:
    message = refusal(tmp_path, "patient,sex,age\na,male,1\n,male,2\nNA,male,3\n")
    assert "person column 'patient': 2 missing cells" in message


def test_a_declared_column_or_person_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    assert "declared columns 'age'" in refusal(tmp_path, "patient,sex\na,male\nb,male\n")
    assert "person column 'patient'" in refusal(tmp_path, "age,sex\n1,male\n2,male\n")


def test_a_column_that_is_all_missing_is_refused(tmp_path: Path) -> None:
    assert "'age': expected values, got a column that is all missing" in refusal(
        tmp_path, "patient,sex,age\na,male,\nb,male,NA\n"
    )


def test_a_schema_of_one_column_is_refused(tmp_path: Path) -> None:
    assert "at least 2 declared columns" in refusal(tmp_path, "sex,age\nmale,1\nmale,2\n", Schema((AGE,), None, 1))


def test_a_category_that_reads_as_missing_is_refused(tmp_path: Path) -> None:
    schema = Schema((Category("dose", ("None", "low"), missing=True), AGE), None, 1)
    assert "column 'dose': expected categories that do not read as missing" in refusal(
        tmp_path, "dose,age\nlow,1\nlow,2\n", schema
    )


def test_a_declared_list_of_names_is_refused_as_an_identifier(tmp_path: Path) -> None:
    names = tuple(f"hushhush{number}" for number in range(30))
    schema = Schema((Category("last_name", names, missing=False), AGE), None, 1)
    text = lines(["last_name", "age"], [[name, "1"] for name in names])
    assert "column 'last_name': expected no direct identifiers" in refusal(tmp_path, text, schema)


def test_records_that_break_a_constraint_are_counted_and_not_quoted(tmp_path: Path) -> None:
    days = [Number(name, Decimal(0), Decimal(999), Decimal(1), missing=True) for name in ("diagnosed", "died")]
    schema = Schema(tuple(days), None, 1, (Order("diagnosed", "died"),))
    text = "diagnosed,died\n1,2\n7,\n812,811\n3,3\n5,4\n"
    refused = refusal(tmp_path, text, schema)
    assert "constraint on diagnosed, died" in refused and "2 do not keep it" in refused
    assert "812" not in refused and "811" not in refused
    assert len(coded(tmp_path, text.replace("812,811", "811,812").replace("5,4", "4,5"), schema).rows) == 5
