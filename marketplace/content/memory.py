"""Blocks in this process's memory: for tests and for what need not outlive the process."""

from marketplace.content.blocks import BlockStore
from marketplace.content.cid import Cid
from marketplace.content.layout import Block
from marketplace.errors import Unreachable


class MemoryStore(BlockStore):
    """A store that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._blocks: dict[Cid, bytes] = {}

    def get_block(self, cid: Cid) -> bytes:
        try:
            return self._blocks[cid]
        except KeyError:
            raise Unreachable(f"expected the block {cid} in memory, got nothing; put it there or try another") from None

    def put_block(self, block: Block) -> None:
        self._blocks[block.cid] = block.data

    def has(self, cid: Cid) -> bool:
        return cid in self._blocks

    def keep(self, root: Cid) -> None:
        """Memory clears nothing away."""
