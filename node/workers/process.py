"""Work in processes of this machine: one child for each order, which dies with its node and can be started again."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from marketplace.errors import Unreachable
from marketplace.protocol.identity import OrderId
from node.files import disk, growing_file, make_folder, write_whole
from node.work import Made
from node.workers.job import Job, Name

MOST_CRASHES = 3
CHILD = (sys.executable, "-P", "-m", "node.workers.child")


class Workers(Protocol):
    """Where orders are worked on. `folder` is the order's own. Each method may raise what the disk says."""

    def has_place(self) -> bool:
        """Whether one more order can be worked on now."""

    def start(self, job: Job, folder: Path, storage_key: bytes) -> None:
        """Starts the work, or starts it again where it was interrupted."""

    def made(self, order: OrderId, folder: Path) -> Made:
        """How far the work has come."""

    def end(self, order: OrderId) -> None:
        """Ends what runs on the order; started again, it goes on from where it was."""

    def close(self, order: OrderId, folder: Path) -> None:
        """Ends what runs on the order, and nothing runs on it ever again: so says the folder. Nothing is done while a
        process of an earlier node is still there; ask again then."""

    def closed(self, folder: Path) -> bool:
        """Whether the work on the order was closed."""

    def stop(self) -> None:
        """Ends all that runs; started again, it goes on from where it was."""


class ProcessWorkers:
    """At most `places` children at once, each `command` with the order's folder as its last argument.

    The storage key goes through a pipe, never into argv, environment or a file. A child whose pipe closes ends itself,
    so none outlives its node, and that is no fault of the work: it is started again however often, as is one that found
    the disk full or the vault busy. A child that crashes is started again until it has crashed three times. Always it
    resumes the order's one draw. One that says why it cannot do the work leaves the reason in a file of the node.
    """

    def __init__(self, places: int = 1, command: Sequence[str] = CHILD) -> None:
        self._places = places
        self._command = tuple(command)
        self._children: dict[OrderId, subprocess.Popen[bytes]] = {}

    def has_place(self) -> bool:
        return sum(child.poll() is None for child in self._children.values()) < self._places

    def start(self, job: Job, folder: Path, storage_key: bytes) -> None:
        earlier = self._children.get(job.order)
        if earlier is not None:
            if _has_crashed(earlier):
                write_whole(folder / Name.CRASHES, str(_crashes(folder) + 1).encode())
            self.end(job.order)
        write_whole(folder / Name.JOB, job.encode())
        with growing_file(folder / Name.LOG) as log:
            child = subprocess.Popen(  # noqa: S603
                [*self._command, str(folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=plain_environment(),
            )
        self._children[job.order] = child
        _hand_over(child, storage_key)

    def made(self, order: OrderId, folder: Path) -> Made:
        child = self._children.get(order)
        runs = child is not None and child.poll() is None  # before the look at what it leaves: it may end in between
        if (folder / Name.OUTCOME).exists():
            return Made.DONE
        if runs:
            return Made.RUNNING
        crashes = _crashes(folder) + (child is not None and _has_crashed(child))
        if (folder / Name.FAILURE).exists() or crashes >= MOST_CRASHES:
            return Made.FAILED
        return Made.NOT_BEGUN

    def end(self, order: OrderId) -> None:
        child = self._children.pop(order, None)
        if child is not None:
            child.kill()
            child.wait()
            _close_pipe(child)

    def close(self, order: OrderId, folder: Path) -> None:
        self.end(order)
        make_folder(folder)
        with growing_file(folder / Name.LOCK) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            write_whole(folder / Name.CLOSED, b"")

    def closed(self, folder: Path) -> bool:
        return (folder / Name.CLOSED).exists()

    def stop(self) -> None:
        for order in tuple(self._children):
            self.end(order)


def _has_crashed(child: subprocess.Popen[bytes]) -> bool:
    return child.poll() not in (None, Unreachable.exit_code)


def _crashes(folder: Path) -> int:
    path = folder / Name.CRASHES
    with disk():
        return int(path.read_bytes()) if path.exists() else 0


def _hand_over(child: subprocess.Popen[bytes], storage_key: bytes) -> None:
    """Gives the child its key and leaves the pipe open. A child that is gone already counts as one that crashed."""
    assert child.stdin is not None
    try:
        child.stdin.write(storage_key)
        child.stdin.flush()
    except BrokenPipeError:
        _close_pipe(child)


def _close_pipe(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    try:
        child.stdin.close()
    except BrokenPipeError:
        return


def plain_environment() -> dict[str, str]:
    """What a child sees of the node's environment: where to find programs and packages, and no setting of ours."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ}
