"""Shares of secret numbers in the field of 2^31 - 1 elements, as arrays, and products of matrices of them.

Source: Shamir 1979. A secret is the value at 0 of a polynomial; party n has its value at n + 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from node.mpc.frames import Rubbish
from node.mpc.masks import Stream

PRIME = 2**31 - 1
ELEMENT_BYTES = 4

Elements = NDArray[np.uint64]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def drawn(stream: Stream, count: int) -> Elements:
    """`count` elements, exactly uniform if the stream's words are: a word of 31 bits that is no element is drawn again."""
    words = stream.words(-(-count // 2)).view("<u4")[:count] >> 1
    while (beyond := np.flatnonzero(words == PRIME)).size:
        words[beyond] = stream.words(-(-beyond.size // 2)).view("<u4")[: beyond.size] >> 1
    return words.astype(np.uint64)


def elements_of(numbers: Integers) -> Elements:
    """Whole numbers, perhaps negative, as elements."""
    return (numbers % PRIME).astype(np.uint64)


def numbers_of(elements: Elements) -> Integers:
    """The whole numbers nearest to 0 that the elements stand for."""
    found = elements.astype(np.int64)
    return np.where(found > PRIME // 2, found - PRIME, found)


def to_bytes(elements: Elements) -> bytes:
    """The elements, four bytes each."""
    return elements.astype("<u4").tobytes()


def from_bytes(data: bytes, count: int) -> Elements:
    """`count` elements. Raises `Rubbish` for another number of them, or what is none."""
    if len(data) != ELEMENT_BYTES * count:
        raise Rubbish
    found = np.frombuffer(data, "<u4").astype(np.uint64)
    if found.size and int(found.max()) >= PRIME:
        raise Rubbish
    return found


def at(point: int, known: Sequence[int], values: Sequence[Elements]) -> Elements:
    """The value at `point` of the polynomials of lowest degree with these `values` at the `known` points (Lagrange)."""
    found = np.zeros_like(values[0])
    for one, value in zip(known, values, strict=True):
        weight = 1
        for other in known:
            if other != one:
                weight = weight * (point - other) * pow(one - other, -1, PRIME) % PRIME
        found = (found + value * np.uint64(weight)) % PRIME
    return found


class Halves:
    """A matrix of elements as two of 15 and 16 bits, whose products floating point holds exactly. Shape (rows, terms)."""

    def __init__(self, elements: Elements) -> None:
        self._high, self._low = (elements >> 16).astype(np.float64), (elements & 0xFFFF).astype(np.float64)

    def times(self, rows: slice, other: "Halves", others: slice) -> Elements:
        """The products of `rows` of this with `others` of the other, summed over at most 2^18 terms: shape (rows, others)."""
        high, low = self._high[rows], self._low[rows]
        top, bottom = other._high[others].T, other._low[others].T
        middle = _whole(high @ bottom + low @ top)
        return (2 * _whole(high @ top) + (middle << 16) + _whole(low @ bottom)) % PRIME


def _whole(sums: Floats) -> Elements:
    return sums.astype(np.uint64) % PRIME
