"""Files over blocks, once for all adapters: the writer, and the reader that checks every block."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO, ClassVar, final

from marketplace.content import unixfs
from marketplace.content.cid import RAW, Cid
from marketplace.content.layout import Block, blocks
from marketplace.content.pipeline import in_order
from marketplace.content.unixfs import FileNode, Part
from marketplace.errors import Corrupt, Invalid

MAX_BLOCK_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 8


class BlockStore(ABC):
    """A `ContentStore` for adapters that keep single blocks. An adapter gives the four methods that are abstract here.

    What `get_block` answers is never trusted: all bytes reach a reader through the check in `read`.
    """

    reads_at_once: ClassVar[int] = 1
    writes_at_once: ClassVar[int] = 1

    @abstractmethod
    def get_block(self, cid: Cid) -> bytes:
        """The bytes that are stored as `cid`, unchecked, at most `MAX_BLOCK_BYTES`.

        Raises `Unreachable` naming `cid` if they are not to be had now, `Corrupt` naming it if there are too many.
        """

    @abstractmethod
    def put_block(self, block: Block) -> None:
        """Store `block`, durably, if it is not there yet. Raises as `ContentStore.put` does."""

    @abstractmethod
    def has(self, cid: Cid) -> bool:
        """See `ContentStore.has`; the root is the last block that `put` stores."""

    @abstractmethod
    def keep(self, root: Cid) -> None:
        """See to it that the file `root`, whose blocks have all been put, is never cleared away."""

    @final
    def put(self, source: BinaryIO | Iterable[bytes]) -> Cid:
        """See `ContentStore.put`."""
        root: Block | None = None

        def all_but_the_root() -> Iterator[Block]:
            nonlocal root
            for block in blocks(source):
                if root is not None:
                    yield root
                root = block

        for _ in in_order(self.put_block, all_but_the_root(), self.writes_at_once):
            pass
        if root is None:
            raise AssertionError("a file has at least one block")
        self.put_block(root)
        self.keep(root.cid)
        return root.cid

    @final
    def read(self, cid: Cid, offset: int = 0) -> Iterator[bytes]:
        """See `ContentStore.read`."""
        if cid.codec == RAW:
            data = self._checked(cid)
            _check_offset(cid, offset, len(data))
            if offset < len(data):
                yield data[offset:]
            return
        node = self._node(cid)
        _check_offset(cid, offset, node.content_bytes)
        yield from in_order(self._piece, self._leaves(node, offset, depth=1), self.reads_at_once)

    @final
    def size(self, cid: Cid) -> int:
        """See `ContentStore.size`."""
        return len(self._checked(cid)) if cid.codec == RAW else self._node(cid).content_bytes

    def _checked(self, cid: Cid) -> bytes:
        data = self.get_block(cid)
        if sha256(data).digest() != cid.digest:
            raise Corrupt(f"expected the bytes that hash to {cid}, got {len(data)} others; use another store")
        return data

    def _node(self, cid: Cid) -> FileNode:
        try:
            return unixfs.decode(self._checked(cid))
        except ValueError as error:
            raise Corrupt(f"expected part of a file in {cid}, but {error}; ask its author for another") from error

    def _leaves(self, node: FileNode, offset: int, depth: int) -> Iterator[tuple[Part, int]]:
        """The leaves below `node` that hold its bytes from `offset` on, and how many bytes to leave out of each."""
        for part in node.parts:
            if offset >= part.content_bytes:
                offset -= part.content_bytes
                continue
            if part.cid.codec == RAW:
                yield part, offset
            else:
                yield from self._leaves(self._inner(part, depth), offset, depth + 1)
            offset = 0

    def _inner(self, part: Part, depth: int) -> FileNode:
        if depth == MAX_DEPTH:
            raise Corrupt(f"expected a file of at most {MAX_DEPTH} levels, got {part.cid} below; ask for another")
        node = self._node(part.cid)
        _check_size(part.cid, "file", node.content_bytes, part.content_bytes)
        _check_size(part.cid, "block", node.dag_bytes, part.dag_bytes)
        return node

    def _piece(self, leaf: tuple[Part, int]) -> bytes:
        part, skip = leaf
        data = self._checked(part.cid)
        _check_size(part.cid, "file", len(data), part.content_bytes)
        return data[skip:]


def _check_size(cid: Cid, kind: str, found: int, expected: int) -> None:
    if found != expected:
        raise Corrupt(f"expected {expected} {kind} bytes in {cid}, got {found}; ask its author for another")


def _check_offset(cid: Cid, offset: int, size: int) -> None:
    if not 0 <= offset <= size:
        raise Invalid(f"expected an offset from 0 to {size} in {cid}, got {offset}; start again from 0")
