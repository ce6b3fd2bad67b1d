"""A journal to which lines are only added, by one node at a time."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Refused, Unreachable
from marketplace.protocol.identity import OrderId
from node.journal import Entry, Journal, Mark

ONE, OTHER = OrderId(b"1" * 32), OrderId(b"2" * 32)


def test_entries_come_back_in_the_order_of_writing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    written = [
        Entry(ONE, Mark.SECRETS, b"a", 1),
        Entry(OTHER, Mark.SEALED, b"b", 2),
        Entry(ONE, "signed:place", b"", 3),
    ]
    for entry in written:
        journal.add(entry.order, entry.mark, entry.data, entry.at_s)
    assert journal.entries() == tuple(written)
    assert journal.entries(ONE) == (written[0], written[2])
    journal.close()
    assert Journal(tmp_path / "journal.sqlite").entries() == tuple(written)


def test_the_newest_entry_of_a_mark_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    assert journal.last(ONE, Mark.SEALED) is None
    for at_s in (2, 1):
        journal.add(ONE, Mark.SEALED, b"%d" % at_s, at_s)
    journal.add(OTHER, Mark.SEALED, b"other", 3)
    assert journal.last(ONE, Mark.SEALED) == Entry(ONE, Mark.SEALED, b"1", 1)


def test_several_threads_write_and_read_at_once(tmp_path: Path) -> None:
    journal, failed = Journal(tmp_path / "journal.sqlite"), list[BaseException]()

    def write(order: OrderId) -> None:
        try:
            for at_s in range(30):
                journal.add(order, Mark.OPENED, b"%d" % at_s, at_s)
                assert journal.last(order, Mark.OPENED) == Entry(order, Mark.OPENED, b"%d" % at_s, at_s)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=write, args=(OrderId(bytes([each]) * 32),)) for each in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(journal.entries()) == 180


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET at_s = 0",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries SELECT number, of_order, mark, x'00', at_s FROM entries",
    ],
)
def test_no_entry_can_be_changed_or_removed(tmp_path: Path, statement: str) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.add(ONE, Mark.SECRETS, b"a", 1)
    journal.close()
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="entries"):
        database.execute(statement)
    database.close()
    assert Journal(tmp_path / "journal.sqlite").entries() == (Entry(ONE, Mark.SECRETS, b"a", 1),)


def test_an_entry_is_on_the_disk_when_it_was_added(tmp_path: Path) -> None:
    writing = (
        "import os, pathlib, signal, sys; from node.journal import Journal, Mark\n"
        "Journal(pathlib.Path(sys.argv[1])).add(b'1' * 32, Mark.SECRETS, b'a', 1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    writer = subprocess.run([sys.executable, "-c", writing, str(tmp_path / "journal.sqlite")], timeout=600)
    assert writer.returncode == -signal.SIGKILL
    assert Journal(tmp_path / "journal.sqlite").last(ONE, Mark.SECRETS) == Entry(ONE, Mark.SECRETS, b"a", 1)


def test_it_is_written_through_to_the_disk(tmp_path: Path) -> None:
    database = Journal(tmp_path / "journal.sqlite")._database
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_node_at_a_time_has_the_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.sqlite")
    with pytest.raises(Refused, match="no other node has"):
        Journal(tmp_path / "journal.sqlite")
    first.add(ONE, Mark.SECRETS, b"a", 1)
    first.close()
    assert len(Journal(tmp_path / "journal.sqlite").entries()) == 1


def test_the_journal_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    Journal(tmp_path / "journal.sqlite").add(ONE, Mark.SECRETS, b"a", 1)
    os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.add(ONE, Mark.SECRETS, b"kept", 1)
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Refused, match="see to the disk"):
        journal.add(ONE, Mark.SEALED, bytes(2**16), 2)
    journal._database.execute("PRAGMA max_page_count = 1000000")
    journal.add(ONE, Mark.SEALED, b"later", 3)
    assert [entry.data for entry in journal.entries()] == [b"kept", b"later"]


def test_a_read_only_journal_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal._database.execute("PRAGMA query_only = ON")
    with pytest.raises(Refused, match="can be written"):
        journal.add(ONE, Mark.SECRETS, b"a", 1)


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look like one" * 100, b"short"])
def test_a_file_that_is_no_journal_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal.sqlite").write_bytes(content)
    with pytest.raises(Corrupt, match="restore it from its backup"):
        Journal(tmp_path / "journal.sqlite")
    assert (tmp_path / "journal.sqlite").read_bytes() == content


def test_a_journal_of_a_later_format_is_corrupt_and_named(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    database.execute("PRAGMA user_version = 7")
    database.close()
    with pytest.raises(Corrupt, match="format 1, got format 7"):
        Journal(tmp_path / "journal.sqlite")


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unreachable, match="Not a directory"):
        Journal(tmp_path / "file" / "journal.sqlite")


def test_an_entry_does_not_show_its_data() -> None:
    assert "hush" not in repr(Entry(ONE, Mark.SECRETS, b"hush", 1))
