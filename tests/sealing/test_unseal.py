import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.sealing import unseal
from marketplace.sealing.header import HEADER_BYTES
from marketplace.sealing.segments import SEGMENT_BYTES, TAG_BYTES
from tests.sealing.sale import CONTEXT, READER, STRANGER, Sale, fetch, flipped, honest_records, sell, sell_records

SMALL = sell(b"a result", capacity=2)
LONG = sell(bytes(150_000))
STEP = SEGMENT_BYTES + TAG_BYTES


def refused(sealed: bytes, sale: Sale = SMALL) -> Exception:
    with pytest.raises((Corrupt, Invalid)) as caught:
        fetch(sealed, sale.commitment)
    assert "\n" not in str(caught.value)
    return caught.value


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 8 * len(SMALL.sealed) - 1))
def test_a_flipped_bit_anywhere_is_refused(bit: int) -> None:
    error = refused(flipped(SMALL.sealed, bit))
    assert isinstance(error, Corrupt) or bit < 8 * (15 + 32), "only the format and the reader's mark may be Invalid"


@pytest.mark.slow
def test_every_flipped_bit_is_refused() -> None:
    for bit in range(8 * len(SMALL.sealed)):
        refused(flipped(SMALL.sealed, bit))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SMALL.sealed) - 1))
def test_an_object_cut_anywhere_is_corrupt(length_bytes: int) -> None:
    assert isinstance(refused(SMALL.sealed[:length_bytes]), Corrupt)


def test_a_cut_object_says_so() -> None:
    assert "cut short" in str(refused(SMALL.sealed[:-1]))


@pytest.mark.parametrize("more", [b"\0", b"x" * 100_000])
def test_an_extended_object_is_corrupt(more: bytes) -> None:
    assert "goes on after" in str(refused(SMALL.sealed + more))


@pytest.mark.parametrize(
    "order", [(1, 0, 2), (0, 0, 2), (0, 2), (0, 1), (0, 1, 2, 2), (2, 1, 0)], ids=lambda order: "".join(map(str, order))
)
def test_segments_moved_repeated_or_left_out_are_corrupt(order: tuple[int, ...]) -> None:
    head, body = LONG.sealed[:HEADER_BYTES], LONG.sealed[HEADER_BYTES:]
    segments = [body[at : at + STEP] for at in range(0, len(body), STEP)]
    assert len(segments) == 3
    assert isinstance(refused(head + b"".join(segments[place] for place in order), LONG), Corrupt)


def test_an_altered_segment_is_named_by_its_place() -> None:
    assert "segment 1" in str(refused(flipped(LONG.sealed, 8 * (HEADER_BYTES + STEP + 5)), LONG))


def test_the_head_of_another_object_is_corrupt() -> None:
    other = sell(b"a result", capacity=2)
    assert isinstance(refused(other.sealed[:HEADER_BYTES] + SMALL.sealed[HEADER_BYTES:]), Corrupt)


def test_an_object_for_another_key_is_invalid() -> None:
    with pytest.raises(Invalid, match="sealed for another key"):
        fetch(SMALL.sealed, SMALL.commitment, reader=STRANGER)


def test_a_stranger_who_puts_its_own_mark_on_the_object_reads_nothing() -> None:
    marked = SMALL.sealed[:15] + STRANGER.public_key.fingerprint + SMALL.sealed[47:]
    with pytest.raises(Corrupt, match="key does not open"):
        fetch(marked, SMALL.commitment, reader=STRANGER)


@pytest.mark.parametrize("context", [b"", CONTEXT + b" ", b"order 8, manifest M"])
def test_an_object_for_another_order_or_manifest_is_corrupt(context: bytes) -> None:
    with pytest.raises(Corrupt, match="another order or manifest"):
        fetch(SMALL.sealed, SMALL.commitment, context=context)


@pytest.mark.parametrize("line", [b"agora/sealed/2\n", b"agora/sealed/10", b"agora/keystore/1\n"])
def test_an_unknown_format_is_refused_by_name(line: bytes) -> None:
    with pytest.raises(Invalid, match=r"Expected the format agora/sealed/1, found agora/") as caught:
        fetch(line + SMALL.sealed, SMALL.commitment)
    assert line[:15].decode().strip() in str(caught.value)


@pytest.mark.parametrize("start", [bytes(15), b"%PDF-1.7\n" + bytes(9), b"agora/\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
def test_bytes_of_another_kind_are_corrupt(start: bytes) -> None:
    with pytest.raises(Corrupt, match="found bytes of another kind"):
        fetch(start + SMALL.sealed, SMALL.commitment)


def test_an_empty_object_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="cut short"):
        fetch(b"", SMALL.commitment)


def test_an_object_that_disagrees_with_its_delivery_is_corrupt() -> None:
    for changed, what in (
        (replace(SMALL.commitment, root=bytes(32)), "the root"),
        (replace(SMALL.commitment, plain_root=bytes(32)), "the plain root"),
        (replace(SMALL.commitment, count=3), "3 chunks, the object holds 2"),
    ):
        with pytest.raises(Corrupt, match=what):
            fetch(SMALL.sealed, changed)


def test_a_claim_of_four_billion_chunks_is_refused_before_anything_is_read() -> None:
    claim = SMALL.sealed[:47] + b"\xff" * 4 + SMALL.sealed[51:]
    source, inner = io.BytesIO(claim), io.BytesIO()
    with pytest.raises(Corrupt, match="4294967295"):
        unseal(source, inner, reader=READER, context=CONTEXT, expected=SMALL.commitment)
    assert source.tell() == HEADER_BYTES
    assert inner.getvalue() == b""


def test_a_delivery_of_no_chunks_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="0 chunks"):
        fetch(SMALL.sealed[:47] + bytes(4) + SMALL.sealed[51:], replace(SMALL.commitment, count=0))


def test_an_inner_file_of_an_unknown_format_is_refused_by_name() -> None:
    sale = sell_records(honest_records([bytes(992)]), first_line=b"agora/inner/2\n")
    with pytest.raises(Invalid, match="found agora/inner/2"):
        fetch(sale.sealed, sale.commitment)


def test_a_source_that_gives_few_bytes_at_a_time_is_read_whole() -> None:
    class Trickling(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 1000) if size else size)

    inner = io.BytesIO()
    unseal(Trickling(LONG.sealed), inner, reader=READER, context=CONTEXT, expected=LONG.commitment)
    assert inner.getvalue() == fetch(LONG.sealed, LONG.commitment).getvalue()
