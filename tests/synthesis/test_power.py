"""The checks accept this generator, with the power to reject a faulty one: see test_faults."""

import math
from dataclasses import replace
from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.protocol.constraints import Condition, Order
from marketplace.protocol.specification import Workload
from node.noise.gaussian import discrete_gaussian
from node.noise.stream import NoiseStream, Stage
from node.synthesis import release
from node.synthesis.budget import budget_of
from node.synthesis.columns import columns_of
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import spent_rho_micro
from node.synthesis.measuring import Measuring
from node.synthesis.records import Records
from node.synthesis.release import chosen_marginal
from node.synthesis.replay import Replay
from tests.noise.goodness import as_close_as_paid, power_of_closeness
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

LOUD_MICRO = 800_000
"""So much that 20,000 draws tell half of every stage's noise from all of it."""

ROWS, FEW_ROWS = rows_of(WIDE, 600), rows_of(FEW, 300)
LAYOUT = measured(WIDE, ROWS[:200])
LOUD, LOUD_FEW = measured(WIDE, ROWS, 0, LOUD_MICRO), measured(FEW, FEW_ROWS, 0, LOUD_MICRO // 4)

WIDE_ROW = st.tuples(st.integers(-1, 2), st.integers(0, 400), st.integers(0, 10), st.integers(0, 39))


class Endless(NoiseStream):
    """One stage for every name, so that a mechanism can be drawn again and again."""

    def stage(self, name: str) -> Stage:
        if not self._drawn:
            self._only = super().stage(name)
        return self._only


def every(_: int) -> bool:
    return True


STAGES = {"one-way counts": "cells/", "refinement": "cells/1/1", "marginals": "marginal/"}


@pytest.mark.parametrize("kind", STAGES)
def test_20000_draws_of_each_stage_on_two_neighbours_are_as_close_as_was_paid(kind: str) -> None:
    found = checks.neighbours_of(WIDE, ROWS, LOUD, STAGES[kind])
    found += checks.neighbours_of(FEW, FEW_ROWS, LOUD_FEW, STAGES[kind])
    assert len(found) == len(
        [one for one in (*LOUD.histograms, *LOUD_FEW.histograms) if one.stage.startswith(STAGES[kind])]
    )
    assert all(stage.is_as_paid() for stage in found)


@pytest.mark.parametrize("kind", STAGES)
def test_half_the_noise_in_any_stage_is_rejected_with_a_power_of_999_in_1000(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checks.neighbours_of(WIDE, ROWS, LOUD, STAGES[kind])
    monkeypatch.setattr(release, "discrete_gaussian", lambda stage, s2, size: discrete_gaussian(stage, s2 / 4, size))
    for stage in found:
        one, other = stage.drawn()
        middle = (stage.here + stage.there) / 2
        assert stage.power(weakness=2) > 0.999
        assert not as_close_as_paid(one > middle, other > middle, stage.histogram.rho_micro)


def test_20000_draws_of_each_choice_on_two_neighbours_are_as_close_as_was_paid_and_at_twice_the_epsilon_not() -> None:
    assert len(LOUD.choices) > 3
    for choice in LOUD.choices:
        name = choice.stage
        assert checks.choice_is_as_paid(stream().stage(name), choice.epsilon, choice.rho_micro)
        assert not checks.choice_is_as_paid(stream().stage(name), 2 * choice.epsilon, choice.rho_micro)
        shares = [1 / (1 + math.exp(-side * float(choice.epsilon))) for side in (1, -1)]
        assert power_of_closeness(*shares, choice.rho_micro, checks.DRAWS) > 0.999


def test_20000_draws_of_the_noisy_total_on_two_neighbours_are_as_its_noise_says() -> None:
    assert checks.total_is_as_paid(FEW, LOUD_FEW)


def test_half_the_noise_in_the_noisy_total_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "discrete_gaussian", lambda stage, s2, size: discrete_gaussian(stage, s2 / 4, size))
    assert not checks.total_is_as_paid(FEW, LOUD_FEW)


@pytest.mark.parametrize("draws", [1_500, pytest.param(checks.DRAWS, marks=pytest.mark.slow)])
def test_draws_of_a_whole_choosing_stage_are_as_close_as_was_paid_and_not_as_a_quarter_would_have_them(
    draws: int,
) -> None:
    noise, rho_micro, candidates = Endless(bytes(32), b""), 150_000, [(0,), (1,), (2,)]
    sides = []
    for scores in checks.CROSSED:
        drawn = [chosen_marginal(noise, "", "abc", candidates, scores, 2, rho_micro, every) for _ in range(draws)]
        sides.append(np.array([choice is not None and choice[1] == (0,) for choice in drawn]))
    assert as_close_as_paid(*sides, rho_micro)
    assert not as_close_as_paid(*sides, rho_micro // 4)


def test_every_histogram_is_the_counts_of_the_records_and_the_noise_of_its_own_stage() -> None:
    """To the last row: no count is left without its noise, no noise is cut, scaled or used again."""
    true = checks.true_counts(WIDE, ROWS, layout := measured(WIDE, ROWS, 7))
    noise = stream(7)
    for histogram, counts in zip(layout.histograms, true, strict=True):
        drawn = discrete_gaussian(noise.stage(histogram.stage), histogram.sigma2, len(counts))
        assert np.array_equal(np.array(histogram.counts) - counts, drawn)


def test_every_draw_is_a_stage_that_is_charged() -> None:
    noise = stream(8)
    made = PrivateMarginals().measure(table_of(WIDE, ROWS), WIDE, specification(), 30_000, noise, ignore, never)
    drawn = {name for name in noise._drawn if not name.startswith("model/")}
    assert drawn == {stage.stage for stage in made.stages} and len(made.stages) == len(drawn) > 10


def test_no_two_orders_and_no_two_stages_share_their_noise() -> None:
    words = [NoiseStream(bytes(32), order).stage(name).words(4) for order in (b"one", b"other") for name in ("a", "b")]
    assert len({tuple(found.tolist()) for found in words}) == 4


@pytest.mark.slow
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


def test_an_outlier_that_would_widen_the_domain_changes_no_cell_and_no_count_but_its_own() -> None:
    """Under one key the released counts of neighbours differ where the outlier stands and nowhere else."""
    inner = [row for row in ROWS if row[1] < 300 and row[2] < 8 and row[3] < 30]
    here, there = measured(WIDE, inner), measured(WIDE, [*inner, (-1, 400, 10, 39)])
    for level in ("cells/0/0", "cells/1/0", "cells/2/0", "cells/3/0"):
        one, other = (next(h for h in side.histograms if h.stage == level) for side in (here, there))
        assert len(one.counts) == len(other.counts)
        moved = np.array(other.counts) - np.array(one.counts)
        assert moved[-1] == 1 and not moved[:-1].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(WIDE_ROW, min_size=1, max_size=2), st.booleans())
def test_a_person_moves_no_score_of_a_choice_beyond_the_bound_halved_or_whole(person: list[ROW], named: bool) -> None:
    columns = columns_of(WIDE, Replay(LAYOUT.histograms, WIDE).count_cells)
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
