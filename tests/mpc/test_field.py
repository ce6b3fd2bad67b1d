"""Shares in the field of 2^31 - 1 elements: sums and products are those of whole numbers, and what is no element is refused."""

import os
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.mpc import field
from node.mpc.field import PRIME, Halves, at, drawn, elements_of, from_bytes, numbers_of, to_bytes
from node.mpc.frames import Rubbish
from node.mpc.masks import Stream

ELEMENT = st.one_of(st.integers(0, PRIME - 1), st.sampled_from([0, 1, PRIME - 1, 2**16 - 1, 2**16, 2**30]))


class Words:
    """A stream of words that a test has chosen, two of 31 bits in each."""

    def __init__(self, *halves: int) -> None:
        self._words = np.array([half << 1 for half in halves], "<u4").view("<u8")

    def words(self, count: int) -> np.ndarray:
        found, self._words = self._words[:count], self._words[count:]
        return found


def test_a_word_that_is_no_element_is_drawn_again() -> None:
    assert drawn(Words(5, PRIME, PRIME, 7, PRIME, 9, 11, 13), 4).tolist() == [5, 11, 9, 7]  # type: ignore[arg-type]


def test_both_sides_of_a_stream_draw_the_same_elements_whatever_else_was_drawn_before() -> None:
    one, other = Stream(bytes(32)), Stream(bytes(32))
    for count in (3, 8, 1):
        assert (drawn(one, count) == drawn(other, count)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(-(2**30) + 1, 2**30 - 1), st.sampled_from([(3, 1), (4, 1), (5, 2), (8, 3)]))
def test_any_parties_above_the_threshold_have_the_secret(secret: int, parties: tuple[int, int]) -> None:
    count, threshold = parties
    stream = Stream(os.urandom(32))
    values = [elements_of(np.array([secret])), *(drawn(stream, 1) for _ in range(threshold))]
    shares = {point: at(point, range(threshold + 1), values) for point in range(1, count + 1)}
    for known in combinations(shares, threshold + 1):
        assert numbers_of(at(0, known, [shares[point] for point in known])).tolist() == [secret]


def test_as_many_shares_as_the_threshold_go_with_every_secret() -> None:
    """For each secret there is a polynomial through the t shares that somebody has: they tell nothing of it."""
    shares, known = [np.array([77], np.uint64), np.array([5], np.uint64)], (1, 2)
    for secret in range(0, PRIME, PRIME // 50):
        values = [np.array([secret], np.uint64), *shares]
        assert [int(at(point, (0, *known), values)[0]) for point in (0, *known)] == [secret, 77, 5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(ELEMENT, min_size=4, max_size=4), min_size=3, max_size=3))
def test_products_of_any_elements_are_those_of_whole_numbers(rows: list[list[int]]) -> None:
    matrix = np.array(rows, np.uint64)
    found = Halves(matrix[:2]).times(slice(0, 2), Halves(matrix), slice(1, 3))
    exact = [[sum(a * b for a, b in zip(one, other, strict=True)) % PRIME for other in rows[1:]] for one in rows[:2]]
    assert found.tolist() == exact


def test_products_are_exact_over_the_most_buckets_of_the_largest_elements() -> None:
    largest = np.full((1, 2**18), PRIME - 1, np.uint64)
    whole = slice(0, 1)
    assert Halves(largest).times(whole, Halves(largest), whole).tolist() == [[2**18]]


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(12), b"\xff\xff\xff\x7f" * 2, b"\xff" * 8])
def test_what_is_no_element_is_rubbish(data: bytes) -> None:
    with pytest.raises(Rubbish):
        from_bytes(data, 2)


def test_elements_come_back_from_their_bytes() -> None:
    found = from_bytes(to_bytes(elements_of(np.array([-1, 0, 5]))), 3)
    assert numbers_of(found).tolist() == [-1, 0, 5] and field.ELEMENT_BYTES == 4
