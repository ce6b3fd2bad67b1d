"""The keys under which a node keeps identifiers: one for each dataset, made at need, destroyed on demand.

They lie beside the other keys but in a folder of their own, which no backup of keys takes along: a key that is destroyed is
destroyed, and identifiers are taken in again from the records where they are wanted.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from marketplace.keys.secretbox import KEY_BYTES, SecretBox
from node.files import forget, make_folder, reading, write_whole

SUFFIX = ".key"
_LABEL = b"agora/roster-key/1"


@dataclass(frozen=True)
class RosterKeys:
    """The keys in `folder`, each sealed by `box`. `dataset`: its name in the vault, 32 bytes."""

    folder: Path
    box: SecretBox

    def has(self, dataset: bytes) -> bool:
        """Whether identifiers of `dataset` are kept."""
        return self._path(dataset).exists()

    def open(self, dataset: bytes) -> bytes:
        """The key of `dataset`, 32 bytes. Raises `Corrupt` where it does not open, and as the disk does."""
        with reading(self._path(dataset)) as file:
            return self.box.open(_LABEL + dataset, file.read())

    def keep(self, dataset: bytes, key: bytes) -> None:
        """Keeps a new key of `dataset` in the place of any other, durably."""
        make_folder(self.folder)
        write_whole(self._path(dataset), self.box.seal(_LABEL + dataset, key))

    def destroy(self, dataset: bytes) -> None:
        """Deletes the key of `dataset`, if there is one, durably: nothing opens what was sealed under it any more."""
        forget(self._path(dataset))

    def _path(self, dataset: bytes) -> Path:
        return self.folder / (dataset.hex() + SUFFIX)


def fresh_key() -> bytes:
    """A new key, 32 bytes of the operating system."""
    return os.urandom(KEY_BYTES)
