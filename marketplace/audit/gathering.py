"""Gathering the evidence: every event, the contract's own answers after the last of them, and what a store has."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from marketplace.audit import standing
from marketplace.audit.documents import OBJECT, Wanted, wanted
from marketplace.audit.evidence import Answers, Evidence, Reading
from marketplace.audit.money import tokens
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.ledger.ledger import DatasetStanding, Ledger, OfferStanding
from marketplace.ledger.reader import EventReader, before
from marketplace.protocol.account import Account, fold
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.order import Standing
from marketplace.protocol.permit import PermitStanding

MOST_ORDERS_ASKED = 2_000
MOST_RIGHTS_ASKED = 200
MOST_ROUNDS = 20
LARGEST_DOCUMENT_BYTES = 2**20

Progress = Callable[[str], None]
Key = TypeVar("Key")


def gather(ledger: Ledger, store: ContentStore | None, progress: Progress, first_block: int = 0) -> Evidence:
    """Reads the ledger from `first_block` on (0, or the block of the contract's deployment), then the store, if given.

    Up to 2,000 orders are asked for, and up to 200 licences and subjects of permits, evenly spread where there are more.
    While the ledger moves, what changed is asked for again. Raises `Unreachable` if it never stands still for long enough,
    and as ledger and store do.
    """
    reader = EventReader(ledger, before(first_block))
    events: list[Event] = []
    asking = _Asking(ledger)
    for _ in range(MOST_ROUNDS):
        progress("reading events")
        fresh = tuple(reader.events())
        if events and not fresh:
            break
        events += fresh
        account = fold(events)
        progress(f"asking the contract about {min(len(account.orders), MOST_ORDERS_ASKED):,} orders")
        asking.ask(account)
        if not events:
            break
    else:
        raise Unreachable("expected the ledger to stand still for one reading, it kept moving; try again")
    readings = None if store is None else dict(_readings(account, store, progress))
    return Evidence(ledger.domain, tuple(events), account, asking.answers, readings)


class _Asking:
    """The contract's answers. Asks again only where events say that the answer has changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._datasets: dict[DatasetId, DatasetStanding] = {}
        self._offers: dict[OfferId, OfferStanding] = {}
        self._orders: dict[OrderId, Standing] = {}
        self._credits: dict[tuple[Address, Address], int] = {}
        self._withdrawn: dict[tuple[OfferId, int], int] = {}
        self._balances: dict[Address, int | None] = {}
        self._permits: dict[PermitId, PermitStanding] = {}
        self._covers: dict[tuple[PermitId, bytes], bool] = {}
        self._licensed: dict[tuple[OrderId, Address], bool] = {}
        self._asked_at_s = 0

    @property
    def answers(self) -> Answers:
        return Answers(
            self._datasets,
            self._offers,
            self._orders,
            self._credits,
            self._withdrawn,
            self._balances,
            self._permits,
            self._covers,
            self._licensed,
            self._asked_at_s,
        )

    def ask(self, account: Account) -> None:
        """Whatever does not agree with `account` yet. What still does not is for the audit to judge."""
        ledger = self._ledger
        for dataset, dataset_view in account.datasets.items():
            if self._datasets.get(dataset) != standing.expected_dataset(dataset_view):
                self._datasets[dataset] = ledger.dataset(dataset)
        for offer, offer_view in account.offers.items():
            if self._offers.get(offer) != standing.expected_offer(offer_view):
                self._offers[offer] = ledger.offer(offer)
            for index, units in enumerate(offer_view.withdrawn_units):
                if self._withdrawn.get((offer, index)) != units:
                    self._withdrawn[offer, index] = ledger.withdrawn_units(offer, index)
        self._ask_orders(account)
        for (token, who), units in account.credits.items():
            if self._credits.get((token, who)) != units:
                self._credits[token, who] = ledger.credit_units(token, who)
        self._balances = {token: _balance(ledger, token) for token in tokens(account)}
        self._ask_permits(account)
        self._ask_licences(account)

    def _ask_orders(self, account: Account) -> None:
        chosen = spread(list(account.orders), MOST_ORDERS_ASKED)
        self._orders = {order: self._orders[order] for order in chosen if order in self._orders}
        for order in chosen:
            if self._orders.get(order) != standing.expected_order(account.orders[order], account):
                self._orders[order] = self._ledger.order(order)

    def _ask_permits(self, account: Account) -> None:
        for permit, view in account.permits.items():
            if self._permits.get(permit) != standing.expected_permit(view):
                self._permits[permit] = self._ledger.permit(permit)
        named = [(permit, subject) for permit, view in account.permits.items() for subject in view.grant.subjects]
        for one in spread(named, MOST_RIGHTS_ASKED):
            if one not in self._covers:
                self._covers[one] = self._ledger.permit_covers(*one)

    def _ask_licences(self, account: Account) -> None:
        """Asks all anew: a licence ends with its time and with the permit's."""
        self._asked_at_s = self._ledger.now_s()
        held = [
            (view, who)
            for view in account.orders.values()
            for who in (view.order.buyer, *(user.who for user in view.users))
        ]
        self._licensed = {
            (view.id, who): self._ledger.is_licensed(account.offer_of(view), view.order, who, self._asked_at_s)
            for view, who in spread(held, MOST_RIGHTS_ASKED)
        }


def _balance(ledger: Ledger, token: Address) -> int | None:
    try:
        return ledger.balance_units(token, ledger.domain.contract)
    except (Refused, Corrupt, Invalid):
        return None


def spread(items: Sequence[Key], most: int) -> list[Key]:
    """All of `items`, or `most` of them evenly spread, the first and the last included. `most` >= 2."""
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // (most - 1)] for index in range(most)]


def _readings(account: Account, store: ContentStore, progress: Progress) -> Iterator[tuple[Cid, Reading]]:
    once = {one.cid: one for one in sorted(wanted(account), key=_objects_first)}
    for done, one in enumerate(once.values()):
        if done % 100 == 0:
            progress(f"reading the store, {done:,} of {len(once):,}")
        yield one.cid, _read(store, one)


def _objects_first(one: Wanted) -> bool:
    """Sorts so that whatever is named as a document too is read as one."""
    return one.noun != OBJECT


def _read(store: ContentStore, one: Wanted) -> Reading:
    if not store.has(one.cid):
        return Reading(found=False)
    try:
        if one.noun != OBJECT and store.size(one.cid) <= LARGEST_DOCUMENT_BYTES:
            return Reading(found=True, content=read_bytes(store, one.cid, LARGEST_DOCUMENT_BYTES))
        _exhaust(store.read(one.cid))
    except Corrupt as error:
        return Reading(found=True, fault=str(error))
    except Unreachable:
        return Reading(found=False)
    return Reading(found=True)


def _exhaust(pieces: Iterable[bytes]) -> None:
    for _ in pieces:
        pass
