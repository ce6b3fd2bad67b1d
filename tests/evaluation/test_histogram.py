from decimal import Decimal

import numpy as np
import pytest

from marketplace.protocol.schema import Category, Number
from node.evaluation.histogram import NARROWEST, NoisyCounts, bars, middle

AGE = Number("age", Decimal(0), Decimal(999), Decimal(1), missing=True)
WARD = Category("ward", tuple(f"w{index}" for index in range(12)), missing=False)
CODES = np.array([-1] * 100 + list(range(900)), np.int32)


def test_fine_cells_of_a_number_are_joined_until_they_can_be_seen() -> None:
    cells = tuple(range(first, first + 5) for first in range(0, 1000, 5))
    found = bars(CODES, AGE, NoisyCounts("age", cells, (5,) * 200, 100, 2.0))
    *numbers, missing = found
    widths = [bar.codes[1] - bar.codes[0] for bar in numbers if bar.codes]
    low, high = middle(CODES)
    assert len(widths) == len(numbers) <= NARROWEST + 4
    assert min(widths) >= (high - low + 1) / NARROWEST
    assert sum(bar.share for bar in found) == pytest.approx(1)
    assert sum(bar.released or 0 for bar in found) == pytest.approx(1)
    assert missing.label == "missing"
    assert missing.share == 0.1
    assert missing.reach == pytest.approx(1.96 * 2 / 1_100)
    assert numbers[0].reach == pytest.approx(1.96 * 2 * (widths[0] / 5) ** 0.5 / 1_100)


def test_a_number_of_few_cells_gets_labelled_bars() -> None:
    found = bars(CODES, AGE, NoisyCounts("age", (range(450), range(450, 451), range(451, 1000)), (1, 2, 3), 4, 1.0))
    assert [bar.label for bar in found] == ["0 to 449", "450", "451 to 999", "missing"]
    assert found[1].released == pytest.approx(0.2)
    two = bars(np.array([0, 1, 1], np.int32), AGE, None)
    assert [(bar.label, bar.released) for bar in two] == [("0", None), ("1", None), ("missing", None)]


def test_a_number_without_released_counts_is_a_plain_histogram() -> None:
    found = bars(CODES, AGE, None)
    assert len(found) <= NARROWEST + 2
    assert all(bar.released is None and bar.reach == 0 for bar in found)
    assert sum(bar.share for bar in found) > 0.97


def test_categories_come_by_frequency_with_the_rest_as_one() -> None:
    codes = np.repeat(np.arange(12), np.arange(12, 0, -1)).astype(np.int32)
    found = bars(
        codes, WARD, NoisyCounts("ward", tuple((code,) for code in range(12)), tuple(range(12, 0, -1)), None, 1)
    )
    assert [bar.label for bar in found] == [f"w{index}" for index in range(8)] + ["4 others"]
    assert sum(bar.share for bar in found) == pytest.approx(1)
    assert found[-1].released == pytest.approx(found[-1].share)
    assert found[-1].reach == pytest.approx(2 * found[0].reach)


def test_merged_categories_say_how_many_they_are() -> None:
    codes = np.arange(12).astype(np.int32)
    found = bars(codes, WARD, NoisyCounts("ward", ((0,), tuple(range(1, 12))), (1, 11), None, 1.0))
    assert [bar.label for bar in found] == ["w1 and 10 more", "w0"]


def test_counts_that_noise_made_negative_do_no_harm() -> None:
    found = bars(np.zeros(5, np.int32), WARD, NoisyCounts("ward", ((0,), tuple(range(1, 12))), (-3, -4), None, 9.0))
    assert found[0].released == -3


@pytest.mark.parametrize("cells", [((0,),), ((0,), ())])
def test_counts_without_cells_are_a_mistake_of_the_caller(cells: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="one count for each cell"):
        NoisyCounts("ward", cells, (1, 2), None, 1.0)


def test_a_column_that_is_all_missing_has_a_middle() -> None:
    assert middle(np.array([-1, -1], np.int32)) == (0, 0)
    assert [bar.label for bar in bars(np.array([-1], np.int32), AGE, None)] == ["missing"]
