from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Invalid
from node.synthesis.cells import Codes
from node.synthesis.columns import columns_of
from node.synthesis.measurements import Histogram
from node.synthesis.records import BinnedRecords, Records
from tests.synthesis.examples import FEW, WIDE, rows_of, table_of

SIZES = (3, 5, 4)

bins = st.tuples(*(st.integers(0, size - 1) for size in SIZES))


def binned(rows: list[tuple[int, ...]], bound: int) -> BinnedRecords:
    columns = np.array(rows, np.int64).reshape(-1, len(SIZES)).T
    return BinnedRecords(tuple(columns), SIZES, bound)


def coded(codes: list[int]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([None if code < 0 else code for code in codes], pa.int32())])


@settings(deadline=None)
@given(st.lists(bins, max_size=30), st.lists(bins, min_size=1, max_size=4), st.data())
def test_a_person_moves_a_marginal_and_its_distance_by_at_most_the_bound(
    rows: list[tuple[int, ...]], person: list[tuple[int, ...]], data: st.DataObject
) -> None:
    bound = 4
    without, with_person = binned(rows, bound), binned(rows + person, bound)
    for places in ((0,), (0, 1), (1, 2), (0, 1, 2)):
        moved = with_person.marginal(places) - without.marginal(places)
        assert (moved**2).sum() <= bound**2
        if len(places) != 2:
            continue
        cells = len(moved)
        expected = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=cells, max_size=cells)))
        assert abs(with_person.distance(places, expected) - without.distance(places, expected)) <= bound


@settings(deadline=None)
@given(
    st.lists(st.integers(-1, 400), max_size=40),
    st.lists(st.integers(-1, 400), min_size=1, max_size=3),
    st.sets(st.integers(0, 400), max_size=6),
)
def test_a_person_moves_cells_by_at_most_the_bound(codes: list[int], person: list[int], inner: set[int]) -> None:
    starts = np.array(sorted(inner | {0}))
    ends = np.append(starts[1:], 401)
    one, other = (
        Records((coded(side),), 3).in_cells(0, starts, ends, with_missing=True) for side in (codes, codes + person)
    )
    assert one.sum() == len(codes) and other.sum() == len(codes) + len(person)
    assert ((other - one) ** 2).sum() <= 3**2


def test_counts_do_not_depend_on_how_many_rows_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(WIDE, rows_of(WIDE, 500))
    pieces = pa.concat_tables([table.slice(0, 123), table.slice(123)])
    starts, ends = np.array([0, 7, 200]), np.array([7, 200, 401])
    cells = columns_of(WIDE, lambda place, level, starts, ends: counted(table, place, level, starts, ends))

    def all_counts(table: pa.Table) -> list[list[int]]:
        records = Records.of_table(table, WIDE)
        binned = records.binned(cells.cells, cells.bins)
        found = [records.in_cells(1, starts, ends, with_missing=True), binned.marginal((0, 1, 3))]
        return [counts.tolist() for counts in [*found, *binned.pairs.values()]]

    whole = all_counts(table)
    monkeypatch.setattr("node.synthesis.records.BATCH_ROWS", 60)
    assert all_counts(pieces) == whole
    assert {sum(counts) for counts in whole} == {500}


def counted(table: pa.Table, place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
    column = WIDE.columns[place]
    counts = Records.of_table(table, WIDE).in_cells(place, starts, ends, level == 0 and column.missing)
    return Histogram(f"cells/{place}/{level}", (column.name,), 1, 1, Fraction(1), tuple(counts.tolist()))


def test_a_marginal_counts_rows_the_last_column_varying_fastest() -> None:
    counts = binned([(0, 0, 1), (0, 0, 1), (2, 4, 3)], 1).marginal((0, 2))
    assert counts.tolist() == [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_cells_that_are_left_out_are_not_counted() -> None:
    records = Records((coded([0, 1, 5, 9, -1]),), 1)
    assert records.in_cells(0, np.array([1, 8]), np.array([2, 10]), with_missing=False).tolist() == [1, 1]


def column_of(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def faulty_tables() -> list[tuple[str, pa.Table]]:
    table = table_of(WIDE, rows_of(WIDE, 3))
    return [
        ("in this order", table.select(["age", "stage", "visits", "clinic"])),
        ("in this order", table.drop_columns(["age"])),
        ("as int32", column_of(table, "age", pa.array([1, 2, 3], pa.int64()))),
        ("codes from 0 to 10", column_of(table, "visits", pa.array([1, 2, 11], pa.int32()))),
        ("codes from 0 to 2", column_of(table, "stage", pa.array([None, 2, -1], pa.int32()))),
        ("a value in every row", column_of(table, "clinic", pa.array([1, None, 3], pa.int32()))),
    ]


@pytest.mark.parametrize(("expected", "table"), faulty_tables())
def test_a_table_of_another_schema_is_invalid_and_the_message_carries_no_value(expected: str, table: pa.Table) -> None:
    with pytest.raises(Invalid, match=expected):
        Records.of_table(table, WIDE)


def test_a_table_without_rows_is_records() -> None:
    assert [len(codes) for codes in Records.of_table(table_of(FEW, []), FEW).columns] == [0, 0, 0]
