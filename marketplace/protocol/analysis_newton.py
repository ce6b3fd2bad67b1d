"""Newton's method from sums: fixed-point numbers, steps that noise cannot throw far, and errors that count the noise in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.errors import Invalid
from marketplace.protocol.analysis_design import LARGEST_SHARE_OF_NOISE, MOST_PREDICTORS, Term, reach
from marketplace.protocol.analysis_matrices import (
    Matrix,
    Vector,
    inverse_and_least_pivot,
    largest_eigenvalue,
    product,
    times,
)
from marketplace.protocol.schema import Schema

FEWEST_BITS, MOST_BITS = 8, 30
FEWEST_ROUNDS, MOST_ROUNDS = 2, 25
LONGEST_STEP = 10.0
"""The most that one step changes the linear predictor of any row that the declared ranges allow."""
SETTLED = 1e-2
"""How far the last step may go, in standard errors, for the answer to be one; Newton's method squares what is left."""
NOISE_STEPS = 5.0
LAST_WEIGHT = 4
"""The last round's part of rho, beside that of an earlier one, whose noise so has a variance that many times as large."""
LEAST_SHARE, FIRST_RIDGE = 1e-9, 2.0**-20
GRID_BITS = 40

TOO_FEW = "expected rows with the event and rows without it"
DEPENDENT = "the predictors depend on each other or never vary"
UNSETTLED = (
    "the coefficients still move after the last round: a predictor may separate the event and be left out, "
    "or more rounds or bits be asked for"
)
TOO_NOISY = "the noise is larger than what is measured; buy more rho or ask for fewer predictors or rounds"


@dataclass(frozen=True)
class Likelihood:
    """What one round says of the logarithm of a likelihood at the coefficients that were tried.

    `information`: minus the second derivatives. `gradient_noise`: the covariance of the noise in the gradient, of shape
    (size, size). `information_noise`: the variance of the noise in each of `information`. `rounding`: how large the
    pivots of a singular `information` may look for the sake of the fixed-point format alone.
    """

    gradient: Vector
    information: Matrix
    gradient_noise: Matrix
    information_noise: float
    rounding: float

    def step(self) -> Vector:
        """Where Newton's method goes from here: not far, also where noise made `information` singular or indefinite.

        A ridge is added that doubles until it is positive definite and no row's linear predictor, of predictors in
        [-1, 1], moves by more than `LONGEST_STEP`. Source: Levenberg 1944, Marquardt 1963.
        """
        size = len(self.gradient)
        scale = max((abs(self.information[i][i]) for i in range(size)), default=0.0) or 1.0
        ridge = 0.0
        while True:
            damped = [[v + ridge * (i == j) for j, v in enumerate(row)] for i, row in enumerate(self.information)]
            inverse, pivot = inverse_and_least_pivot(damped)
            if inverse is not None and pivot > self.rounding + LEAST_SHARE * scale:
                step = times(inverse, self.gradient)
                if math.fsum(map(abs, step)) <= LONGEST_STEP:
                    return step
            ridge = 2 * ridge or FIRST_RIDGE * scale

    def last_step(self) -> tuple[Vector, Matrix] | str:
        """The last step and the covariance of where it leads, of sampling and noise together; or why there is none.

        With I the information and N the covariance of the gradient's noise the covariance is I^-1 + I^-1 N I^-1, where
        what the noise in I makes of the step itself is in N. Source: the delta method at the root of the score equation.
        """
        size = len(self.gradient)
        scale = max(abs(self.information[i][i]) for i in range(size))
        inverse, pivot = inverse_and_least_pivot(self.information)
        noisy = self.information_noise > 0
        if inverse is None or pivot <= self.rounding + LEAST_SHARE * scale:
            return TOO_NOISY if noisy else DEPENDENT
        spread = 2 * math.sqrt(size * self.information_noise)
        if largest_eigenvalue(inverse) * spread > LARGEST_SHARE_OF_NOISE:
            return TOO_NOISY
        step = times(inverse, self.gradient)
        length = math.fsum(value * value for value in step)
        middle = [
            [
                self.gradient_noise[i][j] + self.information_noise * (step[i] * step[j] + length * (i == j))
                for j in range(size)
            ]
            for i in range(size)
        ]
        added = product(product(inverse, middle), inverse)
        for i in range(size):
            noise = math.sqrt(max(0.0, (1 + LAST_WEIGHT) * added[i][i]))
            if abs(step[i]) > SETTLED * math.sqrt(inverse[i][i]) + NOISE_STEPS * noise:
                return UNSETTLED
        return step, [[inverse[i][j] + added[i][j] for j in range(size)] for i in range(size)]


@dataclass(frozen=True)
class LikelihoodFit:
    """A regression by maximum likelihood. `rows`: that were used. `events`: of them, with the event.

    `terms`: None where the sums determine none; `reason` then says why, in words. Their errors count the noise in.
    """

    rows: int
    events: int
    terms: tuple[Term, ...] | None
    reason: str | None


def check_rounds(rounds: int) -> None:
    """Raises `Invalid` for too few or too many rounds."""
    if not FEWEST_ROUNDS <= rounds <= MOST_ROUNDS:
        raise Invalid(f"expected {FEWEST_ROUNDS} to {MOST_ROUNDS} rounds, got {rounds}")


def check_format(bits: int, predictors: Sequence[str], schema: Schema) -> tuple[int, ...]:
    """The reaches of `predictors`. Raises `Invalid` where the fixed-point format cannot be used.

    Numbers are whole multiples of 2^-bits, and predictors go from -1 to 1 over their declared range: a format in which
    neighbouring values of a column could become one is refused.
    """
    if not FEWEST_BITS <= bits <= MOST_BITS:
        raise Invalid(f"expected a fixed-point format of {FEWEST_BITS} to {MOST_BITS} bits, got {bits}")
    if not 1 <= len(predictors) <= MOST_PREDICTORS:
        raise Invalid(f"expected 1 to {MOST_PREDICTORS} predictors, got {len(predictors)}")
    reaches = tuple(reach(schema.column(name)) for name in predictors)
    for name, one in zip(predictors, reaches, strict=True):
        if 4 * one > 2**bits:
            raise Invalid(
                f"column {name!r}: expected a fixed-point format that tells its {one + 1} values apart, got {bits} bits; "
                "ask for more bits or declare a larger step"
            )
    return reaches


def on_grid(values: Sequence[float]) -> Vector:
    """The values at whole multiples of 2^-40, so that machines which compute the last digits otherwise try the same."""
    return [round(value * 2**GRID_BITS) / 2**GRID_BITS for value in values]
