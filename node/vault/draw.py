"""The only door to records for an order: the opening logged, commitment checked, rho debited, noise key journalled, and
only then rows."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Refused
from node.noise.stream import is_marked
from node.vault import snapshot as snapshots
from node.vault.access import Access, AccessLog
from node.vault.account import Account
from node.vault.bounding import Tags, bytes_of
from node.vault.box import SecretBox
from node.vault.database import query, transaction
from node.vault.optout import SALT_BYTES, OptOuts, register_commitment
from node.vault.register import Snapshot

NOISE_KEY_BYTES = 32
STEPS = ("logged", "opened", "debited", "key made", "key journalled")
_LABEL, _SALT_LABEL = b"agora/noise-key/1", b"agora/register-salt/1"


@dataclass(frozen=True)
class Draw:
    """What one order may work on. `training` and `holdout`: coded tables, of a linked schema nested ones, rows bounded per
    person, persons in one only, nobody who had opted out.

    `identities`: what stands for the person of each row, of training and then of holdout, shape (rows, 2).
    `register`: salted commitment to the opt-out register as it was applied, 32 bytes. `noise_key`: 32 bytes, the same
    however often the order resumes. `resumed`: whether this is not the first time.
    """

    snapshot: Snapshot
    training: pa.Table = field(repr=False)
    holdout: pa.Table = field(repr=False)
    noise_key: bytes = field(repr=False)
    register: bytes
    resumed: bool
    identities: Tags = field(repr=False)

    @property
    def rows(self) -> pa.Table:
        """All rows, those of training and then those of holdout."""
        return pa.concat_tables([self.training, self.holdout])


@dataclass(frozen=True)
class _Entry:
    """What was written down when an order first drew."""

    noise_key: bytes = field(repr=False)
    register_state: int
    salt: bytes = field(repr=False)
    resumed: bool


@dataclass(frozen=True)
class Door:
    """Draws from the snapshots in `folder`. `randomness`: the operating system's, a number of bytes.

    `reached` is told each of `STEPS` as soon as it is done. `clock` gives the seconds that stand in the access log.
    """

    folder: Path
    connection: sqlite3.Connection
    box: SecretBox
    randomness: Callable[[int], bytes]
    reached: Callable[[str], None]
    access: AccessLog
    clock: Callable[[], float]

    def draw(self, order: bytes, snapshot: Snapshot, rho_micro: int, *, again: bool = False) -> Draw:
        """The rows of `snapshot` for `order`, against the whole `rho_micro`, which never comes back.

        Asking again for the same order resumes: nothing is debited twice and the key is the same. `again`: only replay a
        draw that was made, under the debit that stands; `Refused`, and nothing opened, where there was none.
        Raises `Corrupt`, before anything is debited, where the snapshot is not what was committed to; `Refused` where
        the account says no, the order has drawn from another version, or the noise key is marked as a test's.
        """
        return self._draw(
            order, snapshot, lambda account: account.debit(order, snapshot.dataset, rho_micro), "noise_key", again
        )

    def draw_exact(self, order: bytes, snapshot: Snapshot, again: bool = False) -> Draw:
        """As `draw`, for an order without a privacy promise, against one of the dataset's allowance in place of rho."""
        return self._draw(
            order, snapshot, lambda account: account.take_exact(order, snapshot.dataset), "exact_key", again
        )

    def _draw(self, order: bytes, snapshot: Snapshot, pay: Callable[[Account], None], keys: str, again: bool) -> Draw:
        """`pay`: the write-ahead entry. `keys`: the table of the noise keys that follow such entries."""
        if again and not self._has_drawn(order, snapshot, keys):
            raise Refused("expected an order that has drawn from these records, this one never did; nothing to replay")
        access, at_s = Access.REPLAYED if again else Access.OPENED, int(self.clock())
        self.access.note(access, at_s, dataset=snapshot.dataset, version=snapshot.version, order=order)
        self.reached("logged")
        content = snapshots.read(self.folder, snapshot.commitment, snapshot.schema)
        self.reached("opened")
        fresh = _unmarked(self.randomness(NOISE_KEY_BYTES))
        pay(Account(self.connection))
        self.reached("debited")
        entry = self._entry(order, snapshot, keys, fresh)
        self.reached("key journalled")
        out = OptOuts(self.connection).identities(snapshot.dataset, entry.register_state)
        used, held_out = ~_among(content.identity, out), np.asarray(content.held_out)
        return Draw(
            snapshot,
            _rows(content.table, used & ~held_out),
            _rows(content.table, used & held_out),
            entry.noise_key,
            register_commitment(out, entry.salt),
            entry.resumed,
            np.concatenate([content.identity[used & ~held_out], content.identity[used & held_out]]),
        )

    def _has_drawn(self, order: bytes, snapshot: Snapshot, keys: str) -> bool:
        found = f"SELECT 1 FROM {keys} WHERE order_id = ? AND dataset = ? AND version = ?"  # noqa: S608
        return bool(query(self.connection, found, (order, snapshot.dataset, snapshot.version)))

    def _entry(self, order: bytes, snapshot: Snapshot, keys: str, fresh: bytes) -> _Entry:
        label, salt_label = (tag + order + snapshot.dataset for tag in (_LABEL, _SALT_LABEL))
        with transaction(self.connection):
            found = query(
                self.connection,
                f"SELECT version, sealed_key, register_state, sealed_salt FROM {keys} WHERE order_id = ? AND dataset = ?",  # noqa: S608
                (order, snapshot.dataset),
            )
            if found:
                version, sealed, state, sealed_salt = found[0]
                if version != snapshot.version:
                    raise Refused(
                        f"expected version {version}, from which this order has drawn, got {snapshot.version}; resume that"
                    )
                key = _unmarked(self.box.open(label, sealed))
                return _Entry(key, state, self.box.open(salt_label, sealed_salt), True)
            entry = _Entry(fresh, OptOuts(self.connection).last(), self.randomness(SALT_BYTES), False)
            self.reached("key made")
            self.connection.execute(
                f"INSERT INTO {keys} (order_id, dataset, version, sealed_key, register_state, sealed_salt) "  # noqa: S608
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    order,
                    snapshot.dataset,
                    snapshot.version,
                    self.box.seal(label, entry.noise_key),
                    entry.register_state,
                    self.box.seal(salt_label, entry.salt),
                ),
            )
        return entry


def _unmarked(key: bytes) -> bytes:
    if is_marked(key):
        raise Refused(
            "expected a noise key from the operating system, got one that is marked as a test's; real records are not "
            "drawn under it"
        )
    return key


def _rows(table: pa.Table, wanted: NDArray[np.bool_]) -> pa.Table:
    """The wanted rows; where they follow each other, as they do unless somebody opted out, still where they lie."""
    places = np.flatnonzero(wanted)
    if places.size and places[-1] - places[0] + 1 == places.size:
        return table.slice(places[0], places.size)
    return table.filter(wanted)


def _among(identities: Tags, wanted: frozenset[bytes]) -> NDArray[np.bool_]:
    """Which rows are of one of the wanted persons."""
    if not wanted:
        return np.zeros(len(identities), np.bool_)
    return np.array([identity in wanted for identity in bytes_of(identities)], np.bool_)
