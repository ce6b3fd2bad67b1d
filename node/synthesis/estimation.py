"""A graphical model fitted to noisy marginals: the home of mbi and jax, on the processor alone.

Importing this module sets jax, for the whole process, to 64-bit numbers, to the processor, to no cache on disk and to
quick compilation: a model is compiled once and used for a second, so compiling is nearly all the time there is.
"""

import logging
from math import sqrt

import jax
import numpy as np

SETTINGS = {
    "jax_platforms": "cpu",
    "jax_enable_x64": True,
    "jax_enable_compilation_cache": False,
    "jax_disable_most_optimizations": True,
}
for _name, _value in SETTINGS.items():
    jax.config.update(_name, _value)  # type: ignore[no-untyped-call]
logging.getLogger("jax").setLevel(logging.ERROR)

import mbi  # noqa: E402  # reads jax's settings when imported
from mbi import estimation  # noqa: E402

from node.synthesis.columns import Columns, NoisyMarginal  # noqa: E402
from node.synthesis.elimination import Potential, Step, steps_of  # noqa: E402
from node.synthesis.generator import Cancelled, Progress, stop_if  # noqa: E402

ITERATIONS = 1_000


def estimate(
    columns: Columns, marginals: list[NoisyMarginal], progress: Progress, cancelled: Cancelled
) -> tuple[Step, ...]:
    """The model of most entropy that explains marginals and single columns best, as steps for drawing rows.

    Raises `Stopped` if cancelled. Source: McKenna, Sheldon and Miklau 2019 (private-PGM), Algorithm 1.
    """
    domain = mbi.Domain(range(len(columns.sizes)), columns.sizes)
    measured = [
        mbi.LinearMeasurement(marginal.counts, marginal.columns, stddev=marginal.stddev)
        for marginal in [*_singles(columns), *marginals]
    ]
    done = 0

    def each_round(_: object) -> None:
        nonlocal done
        done += estimation.CALLBACK_EVERY
        stop_if(cancelled)
        progress("fitting the model", min(1.0, done / ITERATIONS))

    model = estimation.MirrorDescent().estimate(
        domain, measured, known_total=columns.total, iters=ITERATIONS, callback_fn=each_round
    )
    factors = [model.potentials[clique] for clique in model.potentials.cliques]
    potentials = [Potential(tuple(f.domain.attributes), np.asarray(f.values, np.float64)) for f in factors]
    return steps_of(potentials, columns.sizes)


def _singles(columns: Columns) -> list[NoisyMarginal]:
    """What the cells say about each column's bins: a bin of several cells carries the noise of all of them."""
    return [
        NoisyMarginal((place,), bins.masses, cells.stddev * sqrt(max(1.0, len(cells.masses) / bins.size)))
        for place, (cells, bins) in enumerate(zip(columns.cells, columns.bins, strict=True))
    ]
