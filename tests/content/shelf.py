"""One adapter under test, with the means to damage what lies behind it."""

from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from marketplace.content import Cid, ContentStore, put_bytes
from marketplace.content.layout import Block


@dataclass(frozen=True)
class Shelf:
    """`store` is read through, `source` is where contents are put: the same store, unless it is for reading only.

    `impatient` is `store` once more, but does not wait long for what is missing. `spoil` replaces the bytes of a
    stored block; `lose` takes a stored block away.
    """

    store: ContentStore
    source: ContentStore
    impatient: ContentStore
    spoil: Callable[[Cid, bytes], None]
    lose: Callable[[Cid], None]

    def put(self, data: bytes) -> Cid:
        """Put `data` where it can then be read through `store`."""
        return put_bytes(self.source, data)

    def flip(self, block: Block, bit: int) -> None:
        """Flip one bit of a stored block."""
        data = bytearray(block.data)
        data[bit // 8] ^= 1 << bit % 8
        self.spoil(block.cid, bytes(data))


def on_files(store: ContentStore, source: ContentStore, impatient: ContentStore, place: Callable[[Cid], Path]) -> Shelf:
    """A shelf whose blocks are files, each at its `place`."""
    return Shelf(
        store, source, impatient, lambda cid, data: _overwrite(place(cid), data), lambda cid: place(cid).unlink()
    )


def place_in_directory(path: Path) -> Callable[[Cid], Path]:
    """Where a directory store in `path` keeps a block."""
    return lambda cid: path / cid.text[-2] / cid.text


def place_in_repository(path: Path) -> Callable[[Cid], Path]:
    """Where an IPFS repository in `path` keeps a block: by its multihash, in shards of the last two but one."""

    def place(cid: Cid) -> Path:
        key = b32encode(cid.binary[2:]).decode().rstrip("=")
        return path / "blocks" / key[-3:-1] / f"{key}.data"

    return place


def _overwrite(path: Path, data: bytes) -> None:
    assert path.is_file()
    path.write_bytes(data)
