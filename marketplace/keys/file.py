"""Files that hold keys: made once, never overwritten, readable by their owner alone from the first moment."""

import os
import secrets
from pathlib import Path

from marketplace.errors import Corrupt, Invalid, Refused

OWNER_ONLY = 0o600
MOST_BYTES = 16 * 2**20


def create_file(path: Path, data: bytes) -> None:
    """Write `data` to a new file at `path` with mode 0600; after returning it survives a loss of power.

    The file appears whole or not at all. Raises `Refused` when something is there already or the disk refuses,
    `Invalid` when the folder does not exist or the data are too long for a key file.
    """
    if len(data) > MOST_BYTES:
        raise Invalid(f"A key file holds at most {MOST_BYTES} bytes, not {len(data)}; keep other files elsewhere.")
    waiting = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(waiting, path)
        finally:
            waiting.unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise Refused(f"A file is already at {path}, and keys are never overwritten; choose another place.") from error
    except FileNotFoundError as error:
        raise Invalid(f"There is no folder {path.parent}; make it first.") from error
    except OSError as error:
        raise Refused(f"The key file {path} cannot be written: {error.strerror}; choose another place.") from error


def read_file(path: Path) -> bytes:
    """The bytes of a key file. Raises `Invalid` when there is none, `Refused` when it may not be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise Invalid(f"There is no key file at {path}; give its place, or restore it from a backup.") from error
    except OSError as error:
        raise Refused(f"The key file {path} cannot be read: {error.strerror}; give another.") from error
    if len(data) > MOST_BYTES:
        raise Corrupt(f"The file {path} is larger than any key file; give another, or restore it from a backup.")
    return data


def create_folder(path: Path) -> None:
    """Make the folder `path` unless it is there, for its owner alone. Raises `Refused` when that cannot be done."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"The folder {path} cannot be made: {error.strerror}; choose another place.") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
