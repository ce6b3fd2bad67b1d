"""The address of contents: a CID, version 1, over SHA-256.

Source: the CID specification (github.com/multiformats/cid), multihash code 0x12, multibase prefix `b`.
"""

import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from marketplace.errors import Invalid

RAW = 0x55
DAG_PB = 0x70
DIGEST_BYTES = 32

_VERSION_1 = 0x01
_SHA2_256 = 0x12
_TEXT = re.compile(r"b[a-z2-7]{58}")
_EXPECTED = "expected a CID of version 1 in lower-case base32 (59 characters, `b` first), codec raw or dag-pb, sha2-256"


@dataclass(frozen=True, slots=True)
class Cid:
    """What a block is called: the SHA-256 `digest` (32 bytes) of its bytes, and the `codec` that says how to read them.

    A ledger keeps exactly these two. Raises `Invalid` on another codec than `RAW` or `DAG_PB`, or another length.
    """

    digest: bytes
    codec: int

    def __post_init__(self) -> None:
        if self.codec not in (RAW, DAG_PB):
            raise Invalid(f"expected the codec raw (0x55) or dag-pb (0x70), got {self.codec:#x}; give another address")
        if len(self.digest) != DIGEST_BYTES:
            raise Invalid(f"expected a digest of 32 bytes, got {len(self.digest)}; give the whole digest")

    @classmethod
    def raw(cls, digest: bytes) -> Self:
        """The address of the raw block with this SHA-256 `digest` (32 bytes)."""
        return cls(digest, RAW)

    @classmethod
    def of_raw(cls, data: bytes) -> Self:
        """The address of `data` as one raw block."""
        return cls(sha256(data).digest(), RAW)

    @classmethod
    def of_dag_pb(cls, data: bytes) -> Self:
        """The address of `data`, an encoded dag-pb node."""
        return cls(sha256(data).digest(), DAG_PB)

    @classmethod
    def from_binary(cls, data: bytes) -> Self:
        """The address whose binary form is `data` (36 bytes). Raises `Invalid` on anything else."""
        if len(data) != 4 + DIGEST_BYTES or (data[0], data[2], data[3]) != (_VERSION_1, _SHA2_256, DIGEST_BYTES):
            raise Invalid(f"{_EXPECTED}, got {len(data)} other bytes; use an address that this marketplace printed")
        return cls(data[4:], data[1])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that `text` writes. Raises `Invalid` on anything but the one canonical spelling."""
        if not _TEXT.fullmatch(text):
            got = f"{text[:64]!r}{'...' if len(text) > 64 else ''}"
            raise Invalid(f"{_EXPECTED}, got {got}; use an address that this marketplace printed")
        cid = cls.from_binary(b32decode(text[1:].upper() + "======"))
        if cid.text != text:
            raise Invalid(f"{_EXPECTED}, got {text} with stray bits at its end; write {cid.text} if that is meant")
        return cid

    @property
    def binary(self) -> bytes:
        """The binary form: version, codec, hash, length, digest (36 bytes)."""
        return bytes((_VERSION_1, self.codec, _SHA2_256, DIGEST_BYTES)) + self.digest

    @property
    def text(self) -> str:
        """The canonical spelling: `b` and 58 characters of lower-case base32."""
        return "b" + b32encode(self.binary).decode("ascii").rstrip("=").lower()

    def __str__(self) -> str:
        return self.text
