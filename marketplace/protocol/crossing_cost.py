"""What opening a split table takes, told before it is bought."""

import math

from marketplace.protocol.analysis_quote import PAIR_BYTES, PARTY_S, ROUND_BYTES, SETUP_S, Cost
from marketplace.protocol.pool import TWIN_THRESHOLD

ELEMENT_BYTES, CROSSED_BYTE_S = 4, 2e-7
"""Of a number that is shared in a crossing, and how long a byte of such takes with all that is done about it: `scripts/bench
mpc vertical`, 73 s for 376 MB at each of three parties, the slowest of its tables (docs/joint.md)."""


def cost_of_crossings(rounds: int, numbers: int, cells: int, parties: int) -> Cost:
    """What opening a split table takes, between nodes that are close to each other. `numbers`: what a party shares in all of
    the `rounds`; `cells`: what is opened in them."""
    sent = ELEMENT_BYTES * (numbers * (parties - 1 - TWIN_THRESHOLD) + 2 * cells * (parties - 1))
    moved = 2 * sent + (parties - 1) * (PAIR_BYTES + ROUND_BYTES * rounds)
    return Cost(math.ceil(SETUP_S + PARTY_S * parties + CROSSED_BYTE_S * moved), moved)
