"""The provider's side: a result becomes one object that only its buyer can read, and a commitment to it."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from marketplace.errors import Invalid
from marketplace.keys.sealing import SealingPublicKey
from marketplace.sealing.chunk import (
    BATCH_CHUNKS,
    DATA_BYTES,
    LENGTH_BYTES,
    MAX_COUNT,
    crypt,
    key_hash,
    plain_hashes,
    require_secret,
    salt,
)
from marketplace.sealing.commitment import Commitment, Roots
from marketplace.sealing.header import new_header
from marketplace.sealing.inner import INNER
from marketplace.sealing.segments import SegmentWriter, read_exactly
from marketplace.sealing.tree import TreeRoot, depth_of


def seal(
    plain: BinaryIO,
    out: BinaryIO,
    *,
    capacity: int,
    secret: bytes,
    key: bytes,
    reader: SealingPublicKey,
    context: bytes,
) -> Commitment:
    """Seal the result in `plain`, from its position to its end, into `out`; give what the delivery must commit to.

    `plain` must be seekable. `capacity`: chunks to pad the result to, from public facts alone (`capacity_for`).
    `secret`: the order's 32 bytes behind the salts. `key`: 32 fresh random bytes, the `k` of this sale and no other.
    `context`: names the order and the manifest; the reader must know the same bytes.
    Raises `Invalid` when the result exceeds the capacity, or `secret` or `key` is not 32 bytes.
    """
    require_secret("key of a sale", key)
    batches = _salted(plain, capacity, secret)
    header, file_key = new_header(reader, capacity, context)
    out.write(bytes(header))
    segments = SegmentWriter(out, file_key, header.prefix, header.bound)
    segments.write(INNER)
    roots = Roots(capacity)
    for first, chunks in batches:
        hashes = plain_hashes(first, chunks)
        records = [of_plain + cipher for of_plain, cipher in zip(hashes, crypt(first, chunks, key), strict=True)]
        roots.add(records)
        segments.write(b"".join(records))
    segments.finish()
    root, plain_root = roots.values()
    return Commitment(root, plain_root, capacity, key_hash(key))


def plain_root_of(plain: BinaryIO, *, capacity: int, secret: bytes) -> bytes:
    """The plain root that `seal` will commit to, without sealing: it depends on neither key nor reader.

    Raises `Invalid` as `seal` does.
    """
    batches = _salted(plain, capacity, secret)
    root = TreeRoot(depth_of(capacity))
    for first, chunks in batches:
        root.add(plain_hashes(first, chunks))
    return root.value()


def _salted(plain: BinaryIO, capacity: int, secret: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Batches of chunks, each with the index of its first. Checks everything before it gives the iterator."""
    require_secret("secret of an order", secret)
    if not 1 <= capacity <= MAX_COUNT:
        raise Invalid(f"A capacity is between 1 and {MAX_COUNT} chunks, not {capacity}; offer another size.")
    start = plain.tell()
    length_bytes = plain.seek(0, os.SEEK_END) - start
    plain.seek(start)
    most_bytes = capacity * DATA_BYTES - LENGTH_BYTES
    if length_bytes > most_bytes:
        raise Invalid(f"The result has {length_bytes} bytes and its order's capacity is {most_bytes}; make it smaller.")
    return _batches(plain, length_bytes, capacity, secret)


def _batches(plain: BinaryIO, length_bytes: int, capacity: int, secret: bytes) -> Iterator[tuple[int, list[bytes]]]:
    head, left_bytes = length_bytes.to_bytes(LENGTH_BYTES, "big"), length_bytes
    for first in range(0, capacity, BATCH_CHUNKS):
        chunks = min(BATCH_CHUNKS, capacity - first)
        taken_bytes = min(left_bytes, chunks * DATA_BYTES - len(head))
        data = (head + read_exactly(plain, taken_bytes, "result")).ljust(chunks * DATA_BYTES, b"\0")
        head, left_bytes = b"", left_bytes - taken_bytes
        places = enumerate(range(0, len(data), DATA_BYTES), first)
        yield first, [salt(secret, index) + data[at : at + DATA_BYTES] for index, at in places]
