"""A result: the bytes made for an order, as one plain archive with the same bytes for the same files, wherever it is made."""

import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.schema import LARGEST_SIZE, MAIN, Category, Column, Number, Schema

TABLE, REPORT, PICTURE = f"{MAIN}.csv", "report.html", "picture.png"
NAMES = (TABLE, REPORT, PICTURE)
DOCUMENTS_BYTES = 3 * 2**20
HEADER_BYTES = tarfile.BLOCKSIZE
"""How many bytes come before the table's first."""


@dataclass(frozen=True)
class Sheet:
    """One table of a result. `schema`: its columns alone, the person number first where rows hang together under
    persons.

    A person, or a row where there are no such numbers, has `least_rows` to `most_rows` rows in it.
    """

    file: str
    schema: Schema
    least_rows: int
    most_rows: int


def sheets(schema: Schema) -> tuple[Sheet, ...]:
    """The tables of a result, the main one first.

    Where rows hang together under persons, the first column of each is the person number, under the person column's name:
    1, 2, ..., which means nothing but that rows of one number belong to one synthetic person.
    """
    if not schema.is_linked:
        return (Sheet(TABLE, schema, 1, 1),)
    further = (
        Sheet(f"{table.name}.csv", _numbered(table.schema), 0, table.schema.rows_per_person) for table in schema.tables
    )
    return (Sheet(TABLE, _numbered(schema), 1, schema.rows_per_person), *further)


def _numbered(schema: Schema) -> Schema:
    number = Number(schema.person or MAIN, Decimal(1), Decimal(LARGEST_SIZE), Decimal(1), missing=False)
    return Schema((number, *schema.columns), None, 1)


def names_of(schema: Schema) -> tuple[str, ...]:
    """The names of a result's files, in order: its tables, the report, the picture."""
    return (*(sheet.file for sheet in sheets(schema)), REPORT, PICTURE)


def most_bytes(schema: Schema, rows: int) -> int:
    """The size to which a result is padded: fixed by declared facts, so that it tells nothing else.

    `rows`: those asked for, which are persons where rows hang together under them. Tables at their widest and longest
    under the schema, 3 MiB for report and picture, the archive's own blocks.
    """
    found = sheets(schema)
    tables = sum(_most_sheet_bytes(sheet, rows) for sheet in found)
    return tables + DOCUMENTS_BYTES + (14 + 2 * len(found)) * tarfile.BLOCKSIZE + tarfile.RECORDSIZE


def heading_bytes(schema: Schema) -> int:
    """The most bytes that the main table's first line, the columns' names, can take."""
    return _heading_bytes(sheets(schema)[0].schema)


def most_table_bytes(schema: Schema, rows: int) -> int:
    """The most bytes that the main table can take, from the declaration alone. `rows`: as in `most_bytes`."""
    return _most_sheet_bytes(sheets(schema)[0], rows)


def least_rows_bytes(schema: Schema, rows: int) -> int:
    """A number of bytes that the main table takes at least, from the declaration alone. `rows`: as in `most_bytes`."""
    sheet = sheets(schema)[0]
    return rows * sheet.least_rows * sum(_least_cell_bytes(column) + 1 for column in sheet.schema.columns)


def _most_sheet_bytes(sheet: Sheet, rows: int) -> int:
    return _heading_bytes(sheet.schema) + rows * sheet.most_rows * sheet.schema.row_bytes


def _heading_bytes(schema: Schema) -> int:
    return sum(len(name.encode()) + 3 + name.count('"') for name in schema.names)


def table_bytes(start: bytes) -> int:
    """How many bytes the table takes, by the first `HEADER_BYTES` of a result. Raises `Corrupt` if no result begins so."""
    return _size_of(start, TABLE)


def pack(files: Mapping[str, Path], out: BinaryIO, names: Sequence[str] = NAMES) -> None:
    """Writes the result's files into `out` as a POSIX ustar archive without owners, times or modes of this machine.

    `files` maps every one of `names` (see `names_of`) to a file on disk. Raises `Invalid` for other names, if report and
    picture exceed their 3 MiB, or if a table does not fit into such an archive.
    """
    if set(files) != set(names):
        raise Invalid(f"expected the files {', '.join(names)} in a result")
    if sum(files[name].stat().st_size for name in names if name in (REPORT, PICTURE)) > DOCUMENTS_BYTES:
        raise Invalid(f"expected report and picture within {DOCUMENTS_BYTES} bytes together")
    try:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in names:
                with files[name].open("rb") as content:
                    archive.addfile(_entry(name, files[name].stat().st_size), content)
    except ValueError:
        raise Invalid("expected a table below 8 GiB in a result; ask for fewer rows") from None


def unpack(source: BinaryIO, folder: Path, names: Sequence[str] = NAMES) -> dict[str, Path]:
    """Writes the result's files into `folder`, and nothing else, nowhere else.

    `names`: of its files, in order. Raises `Corrupt` unless `source` is from here to its end what `pack` writes, byte for
    byte. Files before the byte that differs are left behind.
    """
    done = 0
    for name in names:
        size = _size_of(source.read(tarfile.BLOCKSIZE), name)
        with (folder / name).open("wb") as out:
            _copy(source, out, size)
        done += tarfile.BLOCKSIZE + size + _expect_zeros(source, -size % tarfile.BLOCKSIZE)
    end = 2 * tarfile.BLOCKSIZE
    _expect_zeros(source, end + -(done + end) % tarfile.RECORDSIZE)
    if source.read(1):
        raise Corrupt("expected a result that ends with its archive, got more bytes; contest the order")
    return {name: folder / name for name in names}


def _least_cell_bytes(column: Column) -> int:
    if column.missing:
        return 0
    return min(len(value.encode()) for value in column.values) if isinstance(column, Category) else 1


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _size_of(header: bytes, name: str) -> int:
    try:
        size = int(header[124:135], 8)
        if header == _entry(name, size).tobuf(tarfile.USTAR_FORMAT):
            return size
    except ValueError:
        pass
    raise Corrupt(f"expected a result with the plain files {', '.join(NAMES)}, got no {name}; contest the order")


def _copy(source: BinaryIO, out: BinaryIO, size: int) -> None:
    while size:
        piece = source.read(min(size, 2**20))
        if not piece:
            raise Corrupt("expected a whole result, got one that breaks off; contest the order")
        out.write(piece)
        size -= len(piece)


def _expect_zeros(source: BinaryIO, size: int) -> int:
    if source.read(size) != bytes(size):
        raise Corrupt("expected zeros between the files of a result, got other bytes; contest the order")
    return size
