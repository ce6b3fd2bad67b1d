"""Files that are there whole or not at all, for their owner only."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.errors import MarketplaceError, Refused, Unreachable
from node.files import disk, growing_file, make_folder, reading, whole_file, write_whole


@pytest.fixture(autouse=True)
def a_generous_mask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_appears_with_its_last_byte(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as out:
        out.write(b"half")
        assert not (tmp_path / "a").exists()
        out.write(b" and half")
    assert (tmp_path / "a").read_bytes() == b"half and half"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_was_there_stays_when_the_new_one_is_not_finished(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a") as out:
        out.write(b"new")
        1 / 0  # noqa: B018
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_process_that_is_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    writing = (
        "import os, pathlib, signal, sys; from node.files import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as out:\n"
        "    out.write(b'new'); out.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    writer = subprocess.run([sys.executable, "-c", writing, str(tmp_path / "a")], timeout=600)
    assert writer.returncode == -signal.SIGKILL
    assert (tmp_path / "a").read_bytes() == b"old"
    write_whole(tmp_path / "a", b"newer")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"newer"]


def test_files_and_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    make_folder(tmp_path / "one" / "two")
    write_whole(tmp_path / "one" / "two" / "whole", b"")
    with growing_file(tmp_path / "one" / "two" / "growing") as out:
        out.write(b"a")
    for path in (tmp_path / "one").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700


def test_a_growing_file_keeps_what_it_had(tmp_path: Path) -> None:
    for part in (b"a", b"b"):
        with growing_file(tmp_path / "log") as out:
            out.write(part)
    assert (tmp_path / "log").read_bytes() == b"ab"


def test_a_folder_that_is_there_stays(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"kept")
    make_folder(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"kept"


def test_a_file_in_the_place_of_a_folder_is_told_in_one_line(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"")
    for use in (
        lambda: make_folder(tmp_path / "file" / "folder"),
        lambda: write_whole(tmp_path / "file" / "a", b""),
        lambda: growing_file(tmp_path / "file" / "a").__enter__(),
        lambda: reading(tmp_path / "file" / "a").__enter__(),
    ):
        with pytest.raises(Unreachable, match=r"^expected a disk .*got '(Not a directory|File exists)'; see to it$"):
            use()


@pytest.mark.parametrize(
    ("number", "kind"),
    [(28, Unreachable), (5, Unreachable), (30, Refused), (13, Refused), (1, Refused)],
    ids=["full", "failing", "read-only", "forbidden", "not permitted"],
)
def test_a_disk_that_says_no_is_told_by_what_to_do(number: int, kind: type[MarketplaceError]) -> None:
    with pytest.raises(kind, match=os.strerror(number)), disk():
        raise OSError(number, os.strerror(number))


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No space left"), whole_file(tmp_path / "a") as out:
        out.write(b"a")
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
