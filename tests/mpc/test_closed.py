"""In the closed lane everybody sees the same, and of the sums only what a plaintext oracle lets through."""

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from marketplace.protocol.closing_cells import CLOSED, shown_cells
from marketplace.protocol.closing_opening import WINDOW_POINTS, How, Opening
from node.mpc.masks import Tensor
from node.mpc.running import Closing, PartyProcess
from tests.mpc import curious_closed
from tests.mpc.hospitals import Hospitals, summed

Make = Callable[..., Hospitals]
MOST = 2**24


def oracle(sums: np.ndarray, opening: Opening) -> list[int]:
    """What may be opened of sums that somebody knows."""
    match opening.how:
        case How.WHOLE:
            return [int(one) for one in sums]
        case How.SIGNS:
            return [1 if one >= 0 else -1 for one in sums]
        case How.CELLS:
            table = sums.reshape(opening.shape)
            shown = np.array(shown_cells((table >= opening.least).tolist()))
            return [int(one) for one in np.where(shown, table, CLOSED).ravel()]
        case How.CURVES:
            return curves(sums.reshape(*opening.shape, 2), opening.least)


def curves(leaving: np.ndarray, least: int) -> list[int]:
    fits = lambda counts: all(one == 0 or one >= least for one in counts)  # noqa: E731
    found, there = np.full(leaving.shape, CLOSED), leaving.sum(axis=(1, 2))
    begin, shut = 0, not fits(there)
    for point in range(leaving.shape[1] - 1):
        since = leaving[:, begin : point + 1].sum(axis=1)
        after = there - since.sum(axis=1)
        if not shut and fits(since.ravel()) and fits(after):
            found[:, point], begin, there = since, point + 1, after
    if begin:
        found[:, -1] = np.stack([there, 0 * there], axis=1)
    return [int(one) for one in found.ravel()]


def answers(
    made: Hospitals, questions: Sequence[tuple[Opening, np.ndarray]]
) -> tuple[list[list[list[int]]], list[Closing]]:
    """What each party sees of each question, `numbers` of which are shape (parties, cells)."""
    names = [f"0/{place}" for place in range(len(questions))]
    made.start_closed({name: opening for name, (opening, _) in zip(names, questions, strict=True)})

    def work(number: int, process: PartyProcess) -> tuple[list[list[int]], Closing]:
        process.ready()
        seen = [
            summed(process, Tensor(0, name, numbers.shape[1]), numbers[number]).tolist()
            for name, (_, numbers) in zip(names, questions, strict=True)
        ]
        return seen, process.finish()

    done = [one.result() for one in made.each(work).values()]
    return [one[0] for one in done], [one[1] for one in done]  # type: ignore[index]


def split(total: np.ndarray, parties: int, seed: int) -> np.ndarray:
    """Numbers of parties whose sums are `total`, some of them negative."""
    drawn = np.random.default_rng(seed).integers(-50, 50, (parties - 1, total.size))
    return np.vstack([drawn, total.ravel() - drawn.sum(axis=0)])


@pytest.mark.parametrize("parties", [3, 4, 5])
def test_everybody_sees_what_the_oracle_lets_through_and_signs_it(hospitals: Make, parties: int) -> None:
    drawn = np.random.default_rng(parties)
    table = np.array([[40, 3, 25], [12, 33, 10], [9, 50, 60]])
    leaving = drawn.integers(0, 7, (2, 13, 2))
    questions = [
        (Opening(How.CELLS, (3, 3), 10, MOST), split(table, parties, 1)),
        (Opening(How.SIGNS, (1, 7), 0, 1000 * MOST), split(np.array([0, 1, -1, 2**31, -(2**31), 5, -6]), parties, 2)),
        (Opening(How.CURVES, (2, 13), 10, MOST), split(leaving, parties, 3)),
        (Opening(How.WHOLE, (1, 3), 0, 2**58), split(np.array([-(2**57), 0, 2**57]), parties, 4)),
    ]
    seen, closings = answers(hospitals(parties), questions)
    assert seen == [[oracle(numbers.sum(axis=0), opening) for opening, numbers in questions]] * parties
    assert CLOSED in seen[0][0] and 40 not in seen[0][0] and 60 in seen[0][0]
    assert all(one.transcript == closings[0].transcript for one in closings)
    assert len(closings[0].transcript.signatures) == parties


