"""Two groups' ranks inside: from secret counts in bins only the rows of each, U, and roughly how many rows are tied."""

from typing import Any

import numpy as np

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_groups import MOST_RANKED_BITS, RANKS, tie_bits
from marketplace.protocol.closing_opening import Opening
from node.mpc.comparing import all_reach
from node.mpc.engine import Engine


async def ranks(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """What everybody sees: `CLOSED` for each bin, then the numbers that `closed_ranks` takes, closed as well where a group has
    too few rows or both too many. `numbers`: the first group's bins, the second's, and nothing more."""
    bins = opening.shape[0] // 2
    first, second = numbers[:bins], numbers[bins : 2 * bins]
    ones = np.ones((bins, 1), dtype=np.int64)
    rows = engine.joined([first.reshape(1, bins) @ ones, second.reshape(1, bins) @ ones]).reshape(2)
    closed = [CLOSED] * (opening.shape[0] + RANKS)
    if not await all_reach(engine, rows, opening.least, bits):
        return closed
    counts = await engine.open(rows)
    if sum(counts).bit_length() > MOST_RANKED_BITS:
        return closed
    below = 2 * np.triu(np.ones((bins, bins), dtype=np.int64), 1) + np.eye(bins, dtype=np.int64)
    twice = (second.reshape(1, bins) @ below) @ first.reshape(bins, 1)
    tied = first + second
    ties = (tied * tied).reshape(1, bins) @ tied.reshape(bins, 1)
    cut = await engine.rounded(ties, tie_bits(sum(counts)), 3 * MOST_RANKED_BITS)
    (u, t) = await engine.open(engine.joined([twice.reshape(1), cut.reshape(1)]))
    if not 0 <= u <= 2 * counts[0] * counts[1]:
        raise ValueError("expected ranks of as many rows as there are")
    return [*closed[:-RANKS], *counts, u, t]
