"""Groups of a sketch, and what is chosen by it."""

from dataclasses import replace

import numpy as np
import pytest

from node.synthesis import sketch as sketches
from node.synthesis.columns import columns_of
from node.synthesis.measurements import Histogram
from node.synthesis.records import Records
from node.synthesis.sketch import Sketch, chosen_marginals, sketch_of
from node.synthesis.structure import components, junction_cells
from tests.synthesis.examples import WIDE, measured, rows_of, table_of

ROWS = rows_of(WIDE, 3_000)
RECORDS = Records.of_table(table_of(WIDE, ROWS), WIDE)


def exact(place: int, level: int, starts: np.ndarray, ends: np.ndarray) -> Histogram:
    missing = level == 0 and WIDE.columns[place].missing
    counts = RECORDS.in_cells(place, starts, ends, with_missing=missing)
    noise = measured(WIDE, ROWS[:10], rho_micro=10**6).histograms[0].sigma2
    return Histogram(f"cells/{place}/{level}", (WIDE.names[place],), 1, 1, noise, tuple(counts.tolist()))


COLUMNS = columns_of(WIDE, exact)
BINNED = RECORDS.binned(COLUMNS.cells, COLUMNS.bins)


@pytest.mark.parametrize(("stddev", "most"), [(0.1, 16), (20.0, 6), (1e9, 2)])
def test_columns_have_as_many_groups_as_noise_allows_and_missing_its_own(stddev: float, most: int) -> None:
    sketch = sketch_of(WIDE, COLUMNS, stddev)
    for column, size, bins in zip(WIDE.columns, sketch.sizes, COLUMNS.bins, strict=True):
        assert 1 <= size - column.missing <= min(most, bins.size - column.missing)
    assert sketch.sizes[3] == most


def test_a_sketch_counts_every_row_once_in_each_pair() -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    tables = sketch.tables(BINNED.in_sketch(sketch).tolist())
    assert [table.sum() for table in tables.values()] == [len(ROWS)] * 6
    assert sketch.cells == sum(table.size for table in tables.values())
    singles = sketch.singles()
    for (left, right), table in tables.items():
        assert np.allclose(table.sum(axis=1) / len(ROWS), singles[left], atol=0.02)
        assert np.allclose(table.sum(axis=0) / len(ROWS), singles[right], atol=0.02)


def test_the_pair_that_depends_is_chosen_before_those_that_do_not() -> None:
    rng = np.random.default_rng(3)
    sketch = Sketch(COLUMNS, sketch_of(WIDE, COLUMNS, 20.0).groups)
    singles = sketch.singles()
    tables = []
    for left, right in sketch.pairs:
        table = np.outer(singles[left], singles[right]) * COLUMNS.total
        if (left, right) == (1, 3):
            table += 0.05 * COLUMNS.total * np.sign(rng.normal(size=table.shape))
        tables.append(table.ravel())
    counts = np.rint(np.concatenate(tables)).astype(int).tolist()
    chosen = chosen_marginals(sketch, counts, 1.0, [], 1.0, 1.0)
    assert chosen[0] == (1, 3) and len(components(4, chosen[:3])) == 1
    assert chosen == chosen_marginals(sketch, counts, 1.0, [], 1.0, 1.0)


def test_the_workload_stands_first_and_what_it_explains_comes_last() -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    counts = BINNED.in_sketch(sketch).tolist()
    chosen = chosen_marginals(sketch, counts, 20.0, [(0, 1, 2)], 1.0, 1.0)
    assert chosen[0] == (0, 1, 2) and len(components(4, chosen)) == 1
    assert not {(0, 1), (0, 2), (1, 2)} & set(chosen)


@pytest.mark.parametrize(
    "workload", [[(0, 1, 2), (0, 3), (1, 3), (2, 3)], [(0, 1, 3), (0, 1, 2), (1, 2, 3), (0, 2, 3)]]
)
def test_a_workload_that_leaves_no_pair_is_all_that_is_measured(workload: list[tuple[int, ...]]) -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    assert chosen_marginals(sketch, BINNED.in_sketch(sketch).tolist(), 20.0, workload, 1.0, 1.0) == workload


def test_where_noise_drowns_everything_only_one_pair_is_added_to_those_that_connect() -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    counts = BINNED.in_sketch(sketch).tolist()
    assert len(chosen_marginals(sketch, counts, 20.0, [], 1e6, 1e6)) == 4
    assert len(chosen_marginals(sketch, counts, 20.0, [], 1e-6, 1e-6)) == 6


def test_pairs_that_one_model_cannot_hold_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    counts = BINNED.in_sketch(sketch).tolist()
    monkeypatch.setattr(sketches.structure, "JUNCTION_CELLS", 2_000)
    chosen = chosen_marginals(sketch, counts, 20.0, [], 1e-6, 1e-6)
    assert 3 <= len(chosen) < 6
    assert len(chosen) == 3 or junction_cells(COLUMNS.sizes, chosen) <= 2_000


def test_a_column_of_one_group_breaks_nothing() -> None:
    groups = sketch_of(WIDE, COLUMNS, 20.0).groups
    sketch = replace(sketch_of(WIDE, COLUMNS, 20.0), groups=(groups[0], np.zeros_like(groups[1]), *groups[2:]))
    assert len(components(4, chosen_marginals(sketch, BINNED.in_sketch(sketch).tolist(), 20.0, [], 1.0, 1.0))) == 1


def test_counts_that_are_all_noise_choose_something() -> None:
    sketch = sketch_of(WIDE, COLUMNS, 20.0)
    counts = np.random.default_rng(5).integers(-500, 100, sketch.cells).tolist()
    assert len(components(4, chosen_marginals(sketch, counts, 20.0, [], 1.0, 1.0))) == 1
