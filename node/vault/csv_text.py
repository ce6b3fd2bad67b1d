"""A coded table as CSV text: RFC 4180 quoting, lines that end in LF, an empty cell for missing, UTF-8."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from marketplace.protocol.schema import Column, Schema

_CHUNK_ROWS = 50_000


def encode(table: pa.Table, schema: Schema) -> bytes:
    """The whole CSV of `table`, header included. The same codes give the same bytes. Raises `ValueError` as `chunks`."""
    return b"".join(chunks(table, schema))


def chunks(table: pa.Table, schema: Schema) -> Iterator[bytes]:
    """The same bytes piece by piece, each of whole lines.

    `table`: int32 columns named and ordered as in `schema`, null for missing. Raises `ValueError` if it is another.
    """
    if tuple(table.column_names) != schema.names:
        raise ValueError("expected the columns that the schema declares, in order")
    yield _line([_quoted(name) for name in schema.names]).encode()
    for first in range(0, table.num_rows, _CHUNK_ROWS):
        part = table.slice(first, _CHUNK_ROWS)
        columns = [_cells(part.column(place), column) for place, column in enumerate(schema.columns)]
        yield "".join(map(_line, zip(*columns, strict=True))).encode()


def _cells(codes: pa.ChunkedArray, column: Column) -> list[str]:
    numbers = codes.fill_null(-1).to_numpy()
    different, places = np.unique(numbers, return_inverse=True)
    if len(different) and (different[0] < -1 or different[-1] >= column.size):
        raise ValueError("expected codes that the schema declares")
    texts = ["" if number < 0 else _quoted(column.text(int(number))) for number in different]
    return [texts[place] for place in places]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    """One line; a single empty cell is quoted, since an empty line would be no record."""
    return (",".join(cells) if len(cells) > 1 else cells[0] or '""') + "\n"


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
