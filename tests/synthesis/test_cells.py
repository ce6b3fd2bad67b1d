from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.schema import Category, Number
from node.synthesis.bins import bins_of, most_bins
from node.synthesis.cells import FAN, cut, cuts, first_cells, first_cuts, nearest, widths, worth_cutting


def number(size: int, missing: bool = False) -> Number:
    return Number("x", Decimal(0), Decimal(size - 1), Decimal(1), missing)


def category(size: int, missing: bool = False) -> Category:
    return Category("x", tuple(f"v{i}" for i in range(size)), missing)


@pytest.mark.parametrize("size", [1, 2, FAN, FAN + 1, 1401, FAN**2, FAN**2 + 1, 614_001, 1_000_000])
def test_levels_are_few_fine_and_of_few_cells(size: int) -> None:
    levels = widths(number(size))
    assert levels[-1] == 1
    assert len(first_cuts(number(size))[0]) <= FAN
    assert all(wide <= FAN * fine for wide, fine in pairwise(levels))


def test_a_category_has_one_cell_for_each_value() -> None:
    assert widths(category(1000)) == (1,) and len(first_cuts(category(1000))[0]) == 1000


@given(st.integers(1, 5000), st.integers(0, 10**6))
def test_cells_hold_every_code_once_however_they_are_cut(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    column = number(size)
    cells = first_cells(column, rng.normal(50, 40, len(first_cuts(column)[0])), 10.0, 1000.0)
    for width in widths(column)[1:]:
        chosen = worth_cutting(cells)
        assert chosen.size > 0
        counts = rng.normal(20, 30, len(cuts(cells, chosen, width)[0]))
        cells = cut(cells, chosen, width, counts, 10.0)
    assert cells.starts[0] == 0 and cells.ends[-1] == size
    assert np.array_equal(cells.starts[1:], cells.ends[:-1])
    assert (cells.masses >= 0).all() and cells.masses.sum() == pytest.approx(1000)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1e6))
def test_the_nearest_masses_are_not_negative_and_keep_the_total(counts: list[float], total: float) -> None:
    masses = nearest(np.array(counts), total)
    assert (masses >= 0).all() and masses.sum() == pytest.approx(total, abs=1e-6 * max(1.0, total))


def test_the_nearest_masses_to_masses_are_themselves() -> None:
    assert nearest(np.array([3.0, 0.0, 5.0]), 8.0).tolist() == [3.0, 0.0, 5.0]


def test_rare_categories_are_one_bin_and_missing_is_the_last() -> None:
    column = category(5, missing=True)
    cells = first_cells(column, np.array([500.0, 3.0, 400.0, 1.0, 2.0, 94.0]), 10.0, 1000.0)
    bins = bins_of(column, cells)
    assert bins.of_cell.tolist() == [0, 2, 1, 2, 2] and bins.size == 4
    assert bins.masses[-1] == cells.missing and bins.masses.sum() == pytest.approx(1000)


def test_one_rare_category_stays_itself() -> None:
    cells = first_cells(category(3), np.array([500.0, 3.0, 497.0]), 10.0, 1000.0)
    assert bins_of(category(3), cells).of_cell.tolist() == [0, 1, 2]


@given(st.integers(1, 3000), st.booleans(), st.integers(0, 10**6))
def test_bins_are_consecutive_few_and_keep_all_mass(size: int, missing: bool, seed: int) -> None:
    column = number(size, missing)
    counts = np.random.default_rng(seed).exponential(40, len(first_cuts(column)[0]) + missing)
    cells = first_cells(column, counts, 5.0, 1000.0)
    bins = bins_of(column, cells)
    assert set(np.diff(bins.of_cell)) <= {0, 1} and bins.of_cell[0] == 0
    assert bins.size <= most_bins(column) and bins.masses.sum() == pytest.approx(1000)
