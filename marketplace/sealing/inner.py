"""The inner file: what a buyer holds between checking a delivery and learning its key.

The line `agora/inner/1`, then a record of 1,056 bytes for each chunk: `p_i` and `c_i`. Once the key is revealed, which
is to the whole world, whoever has this file has the result: keep it as the result itself would be kept.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.format import require_format
from marketplace.sealing.chunk import BATCH_CHUNKS, RECORD_BYTES
from marketplace.sealing.commitment import Commitment, Roots
from marketplace.sealing.segments import read_exactly

INNER = b"agora/inner/1\n"


class InnerFile:
    """Records of the inner file in `file`, which must be seekable; `count` is how many.

    Raises `Invalid` for an unknown format, `Corrupt` when the file does not hold whole records.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        require_format(file.read(len(INNER)), INNER)
        self.count, odd_bytes = divmod(size_bytes - len(INNER), RECORD_BYTES)
        if odd_bytes or not self.count:
            raise Corrupt(f"The inner file of {size_bytes} bytes does not hold whole records; fetch the object again.")

    def record(self, index: int) -> bytes:
        """The record at `index`, 1,056 bytes. Raises `Invalid` unless 0 <= index < count."""
        if not 0 <= index < self.count:
            raise Invalid(f"There is no chunk {index} among {self.count}; ask for an index below the count.")
        self._file.seek(len(INNER) + index * RECORD_BYTES)
        return read_exactly(self._file, RECORD_BYTES, "inner file")

    def batches(self) -> Iterator[tuple[int, list[bytes]]]:
        """All records in order, in lists, each with the index of its first."""
        self._file.seek(len(INNER))
        for first in range(0, self.count, BATCH_CHUNKS):
            records = min(BATCH_CHUNKS, self.count - first)
            data = read_exactly(self._file, records * RECORD_BYTES, "inner file")
            yield first, [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]

    def check(self, expected: Commitment) -> None:
        """Raises `Corrupt` unless this file is what the delivery committed to."""
        roots = Roots(self.count)
        for _, records in self.batches():
            roots.add(records)
        require_count(self.count, expected)
        require_agreement(roots, expected)


def require_count(count: int, expected: Commitment) -> None:
    """Raises `Corrupt` unless the delivery commits to `count` chunks, and to one at least."""
    if count != expected.count or count < 1:
        raise Corrupt(f"The delivery commits to {expected.count} chunks, the object holds {count}; do not accept it.")


def require_agreement(roots: Roots, expected: Commitment) -> None:
    """Raises `Corrupt` unless both roots are those that the delivery commits to."""
    root, plain_root = roots.values()
    if root != expected.root:
        raise Corrupt("The object's chunks do not give the root that its delivery commits to; do not accept it.")
    if plain_root != expected.plain_root:
        raise Corrupt("The object's chunks do not give the plain root that its delivery commits to; do not accept it.")
