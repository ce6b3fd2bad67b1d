"""Masks that cancel in the sum: for each pair of parties a stream of words that one adds and the other subtracts."""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from numpy.typing import NDArray

from marketplace.errors import Refused
from node.files import growing_file, reading
from node.mpc.frames import PIECE_VALUES

KEY_BYTES = 32
_AGREED, _LABEL = b"agora/mask-key/1", b"agora/mask/1"
_NO_NONCE = bytes(16)
LARGEST_NAME = 200
_HEAD, _LENGTH = struct.Struct(">IQ"), struct.Struct(">H")

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Tensor:
    """One vector of whole numbers that parties sum. `round`: from 0. `name`: 1 to 200 bytes of UTF-8."""

    round: int
    name: str
    cells: int

    def encode(self) -> bytes:
        """Its bytes, from which nothing else has the same."""
        return _HEAD.pack(self.round, self.cells) + self.name.encode()

    @classmethod
    def decode(cls, data: bytes) -> "Tensor":
        """The tensor of these bytes. Raises `ValueError` where they are none."""
        if not _HEAD.size < len(data) <= _HEAD.size + LARGEST_NAME:
            raise ValueError("expected a tensor")
        round_, cells = _HEAD.unpack(data[: _HEAD.size])
        return cls(round_, data[_HEAD.size :].decode(), cells)


@dataclass(frozen=True)
class Batch:
    """Tensors whose numbers are summed as one message, one after the other. Raises `ValueError` for none."""

    tensors: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if not self.tensors:
            raise ValueError("expected tensors")

    def pieces(self) -> Iterator[tuple[tuple[int, slice], ...]]:
        """Its numbers in order, `PIECE_VALUES` at a time and at last what is left: of which tensor, and which of its numbers."""
        parts: list[tuple[int, slice]] = []
        room = PIECE_VALUES
        for place, tensor in enumerate(self.tensors):
            start = 0
            while start < tensor.cells:
                end = min(start + room, tensor.cells)
                parts.append((place, slice(start, end)))
                room, start = room - (end - start), end
                if room == 0:
                    yield tuple(parts)
                    parts, room = [], PIECE_VALUES
        if parts:
            yield tuple(parts)

    def encode(self) -> bytes:
        """Its bytes, from which nothing else has the same."""
        encoded = [tensor.encode() for tensor in self.tensors]
        return b"".join(_LENGTH.pack(len(one)) + one for one in encoded)

    @classmethod
    def decode(cls, data: bytes) -> "Batch":
        """The batch of these bytes. Raises `ValueError` where they are none."""
        tensors, rest = [], BytesIO(data)
        while head := rest.read(_LENGTH.size):
            encoded = rest.read(int.from_bytes(head, "big"))
            if head + encoded != _LENGTH.pack(len(encoded)) + encoded:
                raise ValueError("expected a batch")
            tensors.append(Tensor.decode(encoded))
        return cls(tuple(tensors))


class Pair:
    """What one party shares with another for one order: a key that both made afresh, from which masks come.

    `own` and `other`: numbers of the two parties. `context`: public bytes that bind order and specification.
    Raises `ValueError` for a public key that agrees on nothing. Source: RFC 7748, RFC 5869. Assumption: X25519 is hard to
    invert, HKDF and AES are pseudo-random; then to anyone but the two, a masked number is a uniform one.
    """

    def __init__(self, private: X25519PrivateKey, public: bytes, own: int, other: int, context: bytes) -> None:
        agreed = private.exchange(X25519PublicKey.from_public_bytes(public))
        mine = private.public_key().public_bytes_raw()
        low, high = sorted([(own, mine), (other, public)])
        salt = sha256(context + bytes([low[0], high[0]]) + low[1] + high[1]).digest()
        self._key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=_AGREED).derive(agreed)
        self._label = context + bytes([low[0], high[0]])
        self.adds = own < other
        self.name = sha256(_LABEL + self._key).digest()

    def label(self, tensor: Tensor) -> bytes:
        """What a mask is bound to: order and specification, the pair with who adds first, round, name and shape."""
        return _LABEL + self._label + tensor.encode()

    def stream(self, tensor: Tensor) -> "Stream":
        """The mask of a tensor. The same on both sides; to be asked for once."""
        return Stream(HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=self.label(tensor)).derive(self._key))

    def masks(self, batch: Batch) -> Iterator[Words]:
        """The masks of a batch's tensors, each its own, in the batch's pieces. The same on both sides; to be asked for once."""
        stream = Stream(bytes(KEY_BYTES))
        for parts in batch.pieces():
            words = []
            for place, part in parts:
                stream = self.stream(batch.tensors[place]) if part.start == 0 else stream
                words.append(stream.words(part.stop - part.start))
            yield np.concatenate(words)


class Stream:
    """An endless sequence of uniform 64-bit words. Reading moves on. Source: AES-256 in counter mode, NIST SP 800-38A."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES256(key), CTR(_NO_NONCE)).encryptor()

    def words(self, count: int) -> Words:
        """The next `count` words, shape (count,)."""
        return np.frombuffer(self._cipher.update(bytes(8 * count)), "<u8")


class Spent:
    """Which masks a party has used, written down durably in `folder` before a number under one leaves the process."""

    FILE = "masks"

    def __init__(self, folder: Path) -> None:
        self._path = folder / self.FILE
        self._known: set[str] = set()
        if self._path.exists():
            with reading(self._path) as file:
                self._known = set(file.read().decode("ascii", "replace").split())

    def spend(self, pairs: Sequence[Pair], batch: Batch) -> None:
        """Writes down that the masks of `batch` are used. Raises `Refused` if one of them was, here or before a crash."""
        used = [sha256(pair.name + pair.label(tensor)).hexdigest() for tensor in batch.tensors for pair in pairs]
        if self._known & set(used) or len(set(used)) < len(used):
            raise Refused("expected every mask to be used once, got one a second time; the order ends here")
        with growing_file(self._path) as file:
            file.write("".join(f"{line}\n" for line in used).encode())
            file.flush()
            os.fsync(file.fileno())
        self._known |= set(used)
