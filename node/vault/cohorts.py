"""Over which persons exact analyses of a dataset were answered: this node's own account, for its provider only."""

import sqlite3

from marketplace.protocol.exactness import check_cohort
from node.vault.bounding import TAG_BYTES, Tags, bytes_of
from node.vault.database import query, transaction


class Cohorts:
    """The cohorts of one vault. They hold what stands for persons, never their names, and are only added to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def enter(self, order: bytes, dataset: bytes, persons: Tags, least_cell: int) -> None:
        """Writes down, durably, that `order` is answered over these persons, shape (rows, 2), a person once or often.

        Raises `Refused` where an earlier cohort of the dataset, of any version, differs by fewer than `least_cell`
        persons but some; nothing is written down then.
        """
        cohort = set(bytes_of(persons))
        with transaction(self._connection):
            for (earlier,) in query(self._connection, "SELECT persons FROM cohort WHERE dataset = ?", (dataset,)):
                check_cohort(len(cohort ^ set(_split(earlier))), least_cell)
            self._connection.execute(
                "INSERT INTO cohort (order_id, dataset, persons) VALUES (?, ?, ?)",
                (order, dataset, b"".join(sorted(cohort))),
            )


def _split(persons: bytes) -> list[bytes]:
    return [persons[start : start + TAG_BYTES] for start in range(0, len(persons), TAG_BYTES)]
