"""The process that counts, seen from its node: started when all parties have agreed, asked round by round, and ended."""

import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import MarketplaceError, Refused, Unreachable
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Crossing, Side
from marketplace.protocol.schema import Schema
from node.files import growing_file
from node.mpc.frames import Aborted, Kind, Line, Rubbish
from node.mpc.joint import Questions
from node.workers.count_child import LONGEST_S
from node.workers.job import JointJob, Name
from node.workers.process import plain_environment

COUNT_CHILD = (sys.executable, "-P", "-m", "node.workers.count_child")

Integers = NDArray[np.int64]


class CountProcess:
    """Counts for one order, in a process that starts at the first question. `asked`: whether it has been asked anything.

    `folder`: the order's, with its documents. `roster_key`: opens the identifiers, where persons are matched by them. Keys go
    through a socket, never into argv, environment or a file. Its methods raise `Refused`, with the process's own words for
    the provider, or `Unreachable` where it says none.
    """

    def __init__(
        self,
        job: JointJob,
        questions: Questions,
        schema: Schema,
        folder: Path,
        storage_key: bytes,
        command: Sequence[str] = COUNT_CHILD,
        roster_key: bytes = b"",
    ) -> None:
        self._job, self._questions, self._schema = job, questions, schema
        self._folder, self._command = folder, tuple(command)
        self._keys, self._agreed = (storage_key, roster_key), b""
        self._child: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._waiting: tuple[Asked, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether records may have been opened."""
        return self._line is not None

    def agree(self, agreed: bytes) -> None:
        """Takes what the parties alone know of this attempt at the order, for the process that counts, before it starts."""
        self._agreed = agreed

    def count(self, opened: Opened) -> Mapping[str, Integers]:
        """The whole numbers of the round after `opened`, by name, as they may leave the process that has records."""
        line = self._tell(opened)
        self._waiting = self._questions.asked(self._schema, opened)
        try:
            return {one.name: _values(line, one) for one in self._waiting}
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise _ended(error) from None

    def cross(self, crossing: Crossing, side: Side, opened: Opened) -> tuple[Integers, Integers]:
        """Of the round after `opened`, which is this `crossing`: this party's marks at its `side`, shape (parts, buckets), and
        its noise, flat."""
        line = self._tell(opened)
        self._waiting = self._questions.asked(self._schema, opened)
        marks = np.empty((len(crossing.cells[side]), crossing.buckets), "<i8")
        try:
            line.receive_values(marks)
            return marks, np.concatenate([_values(line, one) for one in self._waiting])
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise _ended(error) from None

    def finish(self, opened: Opened) -> None:
        """Has the files of the answer written, the outcome last of all."""
        line = self._tell(opened)
        try:
            line.send(Kind.DONE)
            line.receive(Kind.DONE)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise _ended(error) from None

    def kill(self) -> None:
        """Ends the process, if it runs. Whoever waits for it hears so; may be called by any thread."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """The same, and lets go of the line."""
        if self._line is not None:
            self._line.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> "CountProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, opened: Opened) -> Line:
        """Starts the process, or tells it the sums of the round that it has counted for."""
        try:
            if self._line is None:
                line = self._start()
                line.send(Kind.SUM)
                return line
            for one in self._waiting:
                self._line.send(Kind.VALUES, np.array(opened[-1][one.name], "<i8").data.cast("B"))
        except OSError as error:
            raise _ended(error) from None
        return self._line

    def _start(self) -> Line:
        ours, its = socket.socketpair()
        with growing_file(self._folder / Name.LOG) as log, its:
            self._child = subprocess.Popen(  # noqa: S603
                [*self._command, str(self._folder)],
                stdin=its.fileno(),
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=plain_environment(),
            )
        self._line = line = Line(ours, LONGEST_S, time.monotonic() + LONGEST_S)
        line.send(Kind.PLAN, self._job.encode())
        for key in (*self._keys, self._agreed):
            line.send(Kind.PASSWORD, key)
        return line


def _values(line: Line, one: Asked) -> Integers:
    values = np.empty(one.of.inputs, "<i8")
    line.receive_values(values)
    return values


def _ended(error: Exception) -> MarketplaceError:
    if isinstance(error, Aborted):
        return Refused(error.payload.decode(errors="replace"))
    return Unreachable("expected the process that counts to go on, it ended; look into the order's log")
