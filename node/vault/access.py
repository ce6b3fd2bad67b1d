"""The access log: every opening of records, written down before it happens, and every deletion of a kept result.

It names orders, datasets and versions, never a person or a number of them.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from node.vault.database import query, transaction

DAY_S = 86_400
SALT_BYTES = 32
NOTHING = b""


class Access(StrEnum):
    """What is written down: records came into the vault, were opened for an order or again to replay its draw, or a kept
    result was deleted; and that identifiers were kept beside records, opened for an order, or forgotten."""

    TAKEN_IN = "taken in"
    OPENED = "opened"
    REPLAYED = "replayed"
    DELETED = "deleted"
    IDENTIFIERS_KEPT = "identifiers kept"
    IDENTIFIERS_OPENED = "identifiers opened"
    IDENTIFIERS_FORGOTTEN = "identifiers forgotten"


@dataclass(frozen=True)
class Entry:
    """One line. `dataset`: its name in the vault, 32 bytes, and `order`: its id; empty where the line is about none.

    `salt`: 32 secret bytes, so that a hash of the line tells nothing.
    """

    at_s: int
    access: Access
    dataset: bytes
    version: int
    order: bytes
    salt: bytes = field(repr=False)


@dataclass(frozen=True)
class Day:
    """The lines of one day, which is counted from 1970-01-01 UTC. `salt`: 32 secret bytes of the day itself."""

    number: int
    salt: bytes = field(repr=False)
    entries: tuple[Entry, ...]


def day_of(at_s: int) -> int:
    """The day that a time lies in."""
    return at_s // DAY_S


@dataclass(frozen=True)
class AccessLog:
    """The log of one vault. Lines are only added. `randomness`: bytes of the operating system."""

    connection: sqlite3.Connection
    randomness: Callable[[int], bytes]

    def note(
        self, access: Access, at_s: int, *, dataset: bytes = NOTHING, version: int = 0, order: bytes = NOTHING
    ) -> None:
        """Writes a line down, durably when this returns. Raises `Unreachable` if the disk does not take it."""
        values = (at_s, access.value, dataset, version, order, self.randomness(SALT_BYTES))
        with transaction(self.connection):
            self.connection.execute(
                "INSERT INTO access (at_s, access, dataset, version, order_id, salt) VALUES (?, ?, ?, ?, ?, ?)", values
            )

    def day(self, number: int) -> Day:
        """All that was written down about a day. Once it is over it never changes."""
        with transaction(self.connection):
            found = query(self.connection, "SELECT salt FROM access_day WHERE day = ?", (number,))
            salt = found[0][0] if found else self.randomness(SALT_BYTES)
            if not found:
                self.connection.execute("INSERT INTO access_day (day, salt) VALUES (?, ?)", (number, salt))
        lines = query(
            self.connection,
            "SELECT at_s, access, dataset, version, order_id, salt FROM access WHERE at_s >= ? AND at_s < ? "
            "ORDER BY sequence",
            (number * DAY_S, (number + 1) * DAY_S),
        )
        return Day(number, salt, tuple(Entry(line[0], Access(line[1]), *line[2:]) for line in lines))
