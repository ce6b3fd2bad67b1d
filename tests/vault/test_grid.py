"""Draft bounds and steps."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.schema import LARGEST_SIZE, MOST_DECIMALS, Number
from node.vault.grid import draft_number


def drafted(low: str, high: str, decimals: int, middle: str = "0") -> Number:
    return draft_number("x", Decimal(low), Decimal(high), decimals=decimals, middle=Decimal(middle), missing=False)


@pytest.mark.parametrize(
    ("low", "high", "decimals", "middle", "bounds"),
    [
        ("0", "1", 0, "1", ("0", "1", "1")),
        ("3", "97", 0, "40", ("0", "100", "1")),
        ("0", "138", 1, "16", ("0", "140", "0.1")),
        ("-17.5", "218.2", 1, "2", ("-20", "220", "0.1")),
        ("0", "61370.2", 1, "2.2", ("0", "65000", "0.1")),
        ("0.0013", "0.9871", 16, "0.5", ("0", "1", "0.0001")),
        ("7", "7", 0, "0", ("7", "7", "1")),
        ("3.7", "3.7", 1, "0", ("3.7", "3.7", "0.1")),
        ("0", "40000000", 0, "10000", ("0", "40000000", "50")),
    ],
)
def test_bounds_are_round_and_steps_are_as_fine_as_is_useful(
    low: str, high: str, decimals: int, middle: str, bounds: tuple[str, str, str]
) -> None:
    column = drafted(low, high, decimals, middle)
    assert (str(column.lower), str(column.upper), str(column.step)) == bounds


@given(
    extremes=st.lists(st.decimals(-(10**11), 10**11, allow_nan=False, places=6), min_size=2, max_size=2),
    decimals=st.integers(0, MOST_DECIMALS),
    part=st.decimals(0, 1, allow_nan=False, places=3),
)
def test_every_draft_is_a_column_that_holds_what_was_seen(
    extremes: list[Decimal], decimals: int, part: Decimal
) -> None:
    low, high = min(extremes), max(extremes)
    column = draft_number("x", low, high, decimals=decimals, middle=(high - low) * part, missing=True)
    assert column.lower <= low <= high <= column.upper
    assert column.size <= LARGEST_SIZE
    assert column.step.normalize().as_tuple().digits in {(1,), (2,), (5,)}
