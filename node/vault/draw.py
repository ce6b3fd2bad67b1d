"""The only door to records for an order: commitment checked, rho debited, noise key journalled, and only then rows."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from marketplace.errors import Refused
from node.vault import snapshot as snapshots
from node.vault.account import Account
from node.vault.box import SecretBox
from node.vault.database import query, transaction
from node.vault.register import Snapshot

NOISE_KEY_BYTES = 32
STEPS = ("opened", "debited", "key made", "key journalled")
_LABEL = b"agora/noise-key/1"


@dataclass(frozen=True)
class Draw:
    """What one order may work on. `training` and `holdout`: coded tables, rows bounded per person, persons in one only.

    `noise_key`: 32 bytes, the same however often the order resumes. `resumed`: whether this is not the first time.
    """

    snapshot: Snapshot
    training: pa.Table = field(repr=False)
    holdout: pa.Table = field(repr=False)
    noise_key: bytes = field(repr=False)
    resumed: bool


@dataclass(frozen=True)
class Door:
    """Draws from the snapshots in `folder`. `randomness`: the operating system's, a number of bytes.

    `reached` is told each of `STEPS` as soon as it is done.
    """

    folder: Path
    connection: sqlite3.Connection
    box: SecretBox
    randomness: Callable[[int], bytes]
    reached: Callable[[str], None]

    def draw(self, order: bytes, snapshot: Snapshot, rho_micro: int) -> Draw:
        """The rows of `snapshot` for `order`, against the whole `rho_micro`, which never comes back.

        Asking again for the same order resumes: nothing is debited twice and the key is the same.
        Raises `Corrupt`, before anything is debited, where the snapshot is not what was committed to; `Refused` where
        the account says no, or the order has drawn from another version.
        """
        content = snapshots.read(self.folder, snapshot.commitment, snapshot.schema)
        self.reached("opened")
        Account(self.connection).debit(order, snapshot.dataset, rho_micro)
        self.reached("debited")
        noise_key, resumed = self._noise_key(order, snapshot)
        self.reached("key journalled")
        held_out = np.asarray(content.held_out)
        return Draw(snapshot, content.table.filter(~held_out), content.table.filter(held_out), noise_key, resumed)

    def _noise_key(self, order: bytes, snapshot: Snapshot) -> tuple[bytes, bool]:
        label = _LABEL + order + snapshot.dataset
        with transaction(self.connection):
            statement = "SELECT version, sealed_key FROM noise_key WHERE order_id = ? AND dataset = ?"
            found = query(self.connection, statement, (order, snapshot.dataset))
            if found:
                version, sealed = found[0]
                if version != snapshot.version:
                    raise Refused(
                        f"expected version {version}, from which this order has drawn, got {snapshot.version}; resume that"
                    )
                return self.box.open(label, sealed), True
            noise_key = self.randomness(NOISE_KEY_BYTES)
            self.reached("key made")
            self.connection.execute(
                "INSERT INTO noise_key (order_id, dataset, version, sealed_key) VALUES (?, ?, ?, ?)",
                (order, snapshot.dataset, snapshot.version, self.box.seal(label, noise_key)),
            )
        return noise_key, False
