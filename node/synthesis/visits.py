"""The generator of rows that hang together under persons, in time and over several tables: private visits.

A person counts once among persons, with what is fixed, how many rows follow and the first of them; and at most as often as
rows are declared among a strand's rows and their transitions. Rows are drawn person by person in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pyarrow as pa

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import MAIN, OWN_PREFIX, Schema
from marketplace.protocol.specification import Specification, Workload
from node.nesting import MISSING, Codes, Strand, nest, person_columns, strands_of
from node.noise.stream import KEY_BYTES, NoiseStream
from node.synthesis.budget import budget_of, divided
from node.synthesis.columns import Columns, NoisyMarginal, columns_of
from node.synthesis.conditional import Conditional
from node.synthesis.estimation import estimate
from node.synthesis.following import Following, StrandBudget, prefix_of, recalled, strand_budget, strand_columns
from node.synthesis.generator import Cancelled, Measured, Progress
from node.synthesis.marginals import NAME as PERSONS_NAME
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import Choice, Histogram, Measurements
from node.synthesis.persons import check_persons, first_columns, persons_schema, persons_table
from node.synthesis.structure import Marginal
from node.synthesis.transitions import Followed, Layout, gap_column
from node.synthesis.walking import Crowd, Model, restricted, walked

NAME = "private-visits/1"
PERSONS = "persons"
PERSONS_WEIGHT, STRAND_WEIGHT = 0.7, 1.0


@dataclass(frozen=True)
class Shares:
    """Micro-rho of the persons, and of each strand in which a row can follow another; None for the others."""

    persons_micro: int
    strands: tuple[StrandBudget | None, ...]


def shares_of(schema: Schema, workload: Workload, rho_micro: int) -> Shares:
    """The division of `rho_micro`, from schema and workload alone. Raises `Refused` if it cannot pay for every stage."""
    gaps = [gap_column(strand) for strand in strands_of(schema)]
    weights = [PERSONS_WEIGHT, *(STRAND_WEIGHT for gap in gaps if gap is not None)]
    if rho_micro < len(weights):
        raise Refused(f"expected a rho that pays for persons and their rows, got {rho_micro} millionths; offer more")
    parts = iter(divided(rho_micro, weights))
    persons = next(parts)
    budgets = (
        None if gap is None else strand_budget(strand, gap, len(_wished(schema, strand, workload)), next(parts))
        for strand, gap in zip(strands_of(schema), gaps, strict=True)
    )
    return Shares(persons, tuple(budgets))


def check_rho(schema: Schema, rho_micro: int) -> None:
    """Raises `Refused` if `rho_micro` cannot pay for an order without wishes, by the generator that serves the schema."""
    if schema.is_linked:
        budget_of(persons_schema(schema), Workload(), shares_of(schema, Workload(), rho_micro).persons_micro)
    else:
        budget_of(schema, Workload(), rho_micro)


class PrivateVisits:
    """A `generator.Generator` of nested tables for linked schemas: see there for what its methods take, give and raise.

    `rows` counts persons. Conditions are on columns in which a person is one and the same.
    """

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        if not schema.is_linked:
            raise Invalid("expected a schema with a timeline or several tables, got neither; ask for another generator")
        specification.check(schema)
        check_persons(specification.only, schema)
        shares = shares_of(schema, specification.workload, rho_micro)
        PrivateMarginals().check(persons_schema(schema), _among_persons(specification, schema), shares.persons_micro)

    def measure(
        self,
        table: pa.Table,
        schema: Schema,
        specification: Specification,
        rho_micro: int,
        noise: NoiseStream,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Measurements:
        self.check(schema, specification, rho_micro)
        shares, whole = shares_of(schema, specification.workload, rho_micro), persons_schema(schema)
        strands = strands_of(schema)
        persons = persons_table(table, schema)
        followed = [
            Followed.of_table(table, layout, _codes(persons, layout.person_names))
            for layout in (_layout(schema, strand) for strand in strands)
        ]
        wishes, part = _among_persons(specification, schema), noise.part(PERSONS)
        own = PrivateMarginals().measure(persons, whole, wishes, shares.persons_micro, part, progress, cancelled)
        choices = [replace(choice, stage=f"{PERSONS}/{choice.stage}") for choice in own.choices]
        histograms = [replace(histogram, stage=f"{PERSONS}/{histogram.stage}") for histogram in own.histograms]
        columns = columns_of(whole, recalled(histograms, f"{PERSONS}/cells", whole.columns))
        for one, budget in zip(followed, shares.strands, strict=True):
            if budget is not None:
                given = _given(columns, whole, one.layout)
                wished = _wished(schema, one.layout.strand, specification.workload)
                following = Following(one, given, wished, budget, noise, progress, cancelled)
                following.run()
                choices += following.choices
                histograms += following.histograms
        return Measurements(NAME, tuple(choices), tuple(histograms))

    def decode(self, data: bytes) -> Measurements:
        return _own(Measurements.decode(data))

    def synthesise(
        self,
        measurements: Measured,
        schema: Schema,
        rows: int,
        seed: bytes,
        progress: Progress,
        cancelled: Cancelled,
        only: Sequence[Condition] = (),
    ) -> pa.Table:
        if rows < 1:
            raise Invalid(f"expected at least 1 person, got {rows}")
        if len(seed) != KEY_BYTES:
            raise ValueError(f"expected a seed of {KEY_BYTES} bytes, got {len(seed)}")
        own, whole, noise = _own(measurements), persons_schema(schema), NoiseStream(seed, NAME.encode())
        key = noise.stage(PERSONS).bytes(KEY_BYTES)
        persons = PrivateMarginals().synthesise(_of_persons(own), whole, rows, key, progress, cancelled, only)
        columns = columns_of(whole, recalled(own.histograms, f"{PERSONS}/cells", whole.columns))
        fixed = [column.name for column in person_columns(schema)]
        made = []
        for strand in strands_of(schema):
            layout = _layout(schema, strand)
            model = _model(own.histograms, layout, _given(columns, whole, layout), progress, cancelled)
            given = _codes(persons, layout.person_names)
            beside = {name: given[:, place].astype(np.int64) for place, name in enumerate(fixed)}
            crowd = Crowd(given, beside if strand.name == MAIN else {})
            counts = given[:, -1].astype(np.int64) + strand.least_rows
            first = _codes(persons, [column.name for column in first_columns(strand)])
            part = noise.part(prefix_of(strand))
            made.append(walked(strand, schema, model, crowd, counts, first, part, cancelled))
        return nest(schema, _codes(persons, fixed), made)


def _among_persons(specification: Specification, schema: Schema) -> Specification:
    """The wishes with the columns of further tables named as a person's first row has them."""
    named = tuple(
        tuple(name if schema.place(name)[0] == MAIN else OWN_PREFIX + name for name in marginal)
        for marginal in specification.workload.marginals
    )
    return replace(specification, workload=replace(specification.workload, marginals=named))


