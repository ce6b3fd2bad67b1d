"""What a party's process does with a sum that stays shared: only what its `Opening` lets through is opened, to everybody."""

from typing import Any

import numpy as np

from marketplace.protocol.analysis_genetics import GENOTYPES
from marketplace.protocol.closing_cells import CLOSED, shown_cells
from marketplace.protocol.closing_groups import copies_only
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.comparing import reaching
from node.mpc.engine import Engine
from node.mpc.hazards import hazards
from node.mpc.ranking import ranks
from node.mpc.solving import solved, supported


async def opened(engine: Engine, numbers: Any, opening: Opening, parties: int) -> list[int]:
    """What everybody sees of the secret `numbers`, flat, with `CLOSED` where nothing is seen.

    Raises `ValueError` where a comparison would need more bits than the engine has, and where what comes out is no sum of
    what parties may put in: somebody's shares were wrong, and nobody can know whose.
    """
    bits = (parties * opening.most + opening.least).bit_length() + 1
    match opening.how:
        case How.RANKS:
            return await ranks(engine, numbers, opening, bits)
        case How.SUPPORTED:
            return await supported(engine, numbers, opening, bits)
        case How.SOLVED | How.LEAST_SQUARES:
            return await solved(engine, numbers, opening, parties)
        case How.HAZARD_FIRST | How.HAZARD_STEP | How.HAZARD_FIT:
            return await hazards(engine, numbers, opening, parties)
        case How.INTERVALS:
            return await _intervals(engine, numbers, opening, bits)
        case How.GENOTYPES:
            found = await _genotypes(engine, numbers, opening, bits)
        case How.WHOLE:
            found = await engine.open(numbers)
        case How.SIGNS:
            found = [2 * sign - 1 for sign in await reaching(engine, numbers, 0, bits)]
        case How.CELLS:
            found = await _cells(engine, numbers, opening, bits)
        case How.CURVES:
            found = await _curves(engine, numbers, opening, bits)
    if any(
        abs(number) > max(1, (1 + (opening.how is How.GENOTYPES)) * parties * opening.most)
        for number in found
        if number != CLOSED
    ):
        raise ValueError("expected sums of numbers within the declared bounds")
    return found


async def _cells(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """A table whose small cells, and those from which they would follow, stay closed."""
    large = np.array(await reaching(engine, numbers, opening.least, bits), np.bool_).reshape(opening.shape)
    shown = np.flatnonzero(np.array(shown_cells(large.tolist())))
    found = [CLOSED] * len(numbers)
    if shown.size:
        for place, number in zip(shown, await engine.open(numbers[shown]), strict=True):
            found[place] = number
    return found


async def _genotypes(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """Of each variant and group rows, copies of the counted allele and homozygotes of it, or as much of it as may be seen.

    `numbers`: of each variant, and each group, the rows of each genotype. One bit for each says whether it reaches the least,
    and one for each group whether its heterozygotes reach twice that.
    """
    variants, cells = opening.shape
    groups = cells // GENOTYPES
    each = numbers.reshape(variants * groups, GENOTYPES)
    large = np.array(await reaching(engine, numbers, opening.least, bits)).reshape(variants, groups, GENOTYPES)
    doubly = np.array(await reaching(engine, each[:, 1], 2 * opening.least, bits + 1)).reshape(variants, groups)
    found = np.full((variants * groups, GENOTYPES), CLOSED, dtype=object)
    whole = np.repeat(large.all(axis=(1, 2)), groups)
    told = np.repeat([copies_only(of.tolist(), also.tolist()) for of, also in zip(large, doubly, strict=True)], groups)
    if told.any():
        rows, copies = each.sum(axis=1)[told], (each[:, 1] + 2 * each[:, 2])[told]
        seen = await engine.open(engine.joined([rows, copies]))
        found[told, :2] = np.array(seen, dtype=object).reshape(2, -1).T
    if whole.any():
        found[whole, 2] = await engine.open(each[:, 2][whole])
    return [int(number) for number in found.reshape(-1)]


async def _curves(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """Who leaves, without and with event, in intervals of the grid that all groups have in common, from the first point on.

    What stands beyond the last of them is opened as who is still there, and no more.
    """
    groups, points = opening.shape
    found = np.full((groups, points, 2), CLOSED, dtype=object)
    ends, there = await _merged(engine, numbers.reshape(groups, points, 2), opening.least, bits)
    if ends:
        for point, left in ends:
            found[:, point, :] = np.array(await engine.open(left.reshape(2 * groups)), object).reshape(groups, 2)
        found[:, -1, 0] = await engine.open(there)
        found[:, -1, 1] = 0
    return [int(number) for number in found.reshape(-1)]


async def _intervals(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """For each point of the grid 1 where one of the intervals of `_merged` ends, else 0: nothing else of it is opened."""
    groups, points = opening.shape
    handed = 2 * groups * points
    ends, _ = await _merged(engine, numbers[:handed].reshape(groups, points, 2), opening.least, bits)
    if not ends:
        return [CLOSED] * len(numbers)
    last = {point for point, _ in ends}
    return [CLOSED] * handed + [int(point in last) for point in range(points - 1)]


async def _merged(engine: Engine, leaving: Any, least: int, bits: int) -> tuple[list[tuple[int, Any]], Any]:
    """The last points of intervals of the grid, each with who leaves in it, and who is still there after the last of them.

    `leaving`: of each group, point and last beyond the grid, those without event and those with. An interval ends at the
    first point by which in every group each of three numbers is 0 or reaches the least: those who left in it with event,
    those who left without, and those who are still there. Whether that is so is one opened bit for a point, and all bits
    follow from where the intervals end.
    """
    groups, points, _ = leaving.shape
    there, since = _total(leaving), leaving[:, 0, :] * 0
    if not await _is_fit(engine, there, least, bits):
        return [], there
    after, ends = there, []
    for point in range(points - 1):
        since = since + leaving[:, point, :]
        after = after - leaving[:, point, 0] - leaving[:, point, 1]
        every = engine.joined([since.reshape(2 * groups), after])
        if await _is_fit(engine, every, least, bits):
            ends.append((point, since))
            there, since = after, since * 0
    return ends, there


async def _is_fit(engine: Engine, numbers: Any, least: int, bits: int) -> bool:
    """Whether each of the secret `numbers` is 0 or reaches `least`: one opened bit for all of them together."""
    both = engine.at_least(engine.joined([numbers - 1, numbers - least]), 0, bits)
    count = len(numbers)
    unfit = (both[:count] - both[count:]).reshape(1, count).sum(axis=1)
    (found,) = await reaching(engine, unfit, 1, count.bit_length() + 2)
    return not found


def _total(leaving: Any) -> Any:
    """How many of each group there are: shape (groups,) of (groups, points, 2)."""
    return leaving.sum(axis=2).sum(axis=1)
