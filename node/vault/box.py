"""The port to the secrets that the vault keeps: sealed for the disk, opened with this installation's key."""

from typing import Protocol


class SecretBox(Protocol):
    """Authenticated encryption under one key that the vault never sees."""

    def seal(self, label: bytes, data: bytes) -> bytes:
        """`data` encrypted, so that it opens under the same `label` only."""
        ...

    def open(self, label: bytes, blob: bytes) -> bytes:
        """The data sealed under `label`. Raises `Corrupt` if it was sealed otherwise or altered."""
        ...
