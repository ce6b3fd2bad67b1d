import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from node.synthesis.drawing import spread
from tests.noise.goodness import fits
from tests.synthesis.examples import stream


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 200))
def test_counts_in_a_group_are_within_2_of_their_expectation(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random((3, 5)) * (rng.random((3, 5)) > 0.3)
    group = rng.integers(0, 3, rows)
    values = spread(weights, group, stream(seed).stage("spread"))
    for one in range(3):
        share = weights[one] / weights[one].sum() if weights[one].any() else np.full(5, 0.2)
        counts = np.bincount(values[group == one], minlength=5)
        assert (abs(counts - share * (group == one).sum()) < 2).all()


def test_a_value_without_weight_is_never_drawn() -> None:
    values = spread(np.array([[0.0, 1.0, 0.0, 1e-9, 0.0]]), np.zeros(10_000, np.intp), stream().stage("never"))
    assert set(values) <= {1, 3}


def test_one_row_has_the_distribution_of_its_group() -> None:
    weights = np.array([[1.0, 2.0, 5.0]])
    drawn = [int(spread(weights, np.zeros(1, np.intp), stream(i).stage("one"))[0]) for i in range(4_000)]
    assert fits(np.array(drawn), {0: 1.0, 1: 2.0, 2: 5.0})


def test_no_rows_are_no_values() -> None:
    assert spread(np.ones((1, 2)), np.zeros(0, np.intp), stream().stage("none")).shape == (0,)
