"""Who is in a version: the identifiers of its persons, kept beside the snapshot only where the provider says so, sealed under
a key that is not the vault's own. Nothing outside this package may import this module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from node.files import forget, make_folder, reading, write_whole
from node.vault.bounding import bytes_of, identity_of
from node.vault.box import SecretBox
from node.vault.draw import Draw
from node.vault.register import Snapshot

FOLDER, SUFFIX = "identifiers", ".sealed"
NOUN, VERSION = "identifiers", 1


@dataclass(frozen=True)
class Roster:
    """The identifiers of one version's persons, for the process that counts alone. `known`: by what stands for a person."""

    known: Mapping[bytes, str] = field(repr=False)

    def of(self, draw: Draw) -> tuple[str, ...]:
        """The identifier of the person of each line of `draw.rows`, one to one, so of nobody who had opted out.

        Raises `Corrupt` where a line is of a person that it does not know.
        """
        try:
            return tuple(self.known[tag] for tag in bytes_of(draw.identities))
        except KeyError:
            raise Corrupt("expected an identifier for every person of these records, got fewer; revise it") from None


def write(folder: Path, snapshot: Snapshot, known: Mapping[bytes, str], box: SecretBox) -> None:
    """Keeps the identifiers of `snapshot` in the place of those of its dataset's earlier versions, durably, in the order of
    what stands for each person in the vault.

    AES-256-GCM under `box`'s key; it opens for this dataset, version and commitment alone. Raises as the disk does.
    """
    identifiers = [known[tag] for tag in sorted(known)]
    document = {"format": canonical.format_name(NOUN, VERSION), NOUN: identifiers}
    make_folder(folder)
    write_whole(_path(folder, snapshot.dataset), box.seal(_label(snapshot), canonical.encode(document)))


def read(folder: Path, snapshot: Snapshot, secret: bytes, box: SecretBox) -> Roster:
    """The identifiers of `snapshot`. `secret`: the dataset's, by which they are held against what was committed to.

    Raises `Corrupt` where none are kept, or others, or where they do not open with this key.
    """
    path = _path(folder, snapshot.dataset)
    if not path.exists():
        raise _corrupt(snapshot, "none")
    with reading(path) as file:
        sealed = file.read()
    try:
        identifiers = canonical.decode(box.open(_label(snapshot), sealed), NOUN, VERSION)[NOUN]
    except (Corrupt, Invalid):
        raise _corrupt(snapshot, "a file that does not open as that") from None
    known = {identity_of(text, secret): text for text in identifiers}
    if len(known) != snapshot.persons:
        raise _corrupt(snapshot, "those of other persons")
    return Roster(known)


def delete(folder: Path, dataset: bytes) -> None:
    """Deletes what is kept of `dataset`, if anything. Raises as the disk does."""
    forget(_path(folder, dataset))


def _label(snapshot: Snapshot) -> bytes:
    named = canonical.format_name(NOUN, VERSION).encode()
    return named + snapshot.dataset + snapshot.commitment + snapshot.version.to_bytes(8, "big")


def _path(folder: Path, dataset: bytes) -> Path:
    return folder / (dataset.hex() + SUFFIX)


def _corrupt(snapshot: Snapshot, what: str) -> Corrupt:
    return Corrupt(
        f"expected the identifiers that were kept of version {snapshot.version}, got {what}; "
        "revise the dataset from its records, with --keep-identifiers"
    )
