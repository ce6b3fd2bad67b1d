"""Comparisons of secret numbers, of which only what is asked is opened."""

from typing import Any

from node.mpc.engine import Engine

BATCH = 256


async def reaching(engine: Engine, numbers: Any, least: int, bits: int) -> list[int]:
    """For each of the secret `numbers`, openly, 1 where it reaches `least`, else 0: nothing else of it is opened."""
    found: list[int] = []
    for start in range(0, len(numbers), BATCH):
        found += await engine.open(engine.at_least(numbers[start : start + BATCH], least, bits))
    if not set(found) <= {0, 1}:
        raise ValueError("expected comparisons to be true or false")
    return found


async def all_reach(engine: Engine, numbers: Any, least: int, bits: int) -> bool:
    """Whether each of the secret `numbers` reaches `least`: one opened bit for all of them together."""
    count = len(numbers)
    parts = [numbers[start : start + BATCH] for start in range(0, count, BATCH)]
    large = [engine.at_least(one, least, bits).reshape(1, len(one)).sum(axis=1) for one in parts]
    (found,) = await reaching(engine, sum(large[1:], large[0]), count, count.bit_length() + 2)
    return bool(found)
