from io import BytesIO, RawIOBase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.content import Cid, cid_of, layout, unixfs
from marketplace.content.cid import RAW
from marketplace.content.layout import LEAF_BYTES, blocks, leaves
from tests.content.pattern import pages, pattern
from tests.content.vectors import VECTORS, Vector


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_file_has_the_address_that_another_implementation_gives_it(
    vector: Vector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "LEAF_BYTES", vector.leaf_bytes)
    assert cid_of(pages(vector.size)).text == vector.cid


class TestLeaves:
    @given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
    def test_however_the_bytes_come_the_leaves_are_the_same(self, pieces: list[bytes], leaf_bytes: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "LEAF_BYTES", leaf_bytes)
            data = b"".join(pieces)
            expected = [data[at : at + leaf_bytes] for at in range(0, len(data), leaf_bytes)] or [b""]
            assert list(leaves(pieces)) == list(leaves(BytesIO(data))) == expected

    def test_a_file_that_gives_few_bytes_at_a_time_is_read_to_its_end(self) -> None:
        class Slow(RawIOBase):
            def __init__(self, data: bytes) -> None:
                self.rest = BytesIO(data)

            def readable(self) -> bool:
                return True

            def read(self, size: int = -1) -> bytes:
                return self.rest.read(min(size, 70_001))

        assert b"".join(leaves(Slow(pattern(300_000)))) == pattern(300_000)


class TestBlocks:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9, 10, 27, 28, 30, 82])
    def test_children_come_before_parents_and_the_root_last(self, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "LEAF_BYTES", 8)
        monkeypatch.setattr(layout, "MAX_LINKS", 3)
        made = list(blocks(i.to_bytes(8, "big") for i in range(count)))
        known: set[Cid] = set()
        used: set[Cid] = set()
        for block in made:
            if block.cid.codec != RAW:
                children = {part.cid for part in unixfs.decode(block.data).parts}
                assert children <= known
                used |= children
            known.add(block.cid)
        assert known - used == {made[-1].cid}

    def test_a_leaf_or_less_is_one_raw_block(self) -> None:
        for size in (0, 1, LEAF_BYTES):
            assert [block.cid for block in blocks(pages(size))] == [Cid.of_raw(pattern(size))]
