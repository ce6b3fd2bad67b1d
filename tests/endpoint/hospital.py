"""A real node with its vault, journal and store, an order that it has delivered, and the buyer who asks about it."""

from dataclasses import dataclass, replace

from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_chunk_request
from marketplace.ledger.signer import LocalSigner, recover
from marketplace.protocol.chunks import ChunkKeys, ChunkRequest
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Standing
from marketplace.protocol.states import OrderState
from node.daemon import Daemon
from node.endpoint.chunks import Chunks
from node.endpoint.opened import opened_chunks
from node.journal import Journal
from tests.node.market import SLOT_S, Market

ROWS = 4_000
"""So many rows that all 8 chunks may be opened."""

HOLDS_S = 60


def deliver(market: Market, daemon: Daemon, rows: int = ROWS) -> OrderId:
    """An order of so many rows that the node has made, sealed and delivered."""
    order = market.client.place(market.client.draft(market.offer.id, rows=rows, slot_s=SLOT_S)).order
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.tick()
    return order


@dataclass
class Counter:
    """The verb `chunks` over a node's folder, and somebody who signs what is asked of it. `notes`: what it noted."""

    market: Market
    chunks: Chunks
    notes: list[str]

    @classmethod
    def open(cls, market: Market, journal: Journal) -> "Counter":
        """The verb over the folder of the market's node, with a journal of that node."""
        node, notes = market.node, list[str]()
        account = market.client.account()
        chunks = Chunks(
            provider=node.keys.signer.address,
            account=lambda: account,
            ledger=market.ledger,
            store=node.store,
            journal=journal,
            box=SecretBox(node.keys.storage_key),
            folder_of=lambda order: node.folder / "orders" / order.hex(),
            clock=lambda: 0,
            note=notes.append,
        )
        return cls(market, chunks, notes)

    def request(self, order: OrderId, *indices: int, **changes: object) -> ChunkRequest:
        """A request for these chunks of what the ledger has for `order`, but for `changes`."""
        delivery = self.market.ledger.order(order).delivery
        made = ChunkRequest(order, delivery, tuple(sorted(indices)), self.market.ledger.now_s() + HOLDS_S)
        return replace(made, **changes)  # type: ignore[arg-type]

    def signed(self, request: ChunkRequest, by: LocalSigner | None = None, domain: Domain | None = None) -> bytes:
        """The request as it is sent, signed by the buyer for this marketplace, or by and for another."""
        signer = by or self.market.client.signer
        return request.encode(sign_chunk_request(signer, domain or self.market.ledger.domain, request))

    def opened(self, order: OrderId) -> list[int]:
        """The chunks that the journal says are open."""
        return sorted(opened_chunks(self.chunks.journal, order))

    def ask(self, order: OrderId, *indices: int) -> dict[int, bytes]:
        """The keys that the buyer gets."""
        answer = self.chunks.answer(self.signed(self.request(order, *indices)))
        return dict(ChunkKeys.decode(answer).keys_of(order))


class Still:
    """A ledger that stands still, which several threads may ask at once, with an order as it is but for `changes`."""

    def __init__(self, ledger: Ledger, order: OrderId, **changes: object) -> None:
        self.domain, self._now_s = ledger.domain, ledger.now_s()
        self._standing = replace(ledger.order(order), **changes)  # type: ignore[arg-type]

    def order(self, _: OrderId) -> Standing:
        return self._standing

    def now_s(self) -> int:
        return self._now_s

    def signed_by(self, account: Address, struct: bytes, signature: bytes) -> bool:
        return recover(self.domain.separator, struct, signature) == account
