"""Bytes that anyone can make again: page i of 4,096 bytes is the SHA-256 of i (8 bytes, big-endian), 128 times."""

from collections.abc import Iterator
from hashlib import sha256

PAGE_BYTES = 4096


def pages(size: int) -> Iterator[bytes]:
    """The first `size` bytes of the pattern, page by page."""
    for index in range(-(-size // PAGE_BYTES)):
        page = sha256(index.to_bytes(8, "big")).digest() * 128
        yield page[: size - index * PAGE_BYTES]


def pattern(size: int) -> bytes:
    """The first `size` bytes of the pattern."""
    return b"".join(pages(size))
