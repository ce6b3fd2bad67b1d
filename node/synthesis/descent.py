"""The least value of a smooth convex function, with sums that are the same however many processors there are."""

from collections import deque
from collections.abc import Callable

import numpy as np

from node.synthesis.cells import Floats

MEMORY = 20
ARMIJO = 1e-4
SMALLEST_STEP = 1e-10
FLATTEST = 1e-7


def least(function: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int) -> Floats:
    """The point near which `function` is least, or where `steps` steps from `start` lead.

    `function`: value and gradient at a point. Ends where no part of the gradient is above `FLATTEST`.
    Source: Nocedal and Wright 2006, Algorithms 3.1 and 7.4 (L-BFGS with backtracking). Linear algebra libraries share
    such sums among threads, so that last digits, and time on a busy machine, depend on how many there are.
    """
    point = start
    value, gradient = function(point)
    moves: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    for _ in range(steps):
        if not gradient.size or np.abs(gradient).max() < FLATTEST:
            break
        direction = -_scaled(gradient, moves)
        slope = _dot(direction, gradient)
        length = 1.0 if moves else 1.0 / max(1e-12, float(np.abs(gradient).sum()))
        there, there_value, there_gradient = point, value, gradient
        while length > SMALLEST_STEP:
            there = point + length * direction
            there_value, there_gradient = function(there)
            if there_value <= value + ARMIJO * length * slope:
                break
            length /= 2
        else:
            break
        move, turn = there - point, there_gradient - gradient
        curvature = _dot(move, turn)
        if curvature > 0:
            moves.append((move, turn, curvature))
        point, value, gradient = there, there_value, there_gradient
    return point


def _scaled(gradient: Floats, moves: deque[tuple[Floats, Floats, float]]) -> Floats:
    """The gradient times the inverse curvature that the moves tell."""
    scaled = gradient.copy()
    shares = []
    for move, turn, curvature in reversed(moves):
        share = _dot(move, scaled) / curvature
        shares.append(share)
        scaled -= share * turn
    if moves:
        _, turn, curvature = moves[-1]
        scaled *= curvature / _dot(turn, turn)
    for (move, turn, curvature), share in zip(moves, reversed(shares), strict=True):
        scaled += (share - _dot(turn, scaled) / curvature) * move
    return scaled


def _dot(one: Floats, other: Floats) -> float:
    return float((one * other).sum())
