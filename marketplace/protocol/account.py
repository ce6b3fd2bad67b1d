"""The whole account of a marketplace: a pure fold of its events."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from marketplace.errors import Corrupt
from marketplace.protocol import events as ev
from marketplace.protocol.identity import NOTHING, Address, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Guarantee, Head, Offer
from marketplace.protocol.settlement import Ruling, split
from marketplace.protocol.states import FINAL, OrderState, Reason
from marketplace.protocol.views import (
    Anchor,
    DatasetView,
    Descriptor,
    Epoch,
    LicenceUser,
    OfferView,
    OrderView,
    PermitView,
    ProviderView,
    Step,
    Version,
)

__all__ = [
    "Account",
    "DatasetView",
    "OfferView",
    "OrderView",
    "PermitView",
    "ProviderView",
    "Step",
    "Version",
    "fold",
    "replay",
]


@dataclass
class Account:
    """Everything that the events say. Only `fold` writes into one.

    `credits` is by token and account. `providers` holds whoever has said something about itself.
    """

    datasets: dict[DatasetId, DatasetView] = field(default_factory=dict)
    offers: dict[OfferId, OfferView] = field(default_factory=dict)
    orders: dict[OrderId, OrderView] = field(default_factory=dict)
    permits: dict[PermitId, PermitView] = field(default_factory=dict)
    providers: dict[Address, ProviderView] = field(default_factory=dict)
    credits: dict[tuple[Address, Address], int] = field(default_factory=dict)
    paid_in_units: dict[Address, int] = field(default_factory=dict)
    paid_out_units: dict[Address, int] = field(default_factory=dict)

    def offer_of(self, order: OrderView) -> Offer:
        """The offer that `order` was placed on."""
        return self.offers[order.order.offer].offer

    def owed_units(self) -> Mapping[Address, int]:
        """By token, all that is somebody's: held by open orders, earned by offers and not withdrawn, credits."""
        owed: Counter[Address] = Counter()
        for order in self.orders.values():
            head = self.offer_of(order).head
            owed[head.token] += _held_units(head, order)
        for view in self.offers.values():
            owed[view.offer.head.token] += _unpaid_units(view)
        for (token, _), amount in self.credits.items():
            owed[token] += amount
        return owed

    def held_units(self, token: Address) -> int:
        """Prices, bonds and deposits of the orders in `token` that have not ended."""
        pairs = ((self.offer_of(order).head, order) for order in self.orders.values())
        return sum(_held_units(head, order) for head, order in pairs if head.token == token)

    def unpaid_units(self, token: Address) -> int:
        """What offers in `token` have earned and their members have not withdrawn."""
        return sum(_unpaid_units(view) for view in self.offers.values() if view.offer.head.token == token)

    def credit_units(self, token: Address) -> int:
        """All credits in `token`."""
        return sum(amount for (of, _), amount in self.credits.items() if of == token)


def _held_units(head: Head, order: OrderView) -> int:
    if order.state in FINAL:
        return 0
    deposit_units = head.contest_deposit_units if order.state is OrderState.CONTESTED else 0
    return head.price_units + head.bond_units + deposit_units


def _unpaid_units(view: OfferView) -> int:
    return view.accrued_units - sum(view.withdrawn_units)


def fold(events: Iterable[ev.Event], onto: Account | None = None) -> Account:
    """The account after `events`, which come in the ledger's order, on top of `onto`, which stays as it was.

    Orders' lives are recorded, not judged; the audit does that. Raises `Corrupt` for an event about something that no
    earlier event made, or an order that ended as no order can end.
    """
    account = _copy(onto) if onto is not None else Account()
    for event in events:
        _take(account, event)
    return account


def replay(events: Iterable[ev.Event]) -> Iterator[tuple[ev.Event, Account]]:
    """Each of `events` with the account right before it: one account that grows, so look at it at once. Raises as `fold`."""
    account = Account()
    for event in events:
        yield event, account
        _take(account, event)


def _take(account: Account, event: ev.Event) -> None:
    try:
        _apply(account, event)
    except (KeyError, IndexError, ValueError):
        raise Corrupt(
            f"expected the events of one contract from its first block on; a {type(event).__name__} in block "
            f"{event.position.block} is about something unknown; read again from the start"
        ) from None


