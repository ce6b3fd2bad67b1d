"""The noise that a party adds to its own numbers of a joint analysis: all that leaves the process that has records has it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis_noise import Share
from node.noise.gaussian import discrete_gaussian
from node.noise.stream import NoiseStream

Integers = NDArray[np.int64]


def add(
    counts: Mapping[str, Integers], parts: Sequence[Share], noise: NoiseStream, round_: int = 0
) -> dict[str, Integers]:
    """This party's statistics with its noise in them, but for what stays hidden: all that leaves the process with records.

    `counts`: exact, flat, by name. `noise`: of this order and dataset; each statistic of each round is a stage of its own.
    """
    noisy = {}
    for part in parts:
        stage = noise.stage(f"analysis/{round_}/{part.name}")
        noisy[part.name] = counts[part.name].copy()
        noisy[part.name][-part.cells :] += discrete_gaussian(stage, part.sigma2, part.cells)
    return noisy
