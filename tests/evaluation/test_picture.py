import io
from decimal import Decimal

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from marketplace.protocol.schema import Category, Number, Schema
from node.evaluation.histogram import NoisyCounts
from node.evaluation.picture import association, draw
from tests.evaluation.tables import SCHEMA, arrow, records

NOISY = (
    NoisyCounts("age", tuple(range(first, first + 5) for first in range(0, 100, 5)), tuple(range(20)), 9, 4.0),
    NoisyCounts("stage", ((0,), (1,), (2,), (3,)), (40, 30, 20, 10), None, 4.0),
)


def test_the_same_table_gives_the_same_bytes_whatever_the_users_style() -> None:
    table = arrow(records(200, 1))
    plain = draw(table, SCHEMA, NOISY)
    with matplotlib.rc_context({"text.usetex": False, "font.size": 20.0, "savefig.dpi": 30}):
        assert draw(table, SCHEMA, NOISY) == plain
    assert plain.startswith(b"\x89PNG")
    assert b"matplotlib" not in plain.lower()


def test_released_counts_are_drawn() -> None:
    table = arrow(records(200, 1))
    assert draw(table, SCHEMA, NOISY) != draw(table, SCHEMA, NOISY[:1]) != draw(table, SCHEMA, ())


@pytest.mark.parametrize("columns", [1, 2, 5, 20])
def test_any_number_of_columns_can_be_drawn_and_none_beyond_sixteen(columns: int) -> None:
    schema = Schema(
        tuple(
            Number(f"$n_{index}^{{$", Decimal(0), Decimal(40), Decimal(1), missing=True)
            if index % 2
            else Category(f"c {index}", ("<b>", "a very long name of a category"), missing=True)
            for index in range(columns)
        ),
        None,
        1,
    )
    random = np.random.default_rng(1)
    table = pd.DataFrame({column.name: random.integers(-1, column.size, 50) for column in schema.columns}).astype(
        np.int32
    )
    image = Image.open(io.BytesIO(draw(arrow(table), schema, ())))
    assert image.width == 1430
    assert image.height < 1900


def test_one_row_or_a_column_without_values_can_be_drawn() -> None:
    assert draw(arrow(records(1, 1)), SCHEMA, ())
    assert draw(arrow(records(50, 1).assign(age=np.int32(-1), ward=np.int32(-1))), SCHEMA, NOISY)


def test_association_is_nothing_for_independent_and_one_for_equal_columns() -> None:
    random = np.random.default_rng(1)
    schema = Schema(tuple(Category(name, tuple("abcd"), missing=False) for name in "xyz"), None, 1)
    left, right = random.integers(0, 4, 4_000), random.integers(0, 4, 4_000)
    found = association(pd.DataFrame({"x": left, "y": left, "z": right}).astype(np.int32), schema)
    assert found[0, 1] == pytest.approx(1, abs=1e-3)
    assert found[0, 2] < 0.05
    assert (found == found.T).all()
    constant = association(pd.DataFrame({"x": left, "y": left * 0, "z": right}).astype(np.int32), schema)
    assert constant[0, 1] == 0
