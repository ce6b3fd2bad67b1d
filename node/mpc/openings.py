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
from node.mpc.intervals import curves, intervals
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
            return await intervals(engine, numbers, opening, bits)
        case How.GENOTYPES:
            found = await _genotypes(engine, numbers, opening, bits)
        case How.WHOLE:
            found = await engine.open(numbers)
        case How.SIGNS:
            found = [2 * sign - 1 for sign in await reaching(engine, numbers, 0, bits)]
        case How.CELLS:
            found = await _cells(engine, numbers, opening, bits)
        case How.CURVES:
            found = await curves(engine, numbers, opening, bits)
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
    both = engine.joined([numbers - opening.least, each[:, 1] - 2 * opening.least])
    large, doubly = np.split(np.array(await reaching(engine, both, 0, bits + 1)), [len(numbers)])
    large, doubly = large.reshape(variants, groups, GENOTYPES), doubly.reshape(variants, groups)
    whole = np.repeat(large.all(axis=(1, 2)), groups)
    told = np.repeat([copies_only(of.tolist(), also.tolist()) for of, also in zip(large, doubly, strict=True)], groups)
    rows, copies = each.sum(axis=1)[told], (each[:, 1] + 2 * each[:, 2])[told]
    seen = await engine.open(engine.joined([rows, copies, each[:, 2][whole]])) if (told | whole).any() else []
    found = np.full((variants * groups, GENOTYPES), CLOSED, dtype=object)
    found[told, :2] = np.array(seen[: 2 * told.sum()], dtype=object).reshape(2, -1).T
    found[whole, 2] = seen[2 * told.sum() :]
    return [int(number) for number in found.reshape(-1)]
