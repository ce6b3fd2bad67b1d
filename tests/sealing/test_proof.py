import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.sealing import proof_of
from marketplace.sealing.chunk import key_hash
from marketplace.sealing.tree import node_hash
from tests.sealing.sale import KEY, fetch, flipped, honest_records, sell, sell_records

SALE = sell(bytes(5000), capacity=7)
INNER = fetch(SALE.sealed, SALE.commitment).getvalue()
BAD_RECORDS = honest_records([bytes(992)] * 5)
BAD_RECORDS[3] = flipped(BAD_RECORDS[3], 8 * 500)
BAD = sell_records(BAD_RECORDS)
BAD_INNER = fetch(BAD.sealed, BAD.commitment).getvalue()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.data())
def test_every_chunk_is_provably_committed(capacity: int, data: st.DataObject) -> None:
    sale = sell(b"", capacity=capacity)
    index = data.draw(st.integers(0, capacity - 1))
    proof = proof_of(fetch(sale.sealed, sale.commitment), index)
    assert proof.is_committed(sale.commitment)
    assert not proof.shows_wrong_chunk(sale.commitment, KEY)


def test_a_wrong_chunk_is_proven_and_a_right_one_is_not() -> None:
    shown = [proof_of(io.BytesIO(BAD_INNER), index).shows_wrong_chunk(BAD.commitment, KEY) for index in range(5)]
    assert shown == [False, False, False, True, False]


def test_a_wrong_plain_hash_is_proven_too() -> None:
    records = honest_records([bytes(992)] * 2)
    sale = sell_records([records[0], flipped(records[1], 0)])
    assert proof_of(fetch(sale.sealed, sale.commitment), 1).shows_wrong_chunk(sale.commitment, KEY)


def test_nothing_is_proven_under_a_key_that_was_not_promised() -> None:
    proof = proof_of(io.BytesIO(INNER), 0)
    assert not proof.shows_wrong_chunk(SALE.commitment, b"k" * 32)
    assert proof.shows_wrong_chunk(replace(SALE.commitment, key_hash=key_hash(b"k" * 32)), b"k" * 32)


@given(st.integers(-2, 20).filter(lambda index: index != 3))
def test_a_proof_with_another_index_proves_nothing(index: int) -> None:
    proof = replace(proof_of(io.BytesIO(BAD_INNER), 3), index=index)
    assert not proof.is_committed(BAD.commitment)
    assert not proof.shows_wrong_chunk(BAD.commitment, KEY)


def test_a_proof_of_another_depth_proves_nothing() -> None:
    proof = proof_of(io.BytesIO(BAD_INNER), 3)
    for path in ((), proof.path[:-1], proof.path[1:], (*proof.path, bytes(32))):
        assert not replace(proof, path=path).shows_wrong_chunk(BAD.commitment, KEY)


def test_an_inner_node_cannot_pass_for_a_chunk() -> None:
    proof = proof_of(io.BytesIO(BAD_INNER), 0)
    left = proof_of(io.BytesIO(BAD_INNER), 1).path[0]
    children = left + proof.path[0]
    assert node_hash(left, proof.path[0]) == proof_of(io.BytesIO(BAD_INNER), 2).path[1]
    for index in range(5):
        disguised = replace(
            proof, index=index, plain_hash=children[:32], cipher=children[32:].ljust(1024, b"\0"), path=proof.path[1:]
        )
        assert not disguised.is_committed(BAD.commitment)
        assert not replace(disguised, path=(bytes(32), *proof.path[1:])).is_committed(BAD.commitment)


def test_a_padding_leaf_cannot_pass_for_a_chunk() -> None:
    proof = proof_of(io.BytesIO(BAD_INNER), 4)
    for index in (5, 6, 7):
        assert not replace(proof, index=index, plain_hash=bytes(32), cipher=bytes(1024)).is_committed(BAD.commitment)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 8 * 1056 - 1))
def test_a_flipped_bit_in_the_record_proves_nothing(bit: int) -> None:
    proof = proof_of(io.BytesIO(BAD_INNER), 3)
    record = flipped(proof.plain_hash + proof.cipher, bit)
    assert not replace(proof, plain_hash=record[:32], cipher=record[32:]).shows_wrong_chunk(BAD.commitment, KEY)


def test_bytes_moved_between_plain_hash_and_ciphertext_prove_nothing() -> None:
    proof = proof_of(io.BytesIO(BAD_INNER), 3)
    record = proof.plain_hash + proof.cipher
    for border in (0, 31, 33, 1056):
        moved = replace(proof, plain_hash=record[:border], cipher=record[border:])
        assert not moved.shows_wrong_chunk(BAD.commitment, KEY)


def test_a_proof_against_another_delivery_proves_nothing() -> None:
    assert not proof_of(io.BytesIO(BAD_INNER), 3).shows_wrong_chunk(SALE.commitment, KEY)


@pytest.mark.parametrize("index", [-1, 7])
def test_there_is_no_proof_outside_the_count(index: int) -> None:
    with pytest.raises(Invalid, match="below the count"):
        proof_of(io.BytesIO(INNER), index)


def test_there_is_no_proof_from_a_file_of_another_kind() -> None:
    with pytest.raises(Corrupt, match="bytes of another kind"):
        proof_of(io.BytesIO(bytes(5000)), 0)
