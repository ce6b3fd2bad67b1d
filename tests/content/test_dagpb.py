import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.content import dagpb
from marketplace.content.cid import DAG_PB, RAW, Cid
from marketplace.content.dagpb import Link, Node

LINK = Link(Cid.of_raw(b"leaf"), 4)
LINKS = st.builds(
    lambda digest, codec, size: Link(Cid(digest, codec), size),
    st.binary(min_size=32, max_size=32),
    st.sampled_from([RAW, DAG_PB]),
    st.integers(0, 2**63 - 1),
)
NODES = st.builds(lambda links, data: Node(tuple(links), data), st.lists(LINKS, max_size=5), st.binary(max_size=40))


@given(NODES)
def test_what_was_encoded_is_decoded(node: Node) -> None:
    assert dagpb.decode(dagpb.encode(node)) == node


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**63 - 1, "ff" * 8 + "7f")],
)
def test_a_number_is_the_shortest_varint(value: int, encoded: str) -> None:
    assert dagpb.varint(value).hex() == encoded


def link_body(*, hash_first: bool = True, name: bytes | None = b"", size: bytes | None = b"\x18\x04") -> bytes:
    target = dagpb.bytes_field(1, LINK.cid.binary)
    title = b"" if name is None else dagpb.bytes_field(2, name)
    return target + title + (size or b"") if hash_first else title + target + (size or b"")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"\x0a\x00" + dagpb.bytes_field(2, link_body()), "canonical"),
        (dagpb.bytes_field(2, link_body(hash_first=False)) + b"\x0a\x00", "canonical"),
        (dagpb.bytes_field(2, link_body(name=None)) + b"\x0a\x00", "canonical"),
        (dagpb.bytes_field(2, link_body(name=b"n")) + b"\x0a\x00", "canonical"),
        (dagpb.bytes_field(2, link_body(size=b"\x18\x84\x00")) + b"\x0a\x00", "canonical"),
        (dagpb.bytes_field(2, link_body(size=None)) + b"\x0a\x00", "lacks its hash or its size"),
        (dagpb.bytes_field(2, link_body() + b"\x20\x01") + b"\x0a\x00", "canonical"),
        (dagpb.bytes_field(2, dagpb.bytes_field(1, b"\x12\x20" + bytes(32)) + b"\x18\x04"), "points elsewhere"),
        (dagpb.bytes_field(2, link_body()), "canonical"),
        (b"\x0a\x00\x0a\x00", "canonical"),
        (b"\x0a\x05abc", "over the end"),
        (b"\x1a\x00", "no such field 3"),
        (b"\x08\x00", "no such field 1"),
        (b"\x0d\x00\x00\x00\x00", "wire type 5"),
        (b"\x0a", "cut short"),
        (b"\x0a\x80", "cut short"),
        (b"\x0a" + b"\x80" * 9 + b"\x01", "longer than 63 bits"),
    ],
)
def test_anything_but_the_canonical_form_is_a_value_error(wrong: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        dagpb.decode(wrong)
