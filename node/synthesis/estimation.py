"""A graphical model fitted to noisy marginals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from node.synthesis.barriers import Barrier
from node.synthesis.cells import Floats
from node.synthesis.columns import Columns, NoisyMarginal
from node.synthesis.descent import least
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.junction import JunctionTree, Step

ITERATIONS = 400
SINGLES_SLACK = 0.001
MARGINALS_SLACK = 0.005


@dataclass(frozen=True)
class Model:
    """A fitted model. `potentials`: flat, as `tree` has them; first those of the single columns, in order."""

    tree: JunctionTree
    potentials: Floats

    def steps(self, narrowing: Floats | None = None) -> tuple[Step, ...]:
        """The model as steps for drawing rows. `narrowing`: logarithms to add for each bin of each column in order."""
        if narrowing is None:
            return self.tree.steps(self.potentials)
        potentials = self.potentials.copy()
        potentials[: len(narrowing)] += narrowing
        return self.tree.steps(potentials)


def estimate(
    columns: Columns,
    marginals: Sequence[NoisyMarginal],
    barriers: Sequence[Barrier],
    progress: Progress,
    cancelled: Cancelled,
    iterations: int = ITERATIONS,
) -> Model:
    """The model of most entropy that explains marginals and single columns within their noise, within the barriers.

    Of all distributions p over rows it is the one that minimises the sum over measured marginals m of
    |N p_m - y_m|^2 / (2 w_m sigma_m^2) less N times the entropy of p, N the number of rows, w_m a small slack, which
    weighs the measurements far above the entropy. `iterations`: the most steps of the search. Raises `Stopped` if cancelled.
    Source: Dudik, Phillips and Schapire 2007, Section 5 (the convex dual, here minimised); that the answer is
    a graphical model over the measured marginals: McKenna, Sheldon and Miklau 2019.
    """
    measured = [*_singles(columns), *marginals]
    tree = JunctionTree(columns.sizes, [*(one.columns for one in measured), *(one.columns for one in barriers)])
    walls = [np.zeros(barrier.logs.shape) for barrier in barriers]
    shares = tree.arranged([*(marginal.counts / columns.total for marginal in measured), *walls])
    slack = tree.arranged([*(np.full(len(m.counts), _slack(m) / columns.total) for m in measured), *walls])
    is_free = tree.arranged([*(np.ones(len(marginal.counts)) for marginal in measured), *walls])
    fixed = tree.arranged([*(np.zeros(len(marginal.counts)) for marginal in measured), *(one.logs for one in barriers)])
    done = 0

    def dual(potentials: Floats) -> tuple[float, Floats]:
        nonlocal done
        stop_if(cancelled)
        progress("fitting the model", min(1.0, done / iterations))
        done += 1
        log_sum, expected = tree.expectations(potentials + fixed)
        value = log_sum - float((shares * potentials).sum()) + float((slack * potentials**2).sum()) / 2
        return value, is_free * (expected - shares + slack * potentials)

    found = least(dual, np.zeros(tree.size), iterations)
    progress("fitted the model", 1.0)
    return Model(tree, found + fixed)


def _slack(marginal: NoisyMarginal) -> float:
    weight = MARGINALS_SLACK if len(marginal.columns) > 1 else SINGLES_SLACK
    return weight * marginal.stddev**2


def _singles(columns: Columns) -> list[NoisyMarginal]:
    """What the cells say about each column's bins: a bin of several cells carries the noise of all of them."""
    return [
        NoisyMarginal((place,), bins.masses, cells.stddev * sqrt(max(1.0, len(cells.masses) / bins.size)))
        for place, (cells, bins) in enumerate(zip(columns.cells, columns.bins, strict=True))
    ]
