"""No row moves the sum of gradients by more than its bound, whatever the network and whatever the row."""

from math import isqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from node.synthesis.neural.gradients import CLIPPED_UNITS, Grid, rounded, row_gradients, sum_of, summed, times
from node.synthesis.neural.network import loss_of
from tests.synthesis.neural.test_network import PLAN, every_row, weights

NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)
GRID = Grid(1.0, PLAN.parameters)


def norm_squared(whole: torch.Tensor) -> int:
    return sum(int(number) ** 2 for number in whole.flatten().tolist())


@given(st.lists(NUMBERS, min_size=5, max_size=5), st.sampled_from([1e-20, 1e-3, 1.0, 1e6]))
def test_whatever_a_gradient_is_its_whole_numbers_stay_within_the_bound(numbers: list[float], clip: float) -> None:
    grid = Grid(clip, 5)
    whole = rounded(torch.tensor([numbers], dtype=torch.float32), grid)
    assert whole.dtype == torch.int64
    assert norm_squared(whole) <= grid.bound**2


@given(st.integers(1, 50_000))
def test_the_bound_holds_the_rounding_and_little_more(parameters: int) -> None:
    over = Grid(1.0, parameters).bound - CLIPPED_UNITS
    assert parameters / 4 <= over**2 and over <= isqrt(parameters) // 2 + 1


def test_rounding_alone_can_pass_the_clip_and_is_counted() -> None:
    parameters = 10_000
    each = (np.floor(CLIPPED_UNITS / np.sqrt(parameters)) + 0.5001) / CLIPPED_UNITS
    whole = rounded(torch.full((1, parameters), each), Grid(1.0, parameters))
    assert norm_squared(whole) > CLIPPED_UNITS**2


def test_a_gradient_within_the_clip_is_kept_to_half_a_unit() -> None:
    gradients = torch.tensor([[0.3, -0.4, 0.0, 0.1234567]])
    whole = rounded(gradients, Grid(2.0, 4))
    assert torch.allclose(whole * Grid(2.0, 4).unit, gradients, atol=0.51 * Grid(2.0, 4).unit)


def test_a_longer_one_keeps_its_direction_and_is_cut() -> None:
    whole = rounded(torch.tensor([[3e3, -4e3]]), Grid(1.0, 2))
    assert whole.tolist() == [[round(0.6 * CLIPPED_UNITS), round(-0.8 * CLIPPED_UNITS)]]


def test_a_row_whose_norm_was_computed_wrong_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.synthesis.neural.gradients.sum_of", lambda numbers: torch.ones(len(numbers)))
    whole = rounded(torch.tensor([[0.6, 0.8], [3.0, 4.0]]), Grid(1.0, 2))
    assert whole.any(dim=1).tolist() == [True, False]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 29), min_size=1, max_size=40), st.integers(0, 1_000))
def test_a_row_s_gradient_is_its_own_to_the_last_bit_wherever_it_stands(places: list[int], seed: int) -> None:
    exact = {name: weight.to(torch.float64) for name, weight in weights(seed).items()}
    among = row_gradients(exact, PLAN, every_row()[places])
    for found, place in zip(among, places, strict=True):
        assert torch.equal(found, row_gradients(exact, PLAN, every_row()[place : place + 1])[0])


def test_sums_and_products_are_right() -> None:
    numbers = torch.rand((7, 13), dtype=torch.float64)
    assert torch.allclose(sum_of(numbers), numbers.sum(1))
    assert torch.allclose(times(numbers, numbers.T), numbers @ numbers.T)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 1)), min_size=0, max_size=6),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=4),
    st.floats(-12, 12),
    st.integers(0, 1_000),
)
def test_all_rows_of_one_person_move_the_sum_by_no_more_than_their_number_times_the_bound(
    others: list[tuple[int, ...]], person: list[tuple[int, ...]], size: float, seed: int
) -> None:
    given_weights = {name: weight * 10.0**size for name, weight in weights(seed).items()}
    rows = torch.tensor(others, dtype=torch.int64).reshape(-1, 3)
    more = torch.cat([rows, torch.tensor(person)])
    moved = summed(given_weights, PLAN, more, GRID) - summed(given_weights, PLAN, rows, GRID)
    assert norm_squared(moved) <= (len(person) * GRID.bound) ** 2
    assert torch.equal(moved, summed(given_weights, PLAN, torch.tensor(person), GRID))


def test_the_sum_is_that_of_the_rows_own_gradients() -> None:
    rows, wide = every_row(), Grid(1e3, PLAN.parameters)
    free = {name: weight.clone().requires_grad_() for name, weight in weights().items()}
    loss_of(free, PLAN, rows).sum().backward()
    wanted = torch.cat([free[name].grad.reshape(-1) for name in PLAN.shapes])
    found = summed(weights(), PLAN, rows, wide) * wide.unit
    assert torch.allclose(found.to(torch.float32), wanted, atol=len(rows) * wide.unit)


def test_the_order_of_rows_and_their_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = every_row()
    whole = summed(weights(), PLAN, rows, GRID)
    monkeypatch.setattr("node.synthesis.neural.gradients.CHUNK_NUMBERS", 7 * PLAN.parameters)
    assert torch.equal(summed(weights(), PLAN, rows.flip(0), GRID), whole)
    assert not summed(weights(), PLAN, rows[:0], GRID).any()
