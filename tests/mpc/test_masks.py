"""Masks: the same on both sides, bound to everything, spent once, and written down before they are used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Refused
from node.mpc.frames import PIECE_VALUES
from node.mpc.masks import LARGEST_NAME, Batch, Pair, Spent, Tensor

CONTEXT = b"c" * 96
TENSOR = Tensor(0, "counts", 1000)
BATCH = Batch((TENSOR,))


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
    Spent(tmp_path).spend([one], BATCH)
    again = Spent(tmp_path)
    with pytest.raises(Refused, match="second time"):
        again.spend([one], BATCH)
    with pytest.raises(Refused, match="second time"):
        again.spend([other], BATCH)
    again.spend([one], Batch((replace(TENSOR, round=1),)))
    assert (tmp_path / Spent.FILE).stat().st_mode & 0o077 == 0


def test_what_is_spent_is_on_the_disk_before_anything_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    durable: list[str] = []
    monkeypatch.setattr("node.mpc.masks.os.fsync", lambda _: durable.append((tmp_path / Spent.FILE).read_text()))
    Spent(tmp_path).spend(pairs()[:1], BATCH)
    assert durable[-1] == (tmp_path / Spent.FILE).read_text()
    assert len(durable[-1].split()) == 1


def test_a_key_that_is_made_anew_has_all_its_masks_still(tmp_path: Path) -> None:
    spent = Spent(tmp_path)
    for _ in range(2):
        peer = X25519PrivateKey.generate().public_key().public_bytes_raw()
        spent.spend([Pair(X25519PrivateKey.generate(), peer, 0, 1, CONTEXT)], BATCH)
    assert len((tmp_path / Spent.FILE).read_text().split()) == 2


@given(st.integers(0, 2**32 - 1), st.text(min_size=1, max_size=50), st.integers(0, 2**64 - 1))
def test_a_tensor_survives_being_written_and_read(round_: int, name: str, cells: int) -> None:
    tensor = Tensor(round_, name, cells)
    assert Tensor.decode(tensor.encode()) == tensor


@given(st.lists(st.builds(Tensor, st.integers(0, 9), st.text(min_size=1, max_size=50), st.integers(0, 9)), min_size=1))
def test_a_batch_survives_being_written_and_read(tensors: list[Tensor]) -> None:
    batch = Batch(tuple(tensors))
    assert Batch.decode(batch.encode()) == batch


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\0\0", BATCH.encode()[:-1], BATCH.encode() + b"\0"])
def test_other_bytes_are_no_batch(data: bytes) -> None:
    with pytest.raises(ValueError):
        Batch.decode(data)


@pytest.mark.parametrize(
    "cells",
    [
        (1,),
        (PIECE_VALUES,),
        (PIECE_VALUES + 1,),
        (1, PIECE_VALUES, 2 * PIECE_VALUES, 0, 3),
        (PIECE_VALUES - 1, 0, 1, 5),
    ],
)
def test_pieces_hold_every_number_once_in_order_and_all_but_the_last_are_full(cells: tuple[int, ...]) -> None:
    pieces = list(Batch(tuple(Tensor(0, str(place), size) for place, size in enumerate(cells))).pieces())
    found = [(place, number) for parts in pieces for place, part in parts for number in range(part.start, part.stop)]
    assert found == [(place, number) for place, size in enumerate(cells) for number in range(size)]
    sizes = [sum(part.stop - part.start for _, part in parts) for parts in pieces]
    assert sizes[:-1] == [PIECE_VALUES] * (len(sizes) - 1) and 0 < sizes[-1] <= PIECE_VALUES


def test_a_batch_across_pieces_has_the_masks_of_its_tensors() -> None:
    one, other = pairs()
    batch = Batch((TENSOR, Tensor(0, "long", 2 * PIECE_VALUES), Tensor(0, "none", 0), Tensor(0, "few", 7)))
    alone = np.concatenate([one.stream(tensor).words(tensor.cells) for tensor in batch.tensors])
    assert np.array_equal(np.concatenate(list(other.masks(batch))), alone)


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
