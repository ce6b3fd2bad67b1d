import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.content import dagpb, unixfs
from marketplace.content.cid import DAG_PB, RAW, Cid
from marketplace.content.unixfs import FileNode, Part

LEAF = Part(Cid.of_raw(b"leaf"), 4, 4)
PARTS = st.builds(
    lambda digest, codec, size, more: Part(Cid(digest, codec), size, size if codec == RAW else size + more),
    st.binary(min_size=32, max_size=32),
    st.sampled_from([RAW, DAG_PB]),
    st.integers(1, 2**50),
    st.integers(0, 2**20),
)
NODES = st.builds(lambda parts: FileNode(tuple(parts)), st.lists(PARTS, min_size=1, max_size=6))


def block(data: bytes, *links: dagpb.Link) -> bytes:
    return dagpb.encode(dagpb.Node(links or (dagpb.Link(LEAF.cid, 4),), data))


def data(kind: int, size: int, *sizes: int) -> bytes:
    fields = [dagpb.varint_field(4, size) for size in sizes]
    return dagpb.varint_field(1, kind) + dagpb.varint_field(3, size) + b"".join(fields)


class TestEncoding:
    def test_a_node_is_the_bytes_that_the_specification_gives(self) -> None:
        assert unixfs.encode(FileNode((LEAF,))) == bytes.fromhex(
            "122a0a2401551220" + LEAF.cid.digest.hex() + "12001804" + "0a06" + "0802" + "1804" + "2004"
        )

    @given(NODES)
    def test_what_was_encoded_is_decoded(self, node: FileNode) -> None:
        assert unixfs.decode(unixfs.encode(node)) == node

    @given(NODES)
    def test_the_sizes_of_a_node_are_those_of_its_parts_and_its_own(self, node: FileNode) -> None:
        assert node.content_bytes == sum(part.content_bytes for part in node.parts)
        assert node.dag_bytes == len(unixfs.encode(node)) + sum(part.dag_bytes for part in node.parts)


class TestDecodingIsStrict:
    @given(NODES, st.data())
    def test_changed_bytes_are_another_node_or_none(self, node: FileNode, draw: st.DataObject) -> None:
        encoded = bytearray(unixfs.encode(node))
        at = draw.draw(st.integers(0, len(encoded) - 1))
        encoded[at] ^= draw.draw(st.integers(1, 255))
        try:
            other = unixfs.decode(bytes(encoded))
        except ValueError as error:
            assert str(error)
        else:
            assert unixfs.encode(other) == bytes(encoded)
            assert other != node

    @given(NODES, st.data())
    def test_a_node_cut_short_or_made_longer_is_none(self, node: FileNode, draw: st.DataObject) -> None:
        encoded = unixfs.encode(node)
        cut = draw.draw(st.integers(0, len(encoded) - 1))
        for broken in (encoded[:cut], encoded + b"\x00", encoded + encoded[:cut]):
            if broken != encoded:
                with pytest.raises(ValueError, match=r"\S"):
                    unixfs.decode(broken)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_node_or_a_value_error(self, junk: bytes) -> None:
        try:
            assert unixfs.encode(unixfs.decode(junk)) == junk
        except ValueError as error:
            assert str(error)

    @pytest.mark.parametrize(
        ("kind", "name"), [(0, "raw"), (1, "directory"), (3, "metadata"), (4, "symlink"), (5, "HAMT"), (6, "type 6")]
    )
    def test_another_unixfs_type_is_named(self, kind: int, name: str) -> None:
        with pytest.raises(ValueError, match=f"expected a UnixFS file, got {name}"):
            unixfs.decode(block(data(kind, 4, 4)))

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            (block(data(2, 5, 4)), "sizes in the UnixFS node disagree"),
            (block(data(2, 4)), "one size for each of the parts"),
            (block(data(2, 8, 4, 4)), "one size for each of the parts"),
            (dagpb.encode(dagpb.Node((), data(2, 0))), "one size for each of the parts"),
            (block(b""), "expected a UnixFS file, got nothing"),
            (block(data(2, 4, 4) + dagpb.varint_field(5, 1)), "unknown field 5"),
            (block(dagpb.bytes_field(2, b"abcd") + data(2, 4, 4)), "holds bytes of the file itself"),
            (block(data(2, 0, 0), dagpb.Link(Cid.of_raw(b""), 0)), "is empty"),
            (block(data(2, 4, 4), dagpb.Link(LEAF.cid, 5)), "cannot hold 4 bytes in 5"),
            (block(data(2, 9, 9), dagpb.Link(Cid.of_dag_pb(b""), 8)), "cannot hold 9 bytes in 8"),
            (block(data(2, 4, 4) + dagpb.varint_field(3, 4)), "not in its canonical form"),
            (block(dagpb.varint_field(3, 4) + dagpb.varint_field(1, 2) + dagpb.varint_field(4, 4)), "canonical"),
            (block(data(2, 4, 4) + dagpb.varint_field(1, 2)), "expected a UnixFS file, got file and file"),
            (block(b"\x08\x02\x18\x04\x20\x84\x00"), "canonical"),
            (block(b"\x08\x02\x1a\x01\x04\x20\x04"), "canonical"),
        ],
    )
    def test_a_node_that_disagrees_with_itself_is_none(self, wrong: bytes, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            unixfs.decode(wrong)
