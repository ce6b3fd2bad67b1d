"""What the privacy unit is worth: survival of NCCTG lung cancer by sex over three hospitals with noise, for either unit.

Every patient stands at one institution and in one row. The sums and each party's noise are those of an order, added up in
one process, for 200 keys each. The grids are evenly spread points of one or both halves of the time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

import numpy as np

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_noise import Share, shares, variances
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.unit import PrivacyUnit
from node.mpc.counting import count
from node.mpc.noise import add
from node.noise.stream import NoiseStream
from scripts.benchmarks.entrants import DELTA
from scripts.benchmarks.mpc_survival import GRID, PARTIES
from scripts.story.lung import LUNG, lung_cancer
from scripts.story.split import spread

EPSILONS, KEYS = (1.0, 3.0), 200
GRIDS = (spread(GRID[:18], 6), spread(GRID[:18], 12), spread(GRID, 4), spread(GRID, 12))


@dataclass(frozen=True)
class UnitFigures:
    """`sigma`: of all parties' noise in one count. `off`, `width`: mean distance of the curves from those without noise, and
    mean width of their 95 % intervals, over points, groups and keys. `hidden`: share of points that
    noise hides. `until`: the grid's last day."""

    unit: str
    epsilon: float
    points: int
    until: int
    sigma: float
    off: float
    width: float
    hidden: float


def measure(
    epsilons: Sequence[float] = EPSILONS, grids: Sequence[Sequence[Decimal]] = GRIDS, keys: int = KEYS
) -> Iterator[UnitFigures]:
    """A line for each epsilon, grid and unit."""
    for epsilon in epsilons:
        for grid in grids:
            for unit in PrivacyUnit:
                yield _of(epsilon, unit, tuple(grid), keys)


def noise_for(asked: AnalysisSpecification, epsilon: float, unit: PrivacyUnit) -> tuple[Share, ...]:
    """Each party's noise in an order at `epsilon` about one unit."""
    whole = largest_rho_micro(epsilon, DELTA)
    charged = [whole if unit is PrivacyUnit.PERSON_AT_PROVIDER else whole // PARTIES] * PARTIES
    (parts,) = shares(asked.schedule(LUNG), unit.sums_micro(charged), unit.rows([1] * PARTIES), PARTIES, 1)
    return parts


def _of(epsilon: float, unit: PrivacyUnit, grid: tuple[Decimal, ...], keys: int) -> UnitFigures:
    asked = AnalysisSpecification(
        bytes(32),
        (Survival("time", "status", "2", grid, "sex"),),
        1,
        bytes(SEALING_KEY_BYTES),
        bytes(32),
    )
    counted = [count(asked, LUNG, len(part["sex"]), part) for part in lung_cancer()]
    parts = noise_for(asked, epsilon, unit)
    truly = _curves(asked, {name: sum(one[name] for one in counted).tolist() for name in counted[0]}, ())
    off, width, hidden = [], [], []
    for key in range(keys):
        noisy = [
            add(one, parts, NoiseStream(bytes([key, party]) * 16, b"what a unit is worth"))
            for party, one in enumerate(counted)
        ]
        found = _curves(asked, {name: sum(one[name] for one in noisy).tolist() for name in counted[0]}, parts)
        for ours, theirs in zip(found.curves, truly.curves, strict=True):
            for step, exact in zip(ours.steps, theirs.steps, strict=True):
                off.append(abs(step.survival - exact.survival))
                width.append(step.high - step.low)
                hidden.append(step.low == 0 < step.survival)
    sigma = sqrt(PARTIES * parts[0].sigma2)
    means = (float(np.mean(each)) for each in (off, width, hidden))
    return UnitFigures(unit.word, epsilon, len(grid), int(grid[-1]), sigma, *means)


def _curves(asked: AnalysisSpecification, sums: dict[str, list[int]], parts: Sequence[Share]) -> SurvivalCurves:
    noise = variances([parts], PARTIES) if parts else ()
    (found,) = asked.results(LUNG, [sums], noise)
    assert isinstance(found, SurvivalCurves)
    return found
