"""Coded tables as CSV text."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.schema import Category, Number, Schema
from node.vault import csv_text
from node.vault.coding import code
from node.vault.csv_text import chunks, encode
from node.vault.records import open_records
from node.vault.snapshot import coded_table
from tests.vault.examples import written

SCHEMA = Schema(
    (
        Category("kind, of", ("plain", 'say "a"', "x,y", " é "), missing=True),
        Number("dose", Decimal("-0.5"), Decimal("2.0"), Decimal("0.25"), missing=True),
        Number("count", Decimal(0), Decimal(200_000), Decimal(1), missing=False),
    ),
    None,
    1,
)

rows = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 10), st.integers(0, 200_000)), min_size=2, max_size=20)


def table(codes: list[tuple[int, ...]], schema: Schema = SCHEMA) -> pa.Table:
    return coded_table(np.array(codes, dtype=np.int32).reshape(-1, len(schema.columns)), schema)


def test_values_are_spelled_by_the_schema_and_missing_is_empty() -> None:
    codes = [(0, 0, 7), (1, 3, 0), (2, -1, 200_000), (-1, 10, 1), (3, 2, 2)]
    assert encode(table(codes), SCHEMA).decode() == (
        '"kind, of",dose,count\n'
        "plain,-0.50,7\n"
        '"say ""a""",0.25,0\n'
        '"x,y",,200000\n'
        ",2.00,1\n"
        " é ,0.00,2\n"
    )  # fmt: skip


@given(rows)
def test_a_strict_reader_gets_the_codes_back(
    tmp_path_factory: pytest.TempPathFactory, codes: list[tuple[int, ...]]
) -> None:
    codes = [*codes, (0, 0, 0)]
    path = written(tmp_path_factory.mktemp("csv") / "r.csv", encode(table(codes), SCHEMA))
    assert code(open_records(path), SCHEMA, str.encode).rows.tolist() == [list(row) for row in codes]


@given(rows)
def test_no_line_is_longer_than_the_schema_declares(codes: list[tuple[int, ...]]) -> None:
    lines = encode(table(codes), SCHEMA).split(b"\n")[1:-1]
    assert all(len(line) + 1 <= SCHEMA.row_bytes for line in lines)


@given(rows)
def test_pieces_are_whole_lines_of_the_same_bytes(codes: list[tuple[int, ...]]) -> None:
    whole = encode(table(codes), SCHEMA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "_CHUNK_ROWS", 3)
        pieces = list(chunks(table(codes), SCHEMA))
    assert b"".join(pieces) == whole
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert len(pieces) == 1 + -(-len(codes) // 3)


def test_one_column_has_no_empty_lines() -> None:
    schema = Schema(SCHEMA.columns[1:2], None, 1)
    text = encode(table([(0,), (-1,)], schema), schema).decode()
    assert list(csv.reader(io.StringIO(text))) == [["dose"], ["-0.50"], [""]]


def test_no_rows_are_a_header() -> None:
    assert encode(table([]), SCHEMA) == b'"kind, of",dose,count\n'


def test_another_table_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns that the schema declares"):
        encode(table([(0, 0, 0)]).select([1, 0, 2]), SCHEMA)
    for wrong in ((4, 0, 0), (0, 0, 200_001), (-2, 0, 0)):
        codes = pa.Table.from_arrays([pa.array([cell], pa.int32()) for cell in wrong], names=list(SCHEMA.names))
        with pytest.raises(ValueError, match="codes that the schema declares"):
            encode(codes, SCHEMA)
