import hashlib
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Curve
from marketplace.scores.curve import Grid, NoisyCurve, exact_distance, judged, survival

SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(999), Decimal(1), missing=True),
        Category("status", ("alive", "dead", "moved"), missing=True),
        Category("arm", ("old", "new"), missing=True),
    ),
    "patient",
    3,
)
CURVE = Curve("days", "status", "arm", "dead")
GRID = Grid.of(CURVE, SCHEMA)
SEED = bytes(32)
ROWS = st.lists(st.tuples(st.integers(-1, 999), st.integers(-1, 2), st.integers(-1, 1)), max_size=40)


def frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, np.int32).reshape(-1, 3), columns=list(SCHEMA.names))


def patients(rows: int, seed: int, scale: float = 400.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    arm = random.integers(0, 2, rows)
    event, looked = random.exponential(scale * (1 + arm), rows), random.uniform(100, 1_000, rows)
    days = np.minimum(np.minimum(event, looked), 999).astype(int)
    return frame(list(zip(days, np.where(event <= looked, 1, 0), arm, strict=True)))


def with_noise(counts: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    return counts + np.random.default_rng(seed).normal(0, sigma, counts.shape).round().astype(np.int64)


def test_the_grid_is_the_declared_range_in_twenty_and_the_declared_event() -> None:
    assert GRID.shape == (2, 2, 20)
    assert GRID.after == tuple(range(50, 1_001, 50))
    assert GRID.occurred == 1
    assert Grid.of(Curve("days", "status"), SCHEMA).occurred == 2
    few = Schema((Number("t", Decimal(0), Decimal(2), Decimal(1), False), *SCHEMA.columns[1:]), None, 1)
    assert Grid.of(Curve("t", "status"), few).after == (1, 2, 3)


def test_rows_are_counted_by_group_event_and_interval_and_only_where_all_is_there() -> None:
    counts = GRID.count(frame([(0, 1, 0), (49, 0, 0), (50, 2, 1), (999, 1, 1), (-1, 1, 1), (3, -1, 0), (3, 1, -1)]))
    assert counts.sum() == 4
    assert counts[0, 1, 0] == counts[0, 0, 0] == counts[1, 0, 1] == counts[1, 1, 19] == 1


@given(ROWS, st.lists(st.tuples(st.integers(-1, 999), st.integers(-1, 2), st.integers(-1, 1)), min_size=1, max_size=3))
def test_a_person_moves_the_counts_by_at_most_its_rows(
    others: list[tuple[int, int, int]], person: list[tuple[int, int, int]]
) -> None:
    moved = GRID.count(frame(others + person)) - GRID.count(frame(others))
    assert np.linalg.norm(moved) <= len(person) <= SCHEMA.rows_per_person


def test_some_person_moves_the_counts_by_the_whole_bound() -> None:
    person = frame([(7, 1, 0)] * SCHEMA.rows_per_person)
    assert np.linalg.norm(GRID.count(person)) == SCHEMA.rows_per_person


def test_survival_is_that_of_kaplan_and_meier_where_nobody_leaves_within_an_interval_before_others_die() -> None:
    table = patients(3_000, 1)
    found = survival(GRID.count(table))
    for arm in (0, 1):
        some = table[table["arm"] == arm]
        intervals = np.searchsorted(GRID.after, some["days"], side="right") + 1
        fitter = KaplanMeierFitter().fit(intervals, some["status"] == 1)
        assert np.allclose(found[arm], fitter.survival_function_at_times(range(1, 21)), atol=1e-12)


def test_survival_falls_and_of_noisy_counts_too_stays_within_its_range() -> None:
    assert (np.diff(survival(GRID.count(patients(60, 3))), axis=-1) <= 0).all()
    for seed in range(50):
        found = survival(with_noise(GRID.count(patients(60, 3)), 30.0, seed))
        assert (found >= 0).all()
        assert (found <= 1).all()


def test_equal_tables_are_no_distance_apart_and_another_hazard_is_far() -> None:
    table = patients(2_000, 1)
    assert exact_distance(GRID, table, table) == 0
    assert exact_distance(GRID, patients(2_000, 2, 100.0), table) > 0.2
    assert exact_distance(GRID, table, table.iloc[:0]) == 0


def test_the_interval_holds_the_exact_distance_at_least_nineteen_times_in_twenty() -> None:
    table, synthetic = patients(3_000, 1), patients(2_000, 2, 330.0)
    sigma, inside = 12.0, []
    for seed in range(100):
        found = judged(0, GRID, synthetic, with_noise(GRID.count(table), sigma, seed), Fraction(144), SEED, 3_000)
        real, made = survival(GRID.count(table)), survival(GRID.count(synthetic))
        shares = [int((synthetic["arm"] == line.group).sum()) for line in found.lines]
        exact = sum(
            share / sum(shares) * abs(made[line.group] - real[line.group])[: len(line.released)].mean()
            for share, line in zip(shares, found.lines, strict=True)
        )
        low, high = map(float, found.score.interval)
        inside.append(low <= exact <= high)
    assert np.mean(inside) >= 0.95


def test_the_band_holds_the_exact_curve_at_least_nineteen_times_in_twenty() -> None:
    table, inside = patients(3_000, 1), []
    exact = survival(GRID.count(table))
    for seed in range(100):
        noisy = with_noise(GRID.count(table), 12.0, seed)
        for line in judged(0, GRID, table, noisy, Fraction(144), SEED, 3_000).lines:
            inside += (abs(line.released - exact[line.group, : len(line.released)]) <= line.reach).tolist()
    assert 0.95 <= np.mean(inside) <= 0.995


def test_the_interval_of_a_curve_with_hardly_an_event_is_not_too_narrow() -> None:
    table, inside, at_hundred = patients(3_000, 1, 20_000.0), [], 0
    exact = survival(GRID.count(table))
    for seed in range(100):
        noisy = with_noise(GRID.count(table), 12.0, seed)
        for line in judged(0, GRID, table, noisy, Fraction(144), SEED, 3_000).lines:
            inside += (abs(line.released - exact[line.group, : len(line.released)]) <= line.reach).tolist()
            at_hundred += int(line.released[0] == 1)
            assert (line.reach > 0).all()
    assert at_hundred > 5
    assert np.mean(inside) >= 0.95


def test_what_noise_hides_is_not_read() -> None:
    table = patients(3_000, 1)
    lines = judged(0, GRID, table, GRID.count(table), Fraction(144), SEED, 3_000).lines
    assert all(0 < len(line.released) < 20 for line in lines)
    nothing = judged(0, GRID, table, GRID.count(table), Fraction(10**8), SEED, 3_000)
    assert nothing.lines == ()
    assert nothing.score.value == nothing.score.sigma == "1.000000"
    assert nothing.score.interval == ("0.000000", "1.000000")


def test_the_floor_is_worse_than_the_ceiling_where_arms_differ() -> None:
    table = patients(2_000, 1)
    score = judged(0, GRID, table, GRID.count(table), Fraction(1), SEED, 2_000).score
    assert float(score.value) == 0
    assert 0.005 < float(score.ceiling) < 0.03 < float(score.floor)
    larger = judged(0, GRID, table, GRID.count(table), Fraction(1), SEED, 200_000).score
    assert math.isclose(float(score.ceiling) / float(larger.ceiling), 10, rel_tol=0.35)


def test_the_published_vector_holds() -> None:
    table = patients(500, 1)
    noisy = GRID.count(patients(800, 2)) + np.arange(80).reshape(GRID.shape) % 5 - 2
    score = judged(3, GRID, table, noisy, Fraction(2), hashlib.sha256(b"seed").digest(), 1_000).score
    assert (score.name, score.value, score.sigma, score.floor, score.ceiling) == VECTOR


@pytest.mark.parametrize("counts", [(), (1,) * 79, (1,) * 81])
def test_counts_of_another_grid_are_corrupt(counts: tuple[int, ...]) -> None:
    with pytest.raises(Corrupt, match="one count for each cell"):
        NoisyCurve(counts, Fraction(1)).judged(0, GRID, patients(10, 1), SEED, 10)


def test_noisy_counts_come_back_and_other_parts_are_corrupt() -> None:
    curve = NoisyCurve((3, -2), Fraction(7, 2))
    assert NoisyCurve.of_document(curve.document()) == curve
    for wrong in ({"counts": [1.5]}, {"counts": "3"}, {"sigma2": "-1"}, {"sigma2": 3}, {"sigma2": "1/0"}, {"more": 1}):
        with pytest.raises(Corrupt):
            NoisyCurve.of_document(curve.document() | wrong)


VECTOR = ("curve_3", "0.033801", "0.008092", "0.124072", "0.021335")
