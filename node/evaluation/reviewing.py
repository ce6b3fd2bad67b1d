"""All that a reviewer of health data asks of a synthetic table, on real records: for the provider alone, on demand."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Bins, Cells
from marketplace.scores.measure import Measure, subgroup_measures
from node.evaluation.attack import attack
from node.evaluation.codes import frame_of
from node.evaluation.disclosure import disclosure
from node.evaluation.exact import copies
from node.evaluation.fidelity import fidelity, violations
from node.evaluation.intervals import of_draws
from node.evaluation.provider import Compared, Estimate, Evaluation, Subgroup
from node.evaluation.sample import Sample, resampled
from node.evaluation.survival import survival
from node.evaluation.utility import utility

FEWEST_ROWS = 40
BOOTSTRAPS = 100


def review(
    training_table: pa.Table,
    holdout_table: pa.Table,
    synthetic_table: pa.Table,
    schema: Schema,
    specification: Specification,
    seed: int,
) -> Evaluation:
    """Utility, survival, fidelity, disclosure and all of it per subgroup. Tables are coded; the result is deterministic.

    Rows are resampled, not persons, so intervals are narrow where a person has many rows. `seed` >= 0.
    Raises `Invalid` if a table has fewer than 40 rows.
    """
    training, holdout, made = (frame_of(table, schema) for table in (training_table, holdout_table, synthetic_table))
    if min(len(training), len(holdout), len(made)) < FEWEST_ROWS:
        raise Invalid(f"expected {FEWEST_ROWS} training records, holdout records and synthetic rows; hold out more")
    sample = Sample.draw(training, holdout, made, seed)
    return Evaluation(
        utility(sample, schema, specification.workload),
        survival(sample, schema, specification.workload),
        fidelity(sample, schema),
        disclosure(sample, schema),
        _subgroups(sample, schema, specification),
        violations(made, schema),
        seed,
    )


def _subgroups(sample: Sample, schema: Schema, specification: Specification) -> tuple[Subgroup, ...]:
    """Of each value of the specification's column that every table has often enough."""
    column = specification.subgroups
    if column is None:
        return ()
    cut = Bins.of(sample.training, schema).cut
    tables = (sample.synthetic, sample.holdout, sample.shuffled)
    training, (made, holdout, shuffled) = cut(sample.training), (cut(table) for table in tables)
    found = []
    for measure in subgroup_measures(made, column):
        assert measure.within is not None
        code = measure.within[1]
        within = [table[table[column] == code] for table in (sample.training, sample.holdout, sample.synthetic)]
        if min(map(len, within)) < FEWEST_ROWS:
            continue
        generator = sample.generator(measure.name)
        distances = (
            _distance(measure, each.only(column, code), training, generator) for each in (made, holdout, shuffled)
        )
        found.append(_subgroup(code, Compared("distance", *distances), within, sample, schema, specification))
    return tuple(found)


def _subgroup(
    code: int,
    distance: Compared,
    within: Sequence[pd.DataFrame],
    sample: Sample,
    schema: Schema,
    specification: Specification,
) -> Subgroup:
    """`within`: training records, holdout and synthetic rows of the group."""
    training, holdout, made = within
    group, workload = Sample.draw(training, holdout, made, sample.seed), specification.workload
    known = f"inference of {specification.subgroups}"
    return Subgroup(
        code,
        len(training),
        (distance, *utility(group, schema, workload), *survival(group, schema, workload)),
        attack(training, holdout, sample.synthetic, schema, sample.seed),
        tuple(each for each in disclosure(group, schema) if each.name != known),
        copies(training, holdout, made),
    )


def _distance(measure: Measure, table: Cells, training: Cells, generator: np.random.Generator) -> Estimate:
    """`table`: the group's rows alone."""
    value, *drawn = map(
        float, measure.distances([table, *(resampled(table, generator) for _ in range(BOOTSTRAPS))], training)
    )
    return of_draws(value, drawn)
