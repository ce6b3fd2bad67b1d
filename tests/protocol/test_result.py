import csv
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.result import (
    DOCUMENTS_BYTES,
    HEADER_BYTES,
    NAMES,
    PICTURE,
    REPORT,
    TABLE,
    heading_bytes,
    least_rows_bytes,
    most_bytes,
    most_table_bytes,
    pack,
    table_bytes,
    unpack,
)
from marketplace.protocol.schema import Schema

from .examples import SCHEMA, schemas

CONTENT = {TABLE: b"sex\nfemale\n", REPORT: b"<p>" + b"r" * 1_000, PICTURE: b""}


def written(folder: Path, content: Mapping[str, bytes]) -> dict[str, Path]:
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in content}


def packed(folder: Path, content: Mapping[str, bytes] = CONTENT) -> bytes:
    out = io.BytesIO()
    pack(written(folder, content), out)
    return out.getvalue()


def archive(entries: list[tarfile.TarInfo], form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for entry in entries:
            made.addfile(entry, io.BytesIO(bytes(entry.size)))
    return out.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=3_000)))
@settings(max_examples=50)
def test_what_is_packed_comes_out_again(tmp_path_factory: pytest.TempPathFactory, some: dict[str, bytes]) -> None:
    content = CONTENT | some
    data = packed(tmp_path_factory.mktemp("in"), content)
    files = unpack(io.BytesIO(data), tmp_path_factory.mktemp("out"))
    assert {name: path.read_bytes() for name, path in files.items()} == content
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == list(NAMES)


