"""Where records meet noise: every number that leaves the records passes one of these two functions, and pays."""

from collections.abc import Callable, Sequence

import numpy as np

from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian, sigma2_for
from node.noise.selection import choose_allowed, epsilon_for, rho_micro_of_selection
from node.noise.stream import NoiseStream
from node.synthesis.measurements import Choice, Histogram
from node.synthesis.records import Counts
from node.synthesis.structure import Marginal


def noisy_histogram(
    noise: NoiseStream, stage: str, columns: tuple[str, ...], counts: Counts, bound: int, rho_micro: int
) -> Histogram:
    """`counts` with discrete Gaussian noise that costs at most `rho_micro`.

    `counts`: rows in cells that do not overlap, shape (cells,). `bound`: rows per person, which is how far one person
    moves the counts in L2 (`records.Records` says why). Source: `gaussian.rho_micro_of_gaussian`.
    """
    sigma2 = sigma2_for(rho_micro, bound**2)
    noisy = counts + discrete_gaussian(noise.stage(stage), sigma2, len(counts))
    cost_micro = rho_micro_of_gaussian(bound**2, sigma2)
    return Histogram(stage, columns, cost_micro, bound, sigma2, tuple(np.asarray(noisy, np.int64).tolist()))


def chosen_marginal(
    noise: NoiseStream,
    stage: str,
    names: Sequence[str],
    candidates: Sequence[Marginal],
    scores: Sequence[int],
    bound: int,
    rho_micro: int,
    allowed: Callable[[Marginal], bool],
) -> tuple[Choice, Marginal] | None:
    """One of the public `candidates` that are `allowed`, by the exponential mechanism, at a cost of at most `rho_micro`.

    `scores`: one for each; one person moves each by at most `bound`, up or down (`records.BinnedRecords.distance` less
    a released number, whole or halved). `names`: of all columns. `allowed`: told from released numbers alone. None, and
    nothing is drawn, where no candidate is. Source: `selection.rho_micro_of_selection`, `selection.choose_allowed`.
    """
    if not candidates:
        return None
    epsilon = epsilon_for(rho_micro)
    index = choose_allowed(noise.stage(stage), scores, bound, epsilon, lambda place: allowed(candidates[place]))
    if index is None:
        return None
    columns = tuple(names[column] for column in candidates[index])
    return Choice(stage, columns, rho_micro_of_selection(epsilon), bound, epsilon), candidates[index]
