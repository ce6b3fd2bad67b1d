"""The dag-pb node: an ordered list of links, and bytes. Encoded in the one canonical way, decoded strictly.

Source: the DAG-PB specification (ipld.io/specs/codecs/dag-pb/spec) and the Protocol Buffers wire format.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.errors import Invalid

_VARINT, _BYTES = 0, 2
_NODE_DATA, _NODE_LINK = 1, 2
_LINK_HASH, _LINK_NAME, _LINK_SIZE = 1, 2, 3
_MAX_VARINT_BYTES = 9


@dataclass(frozen=True, slots=True)
class Link:
    """One unnamed link: where it points, and `dag_bytes`, the encoded size of everything that it reaches."""

    cid: Cid
    dag_bytes: int


@dataclass(frozen=True, slots=True)
class Node:
    """Links in order, and the node's own bytes."""

    links: tuple[Link, ...]
    data: bytes


def encode(node: Node) -> bytes:
    """The canonical bytes of `node`: links first, each with hash, empty name and size; then the data."""
    parts = []
    for link in node.links:
        body = b"".join(
            (
                bytes_field(_LINK_HASH, link.cid.binary),
                bytes_field(_LINK_NAME, b""),
                varint_field(_LINK_SIZE, link.dag_bytes),
            )
        )
        parts.append(bytes_field(_NODE_LINK, body))
    parts.append(bytes_field(_NODE_DATA, node.data))
    return b"".join(parts)


def decode(block: bytes) -> Node:
    """The node that `block` encodes. Raises `ValueError`, saying what is wrong, if `encode` would not give `block`."""
    links: list[Link] = []
    data = b""
    for number, value in fields(block):
        if number == _NODE_LINK and isinstance(value, bytes):
            links.append(_link(value))
        elif number == _NODE_DATA and isinstance(value, bytes):
            data = value
        else:
            raise ValueError(f"a dag-pb node has no such field {number}")
    node = Node(tuple(links), data)
    if encode(node) != block:
        raise ValueError("the dag-pb node is not in its canonical form")
    return node


def _link(body: bytes) -> Link:
    values = dict(fields(body))
    match values.get(_LINK_HASH), values.get(_LINK_SIZE):
        case bytes() as target, int() as dag_bytes:
            try:
                return Link(Cid.from_binary(target), dag_bytes)
            except Invalid as error:
                raise ValueError(f"a dag-pb link points elsewhere: {error}") from error
    raise ValueError("a dag-pb link lacks its hash or its size")


def varint(value: int) -> bytes:
    """`value` (not negative) as a base-128 varint."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def varint_field(number: int, value: int) -> bytes:
    """Field `number` holding the varint `value`."""
    return varint(number << 3 | _VARINT) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Field `number` holding the bytes `value`."""
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf `message` in order: number, and an integer or bytes.

    Raises `ValueError` if the message is cut short or uses a wire type other than varint and bytes.
    """
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        if key & 7 == _VARINT:
            yield key >> 3, value
        elif key & 7 == _BYTES:
            if at + value > len(message):
                raise ValueError("a protobuf field runs over the end of its message")
            yield key >> 3, message[at : at + value]
            at += value
        else:
            raise ValueError(f"a protobuf field has the unknown wire type {key & 7}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(message):
            raise ValueError("a protobuf number is cut short")
        byte = message[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("a protobuf number is longer than 63 bits")
