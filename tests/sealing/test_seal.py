import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.sealing import capacity_for, open_chunks, plain_root_of, seal, sealed_bytes, unseal
from marketplace.sealing.chunk import key_hash
from marketplace.sealing.segments import SEGMENT_BYTES
from tests.sealing.sale import CONTEXT, KEY, READER, SECRET, Sale, fetch, open_result, sell

MIB = 2**20


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=5000), st.integers(0, 4))
def test_a_result_of_any_length_comes_back(plain: bytes, spare: int) -> None:
    sale = sell(plain, capacity=capacity_for(len(plain)) + spare)
    assert open_result(fetch(sale.sealed, sale.commitment), sale.commitment) == plain


@pytest.mark.parametrize("chunks", [1, 2, 62, 63, 64, 65, 124, 125, 128, 129, 200])
@pytest.mark.parametrize("missing_bytes", [0, 1, 983])
def test_a_result_at_an_edge_of_chunk_segment_or_batch_comes_back(chunks: int, missing_bytes: int) -> None:
    plain = os.urandom(chunks * 992 - 8 - missing_bytes)
    sale = sell(plain)
    assert sale.commitment.count == chunks
    assert open_result(fetch(sale.sealed, sale.commitment), sale.commitment) == plain


def test_a_result_of_several_segments_and_batches_comes_back() -> None:
    plain = os.urandom(3 * MIB + 5)
    sale = sell(plain, capacity=4000)
    assert open_result(fetch(sale.sealed, sale.commitment), sale.commitment) == plain


def test_the_size_follows_from_the_capacity_alone() -> None:
    sizes = {len(sell(bytes(length), capacity=70).sealed) for length in (0, 1, 991, 40_000, 70 * 992 - 8)}
    assert sizes == {sealed_bytes(70)}
    assert sealed_bytes(70) > SEGMENT_BYTES


def test_a_result_beyond_the_capacity_is_invalid() -> None:
    with pytest.raises(Invalid, match=r"has 1977 bytes .* capacity is 1976;"):
        sell(bytes(1977), capacity=2)


@pytest.mark.parametrize("capacity", [0, -1, 2**32])
def test_a_capacity_out_of_range_is_invalid(capacity: int) -> None:
    with pytest.raises(Invalid, match="capacity is between"):
        sell(b"", capacity=capacity)


@pytest.mark.parametrize("wrong", [b"", b"short", bytes(33), "a string of thirty-two characters"[:32]])
def test_a_secret_or_a_key_of_another_kind_is_invalid_and_never_shown(wrong: bytes) -> None:
    attempts: list[Callable[[], Sale]] = [lambda: sell(b"", secret=wrong), lambda: sell(b"", key=wrong)]
    for attempt in attempts:
        with pytest.raises(Invalid, match="must be 32 bytes") as caught:
            attempt()
        assert not wrong or str(wrong) not in str(caught.value)


def test_nothing_is_written_when_the_result_does_not_fit() -> None:
    out = io.BytesIO()
    with pytest.raises(Invalid):
        seal(
            io.BytesIO(bytes(2000)), out, capacity=1, secret=SECRET, key=KEY, reader=READER.public_key, context=CONTEXT
        )
    assert out.getvalue() == b""


def test_sealing_begins_at_the_position_of_the_result() -> None:
    plain, out = io.BytesIO(b"headline" + b"result"), io.BytesIO()
    plain.seek(8)
    commitment = seal(plain, out, capacity=1, secret=SECRET, key=KEY, reader=READER.public_key, context=CONTEXT)
    assert open_result(fetch(out.getvalue(), commitment), commitment) == b"result"


def test_a_stock_keeps_its_plain_root_over_sales_and_each_sale_has_its_own_ciphertext() -> None:
    first, second = sell(b"stock" * 500), sell(b"stock" * 500, key=b"fresh key of another sale, 32 by")
    assert first.commitment.plain_root == second.commitment.plain_root
    assert first.commitment.root != second.commitment.root
    first_inner, second_inner = (fetch(sale.sealed, sale.commitment).getvalue() for sale in (first, second))
    assert first_inner[14:46] == second_inner[14:46]
    assert first_inner[46:1070] != second_inner[46:1070]


def test_the_plain_root_is_known_before_sealing() -> None:
    plain = os.urandom(100_000)
    sale = sell(plain, capacity=130)
    assert plain_root_of(io.BytesIO(plain), capacity=130, secret=SECRET) == sale.commitment.plain_root


def test_another_secret_gives_another_plain_root() -> None:
    assert sell(b"x").commitment.plain_root != sell(b"x", secret=bytes(32)).commitment.plain_root


def test_the_commitment_promises_the_key() -> None:
    assert sell(b"x").commitment.key_hash == key_hash(KEY)


def test_sealing_twice_never_gives_the_same_object() -> None:
    assert sell(b"x").sealed != sell(b"x").sealed


def test_no_run_of_the_result_is_in_the_object_or_in_the_inner_file() -> None:
    sale = sell(b"conspicuous text " * 400)
    assert b"conspicuous" not in sale.sealed
    assert b"conspicuous" not in fetch(sale.sealed, sale.commitment).getvalue()


def test_a_result_that_shrinks_while_it_is_sealed_is_corrupt() -> None:
    class Shrinking(io.BytesIO):
        def seek(self, place: int, whence: int = 0) -> int:
            return super().seek(place, whence) + (1 if whence == 2 else 0)

    with pytest.raises(Corrupt, match="result is cut short"):
        seal(
            Shrinking(b"x"),
            io.BytesIO(),
            capacity=1,
            secret=SECRET,
            key=KEY,
            reader=READER.public_key,
            context=CONTEXT,
        )


def test_memory_does_not_grow_with_the_result(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("plain", "sealed", "inner", "opened")]
    paths[0].write_bytes(os.urandom(8 * MIB))
    tracemalloc.start()
    with paths[0].open("rb") as plain, paths[1].open("wb") as out:
        capacity = capacity_for(8 * MIB)
        commitment = seal(
            plain, out, capacity=capacity, secret=SECRET, key=KEY, reader=READER.public_key, context=CONTEXT
        )
    with paths[1].open("rb") as source, paths[2].open("wb") as inner_out:
        unseal(source, inner_out, reader=READER, context=CONTEXT, expected=commitment)
    with paths[2].open("rb") as inner, paths[3].open("wb") as opened:
        open_chunks(inner, opened, key=KEY, expected=commitment)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert paths[3].read_bytes() == paths[0].read_bytes()
    assert peak_bytes < 2 * MIB