def _copy(account: Account) -> Account:
    books: dict[str, Any] = {book.name: dict(getattr(account, book.name)) for book in fields(account)}
    return Account(**books)


def _apply(account: Account, event: ev.Event) -> None:
    match event:
        case ev.DatasetRegistered() | ev.DatasetRevised() | ev.EpochOpened():
            _keep_dataset(account, event)
        case ev.RhoReleased() | ev.ExactReleased():
            _release(account, event)
        case ev.OfferPublished(position, offer):
            account.offers[offer.id] = OfferView(offer, position, withdrawn_units=(0,) * len(offer.members))
        case ev.StockOffered(_, offer_id, origin):
            account.offers[offer_id] = replace(account.offers[offer_id], origin=account.orders[origin].id)
        case ev.OfferRetired(_, offer_id):
            account.offers[offer_id] = replace(account.offers[offer_id], retired=True)
        case ev.Staked() | ev.CreditWithdrawn() | ev.PayoutWithdrawn():
            _pay(account, event)
        case ev.PermitGranted() | ev.PermitExtended() | ev.PermitRevoked():
            _permit(account, event)
        case ev.ProviderDescribed() | ev.RootAnchored():
            _describe(account, event)
        case _:
            _move(account, event)


def _keep_dataset(account: Account, event: ev.DatasetRegistered | ev.DatasetRevised | ev.EpochOpened) -> None:
    match event:
        case ev.DatasetRegistered(position, dataset, provider, salt, commitment, description):
            version = Version(commitment, description, position)
            epoch = Epoch(event.total_micro, event.exact_total, NOTHING, position)
            account.datasets[dataset] = DatasetView(dataset, provider, salt, (version,), (epoch,))
        case ev.DatasetRevised(position, dataset, _, commitment, description):
            view = account.datasets[dataset]
            versions = (*view.versions, Version(commitment, description, position))
            account.datasets[dataset] = replace(view, versions=versions)
        case ev.EpochOpened(position, dataset, _, total_micro, exact_total, reason):
            view = account.datasets[dataset]
            epochs = (*view.epochs, Epoch(total_micro, exact_total, reason, position))
            account.datasets[dataset] = replace(view, epochs=epochs)


def _release(account: Account, event: ev.RhoReleased | ev.ExactReleased) -> None:
    view, order = account.datasets[event.dataset], account.orders[event.id]
    match event:
        case ev.RhoReleased():
            view = replace(view, used_micro=view.used_micro - event.rho_micro)
        case ev.ExactReleased():
            view = replace(view, exact_used=view.exact_used - 1)
    account.datasets[event.dataset] = view
    account.orders[event.id] = replace(order, released=order.released | {event.dataset})


def _move(account: Account, event: ev.Event) -> None:
    match event:
        case ev.OrderPlaced():
            _place(account, event)
        case ev.OrderDelivered(_, order, digest, delivery):
            _advance(account, event, order, OrderState.DELIVERED, delivery=delivery, delivery_hash=digest)
        case ev.OrderAccepted(_, order):
            _advance(account, event, order, OrderState.ACCEPTED)
        case ev.OrderRevealed(_, order, key):
            _advance(account, event, order, OrderState.REVEALED, key=key)
        case ev.OrderContested(_, order, grounds):
            head = account.offer_of(account.orders[order]).head
            _advance(account, event, order, OrderState.CONTESTED, grounds=grounds)
            _pay_in(account, head.token, head.contest_deposit_units)
        case ev.OrderDeclined(_, order, why):
            account.orders[order] = replace(account.orders[order], declined=why)
        case ev.OrderRuled(_, order, price_bps, bond_bps):
            account.orders[order] = replace(account.orders[order], ruling=Ruling(price_bps, bond_bps))
        case ev.OrderSettled(position, order, reason):
            _end(account, order, Step(OrderState.SETTLED, reason, position))
        case ev.OrderRefunded(position, order, reason):
            _end(account, order, Step(OrderState.REFUNDED, reason, position))
        case ev.OrderForfeited(position, order, reason):
            _end(account, order, Step(OrderState.FORFEITED, reason, position))
        case ev.UserNamed(position, order, user):
            view = account.orders[order]
            account.orders[order] = replace(view, users=(*view.users, LicenceUser(user, position.at_s)))


