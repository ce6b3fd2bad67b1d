"""What comes out of shares is believed only where parties can have put it in."""

import asyncio
from typing import Any

import numpy as np
import pytest

from marketplace.protocol.analysis_linkage import TIMES
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.linkage import linked
from node.mpc.openings import opened

PARTIES, MOST, BUCKETS = 3, 100, 4


class Spoilt:
    """An engine whose openings are all the same number, whatever is opened."""

    zero = np.array([0], dtype=object)

    def __init__(self, seen: int) -> None:
        self._seen = seen

    def joined(self, parts: list[Any]) -> Any:
        return np.concatenate(parts)

    async def open(self, numbers: Any) -> list[int]:
        return [self._seen] * len(numbers)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_beyond_what_all_parties_may_hand_in_together_ends_the_order(sign: int) -> None:
    def seen(number: int) -> list[int]:
        numbers, opening = np.array([1, 2], dtype=object), Opening(How.WHOLE, (1, 2), 0, MOST)
        return asyncio.run(opened(Spoilt(sign * number), numbers, opening, PARTIES))  # type: ignore[arg-type]

    assert seen(PARTIES * MOST) == [sign * PARTIES * MOST] * 2
    with pytest.raises(ValueError, match="within the declared bounds"):
        seen(PARTIES * MOST + 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_more_persons_than_there_are_buckets_and_noise_end_the_order(sign: int) -> None:
    def seen(number: int) -> list[int]:
        held = [np.array([1, 0, 1, 0, *[7] * 4], dtype=object) for _ in range(PARTIES)]
        opening = Opening(How.LINKED, (BUCKETS, 4), 2, MOST)
        return asyncio.run(linked(Spoilt(sign * number), held, opening))  # type: ignore[arg-type]

    largest = TIMES * BUCKETS + PARTIES * MOST
    assert seen(largest) == [CLOSED] * BUCKETS + [sign * largest] * 4
    with pytest.raises(ValueError, match="within the declared bounds"):
        seen(largest + 1)
