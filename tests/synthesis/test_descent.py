import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from node.synthesis.descent import least

Floats = NDArray[np.float64]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 10**6))
def test_the_bottom_of_a_bowl_is_found(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bottom, widths = rng.normal(0, 5, size), 10.0 ** rng.uniform(-2, 2, size)

    def bowl(point: Floats) -> tuple[float, Floats]:
        return float((widths * (point - bottom) ** 2).sum()) / 2, widths * (point - bottom)

    assert least(bowl, np.zeros(size), 500) == pytest.approx(bottom, abs=1e-4)


def test_a_valley_that_is_no_bowl_is_followed_to_its_bottom() -> None:
    def valley(point: Floats) -> tuple[float, Floats]:
        return float(np.logaddexp(point, -2 * point).sum()), 1 - 3 / (1 + np.exp(3 * point))

    assert least(valley, np.array([40.0, -30.0, 0.0]), 200) == pytest.approx(np.full(3, np.log(2) / 3), abs=1e-6)


def test_no_more_steps_are_taken_than_asked_for() -> None:
    asked = 0

    def slope(point: Floats) -> tuple[float, Floats]:
        nonlocal asked
        asked += 1
        return float(point.sum()), np.ones(2)

    least(slope, np.zeros(2), 5)
    assert asked == 6


def test_nothing_to_find_is_found_at_once() -> None:
    assert least(lambda point: (0.0, point), np.empty(0), 10).size == 0
