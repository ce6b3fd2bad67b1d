"""Records in a file, read strictly as text, batch by batch: CSV (RFC 4180, UTF-8) and Parquet.

Every complaint is one `Invalid` line with a column's name or a line's number, and never a cell's value.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from marketplace.errors import Invalid
from node.vault.cells import is_number

BATCH_ROWS = 10_000
_PARQUET_MAGIC = b"PAR1"
_LARGEST_NAME = 200


@dataclass(frozen=True)
class Batch:
    """Some records that follow each other: one sequence of texts per wanted column, all of one length.

    `first`: the 1-based number of the first of these records in the file. A null of Parquet is the empty text.
    """

    first: int
    columns: tuple[Sequence[str], ...]


class Records(Protocol):
    """A file of records that has been opened and has a usable header."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in the file's order: at least two, all different, printable."""
        ...

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """All records in order, of the columns `names` alone. Raises `Invalid` at the first that cannot be read, and
        at the end where there were fewer than two."""
        ...


def open_records(path: Path) -> Records:
    """The records in the file at `path`; its content, not its name, decides between Parquet and CSV.

    Raises `Invalid` if the file cannot be read, is empty, or has no usable header.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        raise _unreadable(path, error) from None
    if not magic:
        raise Invalid(f"expected records in {path.name!r}, got an empty file; give a CSV or Parquet file with a header")
    return _ParquetRecords(path) if magic == _PARQUET_MAGIC else _CsvRecords(path)


class _CsvRecords:
    def __init__(self, path: Path) -> None:
        self._path = path
        header, _ = next(self._rows(), ([], 0))
        _check_header(header, path)
        self.names = tuple(header)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        wanted = [self.names.index(name) for name in names]
        first, rows = 1, list[list[str]]()
        for row, line in self._rows(skip=1):
            if len(row) != len(self.names):
                raise Invalid(
                    f"line {line}: expected {len(self.names)} cells as in the header, got {len(row)}; correct that line"
                )
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield _turned(first, rows, wanted)
                first, rows = first + len(rows), []
        if rows:
            yield _turned(first, rows, wanted)
        _check_count(first - 1 + len(rows))

    def _rows(self, skip: int = 0) -> Iterator[tuple[list[str], int]]:
        """Each row with the number of its last line, after the first `skip` rows. Empty lines may only end the file."""
        try:
            with self._path.open(encoding="utf-8-sig", errors="strict", newline="") as file:
                reader = csv.reader(file, strict=True)
                empty = None
                try:
                    for row in reader:
                        if not row:
                            empty = empty or reader.line_num
                        elif empty is not None:
                            raise Invalid(f"line {empty}: expected a record, got an empty line; remove it")
                        elif skip:
                            skip -= 1
                        else:
                            yield row, reader.line_num
                except csv.Error:
                    raise Invalid(
                        f"line {reader.line_num}: expected cells quoted as in RFC 4180 and of at most "
                        f"{csv.field_size_limit()} characters; correct the quotation marks there"
                    ) from None
        except UnicodeDecodeError:
            raise Invalid(
                f"line {_undecodable_line(self._path)}: expected UTF-8 throughout, got bytes of another encoding; "
                "save the file as UTF-8"
            ) from None
        except OSError as error:
            raise _unreadable(self._path, error) from None


class _ParquetRecords:
    def __init__(self, path: Path) -> None:
        self._path = path
        with _parquet(path) as file:
            self._types = list(file.schema_arrow)
        names = [str(field.name) for field in self._types]
        _check_names(names)
        self.names = tuple(names)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        for field in self._types:
            if field.name in names and not _is_flat(field.type):
                raise Invalid(
                    f"column {field.name!r}: expected numbers, text, booleans or dates, got {_kind(field.type)}; "
                    "flatten it, turn it into text or exclude it"
                )
        first = 1
        with _parquet(self._path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(names)):
                columns = tuple(_texts(batch.column(name)) for name in names)
                yield Batch(first, columns)
                first += batch.num_rows
        _check_count(first - 1)


@contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as file:
            yield pq.ParquetFile(file)
    except (pa.ArrowException, OSError):
        raise Invalid(
            f"expected a whole Parquet file in {path.name!r}, got one that cannot be decoded; export it again"
        ) from None


def _turned(first: int, rows: list[list[str]], wanted: list[int]) -> Batch:
    columns = tuple(zip(*rows, strict=True))
    return Batch(first, tuple(columns[index] for index in wanted))


def _texts(column: pa.Array) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return [text or "" for text in column.cast(pa.string()).to_pylist()]


def _is_flat(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_date32,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def _kind(kind: pa.DataType) -> str:
    """The type's family: the names of a structure's own fields are left out."""
    return "nested values" if pa.types.is_nested(kind) else str(kind)


def _check_header(header: list[str], path: Path) -> None:
    if not header:
        raise Invalid(f"expected a header in {path.name!r}, got empty lines; name the columns in the first line")
    if sum(map(is_number, header)) * 2 > len(header):
        raise Invalid(
            "expected a header of column names, got a first line of numbers; name the columns in the first line"
        )
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise Invalid("expected cells separated by commas, got another separator in the header; export it with commas")
    _check_names(header)


def _check_names(names: list[str]) -> None:
    if len(names) < 2:
        raise Invalid(f"expected at least 2 columns, got {len(names)}; one column alone has no relations to learn")
    unnamed = [str(place) for place, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise Invalid(f"expected a name for every column, got none for column {', '.join(unnamed)}; name or remove it")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"expected different column names, got {_listed(twice)} more than once; rename or remove one")
    odd = [str(place) for place, name in enumerate(names, 1) if not _is_plain(name)]
    if odd:
        raise Invalid(
            f"expected column names of 1 to {_LARGEST_NAME} printable characters without spaces around them, got others "
            f"for column {', '.join(odd)}; rename it"
        )


def _is_plain(name: str) -> bool:
    return name == name.strip() and name.isprintable() and len(name) <= _LARGEST_NAME


def _check_count(rows: int) -> None:
    if rows < 2:
        raise Invalid(f"expected at least 2 records below the header, got {rows}; give a file with more")


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _unreadable(path: Path, error: OSError) -> Invalid:
    return Invalid(
        f"expected a readable file of records, got {path.name!r}: {error.strerror}; check name and permission"
    )


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return number
    return 0
