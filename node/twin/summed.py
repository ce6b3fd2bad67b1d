"""Counts that several parties summed, each with its own noise in them, in the form in which rows are made from counts."""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

from marketplace.protocol.analysis_noise import Share, rho_micro_of_sum
from node.synthesis.measurements import Histogram


@dataclass(frozen=True)
class SummedHistogram(Histogram):
    """Counts of rows of all `parties` together, with a discrete Gaussian of variance `sigma2` in each from every party.

    `sensitivity`: the L2 distance that one person in the pool can move the sums, rounded up; `sensitivity_squared`: its
    square, exact. `honest`: how many parties' noise the price counts on; that of all `parties` is there.
    """

    sensitivity_squared: int
    parties: int
    honest: int

    @property
    def variance(self) -> Fraction:
        return self.parties * self.sigma2

    def cost_micro(self) -> int:
        return rho_micro_of_sum(self.sensitivity_squared, self.sigma2, self.honest, len(self.counts))

    def document(self) -> dict[str, Any]:
        own = {"sensitivity_squared": self.sensitivity_squared, "parties": self.parties, "honest": self.honest}
        return {**super().document(), **own}


def summed(name: str, columns: tuple[str, ...], share: Share, counts: tuple[int, ...], parties: int) -> SummedHistogram:
    """The sums `counts` of a statistic, to which each of the `parties` added its `share` of the noise."""
    squared = share.sensitivity_squared
    reach = isqrt(squared - 1) + 1
    return SummedHistogram(name, columns, share.rho_micro, reach, share.sigma2, counts, squared, parties, share.honest)