def test_the_same_files_are_the_same_bytes_wherever_they_are(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    data = packed(one)
    two_files = written(two, dict(reversed(CONTENT.items())))
    for path in two_files.values():
        path.chmod(0o600)
        path.touch()
    out = io.BytesIO()
    pack(dict(reversed(two_files.items())), out)
    assert out.getvalue() == data


@given(schemas(), st.integers(1, 12), st.data())
@settings(max_examples=60, deadline=None)
def test_no_result_is_larger_than_its_declared_size(
    tmp_path_factory: pytest.TempPathFactory, schema: Schema, rows: int, data: st.DataObject
) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(schema.names)
    widest = [max((c.text(code) for code in (0, c.size // 2, c.size - 1)), key=len) for c in schema.columns]
    for _ in range(rows):
        writer.writerow([data.draw(st.sampled_from(["", text])) for text in widest])
    report = data.draw(st.sampled_from([0, 1, DOCUMENTS_BYTES // 2, DOCUMENTS_BYTES]))
    content = {TABLE: table.getvalue().encode(), REPORT: bytes(report), PICTURE: bytes(DOCUMENTS_BYTES - report)}
    assert len(packed(tmp_path_factory.mktemp("in"), content)) <= most_bytes(schema, rows)


def test_the_declared_size_grows_with_the_rows_alone() -> None:
    assert most_bytes(SCHEMA, 11) - most_bytes(SCHEMA, 10) == SCHEMA.row_bytes


@pytest.mark.parametrize("names", [(TABLE, REPORT), (*NAMES, "more.txt"), ()])
def test_other_files_than_those_of_a_result_are_not_packed(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match=r"expected the files synthetic\.csv, report\.html, picture\.png"):
        pack(written(tmp_path, dict.fromkeys(names, b"")), io.BytesIO())


def test_a_report_and_picture_beyond_their_size_are_not_packed(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="expected report and picture within 3145728 bytes"):
        packed(tmp_path, CONTENT | {REPORT: bytes(DOCUMENTS_BYTES), PICTURE: b"x"})


def test_a_table_beyond_what_the_archive_can_hold_is_not_packed(tmp_path: Path) -> None:
    files = written(tmp_path, CONTENT)
    with files[TABLE].open("r+b") as table:
        table.truncate(2**33)
    with pytest.raises(Invalid, match="expected a table below 8 GiB"):
        pack(files, io.BytesIO())


@pytest.mark.parametrize(
    "first",
    [
        entry("other.csv"),
        entry("../synthetic.csv"),
        entry("/tmp/synthetic.csv"),
        entry("./synthetic.csv"),
        entry(TABLE, tarfile.SYMTYPE, link="/etc/passwd"),
        entry(TABLE, tarfile.LNKTYPE, link="report.html"),
        entry(TABLE, tarfile.DIRTYPE),
        entry(TABLE, tarfile.FIFOTYPE),
        entry(TABLE, tarfile.CHRTYPE),
        entry(TABLE, tarfile.GNUTYPE_SPARSE, 2**40),
        entry(REPORT),
    ],
    ids=lambda info: f"{info.name} {info.type!r}",
)
def test_an_entry_that_is_no_file_of_a_result_is_refused_and_nothing_is_written(
    tmp_path: Path, first: tarfile.TarInfo
) -> None:
    out = io.BytesIO(first.tobuf(tarfile.GNU_FORMAT) + archive([entry(REPORT), entry(PICTURE)]))
    with pytest.raises(Corrupt, match=r"got no synthetic\.csv; contest the order"):
        unpack(out, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["mode", "uid", "mtime", "uname"])
def test_an_archive_that_tells_something_about_a_machine_is_refused(tmp_path: Path, part: str) -> None:
    told = entry(TABLE)
    setattr(told, part, "hospital" if part == "uname" else 7)
    with pytest.raises(Corrupt, match=r"got no synthetic\.csv"):
        unpack(io.BytesIO(archive([told, entry(REPORT), entry(PICTURE)])), tmp_path)


def test_a_file_that_comes_twice_or_a_fourth_one_is_refused(tmp_path: Path) -> None:
    for more in (entry(TABLE), entry("more.txt")):
        data = archive([*map(entry, NAMES), more])
        with pytest.raises(Corrupt, match="expected zeros between the files"):
            unpack(io.BytesIO(data), tmp_path)


def test_extended_headers_are_refused(tmp_path: Path) -> None:
    sparse = entry(TABLE)
    sparse.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "a,b"}
    with pytest.raises(Corrupt, match=r"got no synthetic\.csv"):
        unpack(io.BytesIO(archive([sparse, *map(entry, NAMES[1:])], tarfile.PAX_FORMAT)), tmp_path)


@given(st.data())
@settings(max_examples=60)
def test_a_result_that_breaks_off_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = packed(tmp_path_factory.mktemp("in"))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Corrupt, match="contest the order"):
        unpack(io.BytesIO(whole[:cut]), tmp_path_factory.mktemp("out"))


def test_bytes_after_the_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="got more bytes; contest the order"):
        unpack(io.BytesIO(packed(tmp_path) + b"\0"), tmp_path)


@given(st.integers(0, 5 * 512 - 1), st.integers(1, 255))
@settings(max_examples=80)
def test_no_byte_outside_the_files_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    data = bytearray(packed(tmp_path_factory.mktemp("in")))
    data[at] ^= change
    out = tmp_path_factory.mktemp("out")
    try:
        files = unpack(io.BytesIO(data), out)
    except Corrupt:
        return
    again = io.BytesIO()
    pack(files, again)
    assert again.getvalue() == data


@given(schemas(), st.data())
def test_a_table_is_as_long_as_its_declaration_allows(schema: Schema, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 20))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(schema.names)
    heading = len(out.getvalue().encode())
    for _ in range(rows):
        codes = [data.draw(st.integers(-1 if column.missing else 0, column.size - 1)) for column in schema.columns]
        cells = zip(schema.columns, codes, strict=True)
        writer.writerow(["" if code < 0 else column.text(code) for column, code in cells])
    length = len(out.getvalue().encode())
    assert heading <= heading_bytes(schema)
    assert heading + least_rows_bytes(schema, rows) <= length <= most_table_bytes(schema, rows)


def test_the_start_of_a_result_tells_how_long_its_table_is(tmp_path: Path) -> None:
    data = packed(tmp_path)
    assert table_bytes(data[:HEADER_BYTES]) == len(CONTENT[TABLE])
    assert data[HEADER_BYTES:].startswith(CONTENT[TABLE])
    for start in (b"", data[: HEADER_BYTES - 1], bytes(HEADER_BYTES), data[1 : HEADER_BYTES + 1]):
        with pytest.raises(Corrupt, match=r"got no synthetic\.csv"):
            table_bytes(start)
