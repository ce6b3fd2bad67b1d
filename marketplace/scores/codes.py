"""A result's CSV as a table of codes, as strict as its schema."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Category, Column, Number, Schema

MISSING = -1
ROWS_AT_ONCE = 50_000
CodedFrame = pd.DataFrame
"""One int32 column for each of a schema's, in order; -1 for missing."""
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


def read_codes(source: bytes | BinaryIO, schema: Schema, least_rows: int = 1) -> pd.DataFrame:
    """The codes of a result: one int32 column for each of `schema.names`, in order; -1 where the cell is empty.

    `source`: UTF-8 CSV with a header, RFC 4180 quoting, `least_rows` (0 or 1) or more rows; numbers in plain decimal
    notation.
    Raises `Corrupt` where the header is not the schema's names, a row is ragged, a value is not in the declared list or
    on the declared grid, or a cell is empty where nothing may be missing. The message names row (1 is the first after
    the header) and column, never the value.
    """
    binary = io.BytesIO(source) if isinstance(source, bytes) else source
    text = io.TextIOWrapper(binary, encoding="utf-8", errors="strict", newline="")
    try:
        return _table(csv.reader(text, strict=True), schema, least_rows)
    except UnicodeDecodeError:
        raise Corrupt("expected a result in UTF-8, got other bytes; fetch it again") from None
    except csv.Error:
        raise Corrupt("expected a result in CSV, got lines that are none; fetch it again") from None
    finally:
        text.detach()


def _table(rows: Iterator[list[str]], schema: Schema, least_rows: int) -> pd.DataFrame:
    if next(rows, []) != list(schema.names):
        raise Corrupt(
            f"expected a header of the schema's {len(schema.names)} columns in order, got another; fetch it again"
        )
    blocks: list[list[npt.NDArray[np.int32]]] = [[np.empty(0, np.int32)] for _ in schema.columns]
    done = 0
    while block := list(islice(rows, ROWS_AT_ONCE)):
        for index, row in enumerate(block, done + 1):
            if len(row) != len(schema.columns):
                raise Corrupt(
                    f"row {index}: expected {len(schema.columns)} cells, got {len(row)}; fetch the result again"
                )
        for column, texts, codes in zip(schema.columns, zip(*block, strict=True), blocks, strict=True):
            codes.append(_codes(column, texts, done + 1))
        done += len(block)
    if done < least_rows:
        raise Corrupt("expected a result of at least 1 row, got none; fetch it again")
    return pd.DataFrame({name: np.concatenate(codes) for name, codes in zip(schema.names, blocks, strict=True)})


def _codes(column: Column, texts: tuple[str, ...], first_row: int) -> npt.NDArray[np.int32]:
    code_of = _code_of_value(column) if isinstance(column, Category) else _code_of_number(column)
    known: dict[str, int] = {"": MISSING} if column.missing else {}
    for row, text in enumerate(texts, first_row):
        if text in known:
            continue
        code = code_of(text)
        if code is None:
            got = "another" if text else "an empty cell"
            raise Corrupt(
                f"row {row}, column {column.name!r}: expected a declared value, got {got}; fetch the result again"
            )
        known[text] = code
    return np.fromiter((known[text] for text in texts), dtype=np.int32, count=len(texts))


def _code_of_value(column: Category) -> Callable[[str], int | None]:
    return {value: code for code, value in enumerate(column.values)}.get


def _code_of_number(column: Number) -> Callable[[str], int | None]:
    def code_of(text: str) -> int | None:
        if not PLAIN_NUMBER.fullmatch(text):
            return None
        code = (Fraction(text) - Fraction(column.lower)) / Fraction(column.step)
        return int(code) if code.denominator == 1 and 0 <= code < column.size else None

    return code_of
