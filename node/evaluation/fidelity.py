"""Whether synthetic rows lie where real ones do, cover them, are missing what they miss, and keep what the schema declares."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.protocol.schema import Schema
from marketplace.scores.codes import MISSING
from marketplace.scores.constraints import keep_all
from node.evaluation.intervals import of_draws, of_share
from node.evaluation.places import Places, distances
from node.evaluation.provider import Compared, Estimate
from node.evaluation.sample import Sample

NEIGHBOURS = 5
MOST_RECORDS = 1_000
BOOTSTRAPS = 200

Distances = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


def fidelity(sample: Sample, schema: Schema) -> tuple[Compared, ...]:
    """Precision, recall, density and coverage against the training records, and the patterns of missing values.

    `real`: of the holdout, which is the ceiling; `shuffled`: the floor. At most 1,000 rows of each table, equally many;
    neighbours are the fifth nearest. Sources: Kynkäänniemi et al. 2019 (precision, recall), Naeem et al. 2020 (density,
    coverage). Patterns: half the L1 distance of the shares of each combination of missing columns, 0 to 1.
    """
    tables = (sample.synthetic, sample.holdout, sample.shuffled)
    size = min(MOST_RECORDS, len(sample.training), *(len(table) for table in tables))
    if size <= NEIGHBOURS:
        return ()
    training = sample.training.iloc[sample.generator("training").permutation(len(sample.training))[:size]]
    cut = [table.iloc[sample.generator("table").permutation(len(table))[:size]] for table in tables]
    places = Places(training, schema)
    real, others = places.of(training), [places.of(table) for table in cut]
    within = distances(real, real)
    found: dict[str, list[Estimate]] = {}
    for other in others:
        for name, values in manifold(within, distances(other, other), distances(real, other)).items():
            found.setdefault(name, []).append(_mean(values, sample))
    result = [Compared(name, *estimates) for name, estimates in found.items()]
    if any(column.missing for column in schema.columns):
        result.append(Compared("missing patterns", *(_patterns(table, sample) for table in tables)))
    return tuple(result)


def manifold(real: Distances, other: Distances, between: Distances) -> dict[str, Values]:
    """What each row contributes to precision, recall, density and coverage: each is the mean of its values.

    `real`, `other`: distances within each table; `between`: of each real row (first axis) from each other one.
    """
    real_radius = np.partition(real, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    other_radius = np.partition(other, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    inside = between < real_radius[:, None]
    return {
        "precision": inside.any(axis=0).astype(float),
        "recall": (between < other_radius[None, :]).any(axis=1).astype(float),
        "density": inside.sum(axis=0) / NEIGHBOURS,
        "coverage": (between.min(axis=1) < real_radius).astype(float),
    }


def violations(synthetic: pd.DataFrame, schema: Schema) -> int:
    """How many synthetic rows break a constraint of the schema."""
    return int((~keep_all(schema, (), {name: synthetic[name].to_numpy() for name in schema.names})).sum())


def pattern_distance(left: pd.DataFrame, right: pd.DataFrame) -> float:
    """Half the L1 distance of the shares of each combination of missing columns, 0 (the same) to 1."""
    one, two = ((table == MISSING).value_counts(normalize=True) for table in (left, right))
    return float(one.sub(two, fill_value=0).abs().sum() / 2)


def _patterns(table: pd.DataFrame, sample: Sample) -> Estimate:
    generator = sample.generator("patterns")
    drawn = [table.iloc[generator.integers(0, len(table), len(table))] for _ in range(BOOTSTRAPS // 4)]
    return of_draws(
        pattern_distance(table, sample.training), [pattern_distance(each, sample.training) for each in drawn]
    )


def _mean(values: Values, sample: Sample) -> Estimate:
    if set(np.unique(values)) <= {0.0, 1.0}:
        return of_share(values.astype(bool))
    generator = sample.generator("mean")
    drawn = [float(values[generator.integers(0, len(values), len(values))].mean()) for _ in range(BOOTSTRAPS)]
    return of_draws(float(values.mean()), drawn)
