"""Authenticated encryption of a stream in segments, in constant memory.

Each segment is AES-256-GCM over at most 64 KiB. Its nonce of 12 bytes is the prefix (7), the segment's place (4, big
endian) and 1 on the last segment, 0 on every other, so that no segment can be moved, repeated or left out.
Source: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár 2015.
"""

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.errors import Corrupt

SEGMENT_BYTES = 65_536
PREFIX_BYTES = 7
TAG_BYTES = 16


def encrypted_bytes(plain_bytes: int) -> int:
    """The length of the segments that hold `plain_bytes`, which is 1 or more."""
    return plain_bytes + -(-plain_bytes // SEGMENT_BYTES) * TAG_BYTES


class SegmentWriter:
    """Encrypts what is written to it into `out`. `finish` must be called once, after at least one byte.

    `key`: 32 bytes, for this stream alone. `prefix`: 7 bytes. `bound`: what every segment is bound to.
    """

    def __init__(self, out: BinaryIO, key: bytes, prefix: bytes, bound: bytes) -> None:
        self._out = out
        self._cipher = AESGCM(key)
        self._prefix = prefix
        self._bound = bound
        self._place = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """Take more bytes; at most one segment of them waits in memory."""
        self._waiting += data
        while len(self._waiting) > SEGMENT_BYTES:
            self._write_segment(last=False)

    def finish(self) -> None:
        """Write the last segment."""
        self._write_segment(last=True)

    def _write_segment(self, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._place, last=last)
        with memoryview(self._waiting) as waiting:
            self._out.write(self._cipher.encrypt(nonce, waiting[:SEGMENT_BYTES], self._bound))
        del self._waiting[:SEGMENT_BYTES]
        self._place += 1


def read_segments(source: BinaryIO, key: bytes, prefix: bytes, bound: bytes, plain_bytes: int) -> Iterator[bytes]:
    """The `plain_bytes` that a `SegmentWriter` encrypted, segment by segment; each is authentic when it is given.

    Raises `Corrupt` where the source is cut, extended, altered or reordered.
    """
    cipher = AESGCM(key)
    left_bytes, place = plain_bytes, 0
    while left_bytes:
        size_bytes = min(SEGMENT_BYTES, left_bytes)
        left_bytes -= size_bytes
        sealed = read_exactly(source, size_bytes + TAG_BYTES)
        try:
            yield cipher.decrypt(_nonce(prefix, place, last=not left_bytes), sealed, bound)
        except InvalidTag as error:
            raise Corrupt(f"The sealed object was altered in segment {place}; fetch it again.") from error
        place += 1
    if source.read(1):
        raise Corrupt("The sealed object goes on after its last segment; fetch it again.")


def read_exactly(source: BinaryIO, size_bytes: int, name: str = "sealed object") -> bytes:
    """The next `size_bytes` of `source`, which a message calls `name`. Raises `Corrupt` when it ends before."""
    parts, left_bytes = [], size_bytes
    while left_bytes:
        part = source.read(left_bytes)
        if not part:
            raise Corrupt(f"The {name} is cut short by at least {left_bytes} bytes; get it again.")
        parts.append(part)
        left_bytes -= len(part)
    return b"".join(parts)


def _nonce(prefix: bytes, place: int, *, last: bool) -> bytes:
    return prefix + place.to_bytes(4, "big") + bytes([last])
