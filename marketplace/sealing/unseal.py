"""The buyer's side before paying: the outer layer comes off, and every byte is checked against the delivery."""

from typing import BinaryIO

from marketplace.keys.format import require_format
from marketplace.keys.sealing import SealingPrivateKey
from marketplace.sealing.chunk import RECORD_BYTES
from marketplace.sealing.commitment import Commitment, Roots
from marketplace.sealing.header import inner_bytes, read_header
from marketplace.sealing.inner import INNER, require_agreement, require_count
from marketplace.sealing.segments import read_segments


def unseal(
    source: BinaryIO, inner: BinaryIO, *, reader: SealingPrivateKey, context: bytes, expected: Commitment
) -> None:
    """Take the outer layer off the sealed object in `source` and write the inner file, to open once `k` is known.

    `context`: the same bytes as at sealing. `expected`: what the delivery on the ledger commits to; returning means
    that the object agrees with it and may be accepted. Reads and writes once, in constant memory.
    Raises `Corrupt` for an object that is cut, extended, altered, reordered, for another context or another commitment,
    and `Invalid` for one that is sealed for another key or has an unknown format. Throw away `inner` when it raises.
    """
    header = read_header(source)
    file_key = header.file_key(reader, context)
    require_count(header.count, expected)
    segments = read_segments(source, file_key, header.prefix, header.bound, inner_bytes(header.count))
    roots = Roots(header.count)
    waiting = next(segments)
    require_format(waiting[: len(INNER)], INNER)
    inner.write(waiting)
    waiting = _fold(roots, waiting[len(INNER) :])
    for segment in segments:
        inner.write(segment)
        waiting = _fold(roots, waiting + segment)
    require_agreement(roots, expected)


def _fold(roots: Roots, data: bytes) -> bytes:
    """Add the whole records at the start of `data`; give the rest."""
    whole_bytes = len(data) - len(data) % RECORD_BYTES
    roots.add([data[at : at + RECORD_BYTES] for at in range(0, whole_bytes, RECORD_BYTES)])
    return data[whole_bytes:]
