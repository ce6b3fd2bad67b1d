"""The process that does one order's work: `python -m node.workers.child FOLDER`, with the storage key on standard input."""

import fcntl
import os
import resource
import sys
import threading
from pathlib import Path

from marketplace.errors import MarketplaceError
from node.files import write_whole
from node.workers.job import Name

STORAGE_KEY_BYTES = 32


def main() -> int:
    """Does the work in the folder named on the command line. Returns the exit code: 0 done, 1 failed."""
    folder = Path(sys.argv[1])
    storage_key = sys.stdin.buffer.read(STORAGE_KEY_BYTES)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_the_node, daemon=True).start()
    with (folder / Name.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _work(folder, storage_key)


def _work(folder: Path, storage_key: bytes) -> int:
    from node.workers.making import make

    try:
        make(folder, storage_key, lambda text: _note(folder, text))
    except MarketplaceError as error:
        write_whole(folder / Name.FAILURE, str(error).encode())
        return 1
    except (ArithmeticError, AssertionError, LookupError, MemoryError, TypeError, ValueError) as error:
        write_whole(folder / Name.FAILURE, f"the work ended with {type(error).__name__}".encode())
        return 1
    return 0


def _note(folder: Path, text: str) -> None:
    with (folder / Name.PROGRESS).open("a") as notes:
        notes.write(text + "\n")


def _end_with_the_node() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
