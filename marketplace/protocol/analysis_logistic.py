"""Logistic regression over several hospitals: Newton steps, each from the sums of one round."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_design import INTERCEPT, in_units, normal_tail
from marketplace.protocol.analysis_matrices import symmetric
from marketplace.protocol.analysis_newton import (
    LAST_WEIGHT,
    MOST_ROUNDS,
    TOO_FEW,
    Likelihood,
    LikelihoodFit,
    check_format,
    check_rounds,
    on_grid,
)
from marketplace.protocol.analysis_statistic import NO_NOISE, Opened, Statistic, Sums, Variances
from marketplace.protocol.analysis_survival import code_of
from marketplace.protocol.schema import Schema


@dataclass(frozen=True)
class LogisticRegression:
    """The logarithm of the odds that `outcome` is `happened`, as a line in `predictors`: numbers, and two categories.

    Rows in which one of the columns is missing are left out. `rounds`: Newton steps, 2 to 25, each of which is opened and
    paid for. `bits`: of the fixed-point format, 8 to 30; noise of little rho needs few.
    """

    outcome: str
    happened: str
    predictors: tuple[str, ...]
    rounds: int = 8
    bits: int = 20

    def __post_init__(self) -> None:
        check_rounds(self.rounds)

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {
            "kind": "logistic regression",
            "outcome": self.outcome,
            "happened": self.happened,
            "predictors": list(self.predictors),
            "rounds": self.rounds,
            "bits": self.bits,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at, the outcome last."""
        return (*self.predictors, self.outcome)

    def reaches(self, schema: Schema) -> tuple[int, ...]:
        """The largest centred code of each predictor. Raises `Invalid` where the analysis does not fit the schema."""
        if len(set(self.columns)) != len(self.columns):
            raise Invalid("expected predictors that are all different and not the outcome; name others")
        self.event_code(schema)
        return check_format(self.bits, self.predictors, schema)

    def event_code(self, schema: Schema) -> int:
        """The code of `happened`. Raises `Invalid` where it is no value of the column."""
        return code_of(schema.column(self.outcome), self.happened)

    def statistics(self, schema: Schema, number: int) -> tuple[Statistic, ...]:
        """What each party counts in each round: the gradient and the second derivatives of its rows' log-likelihood.

        With x the predictors, 1 first and the others within [-1, 1] over their declared ranges, q the probability at the
        coefficients of the round, and y 0 or 1, a row adds (y - q) x and, of the upper half, q (1 - q) x x', each number
        to the nearest of 2^-bits. Since |y - q| <= 1 and q (1 - q) <= 1/4, no number exceeds 2^bits or 2^(bits - 2), which
        are whole, so rounding takes none beyond them; what a row adds is as long as if all reached them.
        """
        size = len(self.reaches(schema)) + 1
        one, quarter = 2**self.bits, 2 ** (self.bits - 2)
        halves = size * (size + 1) // 2
        weight = LAST_WEIGHT if number == self.rounds - 1 else 1
        return (
            Statistic("gradient", (size,), one, size * one**2, 2 * weight),
            Statistic("information", (halves,), quarter, halves * quarter**2, weight),
        )

    def iterate(self, schema: Schema, opened: Opened) -> list[float]:
        """The coefficients that the next round tries, of predictors within [-1, 1]; zeros first."""
        found = [0.0] * (len(self.reaches(schema)) + 1)
        for sums in opened:
            step = _step(self, tuple(sums["gradient"]), tuple(sums["information"]), self._rows(opened))
            found = on_grid([value + change for value, change in zip(found, step, strict=True)])
        return found

    def result(self, schema: Schema, opened: Opened, noise: Sequence[Variances]) -> LikelihoodFit:
        """The fit in the columns' units, after the step of the last round. Standard errors from its information.

        Source: Newton's method for the binomial likelihood, McCullagh and Nelder 1989, section 4.4.
        """
        size, rows = len(self.reaches(schema)) + 1, self._rows(opened)
        events = round(opened[0]["gradient"][0] / 2**self.bits + rows / 2)
        counts = max(0, rows), max(0, min(events, rows))
        if not 0 < events < rows:
            return LikelihoodFit(*counts, None, TOO_FEW)
        last = self.likelihood(opened[-1], size, noise[-1], rows).last_step()
        if isinstance(last, str):
            return LikelihoodFit(*counts, None, last)
        step, covariance = last
        found = [a + b for a, b in zip(self.iterate(schema, opened[:-1]), step, strict=True)]
        terms = in_units(self.predictors, schema, found, covariance, INTERCEPT, normal_tail)
        return LikelihoodFit(*counts, terms, None)

    def _rows(self, opened: Opened) -> int:
        """At zero coefficients every row adds 1/4 to the first second derivative."""
        return round(math.ldexp(opened[0]["information"][0], 2 - self.bits))

    def likelihood(self, sums: Sums, size: int, noise: Variances, rows: int) -> Likelihood:
        """What a round's sums say, with their noise. `size`: of the gradient. `rows`: of all parties, for the rounding."""
        one = 2.0**self.bits
        spread = noise.get("gradient", 0.0) / one**2
        return Likelihood(
            [value / one for value in sums["gradient"]],
            symmetric([value / one for value in sums["information"]], size),
            [[spread * (i == j) for j in range(size)] for i in range(size)],
            noise.get("information", 0.0) / one**2,
            4 * size * math.sqrt(max(1, rows)) / one,
        )


@lru_cache(MOST_ROUNDS)
def _step(
    asked: LogisticRegression, gradient: tuple[int, ...], information: tuple[int, ...], rows: int
) -> tuple[float, ...]:
    """The step after a round, kept so that a later round need not take those before it again."""
    sums = {"gradient": gradient, "information": information}
    return tuple(asked.likelihood(sums, len(gradient), NO_NOISE, rows).step())
