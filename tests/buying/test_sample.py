"""A chunk of a result looked at alone: every piece of an honest table passes, and rubbish does not."""

import csv
import io
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.buying.sample import TABLE_AT, Table
from marketplace.errors import Corrupt
from marketplace.protocol import result
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.sealing.chunk import DATA_BYTES, LENGTH_BYTES, capacity_for
from tests.protocol.examples import SCHEMA, schemas

WIDE = Schema(
    tuple(
        [Number(f"count {place}", Decimal(0), Decimal(10**6 - 1), Decimal(1), missing=True) for place in range(150)]
        + [Category(f"kind {place}", ("first", "second"), missing=False) for place in range(50)]
    ),
    None,
    1,
)
"""Rows of more than a chunk."""

STYLES: dict[str, dict[str, object]] = {
    "as the node writes": {"lineterminator": "\n"},
    "with carriage returns": {"lineterminator": "\r\n"},
    "all in quotes": {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
}


def table(schema: Schema, rows: int, style: str = "as the node writes", seed: int = 1) -> bytes:
    """An honest table with values drawn at random."""
    choices, text = Random(seed), io.StringIO(newline="")
    writer = csv.writer(text, **STYLES[style])  # type: ignore[arg-type]
    writer.writerow(schema.names)
    for _ in range(rows):
        codes = [choices.randrange(-1 if column.missing else 0, column.size) for column in schema.columns]
        cells = zip(schema.columns, codes, strict=True)
        writer.writerow(["" if code < 0 else column.text(code) for column, code in cells])
    return text.getvalue().encode()


def packed(content: bytes) -> bytes:
    """The data bytes of a result with this table, in whole chunks."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in result.NAMES}
        for name, path in files.items():
            path.write_bytes(content if name == result.TABLE else b"<p>A report, or a picture.</p>" * 40)
        out = io.BytesIO()
        result.pack(files, out)
    data = len(out.getvalue()).to_bytes(LENGTH_BYTES, "big") + out.getvalue()
    return data.ljust(capacity_for(len(data)) * DATA_BYTES, b"\0")


def pieces(data: bytes) -> list[bytes]:
    return [data[at : at + DATA_BYTES] for at in range(0, len(data), DATA_BYTES)]


def announced(data: bytes, schema: Schema, rows: int) -> Table:
    return Table.of_first_chunk(data[:DATA_BYTES], schema, rows, len(data) // DATA_BYTES)


def check_all(content: bytes, schema: Schema, rows: int) -> int:
    """Looks at every chunk with a part of the table. Gives how many there are."""
    data = packed(content)
    found = announced(data, schema, rows)
    for index, piece in enumerate(pieces(data)[: found.chunks]):
        found.check(index, piece)
    return found.chunks


@given(schemas(), st.integers(1, 150), st.integers(0, 99))
@settings(max_examples=60)
def test_every_chunk_of_an_honest_table_is_right(schema: Schema, rows: int, seed: int) -> None:
    assert check_all(table(schema, rows, seed=seed), schema, rows) >= 1


@pytest.mark.parametrize("style", STYLES)
def test_every_way_to_write_the_same_table_is_right(style: str) -> None:
    assert check_all(table(SCHEMA, 700, style), SCHEMA, 700) > 5


def test_every_chunk_of_a_table_with_rows_wider_than_a_chunk_is_right() -> None:
    assert check_all(table(WIDE, 12), WIDE, 12) > 5


def test_a_table_without_a_last_line_end_is_right() -> None:
    content = table(SCHEMA, 700).removesuffix(b"\n")
    assert check_all(content, SCHEMA, 700) > 5


def test_a_single_column_that_is_often_missing_is_right() -> None:
    lonely = Schema((Category("ward", ("a", "b,c", 'd"e'), missing=True),), None, 1)
    assert check_all(table(lonely, 900), lonely, 900) > 2


def test_a_single_column_in_quotes_with_carriage_returns_is_right() -> None:
    lonely = Schema((Category('the "ward", 1', ("a,b", 'c"d'), missing=False),), None, 1)
    for rows in (1, 700):
        assert check_all(table(lonely, rows, "with carriage returns"), lonely, rows) >= 1


def test_a_value_that_is_longer_than_a_chunk_and_holds_commas_is_right() -> None:
    long = Schema((Category("note", ("a, b, c, " * 300, "none"), missing=False), *SCHEMA.columns), None, 1)
    assert check_all(table(long, 20), long, 20) > 20


ROWS, SOMEWHERE = 900, 5
"""`SOMEWHERE`: a chunk amid the table."""

HONEST = b"female,,1.5\n"
Spoil = Callable[[bytes], bytes]


def spoiled(spoil: Spoil, schema: Schema = SCHEMA, rows: int = ROWS) -> None:
    """Looks at the chunk `SOMEWHERE` of a table, once it is spoiled."""
    data = packed(table(schema, rows))
    found, honest = announced(data, schema, rows), pieces(data)[SOMEWHERE]
    assert found.chunks - 1 > SOMEWHERE
    found.check(SOMEWHERE, honest)
    rubbish = spoil(honest)
    assert len(rubbish) == DATA_BYTES
    assert rubbish != honest
    found.check(SOMEWHERE, rubbish)


def repeated(piece: bytes) -> Spoil:
    return lambda _: (piece * DATA_BYTES)[:DATA_BYTES]


def line(middle: bytes, end: bytes = b"e,,1.5") -> Spoil:
    """The end of a row, another whole row, and honest rows, the last of which breaks off."""
    return lambda _: (end + b"\n" + middle + b"\n" + HONEST * DATA_BYTES)[:DATA_BYTES]


RUBBISH: dict[str, tuple[Spoil, str]] = {
    "random bytes": (lambda _: Random(3).randbytes(DATA_BYTES), "expected"),
    "zeros": (lambda _: bytes(DATA_BYTES), "lines of at most"),
    "one long word": (repeated(b"a"), "lines of at most"),
    "many commas": (repeated(b","), "lines of at most|cells"),
    "many lines": (repeated(b"\n"), "cells"),
    "prose": (repeated(b"the quick brown fox\njumps over the lazy dog\n"), "cells"),
    "a value that is not declared": (line(b"martian,,1.5"), "'sex': expected a declared value"),
    "an empty cell where nothing may be missing": (line(b",,1.5"), "'sex': expected a declared value, got an empty"),
    "a number beyond the bounds": (line(b"female,,18.5"), "'age': expected a declared value"),
    "a number off the grid": (line(b"female,,1.25"), "'age': expected a declared value"),
    "a number in another notation": (line(b"female,,1e0"), "'age': expected a declared value"),
    "a cell too few": (line(b"female,1.5"), "expected 3 cells, got 2"),
    "a cell too many": (line(b"female,,1.5,1.5"), "expected 3 cells, got 4"),
    "an empty line": (line(b""), "expected 3 cells, got 0"),
    "a quote that does not close": (line(b'female,"x,1.5'), "expected"),
    "bytes that are no text": (line(b"female,\xff\xfe,1.5"), "UTF-8"),
    "the heading again": (line(b"sex,ward,age"), "'sex': expected a declared value"),
    "an end of a row with another value": (line(HONEST[:-1], b"e,female,1.5"), "'ward': expected a declared value"),
    "an end of a row with too many cells": (line(HONEST[:-1], b"e,,1.5,1.5"), "at most 3 cells"),
    "a beginning of a row with another value": (
        lambda _: HONEST * 82 + b"martian,",  # 992 bytes
        "'sex': expected a declared value",
    ),
    "a beginning of a row with too many cells": (lambda _: HONEST * 81 + b"female,,1.5,12,1,1,1", "at most 3 cells"),
}


@pytest.mark.parametrize(("spoil", "words"), RUBBISH.values(), ids=RUBBISH)
def test_rubbish_is_noticed_and_no_value_is_told(spoil: Spoil, words: str) -> None:
    with pytest.raises(Corrupt, match=words) as caught:
        spoiled(spoil)
    assert "martian" not in str(caught.value)
    assert "18.5" not in str(caught.value)


@pytest.mark.parametrize("cell", [b"third", b"-1", b"1000000", b"first", b"1.5", b"1e3"])
def test_rows_wider_than_a_chunk_are_looked_at_cell_by_cell(cell: bytes) -> None:
    with pytest.raises(Corrupt, match="expected a part of a row, got cells that stand so in none"):
        spoiled(repeated(b"123456,123456,123456," + cell + b","), WIDE, 12)


# ---------------------------------------------------------------------------------------------------- the first chunk


def test_the_first_chunk_tells_where_the_table_ends() -> None:
    content = table(SCHEMA, ROWS)
    assert announced(packed(content), SCHEMA, ROWS).end == TABLE_AT + len(content)


@pytest.mark.parametrize("rows", [1, 100, 5_000, 10**6])
def test_a_table_that_is_too_short_or_too_long_for_its_rows_is_noticed(rows: int) -> None:
    with pytest.raises(Corrupt, match=f"expected {rows} rows to take"):
        announced(packed(table(SCHEMA, ROWS)), SCHEMA, rows)


def test_an_archive_of_an_impossible_length_is_noticed() -> None:
    data = packed(table(SCHEMA, ROWS))
    honest = int.from_bytes(data[:LENGTH_BYTES])
    for length in (1, 2**63, honest + 10_240, honest - 512):
        with pytest.raises(Corrupt, match="expected an archive that fits"):
            announced(length.to_bytes(LENGTH_BYTES) + data[LENGTH_BYTES:], SCHEMA, ROWS)
    with pytest.raises(Corrupt, match=f"expected {ROWS} rows to take"):
        announced(bytes(LENGTH_BYTES) + data[LENGTH_BYTES:], SCHEMA, ROWS)


def test_what_is_no_archive_is_noticed() -> None:
    data = packed(table(SCHEMA, ROWS))
    for rubbish in (Random(3).randbytes(DATA_BYTES), bytes(DATA_BYTES), data[:8] + b"\0" + data[9:]):
        with pytest.raises(Corrupt, match=r"got no synthetic\.csv"):
            announced(rubbish + data[DATA_BYTES:], SCHEMA, ROWS)


@pytest.mark.parametrize("heading", [b"sex,age,ward\n", b"sex,ward\n", b"\n", b"\xff\n", b'sex,"ward,age\n'])
def test_another_heading_is_noticed(heading: bytes) -> None:
    content = table(SCHEMA, ROWS).replace(b"sex,ward,age\n", heading, 1)
    data = packed(content)
    with pytest.raises(Corrupt, match="heading of the schema's columns"):
        announced(data, SCHEMA, ROWS).check(0, data[:DATA_BYTES])


def test_another_heading_that_is_longer_than_the_chunk_is_noticed() -> None:
    data = packed(table(WIDE, 12).replace(b"count 7", b"count x", 1))
    with pytest.raises(Corrupt, match="heading of the schema's columns"):
        announced(data, WIDE, 12).check(0, data[:DATA_BYTES])
