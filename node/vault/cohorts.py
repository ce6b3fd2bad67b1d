"""Over which persons exact analyses of a dataset were answered, and what: this node's own account, for its provider only."""

import sqlite3

from marketplace.protocol.exactness import ExactQuestion, check_cohort, check_question
from node.vault.bounding import TAG_BYTES, Tags, bytes_of
from node.vault.database import query, transaction

_EARLIER = """
    SELECT persons, columns, digest FROM cohort LEFT JOIN exact_question USING (order_id, dataset) WHERE dataset = ?
"""


class Cohorts:
    """The cohorts of one vault. They hold what stands for persons, never their names, and are only added to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def enter(
        self, order: bytes, dataset: bytes, persons: Tags, least_cell: int, question: ExactQuestion | None = None
    ) -> None:
        """Writes down, durably, that `order` is answered over these persons, shape (rows, 2), a person once or often.

        `question`: None where the records are public. Raises `Refused` where an earlier cohort of the dataset, of any
        version, differs by fewer than `least_cell` persons but some, or its question does not go with this one
        (`check_question`); nothing is written down then.
        """
        cohort = set(bytes_of(persons))
        with transaction(self._connection):
            for earlier, columns, digest in query(self._connection, _EARLIER, (dataset,)):
                others = set(_split(earlier))
                check_cohort(len(cohort ^ others), least_cell)
                if question is not None and digest is not None:
                    asked = ExactQuestion(frozenset(columns.splitlines()), digest)
                    check_question(question, asked, len(cohort ^ others), len(cohort & others))
            self._connection.execute(
                "INSERT INTO cohort (order_id, dataset, persons) VALUES (?, ?, ?)",
                (order, dataset, b"".join(sorted(cohort))),
            )
            if question is not None:
                self._connection.execute(
                    "INSERT INTO exact_question (order_id, dataset, columns, digest) VALUES (?, ?, ?, ?)",
                    (order, dataset, "\n".join(sorted(question.columns)), question.digest),
                )


def _split(persons: bytes) -> list[bytes]:
    return [persons[start : start + TAG_BYTES] for start in range(0, len(persons), TAG_BYTES)]
