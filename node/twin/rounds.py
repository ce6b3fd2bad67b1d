"""What the members of a pool sum in each round for the twin of their records, and what each of its sums may cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_statistic import Statistic
from marketplace.scores.summed import Cut, Scoring
from node.synthesis.budget import divided, weights_of
from node.synthesis.columns import Columns, Question
from node.synthesis.sketch import Sketch
from node.synthesis.structure import Marginal

LEAST_MICRO = 2
"""What the sum of the cheapest statistic is paid: one for the noise, one for its being no discrete Gaussian."""


@dataclass(frozen=True)
class CellRound:
    """One level of the columns' cells. `prices`: micro-rho of each."""

    questions: tuple[Question, ...]
    prices: tuple[int, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Rows in each cell. A row is in one cell of each column at most."""
        return tuple(_counts(f"cells/{one.place}/{one.level}", (one.counts,)) for one in self.questions)


@dataclass(frozen=True)
class SketchRound:
    """Every pair of columns in few groups, as one statistic. `prices`: its micro-rho alone."""

    sketch: Sketch
    prices: tuple[int]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Rows in each cell of every pair. A row is in one cell of each: its length squared is the number of pairs."""
        return (Asked("sketch", 0, Statistic("sketch", (self.sketch.cells,), 1, len(self.sketch.pairs))),)


@dataclass(frozen=True)
class MarginalRound:
    """Marginals over the columns' bins. `prices`: micro-rho of each."""

    columns: Columns
    marginals: tuple[Marginal, ...]
    prices: tuple[int, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Rows with each combination of bins. A row has one of each marginal."""
        sizes = self.columns.sizes
        shapes = (tuple(sizes[column] for column in marginal) for marginal in self.marginals)
        return tuple(_counts(f"marginal/{number}", shape) for number, shape in enumerate(shapes))


@dataclass(frozen=True)
class ScoreRound:
    """What scores are computed from, opened when everything that makes rows is. `prices`: micro-rho of each statistic."""

    scoring: Scoring
    prices: tuple[int, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Rows in each cell of every statistic of the scoring, which says how far one person moves them."""
        return tuple(Asked(one.name, 0, one) for one in self.scoring.statistics)

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Every column as it enters some set, each once."""
        return tuple(dict.fromkeys(cut for sets in self.scoring.sets.values() for one in sets for cut in one))


RowRound = CellRound | SketchRound | MarginalRound
"""What rows are made from."""

Round = RowRound | ScoreRound


def priced(
    columns: Columns, marginals: Sequence[Marginal], wanted: Sequence[Marginal], rho_micro: int
) -> MarginalRound:
    """The round of these marginals for `rho_micro` together; of those that are `wanted` each gets more."""
    weights = weights_of(columns.sizes, marginals, wanted)
    return MarginalRound(columns, tuple(marginals), prices_of(rho_micro, weights))


def prices_of(rho_micro: int, weights: Sequence[float]) -> tuple[int, ...]:
    """`rho_micro` in parts of at least `LEAST_MICRO`, otherwise by weight, that sum to it exactly. Raises as `divided`."""
    more = LEAST_MICRO - 1
    return tuple(more + part for part in divided(rho_micro - more * len(weights), weights))


def _counts(name: str, shape: tuple[int, ...]) -> Asked:
    return Asked(name, 0, Statistic(name, (prod(shape),), 1, 1))
