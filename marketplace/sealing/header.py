"""The head of a sealed object: whose it is, how long it is, and the wrapped key of its segments."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.format import require_format
from marketplace.keys.sealing import ENCAPSULATION_BYTES, SealingPrivateKey, SealingPublicKey
from marketplace.sealing.chunk import RECORD_BYTES
from marketplace.sealing.inner import INNER
from marketplace.sealing.segments import PREFIX_BYTES, TAG_BYTES, encrypted_bytes, read_exactly

SEALED = b"agora/sealed/1\n"
FILE_KEY_BYTES = 32
WRAPPED_BYTES = ENCAPSULATION_BYTES + FILE_KEY_BYTES + TAG_BYTES
HEADER_BYTES = len(SEALED) + 32 + 4 + PREFIX_BYTES + WRAPPED_BYTES


def inner_bytes(count: int) -> int:
    """The length of the inner file with `count` chunks."""
    return len(INNER) + count * RECORD_BYTES


def sealed_bytes(count: int) -> int:
    """The length of a sealed object with `count` chunks. It follows from nothing else."""
    return HEADER_BYTES + encrypted_bytes(inner_bytes(count))


@dataclass(frozen=True)
class Header:
    """`fingerprint`: SHA-256 of the reader's public key. `count`: chunks. `prefix`: of the segments' nonces (7 bytes).

    `wrapped`: the file key, encrypted to the reader by HPKE.
    """

    fingerprint: bytes
    count: int
    prefix: bytes
    wrapped: bytes

    def __bytes__(self) -> bytes:
        return SEALED + self.fingerprint + self.count.to_bytes(4, "big") + self.prefix + self.wrapped

    @property
    def bound(self) -> bytes:
        """What every segment is bound to: SHA-256 of the whole header."""
        return sha256(bytes(self)).digest()

    def file_key(self, reader: SealingPrivateKey, context: bytes) -> bytes:
        """The key of the segments. Raises `Invalid` for another reader's key, `Corrupt` if it does not open."""
        if self.fingerprint != reader.public_key.fingerprint:
            raise Invalid("This object is sealed for another key; give the key that its order was placed with.")
        try:
            return reader.unwrap(self.wrapped, SEALED + context)
        except Corrupt as error:
            raise Corrupt(
                "The sealed object's key does not open: its header was altered, or it was sealed for another order or "
                "manifest; fetch it again."
            ) from error


def new_header(reader: SealingPublicKey, count: int, context: bytes) -> tuple[Header, bytes]:
    """A header with a fresh file key, and that key (32 bytes)."""
    file_key = secrets.token_bytes(FILE_KEY_BYTES)
    wrapped = reader.wrap(file_key, SEALED + context)
    return Header(reader.fingerprint, count, secrets.token_bytes(PREFIX_BYTES), wrapped), file_key


def read_header(source: BinaryIO) -> Header:
    """The header at the start of `source`. Raises `Invalid` for an unknown format, `Corrupt` for a damaged one."""
    require_format(read_exactly(source, len(SEALED)), SEALED)
    fingerprint = read_exactly(source, 32)
    count = int.from_bytes(read_exactly(source, 4), "big")
    prefix = read_exactly(source, PREFIX_BYTES)
    return Header(fingerprint, count, prefix, read_exactly(source, WRAPPED_BYTES))
