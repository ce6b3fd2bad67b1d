"""What a joint analysis takes, told before it is bought: of what is summed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.protocol.analysis import Asked

SETUP_S, PARTY_S, ROUND_S, CELL_S = 0.5, 0.3, 0.02, 8e-7
PAIR_BYTES, ROUND_BYTES, CELL_BYTES = 420, 84, 16
"""Measured between processes of one machine with two cores: a cell's seconds with two peers (decision 0013), and a party's
bytes with each of its peers (decision 0018)."""
MEETING_WAITS, ENDING_WAITS, ROUND_WAITS = 4, 1, 2
"""Messages that wait for each other: until all are connected and have greeted each other, for the signatures, and for a round,
in which all say that they mean the same before they say their numbers."""
FAR_MS = 50
"""A long way between nodes: how much later everything arrives there."""


@dataclass(frozen=True)
class Cost:
    """What a party and its peers need for it. `seconds`: between nodes that are close to each other. `bytes`: sent and heard
    by one party. `waits`: how many messages wait for each other, one after the other: each adds the time of its way."""

    seconds: int
    bytes: int
    waits: int

    @property
    def far_seconds(self) -> int:
        """Seconds between nodes between which a message takes `FAR_MS`."""
        return math.ceil(self.seconds + self.waits * FAR_MS / 1000)


def cost_of_sums(schedule: Sequence[Sequence[Asked]], parties: int) -> Cost:
    """What summing takes, for all rounds of `schedule`."""
    return cost_of_cells(len(schedule), sum(one.of.cells for asked in schedule for one in asked), parties)


def cost_of_cells(rounds: int, cells: int, parties: int) -> Cost:
    """What summing so many `cells` in so many `rounds` takes."""
    peers = parties - 1
    seconds = SETUP_S + PARTY_S * parties + (ROUND_S * rounds + CELL_S * cells) * peers / 2
    waits = MEETING_WAITS + ROUND_WAITS * rounds + ENDING_WAITS
    return Cost(math.ceil(seconds), peers * (PAIR_BYTES + ROUND_BYTES * rounds + CELL_BYTES * cells), waits)
