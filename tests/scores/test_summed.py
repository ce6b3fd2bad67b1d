"""Scores of a table from counts that several parties summed with their noise."""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Condition
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.groups import Grouping, Groups
from marketplace.scores.score import Score
from marketplace.scores.summed import MOST_SETS, Scoring, marginals_of, summed_measures
from tests.evaluation.tables import SCHEMA, records, shuffled, specification

WISHES = specification(Workload((("stage", "ward"), ("dose",)), (Curve("dose", "stage", None, "III"),)), 1_000, "stage")
HALVES = Grouping(
    SCHEMA, (Groups((0, 50), (0, 1)), Groups((0, 2), (0, 1)), Groups((0, 3), (0, 1)), Groups((0, 90), (0, 1)))
)
FINE = replace(HALVES, groups=(Groups((0, 30, 50, 70), (0, 1, 2, 3)), *HALVES.groups[1:]))
SCORING = Scoring(SCHEMA, WISHES, (FINE, HALVES, HALVES))
REAL = records(4_000, 1)
ROW = st.tuples(st.integers(-1, 99), st.integers(0, 3), st.integers(-1, 11), st.integers(0, 500))


def frame(rows: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, np.int32).reshape(-1, 4), columns=list(SCHEMA.names))


def summed(real: pd.DataFrame, sigma: float, seed: int = 0) -> Mapping[str, tuple[int, ...]]:
    """The counts of `real`, with noise."""
    random = np.random.default_rng(seed)
    counts = SCORING.count(real)
    return {
        n: tuple((one + random.normal(0, sigma, len(one)).round().astype(int)).tolist()) for n, one in counts.items()
    }


def variances(sigma: float) -> Mapping[str, Fraction]:
    return {one.name: Fraction(sigma**2) for one in SCORING.statistics}


def scores(made: pd.DataFrame, sigma: float, seed: int = 0) -> dict[str, Score]:
    return {one.name: one for one in SCORING.scored(summed(REAL, sigma, seed), variances(sigma), made).scores}


def exact(made: pd.DataFrame) -> dict[str, Fraction]:
    """The scores without noise, by the way of an ordinary table's: on cells, counted one by one."""
    found = {}
    for measure in SCORING.measures:
        total = Fraction(0)
        for marginal in measure.marginals:
            cut = (FINE if len(marginal) == 1 else HALVES).cut
            total += replace(measure, marginals=(marginal,)).distance(cut(REAL), cut(made))
        found[measure.name] = total / len(measure.marginals)
    return found


def test_the_statistics_are_those_of_the_measures_and_the_row_of_each_is_charged_as_far_as_it_moves_them() -> None:
    found = {one.name: (one.cells, one.row_squared) for one in SCORING.statistics}
    assert found == {
        "rows": (1, 1),
        "l1_1way": (5 + 2 + 3 + 2, 4),
        "l1_2way": (3 * 2 + 3 * 3 + 3 * 2 + 2 * 3 + 2 * 2 + 3 * 2, 6),
        "l1_3way": (3 * 2 * 3 + 3 * 2 * 2 + 3 * 3 * 2 + 2 * 3 * 2, 4),
        "workload": (2 * 3 + 2 + 2 * 2, 3),
        "subgroup_rows": (4, 1),
        "subgroups": (4 * 5 + 4 * 3 + 4 * 2, 3),
        "curve_0": (2 * 20, 1),
    }


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, min_size=1, max_size=4))
def test_a_person_moves_no_statistic_by_more_than_its_sensitivity(person: list[tuple[int, int, int, int]]) -> None:
    moved = SCORING.count(frame(person))
    for one in SCORING.statistics:
        assert int((moved[one.name] ** 2).sum()) <= one.sensitivity_squared(len(person))


def test_somebody_with_equal_rows_reaches_every_sensitivity() -> None:
    moved = SCORING.count(frame([(10, 1, 2, 100)] * 3))
    assert all(int((moved[one.name] ** 2).sum()) == one.sensitivity_squared(3) for one in SCORING.statistics)


def test_with_little_noise_scores_are_the_exact_distances() -> None:
    made = shuffled(records(1_500, 2), 3)
    found = scores(made, 1e-3)
    for name, value in exact(made).items():
        assert float(found[name].value) == pytest.approx(float(value), abs=2e-4), name
        assert float(found[name].sigma) < 1e-3


def test_the_score_of_a_subgroup_is_the_distance_of_the_other_columns_within_it() -> None:
    made = shuffled(records(1_500, 2), 3)
    found = scores(made, 1e-3)
    for code in range(4):
        real, own = (FINE.cut(table[table["stage"] == code]) for table in (REAL, made))
        measure = replace(SCORING.measures[0], marginals=(("age",), ("ward",), ("dose",)))
        assert float(found[f"subgroup_{code}"].value) == pytest.approx(float(measure.distance(real, own)), abs=2e-4)
    nobody = made[made["stage"] != 2]
    assert "subgroup_2" not in scores(nobody, 1e-3)


