"""Small matrices on the standard library alone: products, the inverse of a symmetric one, and its largest eigenvalue."""

import math
from collections.abc import Sequence
from itertools import combinations_with_replacement

Vector = list[float]
Matrix = list[list[float]]


def symmetric(triangle: Sequence[float], size: int) -> Matrix:
    """The symmetric matrix of which `triangle` is the upper half, row by row."""
    found = [[0.0] * size for _ in range(size)]
    for value, (i, j) in zip(triangle, combinations_with_replacement(range(size), 2), strict=True):
        found[i][j] = found[j][i] = value
    return found


def times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> Vector:
    """The product of a matrix and a vector."""
    return [math.fsum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def product(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> Matrix:
    """The product of two matrices."""
    columns = list(zip(*second, strict=True))
    return [times(columns, row) for row in first]


def largest_eigenvalue(matrix: Matrix) -> float:
    """Of a symmetric positive definite matrix, from below and within a few percent, by powers of it."""
    vector = [1.0 + place / len(matrix) for place in range(len(matrix))]
    length = 0.0
    for _ in range(50):
        vector = times(matrix, vector)
        length = math.sqrt(math.fsum(value * value for value in vector))
        vector = [value / length for value in vector]
    return length


def inverse_and_least_pivot(matrix: Sequence[Sequence[float]]) -> tuple[Matrix | None, float]:
    """The inverse of a symmetric M, and the least pivot of its Cholesky decomposition: None unless all are above 0.

    A pivot is what is left of a diagonal element once the rows before are accounted for.
    """
    size, least = len(matrix), math.inf
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            left = matrix[i][j] - math.fsum(a * b for a, b in zip(lower[i][:j], lower[j][:j], strict=True))
            if i > j:
                lower[i][j] = left / lower[j][j]
                continue
            least = min(least, left)
            if not left > 0:
                return None, least
            lower[i][i] = math.sqrt(left)
    columns = []
    for place in range(size):
        forward = [0.0] * size
        for i in range(place, size):
            known = math.fsum(lower[i][k] * forward[k] for k in range(place, i))
            forward[i] = ((i == place) - known) / lower[i][i]
        columns.append(forward)
    return [[math.fsum(a * b for a, b in zip(one, other, strict=True)) for other in columns] for one in columns], least
