"""The checks accept this generator, with the power to reject a faulty one: see test_faults."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.protocol.constraints import Condition, Order
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from node.noise.selection import choices
from node.synthesis.budget import budget_of
from node.synthesis.columns import columns_of
from node.synthesis.marginals import PrivateMarginals, _Replay
from node.synthesis.measurements import spent_rho_micro
from node.synthesis.measuring import Measuring
from node.synthesis.records import Records
from tests.noise.goodness import fits
from tests.synthesis import checks
from tests.synthesis.examples import (
    FEW,
    ROW,
    WIDE,
    bounded,
    ignore,
    measured,
    never,
    rows_of,
    specification,
    stream,
    table_of,
)

ROWS = rows_of(WIDE, 600)
LAYOUT = measured(WIDE, ROWS[:200])

WIDE_ROW = st.tuples(st.integers(-1, 2), st.integers(0, 400), st.integers(0, 10), st.integers(0, 39))


def exponential_weights(scores: list[int], bound: int, epsilon: Fraction) -> dict[int, float]:
    return {i: float(np.exp(float(epsilon) * score / (2 * bound))) for i, score in enumerate(scores)}


@pytest.mark.parametrize("schema", [WIDE, FEW])
def test_20000_draws_of_each_stage_on_two_neighbours_lose_the_privacy_that_was_paid(schema: Schema) -> None:
    assert checks.stages_draw_what_they_pay(measured(schema, rows_of(schema, 300)), schema.rows_per_person)


def test_20000_draws_of_each_choice_on_two_neighbours_have_the_probabilities_that_were_paid() -> None:
    scores, neighbours = [30, 32, 10, -4], [32, 30, 12, -6]
    for choice in measured(WIDE, ROWS).choices:
        for side in (scores, neighbours):
            drawn = choices(stream().stage(choice.stage), side, 2, choice.epsilon, checks.DRAWS)
            assert fits(drawn.astype(np.int64), exponential_weights(side, 2, choice.epsilon))


def test_whole_runs_leave_the_noise_they_state() -> None:
    assert checks.noise_is_as_paid()


@settings(max_examples=40, deadline=None)
@given(st.lists(WIDE_ROW, min_size=1, max_size=2))
def test_a_person_moves_no_histogram_beyond_its_sensitivity(person: list[ROW]) -> None:
    assert checks.sensitivities_hold(WIDE, ROWS[:200], person, LAYOUT)


def test_a_person_whose_rows_are_all_alike_reaches_the_sensitivity() -> None:
    layout = measured(WIDE, ROWS)
    with_person = checks.true_counts(WIDE, [*ROWS, ROWS[0], ROWS[0]], layout)
    without = checks.true_counts(WIDE, ROWS, layout)
    moved = [int(((one - other) ** 2).sum()) for one, other in zip(with_person, without, strict=True)]
    assert max(moved) == WIDE.rows_per_person**2 == layout.histograms[0].sensitivity ** 2


@settings(max_examples=25, deadline=None)
@given(st.integers(400, 10**6), st.integers(1, 3), st.integers(0, 99))
def test_the_stages_cost_exactly_what_was_given(rho_micro: int, bound: int, number: int) -> None:
    measurements = measured(bounded(WIDE, bound), ROWS[:100], number, rho_micro)
    assert checks.charge_covers_cost(measurements.stages, rho_micro)
    assert spent_rho_micro(measurements.stages) == rho_micro
    assert {stage.sensitivity for stage in measurements.stages} == {bound}


def test_records_reach_nothing_but_the_two_mechanisms(monkeypatch: pytest.MonkeyPatch) -> None:
    other = [(2, 400, 0, code % 40) for code in range(37)]
    assert checks.records_reach_nothing_else(WIDE, ROWS, other, monkeypatch)


def test_an_outlier_changes_no_cell_and_no_bin_but_through_its_own_counts() -> None:
    """Under one key the released counts of neighbours differ where the outlier stands and nowhere else."""
    outlier = (-1, 400, 10, 39)
    here, there = measured(WIDE, ROWS), measured(WIDE, [*ROWS, outlier])
    for level in ("cells/0/0", "cells/1/0", "cells/2/0", "cells/3/0"):
        one, other = (next(h for h in side.histograms if h.stage == level) for side in (here, there))
        moved = np.array(other.counts) - np.array(one.counts)
        assert len(one.counts) == len(other.counts) and moved[-1] == 1 and not moved[:-1].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(WIDE_ROW, min_size=1, max_size=2), st.booleans())
def test_a_person_moves_no_score_of_a_choice_beyond_the_bound_halved_or_whole(person: list[ROW], named: bool) -> None:
    columns = columns_of(WIDE, _Replay(LAYOUT, WIDE).count_cells)
    expected = {pair: np.full(prod(columns.sizes[c] for c in pair), 7.5) for pair in combinations(range(4), 2)}
    found = []
    for rows in (ROWS[:200], [*ROWS[:200], *person]):
        records = Records.of_table(table_of(WIDE, rows), WIDE)
        measuring = Measuring(WIDE, records, budget_of(WIDE, Workload(), 30_000), stream(), ignore, never)
        binned = records.binned(columns.cells, columns.bins)
        found.append(measuring._scores(binned, expected, 3.0, [(0, 1)] if named else []))
    assert all(abs(found[0][pair] - found[1][pair]) <= WIDE.rows_per_person for pair in expected)


@pytest.mark.parametrize("rho_micro", [900, 30_000, 4_000_000])
def test_a_workload_and_constraints_cost_exactly_what_was_given_too(rho_micro: int) -> None:
    schema = replace(WIDE, constraints=(Order("visits", "age"),))
    wishes = replace(specification(("age", "visits", "clinic"), ("stage",)), only=(Condition("stage", present=True),))
    table = table_of(schema, [row for row in ROWS if row[2] <= row[1] / 2])
    stages = PrivateMarginals().measure(table, schema, wishes, rho_micro, stream(), ignore, never).stages
    assert checks.charge_covers_cost(stages, rho_micro)
