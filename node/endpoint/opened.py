"""Which chunks of an order were opened before it was paid for, in the node's journal."""

from collections.abc import Iterable

from marketplace.errors import Corrupt
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark

INDEX_BYTES = 4


def opened_chunks(journal: Journal, order: OrderId) -> frozenset[int]:
    """Every chunk that was opened, or was about to be when the node ended. Raises as the journal does."""
    marked = (entry.data for entry in journal.entries(order) if entry.mark == Mark.OPENED)
    return frozenset(index for data in marked for index in _indices(data))


def note_opened(journal: Journal, order: OrderId, indices: Iterable[int], at_s: int) -> None:
    """Writes down, durably, that these chunks are open from now on. Raises as the journal does."""
    journal.add(order, Mark.OPENED, b"".join(index.to_bytes(INDEX_BYTES) for index in sorted(indices)), at_s)


def _indices(data: bytes) -> list[int]:
    if not data or len(data) % INDEX_BYTES:
        raise Corrupt("expected indices of chunks in the journal, got other bytes; restore it from its backup")
    return [int.from_bytes(data[at : at + INDEX_BYTES]) for at in range(0, len(data), INDEX_BYTES)]
