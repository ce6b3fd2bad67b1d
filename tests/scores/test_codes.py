import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.scores.codes import ROWS_AT_ONCE, read_codes

SCHEMA = Schema(
    (
        Category("grade", ("low", 'so "so"', "a, b"), missing=True),
        Number("weight", Decimal("-1.5"), Decimal("3"), Decimal("0.5"), missing=False),
        Number("age", Decimal(0), Decimal(120), Decimal(1), missing=True),
    ),
    None,
    1,
)
HEADER = "grade,weight,age\n"


def text_of(codes: list[list[int]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SCHEMA.names)
    for row in codes:
        cells = zip(SCHEMA.columns, row, strict=True)
        writer.writerow(["" if code < 0 else column.text(code) for column, code in cells])
    return out.getvalue().encode()


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 9), st.integers(-1, 120)), min_size=1, max_size=20))
def test_what_is_written_by_the_schema_is_read_back_as_the_same_codes(rows: list[tuple[int, int, int]]) -> None:
    codes = [list(row) for row in rows]
    table = read_codes(text_of(codes), SCHEMA)
    assert table.to_numpy().tolist() == codes
    assert tuple(table.columns) == SCHEMA.names
    assert all(str(kind) == "int32" for kind in table.dtypes)


def test_a_file_reads_like_its_bytes_and_stays_open() -> None:
    data = text_of([[0, 1, 2], [-1, 3, -1]])
    file = io.BytesIO(data)
    assert read_codes(file, SCHEMA).equals(read_codes(data, SCHEMA))
    assert not file.closed


def test_numbers_may_be_spelt_with_more_or_fewer_decimals_and_lines_may_end_either_way() -> None:
    table = read_codes(b"grade,weight,age\r\nlow,3.00,007\r\nlow,-1.50,1.0\r\n", SCHEMA)
    assert table.to_numpy().tolist() == [[0, 9, 7], [0, 0, 1]]


def test_a_table_longer_than_one_block_keeps_its_order_and_its_row_numbers() -> None:
    lines = [f"low,0.5,{row % 121}" for row in range(ROWS_AT_ONCE + 10)]
    table = read_codes((HEADER + "\n".join(lines)).encode(), SCHEMA)
    assert table["age"].tolist() == [row % 121 for row in range(ROWS_AT_ONCE + 10)]
    lines[ROWS_AT_ONCE + 3] = "low,0.5,121"
    with pytest.raises(Corrupt, match=f"row {ROWS_AT_ONCE + 4}, column 'age'"):
        read_codes((HEADER + "\n".join(lines)).encode(), SCHEMA)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "header"),
        (b"\n", "header"),
        (b"weight,grade,age\n0.5,low,3\n", "header"),
        (b"grade,weight\nlow,0.5\n", "header"),
        (b"\xef\xbb\xbfgrade,weight,age\nlow,0.5,3\n", "header"),
        (HEADER.encode(), "at least 1 row"),
        (HEADER.encode() + b"low,0.5\n", "row 1: expected 3 cells, got 2"),
        (HEADER.encode() + b"low,0.5,3\nlow,0.5,3,4\n", "row 2: expected 3 cells, got 4"),
        (HEADER.encode() + b"low,0.5,3\n\n", "row 2: expected 3 cells, got 0"),
        (HEADER.encode() + b"high,0.5,3\n", "row 1, column 'grade': expected a declared value, got another"),
        (HEADER.encode() + b" low,0.5,3\n", "row 1, column 'grade'"),
        (HEADER.encode() + b"low,0.5,3\nlow,,3\n", "row 2, column 'weight': expected a declared value, got an empty"),
        (HEADER.encode() + b"low,0.7,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,3.5,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,-2,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,0.50000000000000000000000000000000000001,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,nan,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,inf,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,5e-1,3\n", "column 'weight'"),
        (HEADER.encode() + b"low,1/2,3\n", "column 'weight'"),
        (HEADER.encode() + b"low, 0.5,3\n", "column 'weight'"),
        (HEADER.encode() + "low,٣,3\n".encode(), "column 'weight'"),
        (HEADER.encode() + b"low,0.5,3\xff\n", "UTF-8"),
        (HEADER.encode() + b'"low"x,0.5,3\n', "CSV"),
        (HEADER.encode() + b'"low,0.5,3\n', "CSV"),
        (HEADER.encode() + b"x" * 200_000 + b",0.5,3\n", "CSV"),
    ],
)
def test_what_is_not_a_result_of_the_schema_is_corrupt(data: bytes, said: str) -> None:
    with pytest.raises(Corrupt) as caught:
        read_codes(data, SCHEMA)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_refusal_repeats_the_value() -> None:
    with pytest.raises(Corrupt) as caught:
        read_codes(HEADER.encode() + b"secret-diagnosis,0.5,3\n", SCHEMA)
    assert "secret" not in str(caught.value)
