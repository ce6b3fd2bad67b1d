"""What a delivery on the ledger promises about a sealed result, and how it follows from the records."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.sealing.chunk import HASH_BYTES, leaf_hash
from marketplace.sealing.tree import TreeRoot, depth_of


@dataclass(frozen=True)
class Commitment:
    """The parts of a delivery that the sealed bytes must agree with; each hash has 32 bytes.

    `root`: of the commitment tree. `plain_root`: of the plain tree. `count`: chunks in both. `key_hash`: H(3, k).
    """

    root: bytes
    plain_root: bytes
    count: int
    key_hash: bytes


class Roots:
    """Both roots over `count` records (`p_i` and `c_i` in a row, 1,056 bytes), from the records in order."""

    def __init__(self, count: int) -> None:
        self._next = 0
        self._commitment = TreeRoot(depth_of(count))
        self._plain = TreeRoot(depth_of(count))

    def add(self, records: Sequence[bytes]) -> None:
        """Take the next records."""
        self._commitment.add([leaf_hash(index, record) for index, record in enumerate(records, self._next)])
        self._plain.add([record[:HASH_BYTES] for record in records])
        self._next += len(records)

    def values(self) -> tuple[bytes, bytes]:
        """The root of the commitment tree and the plain root."""
        return self._commitment.value(), self._plain.value()
