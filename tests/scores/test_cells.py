from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.scores import cells as cells_module
from marketplace.scores.cells import Bins, counts

SCHEMA = Schema(
    (
        Number("age", Decimal(0), Decimal(999), Decimal(1), missing=True),
        Category("sex", ("f", "m"), missing=False),
    ),
    None,
    1,
)


def frame(age: list[int], sex: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"age": np.array(age, np.int32), "sex": np.array(sex or [0] * len(age), np.int32)})


def test_a_number_is_cut_into_sixteen_bins_of_equal_share() -> None:
    table = frame(list(range(320)))
    cut = Bins.of(table, SCHEMA).cut(table)
    assert np.bincount(cut.columns[0]).tolist() == [20] * 16
    assert cut.sizes == (17, 3)


def test_a_number_of_two_values_keeps_both_apart() -> None:
    table = frame([0] * 90 + [1] * 10)
    cut = Bins.of(table, SCHEMA).cut(table)
    assert len({cut.columns[0][0], cut.columns[0][-1]}) == 2


def test_missing_is_a_cell_of_its_own_and_no_part_of_the_quantiles() -> None:
    with_gaps, without = frame([-1] * 50 + list(range(160))), frame(list(range(160)))
    assert Bins.of(with_gaps, SCHEMA) == Bins.of(without, SCHEMA)
    cut = Bins.of(with_gaps, SCHEMA).cut(with_gaps)
    assert (cut.columns[0] == cut.sizes[0] - 1).sum() == 50
    assert cut.missing().columns[0].sum() == 50


@given(st.lists(st.integers(-1, 999), min_size=1, max_size=200), st.lists(st.integers(-1, 999), max_size=50))
def test_any_other_table_falls_into_the_same_cells_in_order(made: list[int], real: list[int]) -> None:
    bins = Bins.of(frame(made), SCHEMA)
    cut = bins.cut(frame(real))
    assert cut.sizes[0] <= 17
    present = sorted((code, cell) for code, cell in zip(real, cut.columns[0].tolist(), strict=True) if code >= 0)
    assert [cell for _, cell in present] == sorted(cell for _, cell in present)
    assert all(0 <= cell < cut.sizes[0] - 1 for _, cell in present)


def test_a_column_that_is_all_missing_has_one_bin_and_missing() -> None:
    table = frame([-1, -1])
    assert Bins.of(table, SCHEMA).cut(table).sizes[0] == 2


@pytest.mark.parametrize("code", [-2, 1000])
def test_codes_outside_the_schema_are_a_mistake_of_the_caller(code: int) -> None:
    with pytest.raises(ValueError, match="'age'"):
        Bins.of(frame([0]), SCHEMA).cut(frame([code]))


def test_other_columns_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="columns in order"):
        Bins.of(frame([0]), SCHEMA).cut(frame([0])[["sex", "age"]])


def test_sparse_and_dense_counting_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    tables = [frame(random.integers(-1, 999, size).tolist(), random.integers(0, 2, size).tolist()) for size in (90, 40)]
    bins = Bins.of(tables[0], SCHEMA)
    cut = [bins.cut(table) for table in tables]
    dense = counts(cut, ("age", "sex"))
    monkeypatch.setattr(cells_module, "DENSE_CELLS", 0)
    monkeypatch.setattr(cells_module.Cells, "size", lambda *_: 10**12)
    sparse = counts(cut, ("age", "sex"))
    seen = (dense[0] + dense[1]) > 0
    assert [part[seen].tolist() for part in dense] == [part.tolist() for part in sparse]
