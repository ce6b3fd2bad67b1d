"""Proof of a wrong byte: one record and one path show that a delivery contradicts itself. Pure but for reading."""

from dataclasses import dataclass
from typing import BinaryIO

from marketplace.sealing.chunk import CHUNK_BYTES, HASH_BYTES, chunk_key, key_hash, leaf_hash, plain_hash, stream, xor
from marketplace.sealing.commitment import Commitment
from marketplace.sealing.inner import InnerFile
from marketplace.sealing.tree import is_member, path_of


@dataclass(frozen=True)
class ChunkProof:
    """Chunk `index` as committed: `plain_hash` is `p_i` (32 bytes), `cipher` is `c_i` (1,024 bytes).

    `path`: the siblings from the leaf upwards, 32 bytes each, as many as the tree is deep.
    """

    index: int
    plain_hash: bytes
    cipher: bytes
    path: tuple[bytes, ...]

    def is_committed(self, expected: Commitment) -> bool:
        """Whether the delivery commits to exactly this chunk at this index."""
        if len(self.plain_hash) != HASH_BYTES or len(self.cipher) != CHUNK_BYTES:
            return False
        if not 0 <= self.index < expected.count:
            return False
        leaf = leaf_hash(self.index, self.plain_hash + self.cipher)
        return is_member(expected.root, expected.count, self.index, leaf, self.path)

    def shows_wrong_chunk(self, expected: Commitment, key: bytes) -> bool:
        """Whether the delivery commits to this chunk and to this key, and yet the one does not decrypt to its hash."""
        if not self.is_committed(expected) or key_hash(key) != expected.key_hash:
            return False
        chunk = xor(self.cipher, stream(chunk_key(key, self.index)))
        return plain_hash(self.index, chunk) != self.plain_hash


def proof_of(inner: BinaryIO, index: int) -> ChunkProof:
    """The proof for chunk `index` of the inner file, read once in constant memory.

    Raises `Invalid` unless `index` is below the count, `Corrupt` for a file that is no inner file.
    """
    file = InnerFile(inner)
    record = file.record(index)
    path = path_of(index, file.count, lambda place: leaf_hash(place, file.record(place)))
    return ChunkProof(index, record[:HASH_BYTES], record[HASH_BYTES:], path)