def test_once_an_opening_shows_nothing_everything_after_it_stays_closed(hospitals: Make) -> None:
    few, many = np.full((3, 2), 3), np.full((3, 2), 30)
    questions = [
        (Opening(How.CELLS, (1, 2), 10, MOST), many),
        (Opening(How.CELLS, (1, 2), 10, MOST), few),
        (Opening(How.WHOLE, (1, 2), 0, MOST), many),
        (Opening(How.SIGNS, (1, 2), 0, MOST), many),
    ]
    seen, _ = answers(hospitals(), questions)
    assert seen == [[[90, 90], [CLOSED] * 2, [CLOSED] * 2, [CLOSED] * 2]] * 3


def test_comparisons_hold_at_the_ends_of_what_is_declared(hospitals: Make) -> None:
    edge = np.array([[MOST, -MOST, 4, 3, 0, -1]] * 3)
    edge[2, 2:] -= 2
    questions = [
        (Opening(How.SIGNS, (1, 6), 0, MOST), edge),
        (Opening(How.CELLS, (1, 6), 10, MOST), edge),
        (Opening(How.CELLS, (1, 6), 3 * MOST, MOST), edge),
    ]
    seen, _ = answers(hospitals(), questions)
    assert seen[0] == [oracle(edge.sum(axis=0), opening) for opening, _ in questions]
    assert seen[0][0] == [1, -1, 1, 1, -1, -1]


def test_what_is_opened_of_a_comparison_does_not_fall_into_the_secrets_that_it_is_a_product_of(hospitals: Make) -> None:
    numbers = np.arange(-20, curious_closed.NUMBERS - 20)
    made = hospitals()
    opening = Opening(How.SIGNS, (1, len(numbers)), 0, MOST)
    made.start_closed({"0/0": opening}, (sys.executable, "-P", curious_closed.__file__), culprit=1)
    handed = split(numbers, 3, 6)

    def work(number: int, process: PartyProcess) -> list[int]:
        process.ready()
        seen = summed(process, Tensor(0, "0/0", len(numbers)), handed[number]).tolist()
        process.finish()
        return seen

    seen = [one.result() for one in made.each(work).values()]
    assert seen == [oracle(numbers, opening)] * 3
    looked_at, fall = map(int, (made.folder / "party-1" / curious_closed.SEEN).read_text().split())
    assert looked_at == len(numbers) and fall < looked_at


@pytest.mark.parametrize("groups", [1, 3])
def test_a_grid_of_several_windows_is_merged_as_one(hospitals: Make, groups: int) -> None:
    """Intervals that begin in one window and end in another, some longer than a window, and one that never ends."""
    drawn = np.random.default_rng(groups)
    points = 3 * WINDOW_POINTS + 4
    leaving = drawn.integers(0, 12, (groups, points, 2))
    sparse = np.where(drawn.random((groups, points, 2)) < 0.1, 4, 0)
    long = np.zeros((groups, points, 2), np.int64)
    long[:, WINDOW_POINTS - 1], long[:, WINDOW_POINTS], long[:, 3 * WINDOW_POINTS - 1], long[:, -1] = 9, 1, 15, 10
    questions = [(Opening(How.CURVES, (groups, points), 10, MOST), split(one, 3, 7)) for one in (leaving, sparse, long)]
    seen, _ = answers(hospitals(), questions)
    assert seen[0] == [oracle(numbers.sum(axis=0), opening) for opening, numbers in questions]
    assert all(0 < sum(one != CLOSED for one in found[: 2 * points]) < 2 * points for found in seen[0])
