"""The buyer's side after the key is revealed: chunks are decrypted, and each is checked against its hash."""

from typing import BinaryIO

from marketplace.errors import Corrupt
from marketplace.sealing.chunk import (
    DATA_BYTES,
    HASH_BYTES,
    LENGTH_BYTES,
    SALT_BYTES,
    crypt,
    key_hash,
    plain_hash,
    plain_hashes,
    require_secret,
    stream,
    xor,
)
from marketplace.sealing.commitment import Commitment
from marketplace.sealing.inner import InnerFile, require_count
from marketplace.sealing.tree import TreeRoot, depth_of


class WrongChunk(Corrupt):
    """Chunk `index` does not decrypt to the hash that was committed to, though the stored bytes are as delivered."""

    def __init__(self, index: int) -> None:
        super().__init__(f"Chunk {index} does not decrypt to its committed hash; keep the inner file as evidence.")
        self.index = index


def open_chunks(inner: BinaryIO, out: BinaryIO, *, key: bytes, expected: Commitment) -> int:
    """Write the result to `out` and give its length in bytes. `inner`: what `unseal` wrote. `key`: the revealed `k`.

    Raises `WrongChunk` for the first chunk that the provider encrypted wrongly, whatever else is wrong, for that alone
    can be proven. Raises `Corrupt` when the key is not the promised one, the inner file is not as it was delivered, or
    the length or padding inside is impossible. Throw away what was written to `out` when it raises.
    """
    require_secret("key of a sale", key)
    if key_hash(key) != expected.key_hash:
        raise Corrupt("The key does not have the hash that the delivery promised; read the revealed key again.")
    file = InnerFile(inner)
    require_count(file.count, expected)
    plain_tree = TreeRoot(depth_of(file.count))
    content = _Content(out, file.count)
    for first, records in file.batches():
        chunks = crypt(first, [record[HASH_BYTES:] for record in records], key)
        promised, found = [record[:HASH_BYTES] for record in records], plain_hashes(first, chunks)
        if found != promised:
            _require_intact(file, expected)
            pairs = zip(found, promised, strict=True)
            raise WrongChunk(next(index for index, (left, right) in enumerate(pairs, first) if left != right))
        plain_tree.add(found)
        content.add(b"".join([chunk[SALT_BYTES:] for chunk in chunks]))
    if plain_tree.value() != expected.plain_root:
        _require_intact(file, expected)
    content.finish()
    return content.length_bytes


def open_chunk(inner: BinaryIO, index: int, *, of_chunk_key: bytes) -> bytes:
    """The 992 data bytes of one chunk under its own key, which the provider may disclose before it is paid.

    Raises `WrongChunk` when they do not have the committed hash: before the reveal, the key may be the wrong one too.
    Raises `Invalid` unless `index` is below the count and the key has 32 bytes.
    """
    require_secret("key of a chunk", of_chunk_key)
    record = InnerFile(inner).record(index)
    chunk = xor(record[HASH_BYTES:], stream(of_chunk_key))
    if plain_hash(index, chunk) != record[:HASH_BYTES]:
        raise WrongChunk(index)
    return chunk[SALT_BYTES:]


class _Content:
    """Takes the length off the front and the zeros off the end of the data, and writes what is between."""

    def __init__(self, out: BinaryIO, count: int) -> None:
        self._out = out
        self._most_bytes = count * DATA_BYTES - LENGTH_BYTES
        self._left_bytes = -1
        self._clean = True
        self.length_bytes = 0

    def add(self, data: bytes) -> None:
        if self._left_bytes < 0:
            self.length_bytes = self._left_bytes = int.from_bytes(data[:LENGTH_BYTES], "big")
            data = data[LENGTH_BYTES:]
        self._out.write(data[: self._left_bytes])
        self._clean = self._clean and not data[self._left_bytes :].strip(b"\0")
        self._left_bytes = max(0, self._left_bytes - len(data))

    def finish(self) -> None:
        if self.length_bytes > self._most_bytes:
            raise Corrupt(
                f"The result claims {self.length_bytes} bytes where {self._most_bytes} fit; keep the inner file as evidence."
            )
        if not self._clean:
            raise Corrupt(
                "The result's padding is not zero, so bytes may be hidden in it; keep the inner file as evidence."
            )


def _require_intact(file: InnerFile, expected: Commitment) -> None:
    try:
        file.check(expected)
    except Corrupt as error:
        raise Corrupt("The inner file was altered after it was checked; fetch the object again.") from error
