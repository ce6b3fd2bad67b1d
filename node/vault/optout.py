"""Who has opted out of a dataset: a register to which lines are only added, applied to every order drawn from then on."""

import sqlite3
from collections.abc import Iterable
from hashlib import sha256

from marketplace.protocol import canonical
from node.vault.database import query, transaction

COMMITMENT_TAG = canonical.format_name("opt-out-register", 1).encode()
SALT_BYTES = 32


class OptOuts:
    """The register of one vault. It holds what stands for persons, never their names.

    Opting out is reversible and touches future orders only: an order that has drawn goes on with the register as it was
    then, and nothing is refunded.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def note(self, dataset: bytes, identities: Iterable[bytes], *, out: bool, at_s: int) -> None:
        """Writes down that these persons (16 bytes each) are out of `dataset` from now on, or in again."""
        lines = [(dataset, identity, int(out), at_s) for identity in identities]
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO opt_out (dataset, identity, is_out, at_s) VALUES (?, ?, ?, ?)", lines
            )

    def last(self) -> int:
        """The number of the newest line, 0 if there is none: the state of the register."""
        return int(query(self._connection, "SELECT coalesce(max(sequence), 0) FROM opt_out")[0][0])

    def identities(self, dataset: bytes, state: int) -> frozenset[bytes]:
        """Who was out of `dataset` when the register stood at `state`."""
        statement = "SELECT identity, is_out FROM opt_out WHERE dataset = ? AND sequence <= ? ORDER BY sequence"
        latest = dict(query(self._connection, statement, (dataset, state)))
        return frozenset(identity for identity, is_out in latest.items() if is_out)


def register_commitment(identities: frozenset[bytes], salt: bytes) -> bytes:
    """The salted commitment to a register as it was applied to one order: 32 bytes that tell not even a count.

    SHA-256 of the tag `agora/opt-out-register/1`, the salt of 32 secret bytes and the identities in order.
    """
    return sha256(COMMITMENT_TAG + salt + b"".join(sorted(identities))).digest()
