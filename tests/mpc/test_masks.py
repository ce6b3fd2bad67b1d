"""Masks: the same on both sides, bound to everything, spent once, and written down before they are used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Refused
from node.mpc.masks import LARGEST_NAME, Pair, Spent, Tensor

CONTEXT = b"c" * 96
TENSOR = Tensor(0, "counts", 1000)


def pairs(numbers: tuple[int, int] = (0, 1), context: bytes = CONTEXT) -> tuple[Pair, Pair]:
    one, other = X25519PrivateKey.from_private_bytes(b"\1" * 32), X25519PrivateKey.from_private_bytes(b"\2" * 32)
    publics = [key.public_key().public_bytes_raw() for key in (one, other)]
    return (
        Pair(one, publics[1], *numbers, context),
        Pair(other, publics[0], numbers[1], numbers[0], context),
    )


def test_what_one_adds_the_other_subtracts() -> None:
    one, other = pairs()
    assert np.array_equal(one.stream(TENSOR).words(1000), other.stream(TENSOR).words(1000))
    assert one.adds and not other.adds


def test_reading_in_pieces_is_reading_at_once() -> None:
    one, other = pairs()
    stream = one.stream(TENSOR)
    pieces = [stream.words(count) for count in (1, 0, 500, 499)]
    assert np.array_equal(np.concatenate(pieces), other.stream(TENSOR).words(1000))


@pytest.mark.parametrize("change", [{"round": 1}, {"name": "count"}, {"cells": 1001}])
def test_another_tensor_has_another_mask(change: dict[str, object]) -> None:
    one, _ = pairs()
    assert not np.array_equal(one.stream(TENSOR).words(8), one.stream(replace(TENSOR, **change)).words(8))


def test_another_pair_another_order_and_another_start_have_other_masks() -> None:
    first = pairs()[0].stream(TENSOR).words(8)
    assert not np.array_equal(first, pairs(numbers=(0, 2))[0].stream(TENSOR).words(8))
    assert not np.array_equal(first, pairs(context=b"d" * 96)[0].stream(TENSOR).words(8))
    one, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    fresh = Pair(one, other.public_key().public_bytes_raw(), 0, 1, CONTEXT)
    assert not np.array_equal(first, fresh.stream(TENSOR).words(8))


def test_a_key_that_agrees_on_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shared key"):
        Pair(X25519PrivateKey.generate(), bytes(32), 0, 1, CONTEXT)


def test_a_mask_is_spent_once_also_across_a_crash(tmp_path: Path) -> None:
    one, other = pairs()
    Spent(tmp_path).spend([one], TENSOR)
    again = Spent(tmp_path)
    with pytest.raises(Refused, match="second time"):
        again.spend([one], TENSOR)
    with pytest.raises(Refused, match="second time"):
        again.spend([other], TENSOR)
    again.spend([one], replace(TENSOR, round=1))
    assert (tmp_path / Spent.FILE).stat().st_mode & 0o077 == 0


def test_a_key_that_is_made_anew_has_all_its_masks_still(tmp_path: Path) -> None:
    spent = Spent(tmp_path)
    for _ in range(2):
        peer = X25519PrivateKey.generate().public_key().public_bytes_raw()
        spent.spend([Pair(X25519PrivateKey.generate(), peer, 0, 1, CONTEXT)], TENSOR)
    assert len((tmp_path / Spent.FILE).read_text().split()) == 2


@given(st.integers(0, 2**32 - 1), st.text(min_size=1, max_size=50), st.integers(0, 2**64 - 1))
def test_a_tensor_survives_being_written_and_read(round_: int, name: str, cells: int) -> None:
    tensor = Tensor(round_, name, cells)
    assert Tensor.decode(tensor.encode()) == tensor


@pytest.mark.parametrize("data", [b"", bytes(12), bytes(12) + b"\xff", bytes(13 + LARGEST_NAME)])
def test_other_bytes_are_no_tensor(data: bytes) -> None:
    with pytest.raises(ValueError):
        Tensor.decode(data)


def test_masked_numbers_of_two_inputs_cannot_be_told_apart_by_their_bits() -> None:
    one, _ = pairs()
    tensor = Tensor(0, "bits", 50_000)
    for value in (0, 2**64 - 1):
        masked = one.stream(tensor).words(tensor.cells) + np.uint64(value)
        shares = np.unpackbits(masked.view(np.uint8)).mean()
        assert abs(shares - 0.5) < 5 / np.sqrt(4 * 64 * tensor.cells)
