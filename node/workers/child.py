"""The process that does one order's work: `python -m node.workers.child FOLDER`, with the storage key on standard input."""

import fcntl
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from marketplace.errors import MarketplaceError, Unreachable
from node.files import growing_file, write_whole
from node.memory import keep_private
from node.workers.job import Name

STANDARD_INPUT = 0
STORAGE_KEY_BYTES = 32
DONE, FAILED, LATER = 0, 1, Unreachable.exit_code

Work = Callable[[Path, bytes, Callable[[str], None]], None]
"""Does the work in an order's folder with the storage key, and tells each step."""


def main() -> int:
    """Does the work in the folder named on the command line. Returns the exit code."""
    return serve(Path(sys.argv[1]), _make)


def serve(folder: Path, work: Work) -> int:
    """Does `work` in `folder`, alone there, unless it was done or closed before. Ends the process if the node ends.

    Returns the exit code: 0 done; 1 not done, for the reason in the folder; 5 not done now, for want of disk or vault.
    Any other error ends the process with a traceback in the folder's log.
    """
    keep_private()
    storage_key = _storage_key()
    threading.Thread(target=_end_with_the_node, daemon=True).start()
    with growing_file(folder / Name.LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / Name.OUTCOME).exists():
            return DONE
        if (folder / Name.CLOSED).exists() or len(storage_key) != STORAGE_KEY_BYTES:
            return FAILED
        try:
            work(folder, storage_key, lambda text: _note(folder, text))
        except Unreachable as error:
            print(error, file=sys.stderr)
            return LATER
        except MarketplaceError as error:
            write_whole(folder / Name.FAILURE, str(error).encode())
            return FAILED
    return DONE


def _make(folder: Path, storage_key: bytes, note: Callable[[str], None]) -> None:
    from node.workers.making import make  # after the node is watched: what it needs takes seconds to load

    make(folder, storage_key, note)


def _note(folder: Path, text: str) -> None:
    with growing_file(folder / Name.PROGRESS) as notes:
        notes.write(f"{text}\n".encode())


def _storage_key() -> bytes:
    """What the node hands over, without a buffer, in which a copy would stay; less than a key if the node has ended."""
    key = bytearray()
    while len(key) < STORAGE_KEY_BYTES and (piece := os.read(STANDARD_INPUT, STORAGE_KEY_BYTES - len(key))):
        key += piece
    return bytes(key)


def _end_with_the_node() -> None:
    while os.read(STANDARD_INPUT, 1):
        pass
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main())
