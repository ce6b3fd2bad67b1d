"""The node's journal: what it has done about each order, written before or after each effect and never changed."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from marketplace.errors import Corrupt, Refused
from marketplace.protocol.identity import OrderId
from node.files import OWNER_ONLY, disk

FORMAT = 1
BUSY_S = 2.0

_TABLES = """
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    of_order BLOB NOT NULL,
    mark TEXT NOT NULL,
    data BLOB NOT NULL,
    at_s INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_of_order ON entries (of_order, mark, number);
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries stay'); END;
CREATE TRIGGER IF NOT EXISTS entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries remain'); END;
CREATE TRIGGER IF NOT EXISTS entries_differ BEFORE INSERT ON entries
WHEN EXISTS (SELECT 1 FROM entries WHERE number = NEW.number) BEGIN SELECT RAISE(ABORT, 'entries remain'); END;
PRAGMA user_version = 1;
COMMIT;
"""


class Mark(StrEnum):
    """What an entry is about."""

    STARTED = "started"
    SECRETS = "secrets"
    SEALED = "sealed"
    COUNTERSIGNED = "countersigned"
    DECLINED = "declined"
    SIGNED = "signed"
    SENT = "sent"
    OPENED = "opened"
    DELETED = "deleted"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Entry:
    """One entry. `data` is the mark's own bytes; secrets in it are encrypted."""

    order: OrderId
    mark: str
    data: bytes = field(repr=False)
    at_s: int


class Journal:
    """Entries in SQLite, durable when `add` returns. One journal value at a time may have the file, in any process.

    Several threads may use it at once.
    A transaction's marks carry its function: `signed:deliver`, or `signed:release.1` for the dataset at place 1; a
    countersignature's its member's address.
    """

    def __init__(self, path: Path) -> None:
        """Opens or begins the journal at `path`, for its owner only.

        Raises `Refused` if the file cannot be used or another process has it, `Corrupt` if it is no journal.
        """
        with disk():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY))
        self._alone = threading.Lock()  # SQLite can be built so that threads must not share a connection otherwise
        self._database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def add(self, order: OrderId, mark: str, data: bytes, at_s: int) -> None:
        """Writes one entry, durably. Raises `Refused` if the disk does not take it."""
        with self._alone, _translated():
            self._database.execute(
                "INSERT INTO entries (of_order, mark, data, at_s) VALUES (?, ?, ?, ?)", (order, mark, data, at_s)
            )

    def last(self, order: OrderId, mark: str) -> Entry | None:
        """The newest entry of this mark for `order`."""
        with self._alone, _translated():
            row = self._database.execute(
                "SELECT data, at_s FROM entries WHERE of_order = ? AND mark = ? ORDER BY number DESC LIMIT 1",
                (order, mark),
            ).fetchone()
        return Entry(order, mark, row[0], row[1]) if row else None

    def orders(self, mark: str) -> tuple[OrderId, ...]:
        """Every order that has an entry of this mark."""
        with self._alone, _translated():
            rows = self._database.execute(
                "SELECT of_order FROM entries WHERE mark = ? GROUP BY of_order ORDER BY min(number)", (mark,)
            ).fetchall()
        return tuple(OrderId(row[0]) for row in rows)

    def entries(self, order: OrderId | None = None) -> tuple[Entry, ...]:
        """All entries, of one order or of all, in the order of writing."""
        query, given = ("WHERE of_order = ?", (order,)) if order is not None else ("", ())
        with self._alone, _translated():
            rows = self._database.execute(
                f"SELECT of_order, mark, data, at_s FROM entries {query} ORDER BY number",  # noqa: S608
                given,
            ).fetchall()
        return tuple(Entry(OrderId(row[0]), row[1], row[2], row[3]) for row in rows)

    def close(self) -> None:
        """Closes the file, so that another may have it."""
        with self._alone:
            self._database.close()

    def _prepare(self) -> None:
        with _translated():
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "fullfsync = ON"):
                self._database.execute(f"PRAGMA {pragma}")
            found = self._database.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, FORMAT):
                raise Corrupt(f"expected a journal of format {FORMAT}, got format {found}; update this program")
            self._database.executescript(_TABLES)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        raise Refused(
            "expected a journal that can be written and that no other node has; see to the disk, or end the other node"
        ) from None
    except sqlite3.DatabaseError:
        raise Corrupt("expected a whole journal that only grows, got another; restore it from its backup") from None
