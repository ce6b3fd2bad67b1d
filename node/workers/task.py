"""What a joint order asks of one party's records, and what follows from the sums: the same calls for every kind of order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.certificate import Mechanism
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_statistic import Opened
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.score import Score
from node.synthesis.generator import CodedTable

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Written:
    """A result's files, by their `names` in order, with its released scores and the released counts of its curves."""

    names: tuple[str, ...]
    scores: tuple[Score, ...] = ()
    curves: tuple[NoisyCurve, ...] = ()


class Task(Protocol):
    """One order's work at one party. `opened`: the sums of all rounds so far, from which the next one follows."""

    def asked(self, opened: Opened) -> tuple[Asked, ...]:
        """What is summed next; nothing at the end."""
        ...

    def shares(self, opened: Opened) -> tuple[Share, ...]:
        """This party's noise in what is summed next; none where the order is exact."""
        ...

    def count(self, table: CodedTable, opened: Opened) -> Mapping[str, Integers]:
        """The exact numbers of a coded table, by name, which never leave the process as they are."""
        ...

    def write(self, folder: Path, opened: Opened) -> Written:
        """Writes the result's files from the sums alone."""
        ...

    def mechanism(self, opened: Opened) -> Mechanism:
        """How the result was made, as the certificate names it: the same at every party."""
        ...


def shares_of(task: Task, opened: Opened) -> tuple[tuple[Share, ...], ...]:
    """The noise of every round that was opened; none where the order is exact."""
    rounds = tuple(task.shares(opened[:number]) for number in range(len(opened)))
    return rounds if any(rounds) else ()
