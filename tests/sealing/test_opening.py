import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.sealing import WrongChunk, chunk_key, open_chunk, open_chunks
from tests.sealing.sale import KEY, fetch, flipped, honest_records, open_result, sell, sell_records

PLAIN = bytes(range(256)) * 20
SALE = sell(PLAIN, capacity=7)
INNER = fetch(SALE.sealed, SALE.commitment).getvalue()


def pieces(length_bytes: int, count: int = 3, padding: bytes = b"") -> list[bytes]:
    """The data of `count` chunks that claim a result of so many bytes, with this at the very end."""
    data = length_bytes.to_bytes(8, "big").ljust(count * 992 - len(padding), b"\0") + padding
    return [data[at : at + 992] for at in range(0, len(data), 992)]


@pytest.mark.parametrize("wrong", [0, 1, 5, 63, 64, 99])
def test_a_wrong_chunk_is_named_by_its_index(wrong: int) -> None:
    records = honest_records([(5).to_bytes(8, "big").ljust(992, b"\0"), *[bytes(992)] * 99])
    records[wrong] = records[wrong][:700] + b"garbage" + records[wrong][707:]
    sale = sell_records(records)
    with pytest.raises(WrongChunk, match=f"Chunk {wrong} does not decrypt") as caught:
        open_result(fetch(sale.sealed, sale.commitment), sale.commitment)
    assert caught.value.index == wrong
    assert isinstance(caught.value, Corrupt)


def test_the_first_of_several_wrong_chunks_is_named() -> None:
    records = honest_records(pieces(100, 4))
    sale = sell_records([records[0], flipped(records[1], 0), records[2], flipped(records[3], 8447)])
    with pytest.raises(WrongChunk) as caught:
        open_result(fetch(sale.sealed, sale.commitment), sale.commitment)
    assert caught.value.index == 1


def test_a_wrong_chunk_is_named_though_length_and_padding_are_wrong_as_well() -> None:
    impossible, hiding = pieces(3 * 992 - 7), pieces(5, 3, b"x")
    for data in (impossible, hiding):
        records = honest_records(data)
        sale = sell_records([*records[:2], flipped(records[2], 8447)])
        with pytest.raises(WrongChunk) as caught:
            open_result(fetch(sale.sealed, sale.commitment), sale.commitment)
        assert caught.value.index == 2


def test_a_key_that_was_not_promised_is_corrupt_and_not_shown() -> None:
    with pytest.raises(Corrupt, match="does not have the hash") as caught:
        open_result(io.BytesIO(INNER), SALE.commitment, key=b"k" * 32)
    assert "kkkk" not in str(caught.value)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_invalid(key: bytes) -> None:
    with pytest.raises(Invalid, match="must be 32 bytes"):
        open_result(io.BytesIO(INNER), SALE.commitment, key=key)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 8 * len(INNER) - 1))
def test_a_bit_that_flips_on_the_buyers_disk_is_never_held_against_the_provider(bit: int) -> None:
    out = io.BytesIO()
    with pytest.raises((Corrupt, Invalid)) as caught:
        open_chunks(io.BytesIO(flipped(INNER, bit)), out, key=KEY, expected=SALE.commitment)
    assert not isinstance(caught.value, WrongChunk)
    assert isinstance(caught.value, Corrupt) or bit < 8 * 14


def test_a_consistent_forgery_of_the_inner_file_is_corrupt() -> None:
    other = sell(b"something else", capacity=7)
    forged = fetch(other.sealed, other.commitment).getvalue()
    with pytest.raises(Corrupt, match="altered after it was checked"):
        open_result(io.BytesIO(forged), SALE.commitment)


@pytest.mark.parametrize("cut", [0, 13, 14, 15, len(INNER) - 1, len(INNER) - 1056])
def test_a_cut_inner_file_is_corrupt(cut: int) -> None:
    with pytest.raises(Corrupt):
        open_result(io.BytesIO(INNER[:cut]), SALE.commitment)


def test_an_inner_file_of_another_format_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="Expected the format agora/inner/1, found agora/inner/9"):
        open_result(io.BytesIO(b"agora/inner/9\n" + INNER[14:]), SALE.commitment)


def test_a_length_that_cannot_be_is_corrupt() -> None:
    sale = sell_records(honest_records(pieces(3 * 992 - 7)))
    with pytest.raises(Corrupt, match="claims 2969 bytes where 2968 fit"):
        open_result(fetch(sale.sealed, sale.commitment), sale.commitment)


@pytest.mark.parametrize(("length_bytes", "count"), [(0, 1), (0, 3), (2000, 3), (2966, 3), (10, 200)])
def test_padding_that_hides_bytes_is_corrupt(length_bytes: int, count: int) -> None:
    sale = sell_records(honest_records(pieces(length_bytes, count, b"x\0")))
    with pytest.raises(Corrupt, match="padding is not zero"):
        open_result(fetch(sale.sealed, sale.commitment), sale.commitment)


def test_the_last_byte_of_a_full_result_is_no_padding() -> None:
    sale = sell_records(honest_records(pieces(2968, 3, b"x")))
    assert open_result(fetch(sale.sealed, sale.commitment), sale.commitment)[-1:] == b"x"


@pytest.mark.parametrize("index", range(7))
def test_one_chunk_opens_under_its_own_key(index: int) -> None:
    data = (len(PLAIN).to_bytes(8, "big") + PLAIN).ljust(7 * 992, b"\0")
    found = open_chunk(io.BytesIO(INNER), index, of_chunk_key=chunk_key(KEY, index))
    assert found == data[index * 992 : index * 992 + 992]


def test_one_chunk_does_not_open_under_the_key_of_another() -> None:
    with pytest.raises(WrongChunk, match="Chunk 2"):
        open_chunk(io.BytesIO(INNER), 2, of_chunk_key=chunk_key(KEY, 3))


@pytest.mark.parametrize("index", [-1, 7])
def test_a_chunk_outside_the_count_is_invalid(index: int) -> None:
    with pytest.raises(Invalid, match="below the count"):
        open_chunk(io.BytesIO(INNER), index, of_chunk_key=chunk_key(KEY, 0))


def test_a_chunk_key_of_another_length_is_invalid() -> None:
    with pytest.raises(Invalid, match="key of a chunk must be 32 bytes"):
        open_chunk(io.BytesIO(INNER), 0, of_chunk_key=b"k")