def _place(account: Account, event: ev.OrderPlaced) -> None:
    view = account.offers[event.order.offer]
    head = view.offer.head
    step = Step(OrderState.PLACED, Reason.NONE, event.position)
    deadline_s = event.position.at_s + head.deliver_window_s
    account.orders[event.id] = OrderView(event.id, event.order, (step,), deadline_s)
    account.offers[view.offer.id] = replace(view, open=view.open + 1)
    for member in view.offer.members if head.stock == NOTHING else ():
        dataset = account.datasets[member.dataset]
        if head.guarantee is Guarantee.EXACT:
            dataset = replace(dataset, exact_used=dataset.exact_used + 1)
        else:
            dataset = replace(dataset, used_micro=dataset.used_micro + member.rho_micro)
        account.datasets[member.dataset] = dataset
    _pay_in(account, head.token, head.price_units)
    _credit(account, head.token, head.lead, -head.bond_units)


def _advance(account: Account, event: ev.Event, order: OrderId, state: OrderState, **parts: Any) -> None:
    view = account.orders[order]
    life = (*view.life, Step(state, Reason.NONE, event.position))
    deadline_s = event.position.at_s + (account.offer_of(view).head.window_s(state) or 0)
    account.orders[order] = replace(view, life=life, deadline_s=deadline_s, **parts)


def _end(account: Account, order_id: OrderId, step: Step) -> None:
    order = account.orders[order_id]
    view = account.offers[order.order.offer]
    head = view.offer.head
    contested = order.state is OrderState.CONTESTED
    parts = split(head, step.state, step.reason, order.ruling, contested=contested)
    account.orders[order_id] = replace(order, life=(*order.life, step), deadline_s=0)
    accrued = view.accrued_units + parts.price_to_members_units
    account.offers[view.offer.id] = replace(view, open=view.open - 1, accrued_units=accrued)
    _credit(account, head.token, order.order.buyer, parts.to_buyer_units)
    _credit(account, head.token, head.lead, parts.bond_to_lead_units)
    _credit(account, head.token, head.arbiter, parts.deposit_to_arbiter_units)


def _permit(account: Account, event: ev.PermitGranted | ev.PermitExtended | ev.PermitRevoked) -> None:
    match event:
        case ev.PermitGranted(position, permit, authority, grant):
            account.permits[permit] = PermitView(
                permit, authority, grant, position, grant.to_s, documents=(grant.document,)
            )
        case ev.PermitExtended(_, permit, to_s, document):
            view = account.permits[permit]
            documents = (*view.documents, document)
            account.permits[permit] = replace(view, to_s=to_s, extended=True, documents=documents)
        case ev.PermitRevoked(position, permit, document):
            view = account.permits[permit]
            documents = (*view.documents, document)
            account.permits[permit] = replace(view, revoked_at_s=position.at_s, documents=documents)


def _describe(account: Account, event: ev.ProviderDescribed | ev.RootAnchored) -> None:
    view = account.providers.get(event.provider) or ProviderView(event.provider)
    match event:
        case ev.ProviderDescribed(position, _, descriptor, certificate):
            said = Descriptor(descriptor, certificate, position)
            view = replace(view, descriptors=(*view.descriptors, said))
        case ev.RootAnchored(position, _, day, root):
            view = replace(view, anchors=(*view.anchors, Anchor(day, root, position)))
    account.providers[event.provider] = view


def _pay(account: Account, event: ev.Staked | ev.CreditWithdrawn | ev.PayoutWithdrawn) -> None:
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
    if amount:
        account.paid_in_units[token] = account.paid_in_units.get(token, 0) + amount


def _pay_out(account: Account, token: Address, amount: int) -> None:
    if amount:
        account.paid_out_units[token] = account.paid_out_units.get(token, 0) + amount
