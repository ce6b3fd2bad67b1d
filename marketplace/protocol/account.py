"""The whole account of a marketplace: a pure fold of its events."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace

from marketplace.errors import Corrupt
from marketplace.protocol import events as ev
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.settlement import owed_units, split
from marketplace.protocol.states import FINAL, OrderState, Reason


@dataclass(frozen=True)
class Version:
    """One version of a dataset: commitment to the records and digest of the description."""

    commitment: bytes
    description: bytes
    position: ev.Position


@dataclass(frozen=True)
class DatasetView:
    """A dataset and its budget in micro-rho. `versions[0]` is version 1."""

    id: DatasetId
    provider: Address
    salt: bytes
    versions: tuple[Version, ...]
    total_micro: int
    used_micro: int = 0


@dataclass(frozen=True)
class OfferView:
    """A published offer, how many of its orders are open, what it has earned and what its members have withdrawn."""

    offer: Offer
    position: ev.Position
    retired: bool = False
    open: int = 0
    accrued_units: int = 0
    withdrawn_units: tuple[int, ...] = (0,)

    def owed_units(self, index: int) -> int:
        """What member `index` may withdraw now."""
        share = self.offer.members[index].share_bps
        return owed_units(self.accrued_units, share, self.withdrawn_units[index])


@dataclass(frozen=True)
class Step:
    """One move of an order."""

    state: OrderState
    reason: Reason
    position: ev.Position


@dataclass(frozen=True)
class OrderView:
    """An order, the steps of its life, its deadline (0 once it has ended), its delivery, its key, what was released."""

    id: OrderId
    order: Order
    life: tuple[Step, ...]
    deadline_s: int
    delivery: Delivery | None = None
    delivery_hash: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    released: frozenset[DatasetId] = frozenset()

    @property
    def state(self) -> OrderState:
        """Where the order stands."""
        return self.life[-1].state

    @property
    def reason(self) -> Reason:
        """Why it is there."""
        return self.life[-1].reason

    @property
    def placed_at_s(self) -> int:
        """When it was placed."""
        return self.life[0].position.at_s

    def at(self, state: OrderState) -> Step | None:
        """The step that led into `state`, if the order was ever there."""
        return next((step for step in self.life if step.state is state), None)


@dataclass
class Account:
    """Everything that the events say. Only `fold` writes into one."""

    datasets: dict[DatasetId, DatasetView] = field(default_factory=dict)
    offers: dict[OfferId, OfferView] = field(default_factory=dict)
    orders: dict[OrderId, OrderView] = field(default_factory=dict)
    credits: dict[tuple[Address, Address], int] = field(default_factory=dict)
    paid_in_units: dict[Address, int] = field(default_factory=dict)
    paid_out_units: dict[Address, int] = field(default_factory=dict)

    def held_units(self, token: Address) -> int:
        """Prices and bonds of the orders in `token` that have not ended."""
        held = 0
        for order in self.orders.values():
            head = self.offers[order.order.offer].offer.head
            if head.token == token and order.state not in FINAL:
                held += head.price_units + head.bond_units
        return held

    def unpaid_units(self, token: Address) -> int:
        """What offers in `token` have earned and their members have not withdrawn."""
        views = (view for view in self.offers.values() if view.offer.head.token == token)
        return sum(view.accrued_units - sum(view.withdrawn_units) for view in views)

    def credit_units(self, token: Address) -> int:
        """All credits in `token`."""
        return sum(amount for (of, _), amount in self.credits.items() if of == token)


def fold(events: Iterable[ev.Event], onto: Account | None = None) -> Account:
    """The account after `events`, which come in the ledger's order, on top of `onto`, which stays as it was.

    Orders' lives are recorded, not judged; the audit does that. Raises `Corrupt` for an event about something that no
    earlier event made, or an order that ended as no order can end.
    """
    account = deepcopy(onto) if onto is not None else Account()
    for event in events:
        try:
            _apply(account, event)
        except (KeyError, IndexError, ValueError):
            raise Corrupt(
                f"expected the events of one contract from its first block on; a {type(event).__name__} in block "
                f"{event.position.block} is about something unknown; read again from the start"
            ) from None
    return account


def _apply(account: Account, event: ev.Event) -> None:
    match event:
        case ev.DatasetRegistered() | ev.DatasetRevised() | ev.RhoReleased():
            _apply_to_dataset(account, event)
        case ev.OfferPublished(position, offer):
            account.offers[offer.id] = OfferView(offer, position, withdrawn_units=(0,) * len(offer.members))
        case ev.OfferRetired(_, offer_id, _):
            account.offers[offer_id] = replace(account.offers[offer_id], retired=True)
        case ev.OrderPlaced():
            _place(account, event)
        case ev.OrderDelivered() | ev.OrderAccepted() | ev.OrderRevealed():
            _advance(account, event)
        case ev.OrderSettled(_, order_id, reason):
            _end(account, order_id, Step(OrderState.SETTLED, reason, event.position))
        case ev.OrderRefunded(_, order_id, reason):
            _end(account, order_id, Step(OrderState.REFUNDED, reason, event.position))
        case ev.OrderForfeited(_, order_id, reason):
            _end(account, order_id, Step(OrderState.FORFEITED, reason, event.position))
        case ev.Staked() | ev.CreditWithdrawn() | ev.PayoutWithdrawn():
            _apply_to_money(account, event)


def _apply_to_dataset(account: Account, event: ev.DatasetRegistered | ev.DatasetRevised | ev.RhoReleased) -> None:
    match event:
        case ev.DatasetRegistered(position, dataset, provider, salt, commitment, description, total):
            version = Version(commitment, description, position)
            account.datasets[dataset] = DatasetView(dataset, provider, salt, (version,), total)
        case ev.DatasetRevised(position, dataset, _, commitment, description):
            view = account.datasets[dataset]
            versions = (*view.versions, Version(commitment, description, position))
            account.datasets[dataset] = replace(view, versions=versions)
        case ev.RhoReleased(_, order_id, dataset, rho):
            view, order = account.datasets[dataset], account.orders[order_id]
            account.datasets[dataset] = replace(view, used_micro=view.used_micro - rho)
            account.orders[order_id] = replace(order, released=order.released | {dataset})


def _place(account: Account, event: ev.OrderPlaced) -> None:
    view = account.offers[event.order.offer]
    head = view.offer.head
    step = Step(OrderState.PLACED, Reason.NONE, event.position)
    account.orders[event.id] = OrderView(event.id, event.order, (step,), event.deadline_s)
    account.offers[view.offer.id] = replace(view, open=view.open + 1)
    for member in view.offer.members:
        dataset = account.datasets[member.dataset]
        account.datasets[member.dataset] = replace(dataset, used_micro=dataset.used_micro + member.rho_micro)
    _pay_in(account, head.token, head.price_units)
    _credit(account, head.token, head.lead, -head.bond_units)


def _advance(account: Account, event: ev.OrderDelivered | ev.OrderAccepted | ev.OrderRevealed) -> None:
    view = account.orders[event.id]
    match event:
        case ev.OrderDelivered(position, _, digest, delivery, _):
            state = OrderState.DELIVERED
            view = replace(view, delivery=delivery, delivery_hash=digest)
        case ev.OrderAccepted(position):
            state = OrderState.ACCEPTED
        case ev.OrderRevealed(position, _, key, _):
            state = OrderState.REVEALED
            view = replace(view, key=key)
    step = Step(state, Reason.NONE, position)
    account.orders[event.id] = replace(view, life=(*view.life, step), deadline_s=event.deadline_s)


def _end(account: Account, order_id: OrderId, step: Step) -> None:
    order = account.orders[order_id]
    view = account.offers[order.order.offer]
    head = view.offer.head
    parts = split(head, step.state, step.reason)
    account.orders[order_id] = replace(order, life=(*order.life, step), deadline_s=0)
    accrued = view.accrued_units + parts.price_to_members_units
    account.offers[view.offer.id] = replace(view, open=view.open - 1, accrued_units=accrued)
    _credit(account, head.token, order.order.buyer, parts.price_to_buyer_units + parts.bond_to_buyer_units)
    _credit(account, head.token, head.lead, parts.bond_to_lead_units)


def _apply_to_money(account: Account, event: ev.Staked | ev.CreditWithdrawn | ev.PayoutWithdrawn) -> None:
    match event:
        case ev.Staked(_, token, who, amount):
            _pay_in(account, token, amount)
            _credit(account, token, who, amount)
        case ev.CreditWithdrawn(_, token, who, amount):
            _pay_out(account, token, amount)
            _credit(account, token, who, -amount)
        case ev.PayoutWithdrawn(_, offer_id, member, _, amount):
            view = account.offers[offer_id]
            withdrawn = list(view.withdrawn_units)
            withdrawn[member] += amount
            account.offers[offer_id] = replace(view, withdrawn_units=tuple(withdrawn))
            _pay_out(account, view.offer.head.token, amount)


def _credit(account: Account, token: Address, who: Address, amount: int) -> None:
    if amount:
        account.credits[token, who] = account.credits.get((token, who), 0) + amount


def _pay_in(account: Account, token: Address, amount: int) -> None:
    account.paid_in_units[token] = account.paid_in_units.get(token, 0) + amount


def _pay_out(account: Account, token: Address, amount: int) -> None:
    account.paid_out_units[token] = account.paid_out_units.get(token, 0) + amount
