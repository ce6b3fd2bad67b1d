"""Whether the keys of chunks are disclosed before a delivery is paid for: a pure decision."""

from dataclasses import dataclass, field

from marketplace.errors import Refused
from marketplace.protocol.chunks import LONGEST_LIFE_S, ChunkRequest
from marketplace.protocol.draw import draw
from marketplace.protocol.identity import DeliveryHash
from marketplace.protocol.order import Standing
from marketplace.protocol.states import OrderState
from marketplace.sealing import most_disclosed
from marketplace.sealing.chunk import DATA_BYTES


@dataclass(frozen=True)
class Sealed:
    """What this node sealed for an order: the delivery's hash, how many chunks, what its rows take at least.

    `stock`: the `stock_seed` of what is sold again; None for a result that was made for the order.
    """

    delivery: DeliveryHash
    count: int
    content_bytes: int
    stock: bytes | None = field(default=None, repr=False)

    @property
    def most(self) -> int:
        """How many different chunks may ever be opened before payment."""
        return most_disclosed(self.count, self.content_bytes)

    @property
    def open_to_all(self) -> frozenset[int] | None:
        """The only chunks of stock that are ever opened, the same in every sale; None where it is no stock."""
        if self.stock is None:
            return None
        drawn = draw(self.stock, self.most - 1, self.content_bytes // DATA_BYTES) if self.most else ()
        return frozenset((0, *drawn)[: self.most])


def objection_to_order(request: ChunkRequest, standing: Standing, now_s: int) -> Refused | None:
    """Why no chunk of the order is opened now, whichever the buyer asks for; None if some may be.

    `standing`: what the ledger says of the order now.
    """
    if request.until_s < now_s:
        return Refused("expected a request that still holds, this one has expired; sign another")
    if request.until_s > now_s + LONGEST_LIFE_S:
        return Refused(
            f"expected a request that holds for at most {LONGEST_LIFE_S} s, got a longer one; see to your clock"
        )
    if standing.state is not OrderState.DELIVERED:
        word = standing.state.word
        return Refused(
            f"expected an order that is Delivered and not yet accepted, this one is {word}; nothing is opened"
        )
    if standing.deadline_s < now_s:
        return Refused("expected an order that can still be accepted, the time for it has passed; nothing is opened")
    if request.delivery != standing.delivery:
        return Refused("expected the hash of the delivery on the ledger, got another; fetch the delivery again")
    return None


def objection_to_chunks(request: ChunkRequest, sealed: Sealed, opened: frozenset[int]) -> Refused | None:
    """Why these chunks stay closed; None if they are opened.

    `opened`: the chunks of the order that were opened before; asking for them again costs nothing.
    """
    if request.delivery != sealed.delivery:
        return Refused("expected the delivery that this node sealed, the ledger has another; reject it")
    if request.indices[-1] >= sealed.count:
        return Refused(f"expected chunks below {sealed.count}, got a larger index; ask for chunks that there are")
    if sealed.open_to_all is not None and not sealed.open_to_all.issuperset(request.indices):
        return Refused(
            f"expected the {sealed.most} chunks of this stock that all its buyers may open, got others; "
            "ask for those that its delivery's block draws"
        )
    if len(opened.union(request.indices)) > sealed.most:
        return Refused(
            f"expected at most {sealed.most} different chunks of this order ever, {len(opened)} are open already; "
            "ask for those again, or accept or reject the delivery"
        )
    return None
