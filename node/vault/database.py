"""The vault's one SQLite file: durable when a transaction returns, and nothing in it is ever changed or deleted."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from marketplace.errors import Corrupt, Unreachable

FILE = "vault.sqlite"
_FORMAT = 5
_EARLIER = (0, 1, 2, 3, 4)
_BUSY_S = 60.0

_TABLES = {
    "dataset": "dataset BLOB PRIMARY KEY, holdout_percent INTEGER NOT NULL, sealed_secret BLOB NOT NULL",
    "version": """
        dataset BLOB NOT NULL REFERENCES dataset, version INTEGER NOT NULL, commitment BLOB NOT NULL UNIQUE,
        declared BLOB NOT NULL, rows_read INTEGER NOT NULL, rows INTEGER NOT NULL, persons INTEGER NOT NULL,
        holdout_rows INTEGER NOT NULL, PRIMARY KEY (dataset, version)
    """,
    "total": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), dataset BLOB NOT NULL,
        total_micro INTEGER NOT NULL CHECK (total_micro > 0)
    """,
    "debit": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), order_id BLOB NOT NULL, dataset BLOB NOT NULL,
        rho_micro INTEGER NOT NULL CHECK (rho_micro > 0), UNIQUE (order_id, dataset)
    """,
    "allowance": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), dataset BLOB NOT NULL,
        exact_total INTEGER NOT NULL CHECK (exact_total >= 0)
    """,
    "exact_draw": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), order_id BLOB NOT NULL, dataset BLOB NOT NULL,
        UNIQUE (order_id, dataset)
    """,
    "cohort": """
        order_id BLOB NOT NULL, dataset BLOB NOT NULL, persons BLOB NOT NULL, PRIMARY KEY (order_id, dataset),
        FOREIGN KEY (order_id, dataset) REFERENCES exact_draw (order_id, dataset)
    """,
    "exact_question": """
        order_id BLOB NOT NULL, dataset BLOB NOT NULL, columns TEXT NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY (order_id, dataset), FOREIGN KEY (order_id, dataset) REFERENCES cohort (order_id, dataset)
    """,
    "opt_out": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), dataset BLOB NOT NULL REFERENCES dataset,
        identity BLOB NOT NULL, is_out INTEGER NOT NULL, at_s INTEGER NOT NULL
    """,
    "noise_key": """
        order_id BLOB NOT NULL, dataset BLOB NOT NULL, version INTEGER NOT NULL, sealed_key BLOB NOT NULL,
        register_state INTEGER NOT NULL, sealed_salt BLOB NOT NULL,
        PRIMARY KEY (order_id, dataset), FOREIGN KEY (order_id, dataset) REFERENCES debit (order_id, dataset)
    """,
    "exact_key": """
        order_id BLOB NOT NULL, dataset BLOB NOT NULL, version INTEGER NOT NULL, sealed_key BLOB NOT NULL,
        register_state INTEGER NOT NULL, sealed_salt BLOB NOT NULL,
        PRIMARY KEY (order_id, dataset), FOREIGN KEY (order_id, dataset) REFERENCES exact_draw (order_id, dataset)
    """,
    "access": """
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), at_s INTEGER NOT NULL, access TEXT NOT NULL,
        dataset BLOB NOT NULL, version INTEGER NOT NULL, order_id BLOB NOT NULL, salt BLOB NOT NULL
    """,
    "access_day": "day INTEGER PRIMARY KEY, salt BLOB NOT NULL",
}

