"""Linear equations inside: from secret sums of products only the rounded solution, and where asked for its variances."""

from typing import Any

import numpy as np

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import LEFT_BITS, WEIGHT_BITS, Grid, scale_bits
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.comparing import all_reach, reaching
from node.mpc.engine import Engine

FRACTION = 64
"""Binary digits after the point inside. What is handed in has at most 30, and a scale of at most 2^33 takes its part."""
PRODUCT_BITS = 180
"""No product inside has more: an inverse of at most 2^40 and another number, both with their fractions."""
MORE_TURNS = 3
RESIDUE_BITS, LARGEST_RESIDUE = 64, 2**4
"""The squares of what is left of the unit matrix, in 2^-RESIDUE_BITS, add up to less where an inverse was found."""
LARGEST_OPENED = 2**62


async def supported(engine: Engine, numbers: Any, opening: Opening, bits: int) -> list[int]:
    """The last of the secret `numbers`, if each of those before reaches the least: one bit says so. Else all stay closed."""
    hidden, cells = opening.shape
    if not await all_reach(engine, numbers[:hidden], opening.least, bits):
        return [CLOSED] * (hidden + cells)
    return [CLOSED] * hidden + await engine.open(numbers[hidden:])


async def solved(engine: Engine, numbers: Any, opening: Opening, parties: int) -> list[int]:
    """What everybody sees of a round of a fit: the step, in the last the variances, or nothing where the equations have no
    single solution: one bit says so.

    `numbers`: as `fit_schedule` has them. `opening.least`: their binary digits after the point.
    """
    hidden, cells = opening.shape
    linear = opening.how is How.LEAST_SQUARES
    size = _size(hidden - 1 - linear)
    halves = size * (size + 1) // 2
    gradient, upper = numbers[:size], numbers[size : size + halves]
    rows, *weights = await engine.open(numbers[size + halves : 2 * size + halves + 1])
    scale, grid = scale_bits(rows, size), Grid(rows, linear)
    closed = [CLOSED] * (hidden + cells)
    raised = 1 << (FRACTION - opening.least - scale)
    inverse = await inverse_of(engine, symmetric(upper, size) * raised, opening.least)
    if inverse is None:
        return closed
    towards = gradient.reshape(size, 1) * raised
    solution = inverse @ towards
    told = [await engine.rounded(solution.reshape(size), 2 * FRACTION - grid.coefficient, PRODUCT_BITS)]
    if cells > size:
        weight = np.array([one // parties for one in weights], dtype=np.int64).reshape(size, 1)
        own = ((inverse @ weight).reshape(1, size) @ weight).reshape(1)
        lost = FRACTION + scale - grid.variance
        told.append(await engine.rounded(own, lost + 2 * WEIGHT_BITS, PRODUCT_BITS))
        told.append(await engine.rounded(inverse.reshape(size * size)[size + 1 :: size + 1], lost, PRODUCT_BITS))
    if linear:
        squares = numbers[2 * size + halves + 1 : hidden] * raised
        told += await _left(engine, squares, towards, solution, rows, scale)
    found = await engine.open(engine.joined(told))
    if any(abs(one) > LARGEST_OPENED for one in found):
        return closed
    return closed[:hidden] + found


async def inverse_of(engine: Engine, matrix: Any, digits: int) -> Any | None:
    """The inverse of a secret symmetric matrix, positive semidefinite with a trace of at most 1, in fixed point; None where it
    has none, or an eigenvalue so small that numbers of so many `digits` do not tell it from 0.

    Newton's method from the unit matrix: what is left of it is squared in each turn, and an eigenvalue v needs about log2(1/v)
    turns, in each of which the inverse at most doubles; so nothing leaves the field. Source: Schulz 1933.
    """
    size = matrix.shape[0]
    unit = engine.known(np.eye(size, dtype=np.int64).astype(object) * (1 << FRACTION))
    found = unit + unit - matrix
    for _ in range(digits + MORE_TURNS):
        left = unit - await engine.cut(matrix @ found, FRACTION, PRODUCT_BITS)
        found = found + await engine.cut(found @ left, FRACTION, PRODUCT_BITS)
    left = (unit - await engine.cut(matrix @ found, FRACTION, PRODUCT_BITS)).reshape(1, size * size)
    residue = await engine.cut(left @ left.reshape(size * size, 1), 2 * FRACTION - RESIDUE_BITS, PRODUCT_BITS)
    (is_left,) = await reaching(engine, residue.reshape(1), LARGEST_RESIDUE, RESIDUE_BITS + 40)
    return None if is_left else found


async def _left(engine: Engine, squares: Any, towards: Any, solution: Any, rows: int, scale: int) -> list[Any]:
    """Of least squares, what is left of the outcome's squares, and what there was of them around its mean."""
    size = towards.shape[0]
    fit = await engine.cut(solution, FRACTION, PRODUCT_BITS)
    explained = (towards.reshape(1, size) @ fit).reshape(1)
    mean = await engine.cut(towards[0] * towards[0], FRACTION, PRODUCT_BITS)
    times = round((1 << scale + WEIGHT_BITS) / rows)
    left, total = squares * (1 << FRACTION) - explained, squares * (1 << WEIGHT_BITS) - mean * times
    return [
        await engine.rounded(left, 2 * FRACTION - LEFT_BITS, PRODUCT_BITS),
        await engine.rounded(total, FRACTION + WEIGHT_BITS - LEFT_BITS, PRODUCT_BITS),
    ]


def symmetric(upper: Any, size: int) -> Any:
    """The whole of a symmetric matrix of which `upper` is the upper half, row by row."""
    places = np.zeros((size, size), dtype=np.int64)
    places[np.triu_indices(size)] = range(size * (size + 1) // 2)
    whole = np.maximum(places, places.T)
    return upper[whole.reshape(-1)].reshape(size, size)


def _size(numbers: int) -> int:
    """How many coefficients there are where gradient, half of a matrix and weights are so many numbers."""
    return next(size for size in range(1, numbers + 1) if 2 * size + size * (size + 1) // 2 >= numbers)
