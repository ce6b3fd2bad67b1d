"""One sale for the tests: fixed keys, and each step of it from bytes to bytes; also a provider who cheats."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.keys.sealing import SealingPrivateKey
from marketplace.sealing import Commitment, capacity_for, open_chunks, seal, unseal
from marketplace.sealing.chunk import crypt, key_hash, plain_hash, salt
from marketplace.sealing.commitment import Roots
from marketplace.sealing.header import new_header
from marketplace.sealing.inner import INNER
from marketplace.sealing.segments import SegmentWriter

READER = SealingPrivateKey(b"reader's private key, 32 bytes..")
STRANGER = SealingPrivateKey(b"stranger's private key, 32 bytes")
SECRET = b"secret behind the salts, 32 byte"
KEY = b"fresh key of this one sale, 32 b"
CONTEXT = b"order 7, manifest M"


@dataclass(frozen=True)
class Sale:
    """A sealed object and what its delivery commits to."""

    sealed: bytes
    commitment: Commitment


def sell(plain: bytes, *, capacity: int | None = None, secret: bytes = SECRET, key: bytes = KEY) -> Sale:
    out = io.BytesIO()
    commitment = seal(
        io.BytesIO(plain),
        out,
        capacity=capacity_for(len(plain)) if capacity is None else capacity,
        secret=secret,
        key=key,
        reader=READER.public_key,
        context=CONTEXT,
    )
    return Sale(out.getvalue(), commitment)


def fetch(
    sealed: bytes, expected: Commitment, *, reader: SealingPrivateKey = READER, context: bytes = CONTEXT
) -> io.BytesIO:
    inner = io.BytesIO()
    unseal(io.BytesIO(sealed), inner, reader=reader, context=context, expected=expected)
    return inner


def open_result(inner: io.BytesIO, expected: Commitment, *, key: bytes = KEY) -> bytes:
    out = io.BytesIO()
    length_bytes = open_chunks(inner, out, key=key, expected=expected)
    assert len(out.getvalue()) == length_bytes
    return out.getvalue()


def honest_records(data: Sequence[bytes]) -> list[bytes]:
    """The records of chunks with these 992 data bytes each, whatever they mean."""
    chunks = [salt(SECRET, index) + piece for index, piece in enumerate(data)]
    ciphers = crypt(0, chunks, KEY)
    return [plain_hash(index, chunk) + ciphers[index] for index, chunk in enumerate(chunks)]


def sell_records(records: Sequence[bytes], *, first_line: bytes = INNER) -> Sale:
    """Seal any records consistently, as a cheating provider could."""
    header, file_key = new_header(READER.public_key, len(records), CONTEXT)
    out = io.BytesIO(bytes(header))
    out.seek(0, io.SEEK_END)
    segments = SegmentWriter(out, file_key, header.prefix, header.bound)
    segments.write(first_line + b"".join(records))
    segments.finish()
    roots = Roots(len(records))
    roots.add(records)
    root, plain_root = roots.values()
    return Sale(out.getvalue(), Commitment(root, plain_root, len(records), key_hash(KEY)))


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
