import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.content import Cid, cid_of, put_bytes, read_bytes
from marketplace.content.directory import DirectoryStore
from marketplace.content.layout import LEAF_BYTES, blocks
from marketplace.errors import Refused, Unreachable
from tests.content.pattern import pages, pattern

SIZE = 5 * LEAF_BYTES + 3


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def failing(code: int, after: int = 0):  # type: ignore[no-untyped-def]
    """A stand-in for `os.fsync` that fails with `code` from its call number `after` on."""
    calls = iter(range(10**9))
    real = os.fsync

    def fsync(handle: int) -> None:
        if next(calls) >= after:
            raise OSError(code, os.strerror(code))
        real(handle)

    return fsync


def test_each_block_is_one_file_called_by_its_address(store: DirectoryStore, tmp_path: Path) -> None:
    put_bytes(store, pattern(SIZE))
    expected = {block.cid.text: block.data for block in blocks(pages(SIZE))}
    assert {file.name: file.read_bytes() for file in files(tmp_path)} == expected


def test_what_one_object_put_another_reads(store: DirectoryStore, tmp_path: Path) -> None:
    cid = put_bytes(store, pattern(SIZE))
    assert read_bytes(DirectoryStore(tmp_path / "store"), cid, limit=SIZE) == pattern(SIZE)


def test_opening_and_reading_make_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "absent")
    assert not store.has(Cid.of_raw(b"x"))
    with pytest.raises(Unreachable, match=str(Cid.of_raw(b"x"))):
        list(store.read(Cid.of_raw(b"x")))
    assert list(tmp_path.iterdir()) == []


def test_every_byte_and_every_name_is_on_the_disk_before_put_returns(
    store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    real = os.fsync

    def noted(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    put_bytes(store, pattern(SIZE))
    made = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    assert {path.stat().st_ino for path in [tmp_path, *made]} <= synced


def test_putting_again_mends_a_damaged_block(store: DirectoryStore, tmp_path: Path) -> None:
    cid = put_bytes(store, pattern(SIZE))
    for file in files(tmp_path):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert put_bytes(store, pattern(SIZE)) == cid
    assert read_bytes(store, cid, limit=SIZE) == pattern(SIZE)


def test_putting_again_writes_nothing_that_is_there(store: DirectoryStore, tmp_path: Path) -> None:
    put_bytes(store, pattern(SIZE))
    before = {file: file.stat().st_ino for file in files(tmp_path)}
    put_bytes(store, pattern(SIZE))
    assert {file: file.stat().st_ino for file in files(tmp_path)} == before


class TestADiskThatDoesNotTakeIt:
    @pytest.mark.parametrize("after", [0, 3, 12])
    def test_a_full_disk_is_unreachable_and_nothing_half_written_is_visible(
        self, store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC, after))
        with pytest.raises(Unreachable, match="free some and try again") as told:
            put_bytes(store, pattern(SIZE))
        assert "\n" not in str(told.value)
        assert not store.has(cid_of(pages(SIZE)))
        for file in files(tmp_path):
            assert Cid.of_raw(file.read_bytes()).text == file.name

    def test_after_a_full_disk_putting_again_works(
        self, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing(errno.ENOSPC, 9))
            with pytest.raises(Unreachable):
                put_bytes(store, pattern(SIZE))
        assert read_bytes(store, put_bytes(store, pattern(SIZE)), limit=SIZE) == pattern(SIZE)

    @pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
    def test_a_read_only_disk_is_refused(
        self, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        monkeypatch.setattr(os, "fsync", failing(code))
        with pytest.raises(Refused, match="give access or another folder"):
            put_bytes(store, b"anything")

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
    def test_a_folder_without_permission_is_refused(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(Refused, match="give access or another folder"):
            put_bytes(DirectoryStore(tmp_path / "store"), b"anything")

    def test_a_file_in_the_place_of_the_folder_is_named_as_trouble(self, tmp_path: Path) -> None:
        (tmp_path / "store").write_text("not a folder")
        with pytest.raises(Unreachable, match="expected the disk to serve"):
            put_bytes(DirectoryStore(tmp_path / "store"), b"anything")


PUT = """
import sys
from pathlib import Path
from marketplace.content.directory import DirectoryStore
from tests.content.pattern import pages

print(DirectoryStore(Path(sys.argv[1])).put(pages(int(sys.argv[2]))))
"""


def test_processes_that_put_at_once_do_not_disturb_each_other(store: DirectoryStore, tmp_path: Path) -> None:
    size = 40 * LEAF_BYTES + 1
    command = [sys.executable, "-c", PUT, str(tmp_path / "store"), str(size)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) for _ in "123"
    ]
    said = {process.communicate()[0].strip() for process in running}
    assert said == {cid_of(pages(size)).text}
    assert read_bytes(store, cid_of(pages(size)), limit=size) == pattern(size)
    assert len(files(tmp_path)) == len(list(blocks(pages(size))))


def test_a_process_killed_while_putting_leaves_no_block_that_is_not_whole(
    store: DirectoryStore, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PUT, str(tmp_path / "store"), str(4000 * LEAF_BYTES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        while len(files(tmp_path)) < 20:
            assert process.poll() is None
        process.kill()
    whole = [file for file in files(tmp_path) if file.suffix != ".part"]
    assert len(whole) >= 10
    for file in whole:
        data = file.read_bytes()
        assert file.name in (Cid.of_raw(data).text, Cid.of_dag_pb(data).text)
