"""What parties of a split table will send is told near to what they do, from the declaration alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Crossing, Side
from marketplace.protocol.crossing_cost import cost_of_crossings
from node.mpc.local import cross_here
from node.twin.foreseen import likely
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from tests.twin.examples import keys
from tests.twin.split_examples import ROWS, SPLIT, halved, handed_in, noise_of, opened_by, twin_of

LEFT, RIGHT = Side.LEFT, Side.RIGHT


def bytes_of(crossings: Sequence[Crossing | None]) -> int:
    return cost_of_crossings([one for one in crossings if one is not None]).bytes


@pytest.mark.parametrize("rho_micro", [20_000, 60_000, 3_000_000])
@pytest.mark.parametrize("persons", [450, len(ROWS), 1_800])
def test_bytes_are_within_a_third_of_what_real_records_take_whatever_is_declared_of_their_number(
    rho_micro: int, persons: int
) -> None:
    twin = twin_of(rho_micro=rho_micro)
    opened = opened_by(twin, halved(), keys(0))
    true = [twin.crossing(opened[:at]) for at in range(len(opened))]
    assert bytes_of(list(likely(twin, persons))) == pytest.approx(bytes_of(true), rel=1 / 3)


@pytest.mark.parametrize("sides", [(LEFT, RIGHT, LEFT), (RIGHT, RIGHT, LEFT, LEFT, RIGHT)])
def test_what_parties_share_is_what_their_processes_send(sides: tuple[Side, ...], tmp_path: Path) -> None:
    split = Split(SPLIT.left, SPLIT.right, sides, 2**10, 0)
    twin = VerticalTwin(twin_of().specification, 60_000, split, 1, len(sides))
    parties, streams = halved(split), [*keys(6), *keys(8)]

    def counted(party: int, opened: Opened, key: bytes) -> tuple[np.ndarray, np.ndarray]:
        return handed_in(twin, party, parties[party], opened, key), noise_of(twin, streams[party], opened)

    counts = [lambda opened, key, party=party: counted(party, opened, key) for party in range(len(sides))]
    answers = cross_here(twin, bytes(32), counts, tmp_path)
    opened = answers[0].opened
    crossings = [twin.crossing(opened[:at]) for at in range(len(opened))]
    moved = max(one.closing.moved_bytes for one in answers)
    assert bytes_of(crossings) == pytest.approx(moved, rel=0.03)
