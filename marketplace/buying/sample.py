"""What a chunk of a result must hold when it is opened alone: a piece of a table that follows its schema.

No cell of a table holds a line end, so what stands between two line ends is a whole row, wherever the piece begins. At its
ends rows break off; their whole cells are checked too, unless quotes leave it open where cells end.
"""

import csv
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.errors import Corrupt
from marketplace.protocol import result
from marketplace.protocol.schema import Category, Column, Schema
from marketplace.scores.codes import read_codes
from marketplace.sealing.chunk import DATA_BYTES, LENGTH_BYTES

TABLE_AT = LENGTH_BYTES + result.HEADER_BYTES
"""Where the table begins among the data bytes of a result's chunks."""

LINE_END_BYTES = 1
"""By how much a heading may be longer than the node writes it: with a carriage return, which every reader takes."""


@dataclass(frozen=True)
class Table:
    """Where the main table of a result lies, and the columns in it. `end`: the place after its last byte among the data
    bytes of the chunks. Further tables, which lie behind it, are not looked into.
    """

    schema: Schema
    end: int

    @classmethod
    def of_first_chunk(cls, data: bytes, schema: Schema, rows: int, count: int) -> "Table":
        """The table that chunk 0 of a result of `count` chunks announces. `schema`: of the dataset.

        Raises `Corrupt` if no archive begins so, or if `rows` rows (persons, where the schema is linked) cannot be so short
        or so long.
        """
        length_bytes = int.from_bytes(data[:LENGTH_BYTES], "big")
        table_bytes = result.table_bytes(data[LENGTH_BYTES:TABLE_AT])
        least, most = result.least_rows_bytes(schema, rows), result.most_table_bytes(schema, rows) + LINE_END_BYTES
        if length_bytes % tarfile.RECORDSIZE or length_bytes > count * DATA_BYTES - LENGTH_BYTES:
            raise Corrupt(f"expected an archive that fits into {count} chunks, got {length_bytes} bytes")
        if not least <= table_bytes <= min(most, length_bytes - result.HEADER_BYTES):
            raise Corrupt(f"expected {rows} rows to take {least} to {most} bytes, got {table_bytes}")
        return cls(result.sheets(schema)[0].schema, TABLE_AT + table_bytes)

    @property
    def chunks(self) -> int:
        """How many chunks hold a part of the table, from chunk 0 on."""
        return -(-self.end // DATA_BYTES)

    def check(self, index: int, data: bytes) -> None:
        """Raises `Corrupt` if the 992 bytes of chunk `index` cannot be a piece of this table; no message holds a value."""
        at = index * DATA_BYTES
        piece = data[max(0, TABLE_AT - at) : max(0, self.end - at)]
        first, *rest = piece.split(b"\n")
        last = rest.pop() if rest else None
        if at <= TABLE_AT:
            self._check_heading(first, whole=last is not None)
        elif at - TABLE_AT >= result.heading_bytes(self.schema) + LINE_END_BYTES:
            self._check_beginning(first, breaks_off=last is None and at + DATA_BYTES < self.end)
        if last is not None:
            if at + DATA_BYTES < self.end:
                self._check_end(last)
            elif last:
                rest.append(last)
        self._check_rows(rest)

    def _check_heading(self, line: bytes, *, whole: bool) -> None:
        expected = _line(self.schema.names)
        if whole and _cells(line) != list(self.schema.names):
            raise Corrupt("expected a heading of the schema's columns, got another")
        if not whole and b'"' not in line and not expected.startswith(line):
            raise Corrupt("expected a heading of the schema's columns, got another")

    def _check_rows(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._check_length(line)
        if lines:
            _check_table(self.schema, b"\n".join(lines) + b"\n")

    def _check_beginning(self, line: bytes, *, breaks_off: bool) -> None:
        """`line` is the end of a row, or with `breaks_off` a part from the middle of one."""
        if breaks_off:
            self._check_middle(line)
        elif len(cells := self._broken(line)) > 1:
            _check_cells(self.schema.columns[1 - len(cells) :], cells[1:])

    def _check_end(self, line: bytes) -> None:
        """`line` is the beginning of a row."""
        cells = self._broken(line)
        if len(cells) > 1:
            _check_cells(self.schema.columns[: len(cells) - 1], cells[:-1])

    def _check_middle(self, line: bytes) -> None:
        """`line` is a part of a row without its ends: of several cells, or from inside one whose quotes do not show."""
        columns = self.schema.columns
        if any("," in value for column in columns if isinstance(column, Category) for value in column.values):
            return self._check_length(line)
        cells = self._broken(line)[1:-1]
        places = range(1, len(columns) - len(cells))
        if cells and not any(_fit(columns[first : first + len(cells)], cells) for first in places):
            raise Corrupt("expected a part of a row, got cells that stand so in none")
        return None

    def _broken(self, line: bytes) -> list[bytes]:
        """The cells of a row that breaks off; none where quotes leave it open which they are."""
        self._check_length(line)
        if b'"' in line:
            return []
        cells = line.removesuffix(b"\r").split(b",")
        if len(cells) > len(self.schema.columns):
            raise Corrupt(f"expected at most {len(self.schema.columns)} cells in a row, got {len(cells)}")
        return cells

    def _check_length(self, line: bytes) -> None:
        if len(line) > self.schema.row_bytes:
            raise Corrupt(f"expected lines of at most {self.schema.row_bytes} bytes, got {len(line)}")


def _check_cells(columns: Sequence[Column], cells: Sequence[bytes]) -> None:
    """Raises `Corrupt` unless each cell is a value of its column."""
    quoted = b",".join(b'"' + cell + b'"' for cell in cells) + b"\n"
    _check_table(Schema(tuple(columns), None, 1), quoted)


def _fit(columns: Sequence[Column], cells: Sequence[bytes]) -> bool:
    try:
        _check_cells(columns, cells)
    except Corrupt:
        return False
    return True


def _check_table(schema: Schema, rows: bytes) -> None:
    try:
        read_codes(_line(schema.names) + rows, schema)
    except Corrupt as error:
        raise Corrupt(str(error).partition(";")[0]) from None


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []
