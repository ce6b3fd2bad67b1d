"""Files and folders for their owner only. A file is there whole or not at all, also after a crash."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import Refused, Unreachable

OWNER_ONLY = 0o600
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextmanager
def disk() -> Iterator[None]:
    """What the operating system says about the disk inside the block becomes one of our errors.

    `Refused` where nothing may be written or read until a person sees to it; `Unreachable` for all else, a full disk
    among it: nothing was half done, and trying again is safe.
    """
    try:
        yield
    except OSError as error:
        kind = Refused if error.errno in _FORBIDDEN else Unreachable
        raise kind(
            f"expected a disk that takes and gives the node's files, got '{error.strerror}'; see to it"
        ) from None


def make_folder(path: Path) -> None:
    """Makes the folder `path` and those above it, unless they are there. Raises as `disk` says."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with disk():
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place at `path`, durably, when the block ends well. Raises as `disk` says."""
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
def reading(path: Path) -> Iterator[BinaryIO]:
    """The file at `path` to read. Raises as `disk` says."""
    with disk(), path.open("rb") as file:
        yield file


@contextmanager
def growing_file(path: Path) -> Iterator[BinaryIO]:
    """A file to add to at its end. Raises as `disk` says."""
    with disk(), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY), "ab") as out:
        yield out


def forget(path: Path) -> None:
    """Deletes the file at `path`, durably when this returns, if it is there. Raises as `disk` says."""
    with disk():
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
