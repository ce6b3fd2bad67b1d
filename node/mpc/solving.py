"""Linear equations inside: from secret sums of products only the rounded solution, and where asked for its variances."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import LEFT_BITS, WEIGHT_BITS, Grid, scale_bits
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.comparing import all_reach
from node.mpc.engine import Engine

FRACTION = 64
"""Binary digits after the point inside. What is handed in has at most 30, and a scale of at most 2^33 takes its part."""
PRODUCT_BITS = 180
"""No product inside has more: an inverse of at most 2^40 and another number, both with their fractions."""
MORE_TURNS, MATRIX_LAST = 3, 2
"""Turns beyond the digits, and how many of all are the last ones, before which rounding has shifted what is left by 2^-25."""
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
    inverse, singular = await inverse_of(engine, symmetric(upper, size) * raised, opening.least)
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
    if await is_so(engine, singular):
        return closed
    found = await engine.open(engine.joined(told))
    if any(abs(one) > LARGEST_OPENED for one in found):
        return closed
    return closed[:hidden] + found


async def inverse_of(engine: Engine, matrix: Any, digits: int) -> tuple[Any, Any]:
    """The inverse of a secret symmetric matrix, positive semidefinite with a trace of at most 1, in fixed point; and a secret
    1 where it has none, or an eigenvalue so small that numbers of so many `digits` do not tell it from 0.

    Newton's method from the unit matrix: what is left of it is squared in each turn, and an eigenvalue v needs about log2(1/v)
    turns, in each of which the inverse at most doubles; so nothing leaves the field. Source: Schulz 1933.
    """
    size = matrix.shape[0]
    unit = engine.known(np.eye(size, dtype=np.int64).astype(object) * (1 << FRACTION))
    found = await newton(engine, operator.matmul, matrix, unit, digits + MORE_TURNS, MATRIX_LAST)
    (product,) = await engine.cut_products(operator.matmul, [(matrix, found)], FRACTION, PRODUCT_BITS)
    left = (unit - product).reshape(1, size * size)
    squares = [(left, left.reshape(size * size, 1))]
    (residue,) = await engine.cut_products(operator.matmul, squares, 2 * FRACTION - RESIDUE_BITS, PRODUCT_BITS)
    return found, engine.at_least(residue.reshape(1), LARGEST_RESIDUE, RESIDUE_BITS + 40)


async def newton(
    engine: Engine, multiply: Callable[[Any, Any], Any], whole: Any, unit: Any, turns: int, last: int
) -> Any:
    """The inverse of the secret `whole` in fixed point, after `turns` turns from `unit` + `unit` - `whole` on.

    What is left of the unit is squared by itself while it is multiplied on, which is one message in a turn, but doubles what
    rounding has shifted; in the `last` turns it is computed anew from `whole`, which takes two and squares that as well.
    """
    left = unit - whole
    found = unit + left
    (left,) = await engine.cut_products(multiply, [(left, left)], FRACTION, PRODUCT_BITS)
    for _ in range(turns - last):
        both = [(left, left), (found, left)]
        left, more = await engine.cut_products(multiply, both, FRACTION, PRODUCT_BITS)
        found = found + more
    for _ in range(last):
        (product,) = await engine.cut_products(multiply, [(whole, found)], FRACTION, PRODUCT_BITS)
        (more,) = await engine.cut_products(multiply, [(found, unit - product)], FRACTION, PRODUCT_BITS)
        found = found + more
    return found


async def is_so(engine: Engine, bit: Any) -> bool:
    """What a secret array of one bit says, openly."""
    (found,) = await engine.open(bit)
    if found not in (0, 1):
        raise ValueError("expected comparisons to be true or false")
    return bool(found)


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
