"""Merkle trees over 32-byte leaves, in memory of one path. `docs/sealing.md` defines them.

Inner nodes are H(1, left, right). The leaves are followed by leaves of 32 zero bytes up to the next power of two; an
index is always compared with the count, so a padding leaf can never be claimed.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from marketplace.sealing.chunk import HASH_BYTES, MAX_COUNT, NODE


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node: H(1, left, right)."""
    return sha256(NODE + left + right).digest()


def _padding_roots() -> tuple[bytes, ...]:
    roots = [bytes(HASH_BYTES)]
    for _ in range(MAX_COUNT.bit_length()):
        roots.append(node_hash(roots[-1], roots[-1]))
    return tuple(roots)


PADDING = _padding_roots()
"""`PADDING[level]` is the root of a tree of that depth that holds padding only."""


def depth_of(count: int) -> int:
    """The depth of the tree over `count` leaves: the least d with 2**d >= count. `ValueError` if count is below 1."""
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"a tree has between 1 and {MAX_COUNT} leaves")
    return (count - 1).bit_length()


class TreeRoot:
    """The root of a tree of a given depth, from its leaves in order, any number at a time."""

    def __init__(self, depth: int) -> None:
        self._unpaired: list[bytes | None] = [None] * (depth + 1)
        self._depth = depth
        self._left = 1 << depth

    def add(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaves. Raises `ValueError` when they are more than the tree has room for."""
        if len(leaves) > self._left:
            raise ValueError("the tree has no room for so many leaves")
        self._left -= len(leaves)
        nodes, level = list(leaves), 0
        while nodes:
            waiting = self._unpaired[level]
            if waiting is not None:
                nodes.insert(0, waiting)
            self._unpaired[level] = nodes.pop() if len(nodes) % 2 else None
            pairs = iter(nodes)
            nodes = [sha256(NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            level += 1

    def value(self) -> bytes:
        """The root, 32 bytes, with padding after the leaves so far."""
        whole = self._unpaired[self._depth]
        if whole is not None:
            return whole
        node = PADDING[0]
        for level in range(self._depth):
            waiting = self._unpaired[level]
            node = node_hash(node, PADDING[level]) if waiting is None else node_hash(waiting, node)
        return node


def path_of(index: int, count: int, leaf_at: Callable[[int], bytes]) -> tuple[bytes, ...]:
    """The siblings from leaf `index` up to below the root, exactly `depth_of(count)` of them.

    `leaf_at(i)` gives leaf i and is called once for every leaf but this one. `ValueError` unless 0 <= index < count.
    """
    if not 0 <= index < count:
        raise ValueError("the index is not below the count")
    path = []
    for level in range(depth_of(count)):
        first = ((index >> level) ^ 1) << level
        sibling = TreeRoot(level)
        for place in range(first, min(first + (1 << level), count)):
            sibling.add((leaf_at(place),))
        path.append(sibling.value())
    return tuple(path)


def is_member(root: bytes, count: int, index: int, leaf: bytes, path: tuple[bytes, ...]) -> bool:
    """Whether `leaf` stands at `index` in the tree of `count` leaves with this root. Never raises for any bytes."""
    if not 1 <= count <= MAX_COUNT or not 0 <= index < count or len(path) != depth_of(count):
        return False
    if any(len(node) != HASH_BYTES for node in (root, leaf, *path)):
        return False
    node = leaf
    for level, sibling in enumerate(path):
        node = node_hash(sibling, node) if index >> level & 1 else node_hash(node, sibling)
    return node == root
