"""A membership attack on a result, for the provider alone: can training records be told from holdout records?"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from node.evaluation.intervals import of_draws
from node.evaluation.places import Floats, Places, nearest
from node.evaluation.provider import Attack

SMALLEST_HOLDOUT = 40
LARGEST_GROUP = 1_000
LARGEST_CROWD = 20_000
BOOTSTRAPS = 200
FALSE_POSITIVES = 0.01
NEAREST = 1e-6

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
    places = Places(crowd, schema)
    here, there = places.of(crowd), places.of(reference.iloc[:LARGEST_CROWD])
    inside, outside = (_ratio(places.of(records), here, there) for records in (members, others))
    drawn = [
        (inside[generator.integers(0, group, group)], outside[generator.integers(0, group, group)])
        for _ in range(BOOTSTRAPS)
    ]
    return Attack(
        of_draws(auc(inside, outside), [auc(*pair) for pair in drawn]),
        of_draws(true_positives(inside, outside), [true_positives(*pair) for pair in drawn]),
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


def _ratio(records: Floats, here: Floats, there: Floats) -> Scores:
    return (nearest(records, there) + NEAREST) / (nearest(records, here) + NEAREST)
