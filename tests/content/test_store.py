"""What every content store promises, on every adapter."""

from io import BufferedWriter, BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from marketplace.content import Cid, ContentStore, cid_of, copy, layout, put_bytes, read_bytes
from marketplace.content.cid import DAG_PB
from marketplace.content.directory import DirectoryStore
from marketplace.content.layout import LEAF_BYTES, blocks
from marketplace.content.memory import MemoryStore
from marketplace.errors import Corrupt, Invalid, Unreachable
from tests.content.pattern import pages, pattern
from tests.content.shelf import Shelf

SIZES = [0, 1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 3 * LEAF_BYTES + 1000]
DEEP = 31_007


@pytest.fixture
def small_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves of 1,000 bytes, three links per node: a tree of five levels without many bytes."""
    monkeypatch.setattr(layout, "LEAF_BYTES", 1000)
    monkeypatch.setattr(layout, "MAX_LINKS", 3)


def own(mark: str, size: int) -> bytes:
    """`size` bytes that no other test puts."""
    head = mark.encode()
    return head + pattern(size - len(head))


class TestWhatIsPutCanBeRead:
    @pytest.mark.parametrize("size", SIZES)
    def test_the_bytes_come_back(self, shelf: Shelf, size: int) -> None:
        assert read_bytes(shelf.store, shelf.put(pattern(size)), limit=size) == pattern(size)

    @pytest.mark.usefixtures("small_tree")
    def test_a_deep_tree_comes_back(self, shelf: Shelf) -> None:
        data = pattern(DEEP)
        assert b"".join(shelf.store.read(shelf.put(data))) == data

    @pytest.mark.parametrize("size", SIZES)
    def test_the_size_is_known_from_the_root_alone(self, shelf: Shelf, size: int) -> None:
        assert shelf.store.size(shelf.put(pattern(size))) == size

    @pytest.mark.parametrize("size", SIZES)
    def test_the_address_is_the_same_everywhere(self, shelf: Shelf, size: int) -> None:
        assert shelf.put(pattern(size)) == cid_of(pages(size)) == put_bytes(MemoryStore(), pattern(size))

    def test_a_file_and_the_pieces_of_it_are_the_same_content(self, shelf: Shelf) -> None:
        data = pattern(2 * LEAF_BYTES + 5)
        assert shelf.source.put(BytesIO(data)) == shelf.source.put(data[i : i + 999] for i in range(0, len(data), 999))

    def test_putting_twice_is_putting_once(self, shelf: Shelf) -> None:
        data = own("twice", 2 * LEAF_BYTES)
        assert shelf.put(data) == shelf.put(data)
        assert read_bytes(shelf.store, cid_of([data]), limit=len(data)) == data

    def test_only_what_the_source_holds_from_here_on_is_put(self, shelf: Shelf) -> None:
        source = BytesIO(b"before and after")
        source.seek(7)
        assert read_bytes(shelf.store, shelf.source.put(source), limit=100) == b"and after"

    def test_has_knows_what_was_put_and_nothing_else(self, shelf: Shelf) -> None:
        cid = shelf.put(own("had", 300_000))
        assert shelf.store.has(cid)
        assert not shelf.store.has(Cid.of_raw(b"never put anywhere"))


class TestReadingFromTheMiddle:
    @pytest.mark.parametrize("offset", [0, 1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 2 * LEAF_BYTES + 77])
    def test_the_rest_comes(self, shelf: Shelf, offset: int) -> None:
        data = pattern(2 * LEAF_BYTES + 77)
        assert b"".join(shelf.store.read(shelf.put(data), offset)) == data[offset:]

    @pytest.mark.usefixtures("small_tree")
    @pytest.mark.parametrize("offset", [2_999, 3_000, 9_500, 27_000, 30_001, DEEP])
    def test_the_rest_of_a_deep_tree_comes(self, shelf: Shelf, offset: int) -> None:
        data = pattern(DEEP)
        assert b"".join(shelf.store.read(shelf.put(data), offset)) == data[offset:]

    @pytest.mark.parametrize("offset", [0, 3, 6])
    def test_the_rest_of_one_block_comes(self, shelf: Shelf, offset: int) -> None:
        assert b"".join(shelf.store.read(shelf.put(b"abcdef"), offset)) == b"abcdef"[offset:]

    def test_leaves_before_the_offset_are_not_fetched(self, shelf: Shelf) -> None:
        data = own("resumed", 3 * LEAF_BYTES)
        cid = shelf.put(data)
        shelf.lose(Cid.of_raw(data[:LEAF_BYTES]))
        assert b"".join(shelf.store.read(cid, LEAF_BYTES)) == data[LEAF_BYTES:]

    @pytest.mark.parametrize("size", [5, LEAF_BYTES + 5])
    @pytest.mark.parametrize("beyond", [-1, LEAF_BYTES + 6])
    def test_an_offset_outside_the_content_is_invalid(self, shelf: Shelf, size: int, beyond: int) -> None:
        cid = shelf.put(pattern(size))
        with pytest.raises(Invalid, match=f"expected an offset from 0 to {size} in {cid}, got {beyond}"):
            list(shelf.store.read(cid, beyond))


class TestNothingUncheckedIsHandedOut:
    @pytest.mark.parametrize("bit", [0, 1_000_003, 8 * LEAF_BYTES - 1])
    def test_a_flipped_bit_in_a_leaf_is_corrupt_and_names_the_cid(self, shelf: Shelf, bit: int) -> None:
        data = own(f"leaf, bit {bit}", 3 * LEAF_BYTES)
        cid = shelf.put(data)
        second = list(blocks([data]))[1]
        shelf.flip(second, bit)
        handed_out = bytearray()
        with pytest.raises(Corrupt, match=str(second.cid)):
            for piece in shelf.store.read(cid):
                handed_out += piece
        assert handed_out == data[:LEAF_BYTES]

    @pytest.mark.parametrize("bit", [0, 77, 500, 1_000])
    def test_a_flipped_bit_in_the_root_is_corrupt_and_names_the_cid(self, shelf: Shelf, bit: int) -> None:
        data = own(f"root, bit {bit}", 3 * LEAF_BYTES)
        cid = shelf.put(data)
        shelf.flip(list(blocks([data]))[-1], bit)
        with pytest.raises(Corrupt, match=str(cid)):
            list(shelf.store.read(cid))
        with pytest.raises(Corrupt, match=str(cid)):
            shelf.store.size(cid)

    def test_a_flipped_bit_in_a_file_of_one_block_is_corrupt_and_names_the_cid(self, shelf: Shelf) -> None:
        data = own("one block", 1000)
        cid = shelf.put(data)
        shelf.flip(next(blocks([data])), 4321)
        with pytest.raises(Corrupt, match=str(cid)):
            read_bytes(shelf.store, cid, limit=1000)

    @pytest.mark.parametrize("put_instead", [b"", b"short", b"long " * 100_000])
    def test_other_bytes_than_promised_are_corrupt(self, shelf: Shelf, put_instead: bytes) -> None:
        data = own(f"instead of {len(put_instead)}", 1000)
        cid = shelf.put(data)
        shelf.spoil(cid, put_instead)
        with pytest.raises(Corrupt, match=str(cid)):
            list(shelf.store.read(cid))

    def test_a_block_of_more_than_two_mebibytes_is_not_taken_in(self, shelf: Shelf) -> None:
        data = own("giant", 1000)
        cid = shelf.put(data)
        shelf.spoil(cid, bytes(2 * 1024 * 1024 + 1))
        with pytest.raises(Corrupt, match=str(cid)):
            list(shelf.store.read(cid))

    def test_the_same_bytes_under_the_other_codec_are_no_file(self, shelf: Shelf) -> None:
        cid = shelf.put(own("not a node", 1000))
        with pytest.raises((Corrupt, Unreachable), match=str(Cid(cid.digest, DAG_PB))):
            list(shelf.impatient.read(Cid(cid.digest, DAG_PB)))


class TestWhatIsMissing:
    def test_a_missing_root_is_unreachable_and_named(self, shelf: Shelf) -> None:
        cid = Cid.of_raw(b"never put either")
        with pytest.raises(Unreachable, match=str(cid)):
            list(shelf.impatient.read(cid))

    def test_a_missing_leaf_is_unreachable_and_named_after_all_before_it(self, shelf: Shelf) -> None:
        data = own("with a hole", 3 * LEAF_BYTES)
        cid = shelf.put(data)
        hole = Cid.of_raw(data[LEAF_BYTES : 2 * LEAF_BYTES])
        shelf.lose(hole)
        pieces = shelf.impatient.read(cid)
        assert next(pieces) == data[:LEAF_BYTES]
        with pytest.raises(Unreachable, match=str(hole)):
            next(pieces)

    def test_putting_again_brings_back_what_was_lost(self, shelf: Shelf) -> None:
        data = own("mended", 2 * LEAF_BYTES)
        cid = shelf.put(data)
        shelf.lose(Cid.of_raw(data[:LEAF_BYTES]))
        shelf.put(data)
        assert read_bytes(shelf.store, cid, limit=len(data)) == data


class TestReadBytes:
    def test_as_many_bytes_as_the_limit_are_fine(self, shelf: Shelf) -> None:
        assert read_bytes(shelf.store, shelf.put(b"12345"), limit=5) == b"12345"

    @pytest.mark.parametrize("size", [6, 2 * LEAF_BYTES])
    def test_one_byte_more_than_the_limit_is_corrupt_and_names_the_cid(self, shelf: Shelf, size: int) -> None:
        cid = shelf.put(pattern(size))
        with pytest.raises(Corrupt, match=f"expected at most {size - 1} bytes in {cid}"):
            read_bytes(shelf.store, cid, limit=size - 1)


class TestCopy:
    def test_a_copy_goes_on_from_where_it_stopped(self, shelf: Shelf, tmp_path: Path) -> None:
        data = pattern(2 * LEAF_BYTES + 9)
        cid = shelf.put(data)
        target = tmp_path / "copy"
        stops = [0, 1, LEAF_BYTES, LEAF_BYTES + 5, len(data)]
        for start, stop in pairwise(stops):
            assert target.stat().st_size == start if start else not target.exists()
            with target.open("ab") as file:
                assert copy(shelf.store, cid, file, offset=start) == len(data) - start
                file.truncate(stop)
        assert target.read_bytes() == data

    def test_a_copy_writes_where_the_file_stands(self, shelf: Shelf) -> None:
        target = BytesIO(b"0123456789")
        target.seek(4)
        assert copy(shelf.store, shelf.put(b"abcdef"), target, offset=3) == 3
        assert target.getvalue() == b"0123def789"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_a_full_disk_is_unreachable_in_one_line(self, shelf: Shelf) -> None:
        cid = shelf.put(pattern(LEAF_BYTES + 1))
        with open("/dev/full", "wb", buffering=0) as full, pytest.raises(Unreachable, match="free some") as told:
            copy(shelf.store, cid, BufferedWriter(full))
        assert "\n" not in str(told.value)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_a_full_disk_is_noticed_even_by_a_small_copy(self, shelf: Shelf) -> None:
        cid = shelf.put(b"small")
        with open("/dev/full", "wb", buffering=0) as full, pytest.raises(Unreachable, match="free some"):
            copy(shelf.store, cid, BufferedWriter(full))


def test_a_content_moves_from_one_store_into_another(shelf: Shelf, tmp_path: Path) -> None:
    other: ContentStore = DirectoryStore(tmp_path / "other")
    cid = shelf.put(pattern(3 * LEAF_BYTES))
    assert other.put(shelf.store.read(cid)) == cid
    assert other.has(cid)
