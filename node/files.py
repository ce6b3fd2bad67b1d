"""Files and folders for their owner only. A file is there whole or not at all, also after a crash."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import Refused

OWNER_ONLY = 0o600


@contextmanager
def disk() -> Iterator[None]:
    """What is done with the disk inside the block raises `Refused` where it is full, read-only or not as it was left."""
    try:
        yield
    except OSError as error:
        raise Refused(
            f"expected a disk with room that can be written, got '{error.strerror}'; see to it and start again"
        ) from None


def make_folder(path: Path) -> None:
    """Makes the folder `path` and those above it, unless they are there. Raises `Refused` as `disk` says."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with disk():
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place at `path`, durably, when the block ends well. Raises `Refused` as `disk` says."""
    temporary = path.with_name(path.name + ".part")
    with disk():
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all."""
    with whole_file(path) as out:
        out.write(data)


@contextmanager
def growing_file(path: Path) -> Iterator[BinaryIO]:
    """A file to add to at its end. Raises `Refused` as `disk` says."""
    with disk(), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY), "ab") as out:
        yield out


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
