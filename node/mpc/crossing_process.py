"""A party's process for a split table, seen from its own node; and its whole part in an order about one."""

import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Crossing
from node.mpc.field import Integers
from node.mpc.frames import PIECE_VALUES, Aborted, Kind, Rubbish
from node.mpc.joint import Answer
from node.mpc.plan import Plan
from node.mpc.running import PartyProcess

COMMAND = (sys.executable, "-P", "-m", "node.mpc.crossing_party")


class CrossingProcess(PartyProcess):
    """The process that takes part in one order about a split table. Every method raises `Ended`, which names a party."""

    def __init__(
        self, plan: Plan, folder: Path, password: bytes, arrivals: socket.socket, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__(plan, folder, password, arrivals, command)

    def cross(self, crossing: Crossing, marks: Integers, noise: Integers) -> Integers:
        """What everybody sees of a crossing, flat. `marks`: as `Crosses.answer` reads them, shape (parts, buckets)."""
        self._send(Kind.SUM, crossing.encode())
        for values in (marks.ravel(), noise):
            for start in range(0, len(values), PIECE_VALUES):
                self._send(
                    Kind.VALUES, np.ascontiguousarray(values[start : start + PIECE_VALUES], "<i8").data.cast("B")
                )
        found = np.empty(crossing.opened, "<i8")
        try:
            for start in range(0, len(found), PIECE_VALUES):
                self._line.receive_values(found[start : start + PIECE_VALUES])
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._ended(error) from None
        return found


class Crossed(Protocol):
    """What parties of a split table open together round by round, such as `node.twin.vertical.VerticalTwin`: see there."""

    def crossing(self, opened: Opened = ()) -> Crossing | None: ...
    def named(self, opened: Opened, found: Integers) -> Mapping[str, tuple[int, ...]]: ...
    def encode(self) -> bytes: ...


def cross_part(
    process: CrossingProcess, questions: Crossed, count: Callable[[Opened, bytes], tuple[Integers, Integers]]
) -> Answer:
    """What all rounds of `questions` open, the same at every party. Raises `Ended`, which names a party.

    `count`: this party's marks and noise of the next round (`CrossingProcess.cross`), told from what all rounds before opened
    and what the parties alone know (`PartyProcess.ready`). It is called once for each round, after all have agreed.
    """
    begun = time.perf_counter()
    agreed = process.ready()
    opened: tuple[Mapping[str, tuple[int, ...]], ...] = ()
    while (crossing := questions.crossing(opened)) is not None:
        opened = (*opened, questions.named(opened, process.cross(crossing, *count(opened, agreed))))
    closing = process.finish()
    return Answer(opened, closing, time.perf_counter() - begun)
