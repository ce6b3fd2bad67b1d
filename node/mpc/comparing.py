"""Comparisons of secret numbers, of which only what is asked is opened."""

from typing import Any

from node.mpc.engine import Engine

BATCH = 256
"""How many numbers are compared by one message at a time. Batches do not wait for each other."""


def compared(engine: Engine, numbers: Any, least: int, bits: int) -> Any:
    """For each of the secret `numbers` 1 where it reaches `least`, else 0, as secret numbers."""
    starts = range(0, len(numbers), BATCH)
    return engine.joined([engine.at_least(numbers[start : start + BATCH], least, bits) for start in starts])


async def reaching(engine: Engine, numbers: Any, least: int, bits: int) -> list[int]:
    """The same, openly: nothing else of the numbers is opened."""
    found = await engine.open(compared(engine, numbers, least, bits))
    if not set(found) <= {0, 1}:
        raise ValueError("expected comparisons to be true or false")
    return found


async def all_reach(engine: Engine, numbers: Any, least: int, bits: int) -> bool:
    """Whether each of the secret `numbers` reaches `least`: one opened bit for all of them together."""
    count = len(numbers)
    large = compared(engine, numbers, least, bits).reshape(1, count).sum(axis=1)
    (found,) = await engine.are_zero(large - count)
    return found
