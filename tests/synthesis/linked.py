"""Nested tables of small linked schemas, and what a generator counts of them before any noise."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from marketplace.protocol.schema import MAIN, Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.constraints import keep_all
from node.nesting import MISSING, Rows, flat_tables, nest, person_columns, strands_of
from node.synthesis import following, measuring
from node.synthesis.measurements import Choice, Histogram, Measurements
from node.synthesis.visits import PrivateVisits
from tests.synthesis.examples import ignore, never, specification, stream

Person = tuple[tuple[int, ...], tuple[tuple[tuple[int, ...], ...], ...]]
"""Codes of the person columns, and for each strand rows of codes in time."""

Recorded = dict[str, np.ndarray]
"""What each stage was given to make private: counts, or scores."""


def nested(schema: Schema, persons: Sequence[Person]) -> pa.Table:
    """The nested table of these persons."""
    width = len(person_columns(schema))
    strands = []
    for place, strand in enumerate(strands_of(schema)):
        rows = [row for _, found in persons for row in found[place]]
        codes = np.array(rows, np.int32).reshape(len(rows), len(strand.schema.columns))
        strands.append(Rows(codes, np.array([len(found[place]) for _, found in persons], np.int64)))
    return nest(schema, np.array([fixed for fixed, _ in persons], np.int32).reshape(len(persons), width), strands)


def some_persons(schema: Schema, count: int, seed: int = 1) -> list[Person]:
    """Persons drawn at random whose rows keep what is declared; a value is near the one before it."""
    choices = Random(seed)
    return [_person(schema, choices) for _ in range(count)]


def _person(schema: Schema, choices: Random) -> Person:
    fixed = tuple(choices.randrange(-1 if c.missing else 0, c.size) for c in person_columns(schema))
    strands = []
    for strand in strands_of(schema):
        own, timeline = strand.schema, strand.schema.timeline
        rows: list[tuple[int, ...]] = []
        times = [0]
        if timeline is not None:
            size, most = own.column(timeline.column).size, own.rows_per_person
            drawn = sorted(choices.choices(range(size), k=choices.randrange(strand.least_rows, most + 1)))
            times = sorted(set(drawn)) if timeline.strict else drawn
        elif choices.random() < 0.3:
            times = []
        for at in times:
            near = rows[-1] if rows else None
            row = []
            for place, column in enumerate(own.columns):
                code = choices.randrange(-1 if column.missing else 0, column.size)
                if near is not None and near[place] != MISSING and choices.random() < 0.8:
                    code = min(column.size - 1, max(0, near[place] + choices.randrange(-1, 2)))
                row.append(at if timeline is not None and column.name == timeline.column else code)
            rows.append(tuple(row))
        if strand.name == MAIN:
            rows = [row for row in rows if _keeps(schema, fixed, row)] or rows[:1]
        strands.append(tuple(rows))
    return fixed, tuple(strands)


def _keeps(schema: Schema, fixed: tuple[int, ...], row: tuple[int, ...]) -> bool:
    names = [column.name for column in person_columns(schema)] + list(strands_of(schema)[0].schema.names)
    codes = {name: np.array([code]) for name, code in zip(names, (*fixed, *row), strict=True)}
    return bool(keep_all(schema, (), codes)[0])


def frames(table: pa.Table, schema: Schema) -> list:  # type: ignore[type-arg]
    """The tables of a result as coded frames, -1 for missing."""
    return [each.to_pandas().fillna(MISSING).astype("int32") for each in flat_tables(table, schema)]


def visited(
    schema: Schema, table: pa.Table, rho_micro: int, number: int = 0, workload: Workload | None = None
) -> Measurements:
    """The measurements of a nested table under the key of this number."""
    wishes = replace(specification(), workload=workload or Workload())
    return PrivateVisits().measure(table, schema, wishes, rho_micro, stream(number), ignore, never)


def recording(patch: pytest.MonkeyPatch, layout: Measurements | None = None) -> Recorded:
    """Where every stage notes from now on what it is given. With a `layout` each answers what that layout holds, so that
    two tables are measured by the same stages."""
    noted: Recorded = {}
    held = {
        stage.stage.split("/", 1)[1] if stage.stage.startswith("persons/") else stage.stage: stage
        for stage in (layout.stages if layout else ())
    }

    def hearing(honest: Callable[..., object], of_choice: bool) -> Callable[..., object]:
        def heard(noise, stage, names, *others):  # type: ignore[no-untyped-def]
            noted[stage] = np.array(others[1] if of_choice else others[0], np.int64)
            if layout is None:
                return honest(noise, stage, names, *others)
            kept = held[stage]
            if isinstance(kept, Histogram):
                return kept if not stage.startswith("cells/") else replace(kept, stage=stage)
            assert isinstance(kept, Choice)
            places = tuple(sorted(list(names).index(name) for name in kept.columns))
            return kept, places

        return heard

    for module in (measuring, following):
        patch.setattr(module, "noisy_histogram", hearing(module.noisy_histogram, False))
        patch.setattr(module, "chosen_marginal", hearing(module.chosen_marginal, True))
    return noted
