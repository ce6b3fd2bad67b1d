"""Small records, schemas and a box for the vault's tests."""

import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Category, Number, Schema

ORDER = bytes([1]) * 32
OTHER_ORDER = bytes([2]) * 32

VISITS = Schema(
    (
        Category("sex", ("female", "male"), missing=False),
        Number("age", Decimal(0), Decimal(120), Decimal("0.5"), missing=True),
    ),
    person="patient",
    rows_per_person=2,
)

PERSONLESS = Schema(VISITS.columns, person=None, rows_per_person=1)


class Box:
    """Authenticated encryption under one key, as the vault's port asks for."""

    def __init__(self, key: bytes = bytes(32)) -> None:
        self._cipher = AESGCM(key)

    def seal(self, label: bytes, data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, data, label)

    def open(self, label: bytes, blob: bytes) -> bytes:
        try:
            return self._cipher.decrypt(blob[:12], blob[12:], label)
        except InvalidTag:
            raise Corrupt("expected a sealed secret, got another") from None


def visits(persons: int = 40) -> str:
    """Records of `persons` persons, the third of each three with three rows, the others with one.

    No two rows have the same age.
    """
    lines = ["patient,sex,age"]
    for person in range(persons):
        for visit in range(3 if person % 3 == 2 else 1):
            lines.append(f"p{person},{'male' if person % 2 else 'female'},{2 * person + visit / 2}")
    return "\n".join(lines) + "\n"


def written(path: Path, text: str | bytes) -> Path:
    """A file at `path` that holds `text`."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A CSV text of cells that need no quotes."""
    return "\n".join(",".join(row) for row in [header, *rows]) + "\n"
