"""Work in processes of this machine: one child for each order, which dies with its node and can be started again."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from marketplace.protocol.identity import OrderId
from node.files import write_whole
from node.work import Made
from node.workers.job import Job, Name

MOST_ATTEMPTS = 3


class Workers(Protocol):
    """Where orders are worked on."""

    def start(self, job: Job, folder: Path, storage_key: bytes) -> None:
        """Starts the work, or does nothing if it runs, is done, has failed, or every place is taken."""

    def made(self, order: OrderId, folder: Path) -> Made:
        """How far the work has come."""

    def stop(self) -> None:
        """Ends what runs; started again, it goes on from where it was."""


class ProcessWorkers:
    """At most `places` children at once. The storage key goes through a pipe, never into argv, environment or a file.

    A child whose pipe closes ends itself, so none outlives its node. One that was killed is started again, three times
    in all; it resumes the order's one draw. One that failed by itself says why in a file that stays in the node.
    """

    def __init__(self, places: int = 1) -> None:
        self._places = places
        self._children: dict[OrderId, subprocess.Popen[bytes]] = {}

    def start(self, job: Job, folder: Path, storage_key: bytes) -> None:
        if self.made(job.order, folder) is not Made.NOT_BEGUN or len(self._running()) >= self._places:
            return
        write_whole(folder / Name.JOB, job.encode())
        write_whole(folder / Name.ATTEMPTS, str(_attempts(folder) + 1).encode())
        with (folder / Name.LOG).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "node.workers.child", str(folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_plain_environment(),
            )
        assert child.stdin is not None
        child.stdin.write(storage_key)
        child.stdin.flush()
        self._children[job.order] = child

    def made(self, order: OrderId, folder: Path) -> Made:
        if (folder / Name.OUTCOME).exists():
            return Made.DONE
        child = self._children.get(order)
        if child is not None and child.poll() is None:
            return Made.RUNNING
        if (folder / Name.FAILURE).exists() or _attempts(folder) >= MOST_ATTEMPTS:
            return Made.FAILED
        return Made.NOT_BEGUN

    def stop(self) -> None:
        for child in self._running():
            child.kill()
            child.wait()
        self._children.clear()

    def _running(self) -> list[subprocess.Popen[bytes]]:
        return [child for child in self._children.values() if child.poll() is None]


def _attempts(folder: Path) -> int:
    path = folder / Name.ATTEMPTS
    return int(path.read_bytes()) if path.exists() else 0


def _plain_environment() -> dict[str, str]:
    """What a child sees of the node's environment: where to find programs and packages, and no setting of ours."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ}
