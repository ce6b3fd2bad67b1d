"""How a file becomes blocks: leaves of 262,144 bytes under a balanced tree of at most 174 links per node.

The same as `ipfs add --cid-version=1 --raw-leaves --chunker=size-262144`: a file of one leaf or less is that one raw
block; every leaf of a longer one is equally deep. Source: the UnixFS specification's balanced layout.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from marketplace.content import unixfs
from marketplace.content.cid import Cid
from marketplace.content.unixfs import FileNode, Part

LEAF_BYTES = 262_144
MAX_LINKS = 174


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes and the address that they hash to."""

    cid: Cid
    data: bytes


def blocks(source: BinaryIO | Iterable[bytes]) -> Iterator[Block]:
    """The blocks of the file that `source` holds from here on: children before their parents, the root last."""
    levels: list[list[Part]] = []
    for leaf in leaves(source):
        block = Block(Cid.of_raw(leaf), leaf)
        yield block
        yield from _add(levels, 0, Part(block.cid, len(leaf), len(leaf)))
    height = 0
    while height < len(levels) - 1 or len(levels[height]) > 1:
        if levels[height]:
            yield from _close(levels, height)
        height += 1


def _add(levels: list[list[Part]], height: int, part: Part) -> Iterator[Block]:
    if height == len(levels):
        levels.append([])
    levels[height].append(part)
    if len(levels[height]) == MAX_LINKS:
        yield from _close(levels, height)


def _close(levels: list[list[Part]], height: int) -> Iterator[Block]:
    node = FileNode(tuple(levels[height]))
    levels[height].clear()
    data = unixfs.encode(node)
    block = Block(Cid.of_dag_pb(data), data)
    yield block
    yield from _add(levels, height + 1, Part(block.cid, node.content_bytes, node.dag_bytes))


def leaves(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """`source` cut into leaves: all of 262,144 bytes but the last, which is shorter, and empty only if all is empty."""
    pieces = iter(partial(source.read, LEAF_BYTES), b"") if hasattr(source, "read") else iter(source)
    held = bytearray()
    count = 0
    for piece in pieces:
        if not held and len(piece) == LEAF_BYTES:
            yield piece
            count += 1
            continue
        rest = memoryview(piece)
        while len(held) + len(rest) >= LEAF_BYTES:
            cut = LEAF_BYTES - len(held)
            yield b"".join((held, rest[:cut]))
            count += 1
            held.clear()
            rest = rest[cut:]
        held += rest
    if held or count == 0:
        yield bytes(held)


def cid_of(source: BinaryIO | Iterable[bytes]) -> Cid:
    """The address of the file that `source` holds from here on, without storing it; in constant memory."""
    cid = Cid.of_raw(b"")
    for block in blocks(source):
        cid = block.cid
    return cid
