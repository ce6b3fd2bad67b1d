"""A result: the bytes made for an order, as one plain archive with the same bytes for the same files, wherever it is made."""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.schema import Category, Column, Schema

TABLE, REPORT, PICTURE = "synthetic.csv", "report.html", "picture.png"
NAMES = (TABLE, REPORT, PICTURE)
DOCUMENTS_BYTES = 3 * 2**20
HEADER_BYTES = tarfile.BLOCKSIZE
"""How many bytes come before the table's first."""


def most_bytes(schema: Schema, rows: int) -> int:
    """The size to which a result of `rows` rows is padded: fixed by declared facts, so that it tells nothing else.

    Table at its widest under the schema, 3 MiB for report and picture, the archive's own blocks.
    """
    return most_table_bytes(schema, rows) + DOCUMENTS_BYTES + 16 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE


def heading_bytes(schema: Schema) -> int:
    """The most bytes that the table's first line, the columns' names, can take."""
    return sum(len(name.encode()) + 3 + name.count('"') for name in schema.names)


def most_table_bytes(schema: Schema, rows: int) -> int:
    """The most bytes that a table of `rows` rows can take, from the declaration alone."""
    return heading_bytes(schema) + rows * schema.row_bytes


def least_rows_bytes(schema: Schema, rows: int) -> int:
    """A number of bytes that `rows` rows of a table take at least, from the declaration alone."""
    return rows * sum(_least_cell_bytes(column) + 1 for column in schema.columns)


def table_bytes(start: bytes) -> int:
    """How many bytes the table takes, by the first `HEADER_BYTES` of a result. Raises `Corrupt` if no result begins so."""
    return _size_of(start, TABLE)


def pack(files: Mapping[str, Path], out: BinaryIO) -> None:
    """Writes the result's files into `out` as a POSIX ustar archive without owners, times or modes of this machine.

    `files` maps every one of `NAMES` to a file on disk. Raises `Invalid` for other names, if report and picture exceed
    their 3 MiB, or if the table does not fit into such an archive.
    """
    if set(files) != set(NAMES):
        raise Invalid(f"expected the files {', '.join(NAMES)} in a result")
    if sum(files[name].stat().st_size for name in (REPORT, PICTURE)) > DOCUMENTS_BYTES:
        raise Invalid(f"expected report and picture within {DOCUMENTS_BYTES} bytes together")
    try:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in NAMES:
                with files[name].open("rb") as content:
                    archive.addfile(_entry(name, files[name].stat().st_size), content)
    except ValueError:
        raise Invalid("expected a table below 8 GiB in a result; ask for fewer rows") from None


def unpack(source: BinaryIO, folder: Path) -> dict[str, Path]:
    """Writes the result's files into `folder`, and nothing else, nowhere else.

    Raises `Corrupt` unless `source` is from here to its end what `pack` writes, byte for byte. Files before the byte
    that differs are left behind.
    """
    done = 0
    for name in NAMES:
        size = _size_of(source.read(tarfile.BLOCKSIZE), name)
        with (folder / name).open("wb") as out:
            _copy(source, out, size)
        done += tarfile.BLOCKSIZE + size + _expect_zeros(source, -size % tarfile.BLOCKSIZE)
    end = 2 * tarfile.BLOCKSIZE
    _expect_zeros(source, end + -(done + end) % tarfile.RECORDSIZE)
    if source.read(1):
        raise Corrupt("expected a result that ends with its archive, got more bytes; contest the order")
    return {name: folder / name for name in NAMES}


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
