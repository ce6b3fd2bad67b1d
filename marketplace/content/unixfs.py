"""An inner node of a file: which blocks it consists of, in order, and how many bytes each holds.

Source: the UnixFS specification (specs.ipfs.tech/unixfs). Only what `ipfs add --raw-leaves` makes of a file is known
here: inner nodes hold no bytes of the file themselves, and every leaf is a raw block.
"""

from dataclasses import dataclass

from marketplace.content import dagpb
from marketplace.content.cid import RAW, Cid

_TYPE, _DATA, _FILE_SIZE, _BLOCK_SIZE = 1, 2, 3, 4
_FILE = 2
_TYPES = {0: "raw", 1: "directory", 2: "file", 3: "metadata", 4: "symlink", 5: "HAMT shard"}


@dataclass(frozen=True, slots=True)
class Part:
    """One child of a node: its address, the file's bytes below it, and the encoded bytes of all blocks below it."""

    cid: Cid
    content_bytes: int
    dag_bytes: int


@dataclass(frozen=True, slots=True)
class FileNode:
    """An inner node of a file: at least one part, none of them empty."""

    parts: tuple[Part, ...]

    @property
    def content_bytes(self) -> int:
        """How many bytes of the file are below this node."""
        return sum(part.content_bytes for part in self.parts)

    @property
    def dag_bytes(self) -> int:
        """The encoded bytes of this node and of all blocks below it."""
        return len(encode(self)) + sum(part.dag_bytes for part in self.parts)


def encode(node: FileNode) -> bytes:
    """The block of `node`: a dag-pb node whose data is UnixFS of type file."""
    sizes = (dagpb.varint_field(_BLOCK_SIZE, part.content_bytes) for part in node.parts)
    data = dagpb.varint_field(_TYPE, _FILE) + dagpb.varint_field(_FILE_SIZE, node.content_bytes) + b"".join(sizes)
    return dagpb.encode(dagpb.Node(tuple(dagpb.Link(part.cid, part.dag_bytes) for part in node.parts), data))


def decode(block: bytes) -> FileNode:
    """The node that `block` encodes.

    Raises `ValueError`, saying what is wrong, on another UnixFS type, on bytes of the file inside the node, on sizes
    that disagree, on an empty part, and on anything that `encode` would have written otherwise.
    """
    node = dagpb.decode(block)
    kinds: list[int] = []
    sizes: list[int] = []
    for number, value in dagpb.fields(node.data):
        if number == _TYPE and isinstance(value, int):
            kinds.append(value)
        elif number == _BLOCK_SIZE and isinstance(value, int):
            sizes.append(value)
        elif number == _DATA:
            raise ValueError("the UnixFS node holds bytes of the file itself; expected all of them in raw leaves")
        elif number != _FILE_SIZE:
            raise ValueError(f"the UnixFS node has the unknown field {number}")
    if kinds != [_FILE]:
        found = " and ".join(_TYPES.get(kind, f"type {kind}") for kind in kinds) or "nothing"
        raise ValueError(f"expected a UnixFS file, got {found}")
    file_node = FileNode(_parts(node.links, sizes))
    if encode(file_node) != block:
        raise ValueError("the sizes in the UnixFS node disagree, or it is not in its canonical form")
    return file_node


def _parts(links: tuple[dagpb.Link, ...], sizes: list[int]) -> tuple[Part, ...]:
    if not links or len(links) != len(sizes):
        raise ValueError(f"expected one size for each of the parts, at least one, got {len(links)} and {len(sizes)}")
    parts = tuple(Part(link.cid, size, link.dag_bytes) for link, size in zip(links, sizes, strict=True))
    for part in parts:
        if part.content_bytes == 0:
            raise ValueError(f"the part {part.cid} is empty")
        if part.dag_bytes < part.content_bytes or (part.cid.codec == RAW and part.dag_bytes != part.content_bytes):
            raise ValueError(f"the part {part.cid} cannot hold {part.content_bytes} bytes in {part.dag_bytes}")
    return parts
