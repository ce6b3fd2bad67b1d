"""Intervals of a time grid in which enough rows leave: where they end is opened, and of curves who leaves in each."""

from typing import Any

import numpy as np

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import WINDOW_POINTS, Opening
from node.mpc.comparing import compared
from node.mpc.engine import Engine


async def curves(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """Who leaves, without and with event, in intervals of the grid that all groups have in common, from the first point on.

    What stands beyond the last of them is opened as who is still there, and no more.
    """
    groups, points = opening.shape
    found = np.full((groups, points, 2), CLOSED, dtype=object)
    ends, there = await _merged(engine, numbers.reshape(groups, points, 2), opening.least, bits)
    if ends:
        seen = np.array(await engine.open(engine.joined([*(left for _, left in ends), there])), object)
        found[:, [point for point, _ in ends]] = seen[:-groups].reshape(len(ends), groups, 2).swapaxes(0, 1)
        found[:, -1, 0], found[:, -1, 1] = seen[-groups:], 0
    return [int(number) for number in found.reshape(-1)]


async def intervals(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """For each point of the grid 1 where one of the intervals of `_merged` ends, else 0: nothing else of it is opened."""
    groups, points = opening.shape
    handed = 2 * groups * points
    ends, _ = await _merged(engine, numbers[:handed].reshape(groups, points, 2), opening.least, bits)
    if not ends:
        return [CLOSED] * len(numbers)
    last = {point for point, _ in ends}
    return [CLOSED] * handed + [int(point in last) for point in range(points - 1)]


async def _merged(engine: Engine, leaving: Any, least: int, bits: int) -> tuple[list[tuple[int, Any]], Any]:
    """The last points of intervals of the grid, each with who leaves in it, flat, and who is still there after the last of them.

    `leaving`: of each group, point and last beyond the grid, those without event and those with. An interval ends at the
    first point by which in every group each of three numbers is 0 or reaches the least: those who left in it with event,
    those who left without, and those who are still there. Whether that is so is one opened bit for a point, and all bits
    follow from where the intervals end.

    Of a window of points all intervals that may lie in it are compared at once, and of those only the ones that begin where
    the last one ended are looked at, point by point.
    """
    groups, points, _ = leaving.shape
    rows = leaving.swapaxes(0, 1).reshape(points, 2 * groups)
    totals = leaving.sum(axis=2)
    there, after = totals.sum(axis=1), totals @ np.tri(points, k=-1, dtype=np.int64)
    ends: list[tuple[int, Any]] = []
    if not all(await engine.are_zero(_small(engine, there.reshape(groups, 1), least, bits))):
        return [], there
    since = rows[:1] * 0
    for start in range(0, points - 1, WINDOW_POINTS):
        stop = min(start + WINDOW_POINTS, points - 1)
        beside = engine.joined([since, rows[start:stop]]).T
        window, begin = _Window(engine, beside, after[:, start:stop], least, bits), 0
        for place in range(1, stop - start + 1):
            if all(await engine.are_zero(window.unfit(begin, place))):
                ends.append((start + place - 1, window.left(begin, place)))
                begin = place + 1
        since = window.left(begin, stop - start).reshape(1, 2 * groups)
    return ends, after[:, ends[-1][0]] if ends else there


class _Window:
    """Points of the grid, with before them, as point 0, all from the last interval's end up to them; and the intervals that may
    lie among them, by first and last point.

    `leaving`: shape (2 groups, points), of each group those without event and those with. `after`: of each group who is still
    there after each point but that before them.
    """

    def __init__(self, engine: Engine, leaving: Any, after: Any, least: int, bits: int) -> None:
        points = leaving.shape[1]
        pairs = [(first, last) for last in range(1, points) for first in range(last + 1)]
        self._places = {pair: place for place, pair in enumerate(pairs)}
        within = np.array([[first <= point <= last for first, last in pairs] for point in range(points)], np.int64)
        ending = np.array([[last == point for _, last in pairs] for point in range(1, points)], np.int64)
        self._nobody, self._left = leaving[:, 0] * 0, leaving @ within
        some = compared(engine, leaving.reshape(leaving.size), 1, bits).reshape(leaving.shape)
        few = 1 - compared(engine, self._left.reshape(self._left.size), least, bits).reshape(self._left.shape)
        there = _small(engine, after, least, bits).reshape(1, points - 1)
        self._unfit = ((some @ within) * few).sum(axis=0) + (there @ ending).reshape(len(pairs))

    def left(self, first: int, last: int) -> Any:
        """Who left in an interval; nobody where the last point is before the first."""
        return self._left[:, self._places[first, last]] if first <= last else self._nobody

    def unfit(self, first: int, last: int) -> Any:
        """A secret array of one number: 0 if the interval may end there, and more if not."""
        place = self._places[first, last]
        return self._unfit[place : place + 1]


def _small(engine: Engine, numbers: Any, least: int, bits: int) -> Any:
    """In each column how many of the secret `numbers`, of shape (groups, columns), are neither 0 nor reach `least`."""
    flat = numbers.reshape(numbers.size)
    both = compared(engine, engine.joined([flat - 1, flat - least]), 0, bits).reshape(2, *numbers.shape)
    return (both[0] - both[1]).sum(axis=0)
