"""Released scores: every number that touched records is a mechanism with a cost of its own."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pyarrow as pa

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol import canonical
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Bins, Cells
from marketplace.scores.measure import Measure, measures
from marketplace.scores.reference import Reference, references
from marketplace.scores.score import Score, quote, quote_up
from node.evaluation.codes import frame_of
from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian, sigma2_for
from node.noise.stream import NoiseStream

NOUN, VERSION = "released-scores", 1
ROWS_STAGE = "rows"
ROWS_WEIGHT = 5
WEIGHTS = (("l1_1way", 2), ("l1_2way", 3), ("l1_3way", 6), ("missingness", 1), ("workload", 4))


@dataclass(frozen=True)
class Charge:
    """What one stage released and cost.

    `sensitivity`: the most that one person moves the stage's integer. `sigma2`: variance of its discrete Gaussian.
    """

    name: str
    rho_micro: int
    sensitivity: int
    sigma2: Fraction


@dataclass(frozen=True)
class ReleasedScores:
    """Scores that may leave the node. `rows_noisy`: a noised count of the training rows, at least 1."""

    rows_noisy: int
    scores: tuple[Score, ...]
    charges: tuple[Charge, ...]

    @property
    def rho_micro(self) -> int:
        """What all of it cost."""
        return sum(charge.rho_micro for charge in self.charges)

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "rows_noisy": self.rows_noisy,
                "scores": [score.document() for score in self.scores],
                "charges": [
                    {
                        "name": charge.name,
                        "rho_micro": charge.rho_micro,
                        "sensitivity": charge.sensitivity,
                        "sigma2": str(charge.sigma2),
                    }
                    for charge in self.charges
                ],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "ReleasedScores":
        """The scores in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            charges = tuple(
                Charge(part["name"], part["rho_micro"], part["sensitivity"], Fraction(part["sigma2"]))
                for part in document["charges"]
            )
            scores = tuple(Score.of_document(part) for part in document["scores"])
            released = cls(document["rows_noisy"], scores, charges)
            same = released.encode() == data
        except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, Invalid):
            same = False
        if not same:
            raise Corrupt("expected the parts of released scores, got others; evaluate again")
        return released


def evaluate(
    training_table: pa.Table,
    synthetic: pa.Table,
    schema: Schema,
    specification: Specification,
    rows_declared: int,
    rho_micro: int,
    noise: NoiseStream,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> ReleasedScores:
    """Scores of `synthetic` against the training records for exactly `rho_micro`, with floor and ceiling.

    Both tables are coded; of one person `training_table` holds at most `schema.rows_per_person` = b rows. Neighbours
    differ by all rows of one person.

    Stage `rows`: the number of training rows, sensitivity b, noised to N. It stands in for the exact number n, which
    is never public. Every other stage is one measure with |T| marginals T over public bins (cut on the synthetic
    table) and public sets of columns:
        S = floor(sum over T and cells of |c - N s / m|), c and s counts of training and synthetic rows, m all of s.
    N is public by then. One row moves one c of each T by 1, so b rows move the sum by at most b |T|, a whole number,
    and the floor of it by no more: sensitivity b |T|. The released value is S / (|T| N) with noise, cut to its range.

    Dividing by N where n belongs moves the value by at most |n / N - 1|, since the sum over cells of
    |(c / N - s / m) - (c / n - s / m)| is that. The score's sigma counts this in full; typically a fraction of it is
    felt, because what a wrong N adds where training exceeds synthetic it mostly takes away elsewhere.

    Raises `Invalid` if `rho_micro` cannot pay for every stage, `Refused` if `cancelled` says so.
    Source of the cost: Bun and Steinke 2016, Proposition 1.6 and Lemma 1.7 (composition).
    """
    made = frame_of(synthetic, schema)
    bins = Bins.of(made, schema)
    seed = hashlib.sha256(specification.encode()).digest()
    wanted = measures(schema, specification.workload, seed)
    shares = _shares(rho_micro, [ROWS_WEIGHT, *(_weight(measure) for measure in wanted)])
    beside = references(made, schema, specification.workload, seed, rows_declared)

    training, result = bins.cut(frame_of(training_table, schema)), bins.cut(made)
    bound = schema.rows_per_person
    rows, charge = release(training.rows, bound, ROWS_STAGE, shares[0], noise)
    rows, rows_sigma2 = max(1, rows), charge.sigma2
    scores, charges = [], [charge]
    for index, (measure, reference, share) in enumerate(zip(wanted, beside, shares[1:], strict=True)):
        if cancelled():
            raise Refused("expected to finish the scores, was told to stop; nothing of them was released")
        progress(f"scoring {measure.name}", index / len(wanted))
        noisy, charge = release(
            gap(measure, training, result, rows), bound * len(measure.marginals), measure.name, share, noise
        )
        scores.append(_score(measure, noisy, rows, charge.sigma2, rows_sigma2, reference))
        charges.append(charge)
    progress("scored", 1.0)
    return ReleasedScores(rows, tuple(scores), tuple(charges))


def gap(measure: Measure, training: Cells, synthetic: Cells, rows: int) -> int:
    """The integer that a stage releases with noise, in rows: floor(sum over marginals and cells of |c - rows s / m|).

    One more or one less row in `training` moves it by at most one for each marginal.
    """
    return measure.difference(training, synthetic, synthetic.rows, rows) // synthetic.rows


def release(exact: int, sensitivity: int, name: str, rho_micro: int, noise: NoiseStream) -> tuple[int, Charge]:
    """`exact` with discrete Gaussian noise that costs `rho_micro` (>= 1), and the charge. Draws stage `evaluate/<name>`.

    `sensitivity`: the most that one person moves `exact`, >= 1. Source: as `node.noise.gaussian`.
    """
    sigma2 = sigma2_for(rho_micro, sensitivity**2)
    drawn = int(discrete_gaussian(noise.stage(f"evaluate/{name}"), sigma2, 1)[0])
    return exact + drawn, Charge(name, rho_micro_of_gaussian(sensitivity**2, sigma2), sensitivity, sigma2)


def _score(
    measure: Measure, noisy: int, rows: int, sigma2: Fraction, rows_sigma2: Fraction, reference: Reference
) -> Score:
    sets = len(measure.marginals)
    value = Fraction(noisy * measure.largest, 2 * sets * rows)
    sigma = Fraction(math.sqrt(sigma2 / sets**2 + rows_sigma2)) * measure.largest / (2 * rows)
    return Score(
        measure.name,
        quote(min(max(value, Fraction(0)), Fraction(measure.largest))),
        quote_up(min(sigma, Fraction(measure.largest))),
        reference.floor,
        reference.ceiling,
    )


def _weight(measure: Measure) -> int:
    return next(weight for name, weight in WEIGHTS if measure.name.startswith(name))


def _shares(rho_micro: int, weights: list[int]) -> list[int]:
    """`rho_micro` split by weight in whole micro-rho, the remainder to the last."""
    shares = [rho_micro * weight // sum(weights) for weight in weights]
    shares[-1] += rho_micro - sum(shares)
    if min(shares) < 1:
        raise Invalid(f"expected at least {sum(weights)} micro-rho for the scores, got {rho_micro}; offer more")
    return shares