def test_a_wrong_table_scores_worse_than_a_right_one_beyond_both_intervals() -> None:
    right, wrong = scores(records(3_000, 5), 30.0), scores(shuffled(records(3_000, 5), 1), 30.0)
    elsewhere = scores(frame([(99, 0, 0, 500)] * 500), 30.0)
    for name in ("l1_2way", "l1_3way"):
        assert float(wrong[name].interval[0]) > float(right[name].interval[1])
        assert float(elsewhere[name].interval[0]) > float(wrong[name].interval[1])
        assert float(wrong[name].value) > float(right[name].floor) / 2
    assert float(elsewhere["l1_1way"].interval[0]) > float(right["l1_1way"].interval[1])


@pytest.mark.parametrize("sigma", [5.0, 60.0])
@pytest.mark.parametrize("right", [True, False])
def test_intervals_hold_the_exact_scores_at_their_rate(sigma: float, right: bool) -> None:
    assert all(share >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 15) for share in held(sigma, right, 15).values())


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [5.0, 60.0, 200.0])
@pytest.mark.parametrize("right", [True, False])
def test_intervals_hold_the_exact_scores_at_their_rate_over_1000_draws(sigma: float, right: bool) -> None:
    assert all(share >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 1_000) for share in held(sigma, right, 1_000).values())


def held(sigma: float, right: bool, draws: int) -> dict[str, float]:
    """How often the interval of each score holds the exact one. Of curves and subgroups other tests tell."""
    made = records(800, 2) if right else shuffled(records(800, 2), 3)
    wanted, times = exact(made), dict.fromkeys(exact(made), 0)
    for seed in range(draws):
        found = scores(made, sigma, seed)
        for name, value in wanted.items():
            low, high = map(Fraction, found[name].interval)
            times[name] += low - Fraction(1, 10**6) <= value <= high + Fraction(1, 10**6)
    return {name: count / draws for name, count in times.items()}


def test_an_interval_counts_the_noise_of_the_number_of_rows() -> None:
    made, sums = records(800, 2), dict(summed(REAL, 1e-3))
    noise = {**variances(1e-3), "rows": Fraction(400**2)}
    for rows in (len(REAL) - 800, len(REAL) + 800):
        found = {one.name: one for one in SCORING.scored({**sums, "rows": (rows,)}, noise, made).scores}
        for name, value in exact(made).items():
            low, high = map(float, found[name].interval)
            assert low <= value <= high < float(value) + 0.6


def test_floor_and_ceiling_are_of_the_synthetic_table_and_lie_in_order() -> None:
    made = records(3_000, 5)
    found = scores(made, 30.0)
    for name in ("l1_2way", "l1_3way"):
        assert 0 < float(found[name].ceiling) < float(found[name].floor)
    other = SCORING.scored(summed(records(4_000, 9), 30.0), variances(30.0), made)
    assert {one.name: one.floor for one in other.scores} == {name: one.floor for name, one in found.items()}


def test_curves_are_released_as_they_were_summed() -> None:
    sums = summed(REAL, 3.0)
    scored = SCORING.scored(sums, variances(3.0), records(500, 2))
    assert [(one.counts, one.sigma2) for one in scored.curves] == [(sums["curve_0"], Fraction(9))]
    assert scored.rows == sums["rows"][0]


def test_only_records_that_meet_the_conditions_are_counted() -> None:
    asked = replace(WISHES, only=(Condition("stage", values=("II",)), Condition("age", lower=Decimal(40))))
    met = replace(SCORING, specification=asked).meeting(REAL)
    assert met.tolist() == ((REAL["stage"] == 1) & (REAL["age"] >= 40)).tolist()


def test_of_many_sets_a_few_are_scored_and_the_name_says_so() -> None:
    wide = replace(
        SCHEMA, columns=tuple(replace(SCHEMA.columns[place % 4], name=f"column_{place}") for place in range(8))
    )
    sets = marginals_of(wide, specification())
    assert list(sets) == ["l1_1way", "l1_2way_16_of_28", "l1_3way_16_of_56"]
    assert [len(each) for each in sets.values()] == [8, *MOST_SETS[1:]]
    other = replace(specification(), nonce=b"n" * 32)
    assert marginals_of(wide, other)["l1_3way_16_of_56"] != sets["l1_3way_16_of_56"]
    assert [one.name for one in summed_measures(wide, other)] == [*sets, "missingness"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sums: {**sums, "rows": (1, 2)},
        lambda sums: {name: counts for name, counts in sums.items() if name != "rows"},
        lambda sums: {**sums, "rows": (2**63,)},
        lambda sums: {**sums, "more": (1,)},
    ],
)
def test_sums_of_something_else_are_corrupt(spoil) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Corrupt, match="sums that scores are computed from"):
        SCORING.scored(spoil(summed(REAL, 1.0)), variances(1.0), records(50, 2))


def test_sums_without_a_variance_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="sums that scores are computed from"):
        SCORING.scored(summed(REAL, 1.0), {**variances(1.0), "rows": Fraction(0)}, records(50, 2))
