"""A marketplace in a few lines: it records events as the contract would, with real ids, and can be told to lie."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from marketplace.ledger import ids
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, OrderView, fold
from marketplace.protocol.identity import NOTHING, Address, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Guarantee, Member, Offer
from marketplace.protocol.order import CODEC_RAW, Delivery, Order, pack_versions
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.sealing.chunk import key_hash

from .examples import address, head

TOKEN = address(9)
PROVIDER = address(1)
BUYER = address(2)
AUTHORITY = address(7)
ARBITER = address(8)
PURPOSE = 3
START_S = 1_700_000_000
RHO_MICRO = 30_560
KEY = b"k" * 32
WAY = [OrderState.PLACED, OrderState.DELIVERED, OrderState.ACCEPTED, OrderState.REVEALED]


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

    def record(self, event: type[ev.Event], *parts: Any, together: bool = False) -> None:
        """Writes an event down, true or not: in a block of its own, or `together` with the one before."""
        if together:
            position = replace(self.events[-1].position, index=self.events[-1].position.index + 1)
        else:
            self.now_s += 1
            block = len(self.events) + 1
            position = ev.Position(block, 0, some(f"transaction {block}"), self.now_s)
        self.events.append(event(position, *parts))

    # ---------------------------------------------------------------------------------------------- datasets and offers

    def register(
        self,
        total_micro: int = 10 * RHO_MICRO,
        description: bytes | None = None,
        provider: Address | None = None,
        exact_total: int = 0,
    ) -> DatasetId:
        salt, owner = self.fresh("salt"), provider or self.provider
        dataset = ids.dataset_id(self.domain, owner, salt)
        named = (self.fresh("commitment"), description or self.fresh("description"))
        self.record(ev.DatasetRegistered, dataset, owner, salt, *named, total_micro, exact_total)
        return dataset

    def revise(self, dataset: DatasetId, description: bytes | None = None) -> None:
        version = len(self.account.datasets[dataset].versions) + 1
        named = (self.fresh("commitment"), description or self.fresh("description"))
        self.record(ev.DatasetRevised, dataset, version, *named)

    def open_epoch(self, dataset: DatasetId, total_micro: int, allowance: int = 0) -> None:
        view = self.account.datasets[dataset]
        exact_total = view.exact_used + allowance
        self.record(ev.EpochOpened, dataset, len(view.epochs) + 1, total_micro, exact_total, self.fresh("reason"))

    def publish(self, *datasets: DatasetId, rho_micro: int = RHO_MICRO, **changes: Any) -> Offer:
        """An offer of the first dataset's provider on all of them, in equal shares, the first with what is left over."""
        free = changes.get("stock", NOTHING) != NOTHING or changes.get("guarantee") is Guarantee.EXACT
        share = 10_000 // len(datasets)
        shares = [10_000 - share * (len(datasets) - 1), *[share] * (len(datasets) - 1)]
        members = [
            Member(dataset, self.account.datasets[dataset].provider, bps, 0 if free else rho_micro)
            for dataset, bps in zip(sorted(datasets), shares, strict=True)
        ]
        lead = self.account.datasets[datasets[0]].provider
        offer = ids.offer(self.domain, head(**({"token": TOKEN, "lead": lead} | changes)), members)
        self.record(ev.OfferPublished, offer)
        return offer

    def publish_stock(self, origin: OrderId, **changes: Any) -> Offer:
        """An offer that sells the delivery of `origin` again, with the usual terms but for `changes`."""
        view = self.view(origin)
        before, delivered = self.account.offers[view.order.offer].offer, view.delivery
        assert delivered
        stock = {"stock": delivered.plain_root, "kind": before.head.kind, "delta_atto": before.head.delta_atto}
        named = {"guarantee": before.head.guarantee, "lead": before.head.lead}
        offer = self.publish(*(member.dataset for member in before.members), **(stock | named | changes))
        self.record(ev.StockOffered, offer.id, origin, together=True)
        return offer

    def retire(self, offer: Offer) -> None:
        self.record(ev.OfferRetired, offer.id, offer.head.lead)

    def stake(self, amount_units: int, who: Address | None = None) -> None:
        self.record(ev.Staked, TOKEN, who or self.provider, amount_units)

    # --------------------------------------------------------------------------------------------- permits and providers

    def grant(self, *subjects: bytes, authority: Address = AUTHORITY, **changes: Any) -> PermitId:
        """A permit of a year from now on for purpose 3 of the buyer's."""
        values: dict[str, Any] = {
            "holder": BUYER,
            "purpose": PURPOSE,
            "from_s": self.now_s,
            "to_s": self.now_s + 365 * 86_400,
            "document": self.fresh("document"),
            "subjects": subjects,
        }
        grant = Grant(**(values | changes))
        permit = ids.permit_id(self.domain, authority, grant)
        self.record(ev.PermitGranted, permit, authority, grant)
        return permit

    def extend(self, permit: PermitId, to_s: int) -> None:
        self.record(ev.PermitExtended, permit, to_s, self.fresh("document"))

    def revoke(self, permit: PermitId) -> None:
        self.record(ev.PermitRevoked, permit, self.fresh("document"))

    def describe(self, provider: Address, descriptor: bytes, certificate: bytes) -> None:
        self.record(ev.ProviderDescribed, provider, descriptor, certificate)

    def anchor(self, provider: Address, day: int, root: bytes) -> None:
        self.record(ev.RootAnchored, provider, day, root)

    # ------------------------------------------------------------------------------------------------ one order's way

    def place(self, offer: Offer, buyer: Address = BUYER, **changes: Any) -> OrderId:
        versions = [len(self.account.datasets[member.dataset].versions) for member in offer.members]
        values = {
            "offer": offer.id,
            "buyer": buyer,
            "specification": self.fresh("specification"),
            "versions": pack_versions(versions) if offer.head.stock == NOTHING else 0,
            "place_by_s": self.now_s + 600,
        }
        order = Order(**(values | changes))
        order_id = ids.order_id(self.domain, order)
        self.record(ev.OrderPlaced, order_id, order)
        return order_id

    def deliver(self, order: OrderId, made: Delivery | None = None) -> None:
        made = made or delivery(len(self.events))
        self.record(ev.OrderDelivered, order, ids.delivery_hash(self.domain, order, made), made)

    def accept(self, order: OrderId) -> None:
        self.record(ev.OrderAccepted, order)

    def reveal(self, order: OrderId, key: bytes = KEY) -> None:
        self.record(ev.OrderRevealed, order, key)

    def contest(self, order: OrderId) -> None:
        self.record(ev.OrderContested, order, self.fresh("grounds"))

    def rule(self, order: OrderId, price_bps: int, bond_bps: int) -> None:
        self.record(ev.OrderRuled, order, price_bps, bond_bps)
        end = ev.OrderSettled if price_bps else ev.OrderRefunded
        self.record(end, order, Reason.RULED, together=True)

    def settle(self, order: OrderId, reason: Reason = Reason.APPROVED) -> None:
        self.record(ev.OrderSettled, order, reason)

    def decline(self, order: OrderId, why: DeclineReason = DeclineReason.UNSTATED) -> None:
        self.record(ev.OrderDeclined, order, why)
        self.record(ev.OrderRefunded, order, Reason.DECLINED, together=True)

    def refund(self, order: OrderId, reason: Reason) -> None:
        self.record(ev.OrderRefunded, order, reason)

    def forfeit(self, order: OrderId, reason: Reason = Reason.NOT_REVEALED) -> None:
        self.record(ev.OrderForfeited, order, reason)

    def release(self, order: OrderId, index: int = 0) -> None:
        offer = self.account.offer_of(self.view(order))
        member = offer.members[index]
        if offer.head.guarantee is Guarantee.EXACT:
            self.record(ev.ExactReleased, order, member.dataset)
        else:
            self.record(ev.RhoReleased, order, member.dataset, member.rho_micro)

    def name_user(self, order: OrderId, user: Address) -> None:
        self.record(ev.UserNamed, order, user)

    # ------------------------------------------------------------------------------------------------------- withdrawing

    def withdraw_credit(self, who: Address, amount_units: int) -> None:
        self.record(ev.CreditWithdrawn, TOKEN, who, amount_units)

    def withdraw_payout(self, offer: OfferId, index: int = 0) -> int:
        view = self.account.offers[offer]
        amount = view.owed_units(index)
        self.record(ev.PayoutWithdrawn, offer, index, view.offer.members[index].provider, amount)
        return amount

    # ------------------------------------------------------------------------------------------------------- whole lives

    def reach(self, offer: Offer, state: OrderState, made: Delivery | None = None, **changes: Any) -> OrderId:
        """An order of `offer` on the way on which everything goes well, or badly after the reveal, up to `state`."""
        order = self.place(offer, **changes)
        steps = [lambda: self.deliver(order, made), lambda: self.accept(order), lambda: self.reveal(order)]
        if state is OrderState.CONTESTED:
            steps.append(lambda: self.contest(order))
        elif state is OrderState.SETTLED:
            steps.append(lambda: self.settle(order))
        for step in steps[: WAY.index(state)] if state in WAY else steps:
            step()
        return order

    def settled(self, offer: Offer, made: Delivery | None = None, **changes: Any) -> OrderId:
        """An order on the way on which everything went well."""
        return self.reach(offer, OrderState.SETTLED, made, **changes)

    def view(self, order: OrderId) -> OrderView:
        return self.account.orders[order]


def market(**changes: Any) -> tuple[History, Offer]:
    """A history with a dataset, an offer on it and bonds for two open orders."""
    history = History()
    offer = history.publish(history.register(exact_total=5), **changes)
    history.stake(2 * offer.head.bond_units)
    return history, offer


def arbitrated(**changes: Any) -> tuple[History, Offer]:
    """A market whose offer names an arbiter."""
    return market(**({"arbiter": ARBITER, "rule_window_s": 3_900, "contest_deposit_units": 1_000_001} | changes))


def permitted(**changes: Any) -> tuple[History, Offer, PermitId]:
    """A market whose offer asks for a permit, and one for its dataset."""
    history, offer = market(**({"authority": AUTHORITY, "purposes": 1 << PURPOSE} | changes))
    return history, offer, history.grant(offer.members[0].dataset)
