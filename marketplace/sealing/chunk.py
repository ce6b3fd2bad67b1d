"""One chunk of a result: how it is salted, hashed and encrypted. `docs/sealing.md` defines every byte.

A chunk is 1,024 bytes: a salt of 32 and 992 of data. H is SHA-256 of one tag byte and fields of fixed width; inputs of
different kinds differ in their first byte, so none can pass for another. Indices are 4 bytes, big endian.
"""

from hashlib import sha256

import numpy as np

from marketplace.errors import Invalid

SALT_BYTES = 32
DATA_BYTES = 992
CHUNK_BYTES = SALT_BYTES + DATA_BYTES
HASH_BYTES = 32
SECRET_BYTES = 32
LENGTH_BYTES = 8
RECORD_BYTES = HASH_BYTES + CHUNK_BYTES
MAX_COUNT = 2**32 - 1
BATCH_CHUNKS = 64
MOST_DISCLOSED = 8
DISCLOSED_SHARE = 4

LEAF, NODE, PLAIN, KEY, CHUNK_KEY, STREAM, SALT = (bytes([tag]) for tag in range(7))

_COUNTERS = tuple(bytes([block]) for block in range(CHUNK_BYTES // HASH_BYTES))


def capacity_for(length_bytes: int) -> int:
    """The least number of chunks that holds a result of `length_bytes` and its 8-byte length.

    A capacity must follow from public facts, so give the largest length that those facts allow, never a result's own.
    """
    if length_bytes < 0:
        raise ValueError("a length is not negative")
    return -(-(LENGTH_BYTES + length_bytes) // DATA_BYTES)


def most_disclosed(count: int, content_bytes: int) -> int:
    """How many chunks' keys of one order may ever be disclosed before it is paid for; buyer and provider must agree.

    8 of them, and never more than a quarter of the `count` chunks, nor of the whole chunks that `content_bytes` fill:
    what is worth paying for, at least. The rest is padding by which a quarter of all would be most of a small result. So
    of content below 4 chunks (3,968 bytes) nothing is disclosed, and all 8 only from 32 chunks (31,744 bytes) on.
    """
    return min(MOST_DISCLOSED, count // DISCLOSED_SHARE, content_bytes // DATA_BYTES // DISCLOSED_SHARE)


def require_secret(name: str, value: bytes) -> None:
    """Raise `Invalid` unless `value` is 32 bytes. The message never holds the value."""
    if not isinstance(value, bytes) or len(value) != SECRET_BYTES:
        raise Invalid(f"The {name} must be {SECRET_BYTES} bytes; make one from the operating system's randomness.")


def salt(secret: bytes, index: int) -> bytes:
    """The 32-byte salt of chunk `index`: H(6, secret, index). Equal for every sale of the same stock."""
    return sha256(SALT + secret + index.to_bytes(4, "big")).digest()


def plain_hash(index: int, chunk: bytes) -> bytes:
    """`p_i` = H(2, index, chunk), a leaf of the plain tree."""
    return sha256(PLAIN + index.to_bytes(4, "big") + chunk).digest()


def plain_hashes(first: int, chunks: list[bytes]) -> list[bytes]:
    """The `p_i` of chunks `first`, `first + 1`, ..."""
    return [plain_hash(index, chunk) for index, chunk in enumerate(chunks, first)]


def leaf_hash(index: int, record: bytes) -> bytes:
    """A leaf of the commitment tree: H(0, index, p_i, c_i). `record` is `p_i` and `c_i` in a row, 1,056 bytes."""
    return sha256(LEAF + index.to_bytes(4, "big") + record).digest()


def key_hash(key: bytes) -> bytes:
    """What the ledger keeps of the sale's key until it is revealed: H(3, key)."""
    return sha256(KEY + key).digest()


def chunk_key(key: bytes, index: int) -> bytes:
    """The key of one chunk: H(4, key, index). Disclosing it tells nothing about `key` or another chunk."""
    return sha256(CHUNK_KEY + key + index.to_bytes(4, "big")).digest()


def stream(of_chunk_key: bytes) -> bytes:
    """The 1,024 bytes that a chunk is combined with: H(5, chunk key, j) for the bytes j = 0 to 31, in a row."""
    prefix = STREAM + of_chunk_key
    return b"".join([sha256(prefix + counter).digest() for counter in _COUNTERS])


def crypt(first: int, texts: list[bytes], key: bytes) -> list[bytes]:
    """Chunks `first`, `first + 1`, ... encrypted under the sale's key; done twice, it gives them back."""
    streams = b"".join([stream(chunk_key(key, index)) for index in range(first, first + len(texts))])
    mixed = xor(b"".join(texts), streams)
    return [mixed[at : at + CHUNK_BYTES] for at in range(0, len(mixed), CHUNK_BYTES)]


def xor(left: bytes, right: bytes) -> bytes:
    """Bitwise exclusive or of two byte strings of one length, a multiple of 8."""
    return (np.frombuffer(left, dtype=np.uint64) ^ np.frombuffer(right, dtype=np.uint64)).tobytes()
