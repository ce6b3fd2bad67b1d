import numpy as np
import pytest

from node.synthesis.bins import Bins
from node.synthesis.cells import Cells
from node.synthesis.columns import Columns, NoisyMarginal
from node.synthesis.estimation import estimate
from tests.synthesis.examples import ignore, never


def column(masses: list[float], stddev: float) -> tuple[Cells, Bins]:
    places = np.arange(len(masses))
    held = np.array(masses)
    return Cells(places, places + 1, held, None, stddev, np.ones(len(masses), np.bool_)), Bins(places, held)


def columns_of(*masses: list[float], stddev: float = 0.1) -> Columns:
    cells, bins = zip(*(column(one, stddev) for one in masses), strict=True)
    return Columns(cells, bins, float(sum(masses[0])))


def joint_of(columns: Columns, marginals: list[NoisyMarginal]) -> np.ndarray:
    joint = np.ones(columns.sizes)
    for step in estimate(columns, marginals, [], ignore, never).steps():
        axes = (*step.parents, step.column)
        order = sorted(range(len(axes)), key=lambda place: axes[place])
        shape = [size if axis in axes else 1 for axis, size in enumerate(columns.sizes)]
        joint = joint * step.weights.transpose(order).reshape(shape)
    return joint


def test_columns_alone_are_independent() -> None:
    joint = joint_of(columns_of([300.0, 700.0], [200.0, 300.0, 500.0]), [])
    assert joint == pytest.approx(np.outer([0.3, 0.7], [0.2, 0.3, 0.5]), abs=1e-4)


def test_exact_marginals_that_agree_are_met() -> None:
    rng = np.random.default_rng(5)
    real = rng.random((2, 3, 2)) * 100 + 1
    columns = columns_of(*(real.sum(axis=tuple({0, 1, 2} - {place})).tolist() for place in range(3)))
    pairs = [(0, 1), (1, 2), (0, 2)]
    sums = [real.sum(axis=rest) for rest in (2, 0, 1)]
    measured = [NoisyMarginal(pair, total.ravel(), 0.1) for pair, total in zip(pairs, sums, strict=True)]
    joint = joint_of(columns, measured)
    for rest, total in zip((2, 0, 1), sums, strict=True):
        assert joint.sum(axis=rest) == pytest.approx(total / real.sum(), abs=1e-4)


def test_cells_below_nothing_come_out_as_nearly_nothing() -> None:
    columns = columns_of([500.0, 500.0], [500.0, 500.0], stddev=10.0)
    joint = joint_of(columns, [NoisyMarginal((0, 1), np.array([510.0, -12.0, -9.0, 511.0]), 10.0)])
    assert joint[0, 1] < 0.005 and joint[1, 0] < 0.005
    assert joint.sum() == pytest.approx(1)


def test_of_two_measurements_that_disagree_the_less_noisy_counts_more() -> None:
    columns = columns_of([500.0, 500.0], [500.0, 500.0], stddev=10.0)
    one = NoisyMarginal((0, 1), np.array([450.0, 50.0, 50.0, 450.0]), 3.0)
    other = NoisyMarginal((0, 1), np.array([250.0, 250.0, 250.0, 250.0]), 30.0)
    assert joint_of(columns, [one, other])[0, 0] == pytest.approx(0.448, abs=0.002)
