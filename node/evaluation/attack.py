"""A membership attack on a result, for the provider alone: can training records be told from holdout records?"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.errors import Invalid
from marketplace.protocol.schema import Number, Schema
from marketplace.scores.codes import MISSING
from node.evaluation.provider import Attack, Estimate

SMALLEST_HOLDOUT = 40
LARGEST_GROUP = 1_000
LARGEST_CROWD = 20_000
BOOTSTRAPS = 200
FALSE_POSITIVES = 0.01
ROWS_AT_ONCE = 128
NEAREST = 1e-6

Floats = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]


def attack(training: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, seed: int) -> Attack:
    """How well training records are told from equally many holdout records by their nearest synthetic row.

    A record's score is the ratio of its distance from a reference, the other half of the holdout, to its distance from
    the synthetic table: large where the table is denser around it than the population is. A distance is a sum over
    columns: 0 or 1 for categories and for missing beside present, the difference of quantiles for numbers.
    At most 1,000 records of each kind and 20,000 rows on the other side are drawn; `seed` fixes the draw and the 200
    bootstraps of the intervals. All are coded frames. Raises `Invalid` if the holdout has fewer than 40 records or the
    training table is empty.
    Source of the idea: van Breugel et al. 2023 (DOMIAS), with nearest neighbours in place of fitted densities.
    """
    if len(holdout) < SMALLEST_HOLDOUT or not len(training):
        raise Invalid(f"expected training records and a holdout of {SMALLEST_HOLDOUT} for the attack; hold out more")
    generator = np.random.Generator(np.random.PCG64(seed))
    group = min(LARGEST_GROUP, len(holdout) // 2, len(training))
    order = generator.permutation(len(holdout))
    others, reference = holdout.iloc[order[:group]], holdout.iloc[order[group:]]
    members = training.iloc[generator.permutation(len(training))[:group]]
    crowd = synthetic.iloc[generator.permutation(len(synthetic))[:LARGEST_CROWD]]
    places = _Places(crowd, schema)
    here, there = places.of(crowd), places.of(reference.iloc[:LARGEST_CROWD])
    inside, outside = (_ratio(places.of(records), here, there) for records in (members, others))
    drawn = [
        (inside[generator.integers(0, group, group)], outside[generator.integers(0, group, group)])
        for _ in range(BOOTSTRAPS)
    ]
    return Attack(
        _estimate(auc(inside, outside), [auc(*pair) for pair in drawn]),
        _estimate(true_positives(inside, outside), [true_positives(*pair) for pair in drawn]),
        group,
    )


def auc(inside: Scores, outside: Scores) -> float:
    """The chance that a random score of `inside` exceeds one of `outside`, a tie counting one half."""
    ranked = np.sort(outside)
    below, upto = np.searchsorted(ranked, inside, "left"), np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * len(outside)))


def true_positives(inside: Scores, outside: Scores) -> float:
    """The share of `inside` above the smallest threshold that at most 1 % of `outside` exceed."""
    allowed = int(len(outside) * FALSE_POSITIVES)
    return float((inside > np.sort(outside)[len(outside) - 1 - allowed]).mean())


def _estimate(value: float, drawn: list[float]) -> Estimate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def _ratio(records: Floats, here: Floats, there: Floats) -> Scores:
    return (_nearest(records, there) + NEAREST) / (_nearest(records, here) + NEAREST)


def _nearest(records: Floats, crowd: Floats) -> Scores:
    """For each of `records` (columns x rows) the L1 distance from the nearest of `crowd`, cut to 1 in each column."""
    found = np.empty(records.shape[1])
    for start in range(0, records.shape[1], ROWS_AT_ONCE):
        block = records[:, start : start + ROWS_AT_ONCE]
        total = np.zeros((block.shape[1], crowd.shape[1]), dtype=np.float32)
        for mine, theirs in zip(block, crowd, strict=True):
            total += np.minimum(np.abs(mine[:, None] - theirs[None, :]), np.float32(1))
        found[start : start + ROWS_AT_ONCE] = total.min(axis=1)
    return found


class _Places:
    """Where a code stands on its column's line: categories and missing 1 or more apart, numbers at their quantile."""

    def __init__(self, crowd: pd.DataFrame, schema: Schema) -> None:
        self._schema = schema
        self._sorted = {name: np.sort(crowd[name][crowd[name] != MISSING].to_numpy()) for name in schema.names}

    def of(self, frame: pd.DataFrame) -> Floats:
        rows = []
        for column in self._schema.columns:
            codes = frame[column.name].to_numpy()
            if isinstance(column, Number):
                ranked = self._sorted[column.name]
                middle = np.searchsorted(ranked, codes, "left") + np.searchsorted(ranked, codes, "right")
                rows.append(np.where(codes == MISSING, -2.0, middle / max(1, 2 * len(ranked))))
            else:
                rows.append(codes.astype(float))
        return np.array(rows, dtype=np.float32)
