"""Blocks as files in a directory: the store that needs no server.

`<directory>/<shard>/<address>`, where the shard is the last character but one of the address (32 of them). A file is
written beside its place, brought to the disk, and only then renamed into it, so a file that has its name is whole.
What a crash leaves behind is called `<address>.<random>.part` and may be deleted while nothing runs.
"""

import os
import secrets
from pathlib import Path

from marketplace.content import disk
from marketplace.content.blocks import MAX_BLOCK_BYTES, BlockStore
from marketplace.content.cid import Cid
from marketplace.content.layout import Block
from marketplace.errors import Corrupt, Unreachable


class DirectoryStore(BlockStore):
    """A store in the directory `path`, made by the first `put`. Several processes may use it at once.

    Disk errors are raised as `disk.explained` says: `Refused` if the directory cannot be used by us, `Unreachable` if
    the disk is full or fails. Putting again what is damaged on the disk mends it.
    """

    writes_at_once = 8

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_block(self, cid: Cid) -> bytes:
        try:
            with self._place(cid).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size > MAX_BLOCK_BYTES:
                    raise Corrupt(f"expected at most {MAX_BLOCK_BYTES} bytes in {cid}, got {size}; use another store")
                return file.read()
        except FileNotFoundError:
            raise Unreachable(f"expected the block {cid} in the directory, got nothing; try another store") from None
        except OSError as error:
            raise disk.explained(error, f"the block {cid}") from error

    def put_block(self, block: Block) -> None:
        place = self._place(block.cid)
        try:
            _make_directory(place.parent)
            if not _holds(place, block.data):
                _write(place, block.data)
            _sync_directory(place.parent)
        except OSError as error:
            raise disk.explained(error, f"the block {block.cid}") from error

    def has(self, cid: Cid) -> bool:
        try:
            return self._place(cid).is_file()
        except OSError as error:
            raise disk.explained(error, f"the block {cid}") from error

    def keep(self, root: Cid) -> None:
        """A directory clears nothing away; what remains is to bring the names of its shards to the disk."""
        try:
            _sync_directory(self._path)
        except OSError as error:
            raise disk.explained(error, f"the file {root}") from error

    def _place(self, cid: Cid) -> Path:
        name = cid.text
        return self._path / name[-2] / name


def _holds(place: Path, data: bytes) -> bool:
    try:
        return place.stat().st_size == len(data) and place.read_bytes() == data
    except FileNotFoundError:
        return False


def _write(place: Path, data: bytes) -> None:
    part = place.with_name(f"{place.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _make_directory(path: Path) -> None:
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir(exist_ok=True)
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