_KEYS = {
    "dataset": "dataset = NEW.dataset",
    "version": "dataset = NEW.dataset AND version = NEW.version OR commitment = NEW.commitment",
    "total": "sequence = NEW.sequence OR dataset = NEW.dataset AND total_micro >= NEW.total_micro",
    "debit": "sequence = NEW.sequence OR order_id = NEW.order_id AND dataset = NEW.dataset",
    "allowance": "sequence = NEW.sequence",
    "exact_draw": "sequence = NEW.sequence OR order_id = NEW.order_id AND dataset = NEW.dataset",
    "exact_key": "order_id = NEW.order_id AND dataset = NEW.dataset",
    "cohort": "order_id = NEW.order_id AND dataset = NEW.dataset",
    "exact_question": "order_id = NEW.order_id AND dataset = NEW.dataset",
    "opt_out": "sequence = NEW.sequence",
    "noise_key": "order_id = NEW.order_id AND dataset = NEW.dataset",
    "access": "sequence = NEW.sequence",
    "access_day": "day = NEW.day",
}

_WITHIN_TOTAL = """
CREATE TRIGGER IF NOT EXISTS debit_within_total BEFORE INSERT ON debit
WHEN NEW.rho_micro + (SELECT coalesce(sum(rho_micro), 0) FROM debit WHERE dataset = NEW.dataset)
   > (SELECT coalesce(max(total_micro), 0) FROM total WHERE dataset = NEW.dataset)
BEGIN SELECT RAISE(ABORT, 'a debit stays within the total'); END
"""

_WITHIN_ALLOWANCE = """
CREATE TRIGGER IF NOT EXISTS exact_draw_within_allowance BEFORE INSERT ON exact_draw
WHEN (SELECT count(*) FROM exact_draw WHERE dataset = NEW.dataset) >= coalesce(
    (SELECT exact_total FROM allowance WHERE dataset = NEW.dataset ORDER BY sequence DESC LIMIT 1), 0)
BEGIN SELECT RAISE(ABORT, 'exact draws stay within the allowance'); END
"""


def connect(folder: Path) -> sqlite3.Connection:
    """A connection to the database in `folder`, which is made if it is not there, for the owner only.

    It serves one thread of one process; any number of processes may each have one. Raises `Unreachable` if the folder
    cannot be written, `Corrupt` if the file is no database of this format.
    """
    path = folder / FILE
    try:
        if not path.exists():  # closing a file that another connection of this process has would drop its locks
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unreachable(f"expected a vault that can be written, got: {error.strerror}; check the folder") from None
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One writer at a time; on the disk when it ends, or undone where it ends with an error.

    Raises `Unreachable` if the database cannot be written now, `Corrupt` if it is damaged or refuses a change.
    """
    with _translated():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def query(
    connection: sqlite3.Connection, statement: str, values: tuple[bytes | int, ...] = ()
) -> list[tuple[Any, ...]]:
    """What a reading statement finds. Raises as `transaction` does."""
    with _translated():
        return connection.execute(statement, values).fetchall()


def _prepare(connection: sqlite3.Connection) -> None:
    with _translated():
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
    found = query(connection, "PRAGMA user_version")[0][0]
    if found not in (*_EARLIER, _FORMAT):
        raise Corrupt(f"expected a vault of format {_FORMAT}, got format {found}; update this program")
    if found == _FORMAT:
        return
    with transaction(connection):
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) STRICT")
            for happening in ("UPDATE", "DELETE", "INSERT"):
                connection.execute(_forbidden(table, happening))
        connection.execute(_WITHIN_TOTAL)
        connection.execute(_WITHIN_ALLOWANCE)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")


def _forbidden(table: str, happening: str) -> str:
    """A trigger that stops every update and deletion, and an insertion that would replace a line or lower a total."""
    when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_KEYS[table]})" if happening == "INSERT" else ""  # noqa: S608
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_{happening.lower()} BEFORE {happening} ON {table} {when} "
        "BEGIN SELECT RAISE(ABORT, 'lines are only added'); END"
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError:
        raise Unreachable(
            "expected a vault database that can be written, got none now; check disk and permission"
        ) from None
    except sqlite3.DatabaseError:
        raise Corrupt(
            "expected a whole vault database that only grows, got another; restore it from its backup"
        ) from None
