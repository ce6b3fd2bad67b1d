"""The node's journal: what it has done about each order, written before or after each effect and never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from marketplace.errors import Refused
from marketplace.protocol.identity import OrderId

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    of_order BLOB NOT NULL,
    step TEXT NOT NULL,
    data BLOB NOT NULL,
    at_s INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_of_order ON entries (of_order, step, number);
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries stay'); END;
CREATE TRIGGER IF NOT EXISTS entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries remain'); END;
"""


class Mark(StrEnum):
    """What an entry is about."""

    SECRETS = "secrets"
    STARTED = "started"
    FAILED = "failed"
    SEALED = "sealed"
    SIGNED = "signed"
    SENT = "sent"


@dataclass(frozen=True)
class Entry:
    """One entry. `data` is the mark's own bytes; secrets in it are encrypted."""

    order: OrderId
    mark: str
    data: bytes
    at_s: int


class Journal:
    """Entries in SQLite, durable when `add` returns. A transaction's marks carry its function: `signed:deliver`."""

    def __init__(self, path: Path) -> None:
        """Opens or begins the journal at `path`. Raises `Refused` if the file cannot be used."""
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
        except sqlite3.Error:
            raise Refused("expected a journal that can be written; check the node's folder and its disk") from None

    def add(self, order: OrderId, mark: str, data: bytes, at_s: int) -> None:
        """Writes one entry, durably. Raises `Refused` if the disk does not take it."""
        with self._errors():
            self._database.execute(
                "INSERT INTO entries (of_order, step, data, at_s) VALUES (?, ?, ?, ?)", (order, mark, data, at_s)
            )

    def last(self, order: OrderId, mark: str) -> Entry | None:
        """The newest entry of this mark for `order`."""
        with self._errors():
            row = self._database.execute(
                "SELECT data, at_s FROM entries WHERE of_order = ? AND step = ? ORDER BY number DESC LIMIT 1",
                (order, mark),
            ).fetchone()
        return Entry(order, mark, row[0], row[1]) if row else None

    def entries(self, order: OrderId | None = None) -> Iterator[Entry]:
        """All entries, of one order or of all, in the order of writing."""
        query, given = ("WHERE of_order = ?", (order,)) if order is not None else ("", ())
        with self._errors():
            rows = self._database.execute(
                f"SELECT of_order, step, data, at_s FROM entries {query} ORDER BY number",  # noqa: S608
                given,
            ).fetchall()
        return (Entry(OrderId(row[0]), row[1], row[2], row[3]) for row in rows)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error:
            raise Refused("expected a journal that can be written; free the node's disk and start it again") from None
