"""Ends a process at named points, once at each: what a crash does, but where the test wants it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

PASSED, DEADLY = "passed.txt", "deadly.txt"
EVERYWHERE = "*"


def die() -> None:
    """Ends this process as a loss of power would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Points:
    """The points in `folder`: `deadly.txt` names those to die at, one a line, `*` for all; `passed.txt` tells which were
    come to, so that a process that is started again gets past them. Nobody dies where there is no `deadly.txt`."""

    def __init__(self, folder: Path, end: Callable[[], None] = die) -> None:
        self._folder = folder
        self._end = end

    def __call__(self, point: str) -> None:
        """Notes that `point` was come to, and ends the process if it is deadly and was not come to before."""
        if point in self.passed():
            return
        with (self._folder / PASSED).open("a") as out:
            out.write(point + "\n")
            out.flush()
            os.fsync(out.fileno())
        if {point, EVERYWHERE} & set(_lines(self._folder / DEADLY)):
            self._end()

    def passed(self) -> list[str]:
        """The points that were come to, in that order."""
        return _lines(self._folder / PASSED)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