def _wished(schema: Schema, strand: Strand, workload: Workload) -> tuple[Marginal, ...]:
    """The marginals of the workload that are measured among a strand's transitions too."""
    return _layout(schema, strand).wished(workload.of_table(strand.name, schema).all_marginals)


def _own(measurements: Measured) -> Measurements:
    if not isinstance(measurements, Measurements) or measurements.generator != NAME:
        raise Corrupt(
            f"expected measurements of {NAME}, got {measurements.generator[:60]!r}; use the generator that made them"
        )
    return measurements


def _of_persons(own: Measurements) -> Measurements:
    """The measurements of persons as `PrivateMarginals` gave them."""
    start = f"{PERSONS}/"
    choices: list[Choice] = [
        replace(one, stage=one.stage.removeprefix(start)) for one in own.choices if one.stage.startswith(start)
    ]
    histograms: list[Histogram] = [
        replace(one, stage=one.stage.removeprefix(start)) for one in own.histograms if one.stage.startswith(start)
    ]
    return Measurements(PERSONS_NAME, tuple(choices), tuple(histograms))


def _layout(schema: Schema, strand: Strand) -> Layout:
    return Layout(strand, (*(column.name for column in person_columns(schema)), strand.field))


def _given(columns: Columns, whole: Schema, layout: Layout) -> Columns:
    """The cells and bins of what a strand's transitions are given of the person."""
    return restricted(columns, [whole.names.index(name) for name in layout.person_names])


def _model(
    histograms: Sequence[Histogram], layout: Layout, given: Columns, progress: Progress, cancelled: Cancelled
) -> Model | None:
    """How a strand's rows follow each other, fitted to what was measured; None where none can follow another."""
    gap = gap_column(layout.strand)
    if gap is None:
        return None
    prefix = prefix_of(layout.strand)
    rows = recalled(histograms, f"{prefix}/cells", layout.strand.schema.columns)
    columns = strand_columns(layout, given, rows, recalled(histograms, f"{prefix}/gap", (gap,)))
    marginals = []
    for histogram in histograms:
        if not histogram.stage.startswith(f"{prefix}/marginal/"):
            continue
        places = tuple(layout.names.index(name) for name in histogram.columns if name in layout.names)
        shape = [columns.sizes[place] for place in places]
        if len(places) != len(histogram.columns) or prod(shape) != len(histogram.counts):
            raise Corrupt("expected marginals of this schema in the measurements; use the schema they were made with")
        marginals.append(NoisyMarginal(places, np.array(histogram.counts, np.float64), histogram.stddev))
    fitted = estimate(columns, marginals, (), progress, cancelled)
    logs = fitted.tree.tables(fitted.potentials)
    drawn = tuple(one for one in logs if set(one[0]) & set(layout.targets))
    return Model(layout, columns, Conditional(columns.sizes, layout.targets, drawn))


def _codes(table: pa.Table, names: Sequence[str]) -> Codes:
    """Columns of a coded table, -1 for missing, shape (rows, columns)."""
    columns = [table.column(name).fill_null(MISSING).to_numpy() for name in names]
    return np.stack(columns, axis=1).astype(np.int32) if columns else np.empty((table.num_rows, 0), np.int32)
