"""Constraints and conditions hold in every synthetic row, and the rest of the table stays as good as it was."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition, Implies, Order, Sum
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.scores.constraints import keep, keep_all
from node.synthesis.barriers import barriers_of
from node.synthesis.columns import columns_of
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import Measurements
from node.synthesis.replay import Replay
from tests.synthesis.examples import KEY, ROW, ignore, measured, never, rows_of, specification, table_of

PLAIN = Schema(
    (
        Category("site", ("lung", "breast", "brain"), missing=False),
        Category("stage", ("I", "II", "III"), missing=True),
        Number("diagnosed", Decimal(0), Decimal(1000), Decimal(1), missing=False),
        Number("died", Decimal(0), Decimal(1200), Decimal(1), missing=True),
        Number("dose", Decimal(0), Decimal(40), Decimal("0.5"), missing=False),
        Number("boost", Decimal(0), Decimal(20), Decimal(1), missing=False),
        Number("total", Decimal(0), Decimal(60), Decimal("0.5"), missing=False),
    ),
    "patient",
    1,
)
SCHEMA = replace(
    PLAIN,
    constraints=(
        Order("diagnosed", "died"),
        Sum(("dose", "boost"), "total"),
        Implies(Condition("site", values=("brain",)), Condition("stage", present=False)),
        Implies(Condition("stage", values=("III",)), Condition("dose", lower=Decimal(10))),
    ),
)
RHO_MICRO = 30_000


def records(count: int, seed: int = 1) -> list[ROW]:
    """Coded rows that keep the constraints of `SCHEMA`."""
    rng = np.random.default_rng(seed)
    site = rng.choice(3, count, p=[0.5, 0.3, 0.2])
    stage = np.where(site == 2, -1, rng.choice(3, count, p=[0.2, 0.5, 0.3]))
    diagnosed = rng.integers(0, 1001, count)
    died = np.where(rng.random(count) < 0.4, -1, diagnosed + rng.exponential(60 * (3 - stage), count).astype(int))
    died = np.where(died > 1200, -1, died)
    dose = np.where(stage == 2, rng.integers(20, 81, count), rng.integers(0, 81, count))
    boost = rng.binomial(20, 0.2 + 0.2 * (stage == 2), count)
    columns = (site, stage, diagnosed, died, dose, boost, dose + 2 * boost)
    return [tuple(int(code) for code in row) for row in zip(*columns, strict=True)]


REAL = table_of(SCHEMA, records(6_000))


def codes_of(table: pa.Table) -> dict[str, np.ndarray]:
    return {name: table.column(name).fill_null(-1).to_numpy() for name in table.column_names}


@cache
def measurements_of(schema: Schema) -> Measurements:
    return measured(schema, records(6_000), rho_micro=RHO_MICRO)


def twin(schema: Schema, rows: int = 4_000, only: tuple[Condition, ...] = ()) -> pa.Table:
    return PrivateMarginals().synthesise(measurements_of(schema), schema, rows, KEY, ignore, never, only)


def share(table: pa.Table, name: str, cuts: int = 8) -> np.ndarray:
    column = SCHEMA.column(name)
    cells = np.digitize(codes_of(table)[name], np.linspace(0, column.size, cuts + 1))
    return np.bincount(cells, minlength=cuts + 2) / table.num_rows


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return twin(SCHEMA)


def test_the_records_of_this_test_keep_the_constraints() -> None:
    assert keep_all(SCHEMA, [], codes_of(REAL)).all()


def test_every_row_keeps_every_constraint(kept: pa.Table) -> None:
    assert kept.num_rows == 4_000 and keep_all(SCHEMA, [], codes_of(kept)).all()


def test_without_the_declaration_rows_break_each_of_them() -> None:
    loose = codes_of(twin(PLAIN))
    broken = [int((~keep(constraint, SCHEMA, loose)).sum()) for constraint in SCHEMA.constraints]
    assert broken[0] > 100 and broken[1] > 2_000 and broken[3] > 0


def test_columns_stay_as_close_to_the_records_as_without_constraints(kept: pa.Table) -> None:
    for name in SCHEMA.names:
        assert np.abs(share(kept, name) - share(REAL, name)).sum() < 0.12


def test_a_barrier_stands_exactly_where_no_row_keeps_its_constraint() -> None:
    columns = columns_of(SCHEMA, Replay(measurements_of(SCHEMA).histograms, SCHEMA).count_cells)
    found = {barrier.columns: barrier.logs == 0 for barrier in barriers_of(SCHEMA, columns)}
    assert set(found) == {(2, 3), (4, 5, 6), (0, 1), (1, 4)}

    def extremes(place: int, drawn: int) -> list[int]:
        """The first and last code of each cell of a bin, or missing."""
        cells, of_cell = columns.cells[place], columns.bins[place].of_cell
        inside = np.flatnonzero(of_cell == drawn)
        return [*cells.starts[inside].tolist(), *(cells.ends[inside] - 1).tolist()] or [-1]

    for constraint in (SCHEMA.constraints[0], *SCHEMA.constraints[2:]):
        places = tuple(sorted(SCHEMA.names.index(name) for name in constraint.columns))
        for bins in np.ndindex(found[places].shape):
            pairs = np.array(list(product(*(extremes(place, one) for place, one in zip(places, bins, strict=True)))))
            codes = {SCHEMA.names[place]: pairs[:, axis] for axis, place in enumerate(places)}
            assert keep(constraint, SCHEMA, codes).any() == found[places][bins]


def test_sums_out_of_reach_are_behind_a_barrier() -> None:
    columns = columns_of(SCHEMA, Replay(measurements_of(SCHEMA).histograms, SCHEMA).count_cells)
    possible = next(barrier.logs == 0 for barrier in barriers_of(SCHEMA, columns) if barrier.columns == (4, 5, 6))
    assert possible[0, 0, 0] and possible[-1, -1, -1] and not possible[0, 0, -1] and not possible[-1, -1, 0]


@pytest.mark.parametrize(
    "only",
    [
        (Condition("stage", values=("III",)), Condition("diagnosed", upper=Decimal(499))),
        (Condition("died", present=False),),
        (Condition("site", values=("lung", "brain")), Condition("dose", lower=Decimal("12.2"), upper=Decimal("12.6"))),
        (Condition("total", upper=Decimal(9)), Condition("boost", lower=Decimal(3))),
    ],
)
def test_every_row_meets_the_conditions_of_the_order(only: tuple[Condition, ...]) -> None:
    table = twin(SCHEMA, 500, only)
    assert table.num_rows == 500 and keep_all(SCHEMA, only, codes_of(table)).all()


def test_rows_under_a_condition_are_like_the_records_that_meet_it() -> None:
    only = (Condition("stage", values=("III",)),)
    table = twin(SCHEMA, 3_000, only)
    meeting = REAL.filter(codes_of(REAL)["stage"] == 2)
    for name in ("site", "dose", "boost"):
        assert np.abs(share(table, name) - share(meeting, name)).sum() < 0.25
        assert (
            np.abs(share(table, name) - share(meeting, name)).sum()
            < np.abs(share(REAL, name) - share(meeting, name)).sum()
            or name == "site"
        )


def test_a_condition_that_no_record_meets_is_answered_like_any_other() -> None:
    """Support is judged on schema and model: no stage III in the records, and still rows of stage III."""
    schema = replace(PLAIN, constraints=())
    rows = [(site, 0 if stage == 2 else stage, *rest) for site, stage, *rest in rows_of(schema, 500)]
    only = (Condition("stage", values=("III",)),)
    table = PrivateMarginals().synthesise(measured(schema, rows), schema, 50, KEY, ignore, never, only)
    assert set(table.column("stage").to_pylist()) == {2}


@pytest.mark.parametrize(
    ("schema", "only"),
    [
        (SCHEMA, (Condition("site", values=("brain",)), Condition("stage", values=("I",)))),
        (SCHEMA, (Condition("diagnosed", lower=Decimal(900)), Condition("died", upper=Decimal(899)))),
        (replace(PLAIN, constraints=(Order("diagnosed", "dose"), Order("boost", "diagnosed"),
            Implies(Condition("site", present=True), Condition("boost", lower=Decimal(15))),
            Implies(Condition("site", present=True), Condition("dose", upper=Decimal(10))))), ()),
    ],
)  # fmt: skip
def test_what_no_row_can_keep_together_is_refused_before_records_are_opened(
    schema: Schema, only: tuple[Condition, ...]
) -> None:
    with pytest.raises(Invalid, match="found no such row"):
        PrivateMarginals().check(schema, replace(specification(), only=only), RHO_MICRO)


def test_a_condition_on_an_unknown_column_or_value_is_refused_before_records_are_opened() -> None:
    for condition in (Condition("height", present=True), Condition("stage", values=("V",))):
        with pytest.raises(Invalid, match="expected"):
            PrivateMarginals().check(SCHEMA, replace(specification(), only=(condition,)), RHO_MICRO)
