"""A marketplace in a few lines: it records events as the contract would, with real ids, and can be told to lie."""

from hashlib import sha256
from typing import Any

from marketplace.ledger import ids
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, OrderView, fold
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.order import CODEC_RAW, Delivery, Order, pack_versions
from marketplace.protocol.states import Reason
from marketplace.sealing.chunk import key_hash

from .examples import address, head

TOKEN = address(9)
PROVIDER = address(1)
BUYER = address(2)
START_S = 1_700_000_000
RHO_MICRO = 30_560
KEY = b"k" * 32


def some(label: str) -> bytes:
    """32 bytes that nobody else has."""
    return sha256(label.encode()).digest()


def delivery(number: int = 0, **changes: Any) -> Delivery:
    """A delivery of three chunks under `KEY`."""
    values: dict[str, Any] = {
        "commitment_root": some(f"root {number}"),
        "plain_root": some(f"plain {number}"),
        "key_hash": key_hash(KEY),
        "object": some(f"object {number}"),
        "manifest": some(f"manifest {number}"),
        "count": 3,
        "object_codec": CODEC_RAW,
    }
    return Delivery(**(values | changes))


class History:
    """The events of one contract. Every method takes it a block and a second further, unless `wait` does."""

    def __init__(self, provider: Address = PROVIDER) -> None:
        self.domain = ids.Domain(31_337, address(70))
        self.provider = provider
        self.events: list[ev.Event] = []
        self.now_s = START_S
        self._number = 0

    @property
    def account(self) -> Account:
        return fold(self.events)

    def wait(self, seconds: int) -> None:
        """Lets time pass."""
        self.now_s += seconds

    def fresh(self, label: str) -> bytes:
        """32 bytes that this history has not used yet."""
        self._number += 1
        return some(f"{label} {self._number}")

    def record(self, event: type[ev.Event], *parts: Any) -> None:
        """Writes an event down, true or not."""
        self.now_s += 1
        block = len(self.events) + 1
        self.events.append(event(ev.Position(block, 0, some(f"transaction {block}"), self.now_s), *parts))

    # ---------------------------------------------------------------------------------------------- datasets and offers

    def register(
        self, total_micro: int = 10 * RHO_MICRO, description: bytes | None = None, provider: Address | None = None
    ) -> DatasetId:
        salt, owner = self.fresh("salt"), provider or self.provider
        dataset = ids.dataset_id(self.domain, owner, salt)
        named = (self.fresh("commitment"), description or self.fresh("description"))
        self.record(ev.DatasetRegistered, dataset, owner, salt, *named, total_micro)
        return dataset

    def revise(self, dataset: DatasetId, description: bytes | None = None) -> None:
        version = len(self.account.datasets[dataset].versions) + 1
        named = (self.fresh("commitment"), description or self.fresh("description"))
        self.record(ev.DatasetRevised, dataset, version, *named)

    def publish(self, dataset: DatasetId, rho_micro: int = RHO_MICRO, **changes: Any) -> Offer:
        owner = self.account.datasets[dataset].provider
        terms = head(token=TOKEN, lead=owner, **changes)
        offer = ids.offer(self.domain, terms, (Member(dataset, owner, 10_000, rho_micro),))
        self.record(ev.OfferPublished, offer)
        return offer

    def retire(self, offer: Offer) -> None:
        self.record(ev.OfferRetired, offer.id, offer.head.lead)

    def stake(self, amount_units: int, who: Address | None = None) -> None:
        self.record(ev.Staked, TOKEN, who or self.provider, amount_units)

    # ------------------------------------------------------------------------------------------------ one order's way

    def place(self, offer: Offer, buyer: Address = BUYER, **changes: Any) -> OrderId:
        versions = [len(self.account.datasets[member.dataset].versions) for member in offer.members]
        values = {
            "offer": offer.id,
            "buyer": buyer,
            "specification": self.fresh("specification"),
            "versions": pack_versions(versions),
            "place_by_s": self.now_s + 600,
        }
        order = Order(**(values | changes))
        order_id = ids.order_id(self.domain, order)
        self.record(ev.OrderPlaced, order_id, order, self.now_s + 1 + offer.head.deliver_window_s)
        return order_id

    def deliver(self, order: OrderId, made: Delivery | None = None) -> None:
        made = made or delivery(len(self.events))
        deadline_s = self.now_s + 1 + self._head(order).accept_window_s
        self.record(ev.OrderDelivered, order, ids.delivery_hash(self.domain, order, made), made, deadline_s)

    def accept(self, order: OrderId) -> None:
        self.record(
            ev.OrderAccepted, order, self.view(order).delivery_hash, self.now_s + 1 + self._head(order).reveal_window_s
        )

    def reveal(self, order: OrderId, key: bytes = KEY) -> None:
        self.record(ev.OrderRevealed, order, key, self.now_s + 1 + self._head(order).challenge_window_s)

    def settle(self, order: OrderId, reason: Reason = Reason.APPROVED) -> None:
        self.record(ev.OrderSettled, order, reason)

    def refund(self, order: OrderId, reason: Reason) -> None:
        self.record(ev.OrderRefunded, order, reason)

    def forfeit(self, order: OrderId, reason: Reason = Reason.NOT_REVEALED) -> None:
        self.record(ev.OrderForfeited, order, reason)

    def release(self, order: OrderId) -> None:
        (member,) = self.account.offers[self.view(order).order.offer].offer.members
        self.record(ev.RhoReleased, order, member.dataset, member.rho_micro)

    # ------------------------------------------------------------------------------------------------------- withdrawing

    def withdraw_credit(self, who: Address, amount_units: int) -> None:
        self.record(ev.CreditWithdrawn, TOKEN, who, amount_units)

    def withdraw_payout(self, offer: OfferId) -> int:
        view = self.account.offers[offer]
        amount = view.owed_units(0)
        self.record(ev.PayoutWithdrawn, offer, 0, view.offer.members[0].provider, amount)
        return amount

    # ------------------------------------------------------------------------------------------------------- whole lives

    def settled(self, offer: Offer, made: Delivery | None = None, **changes: Any) -> OrderId:
        """An order on the way on which everything went well."""
        order = self.place(offer, **changes)
        self.deliver(order, made)
        self.accept(order)
        self.reveal(order)
        self.settle(order)
        return order

    def view(self, order: OrderId) -> OrderView:
        return self.account.orders[order]

    def _head(self, order: OrderId) -> Any:
        account = self.account
        return account.offers[account.orders[order].order.offer].offer.head


def market() -> tuple[History, Offer]:
    """A history with a dataset, an offer on it and bonds for two open orders."""
    history = History()
    offer = history.publish(history.register())
    history.stake(2 * offer.head.bond_units)
    return history, offer
