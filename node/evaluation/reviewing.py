"""All that a reviewer of health data asks of a synthetic table, on real records: for the provider alone, on demand."""

import pyarrow as pa

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Bins
from marketplace.scores.measure import subgroup_measures
from node.evaluation.codes import frame_of
from node.evaluation.disclosure import disclosure
from node.evaluation.fidelity import fidelity, violations
from node.evaluation.provider import Evaluation, Subgroup
from node.evaluation.sample import Sample
from node.evaluation.survival import survival
from node.evaluation.utility import utility

FEWEST_ROWS = 40


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
    bins = Bins.of(sample.training, schema)
    training, holdout, made = (bins.cut(table) for table in (sample.training, sample.holdout, sample.synthetic))
    found = []
    for measure in subgroup_measures(made, column):
        assert measure.within is not None
        code = measure.within[1]
        tables = (sample.training, sample.holdout, sample.synthetic)
        one, two, three = (table[table[column] == code] for table in tables)
        if min(len(one), len(two), len(three)) >= FEWEST_ROWS:
            group = Sample.draw(one, two, three, sample.seed)
            own, real = (float(measure.distance(table, training)) for table in (made, holdout))
            found.append(Subgroup(code, len(one), own, real, utility(group, schema, specification.workload)))
    return tuple(found)
