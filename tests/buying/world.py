"""A marketplace in this process with one hand-made provider and one buyer, and a store that counts and can fail."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from marketplace.buying.client import Client
from marketplace.content.cid import Cid
from marketplace.content.memory import MemoryStore
from marketplace.errors import Unreachable
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.follower import Follower
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.specification import Workload
from tests.buying.provider import EURO, HandMadeProvider

SEED = b"the buyer's own sealing seed, 32"
PURSE_UNITS = 1_000 * EURO
ROWS = 40


class Shelf(MemoryStore):
    """Memory that counts what it hands out, and stops answering after `answers` blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.served: Counter[Cid] = Counter()
        self.answers: int | None = None

    def get_block(self, cid: Cid) -> bytes:
        if self.answers is not None:
            if self.answers <= 0:
                raise Unreachable(f"expected the block {cid}, got nothing; try again")
            self.answers -= 1
        self.served[cid] += 1
        return super().get_block(cid)

    def copy(self) -> "Shelf":
        """Another shelf with the same blocks."""
        other = Shelf()
        other._blocks.update(self._blocks)
        return other

    def replace(self, cid: Cid, data: bytes | None) -> None:
        """Puts other bytes in the place of a block; None takes it away."""
        if data is None:
            del self._blocks[cid]
        else:
            self._blocks[cid] = data


@dataclass
class World:
    """Everybody and everything. `wallet`: the buyer's folder for orders. `standing`: an offer that is there already."""

    ledger: EmbeddedLedger
    store: Shelf
    provider: HandMadeProvider
    buyer: LocalSigner
    wallet: Path
    standing: Offer | None = None
    said: list[str] = field(default_factory=list)

    def client(self, *, seed: bytes = SEED, signer: LocalSigner | None = None) -> Client:
        """The buyer as a fresh program would begin."""
        return Client(
            ledger=self.ledger,
            follower=Follower(self.ledger, from_block=self.provider.from_block),
            store=self.store,
            signer=signer or self.buyer,
            seed=seed,
            folder=self.wallet,
            clock=lambda: 0.0,
        )

    def place(self, offer: Offer | None = None) -> OrderId:
        """A placed order of `offer`; None for the standing one, or a new one."""
        offer = offer or self.standing or self.provider.offer()
        client = self.client()
        workload = Workload((("sex", "age"),))
        return client.place(client.draft(offer.id, rows=ROWS, workload=workload, slot_s=60)).order

    def delivered(self) -> OrderId:
        """An order with an honest delivery."""
        order = self.place()
        self.provider.deliver(order)
        return order

    def accepted(self) -> OrderId:
        """An order whose delivery was received and accepted."""
        order = self.delivered()
        self.client().receive(order)
        self.client().accept(order)
        return order

    def revealed(self) -> OrderId:
        """An order whose key is out."""
        order = self.accepted()
        self.provider.reveal(order)
        return order

    def purse_units(self) -> int:
        """What the buyer holds."""
        return self.ledger.balance_units(self.ledger.token, self.buyer.address)


def build(ledger: EmbeddedLedger, wallet: Path) -> World:
    """A new world on `ledger`, which knows nothing of what happened there before and has no offer yet."""
    store, from_block = Shelf(), ledger.head_block() + 1
    provider = HandMadeProvider(ledger, ledger.token, ledger.account(200 * PURSE_UNITS), store, from_block=from_block)
    return World(ledger, store, provider, ledger.account(PURSE_UNITS), wallet)


def enter(market: World, wallet: Path) -> World:
    """The market of `market` with its offer, for another buyer, and with a store that may be damaged."""
    store = market.store.copy()
    provider = replace(market.provider, store=store)
    buyer = market.ledger.account(PURSE_UNITS)
    return World(market.ledger, store, provider, buyer, wallet, market.standing)
