"""Offers as a buyer reads them: the terms on the ledger beside the documents that they name."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from marketplace.certificate.agreement import made_for
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Unreachable
from marketplace.protocol.account import Account, DatasetView, OfferView, OrderView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import NOTHING, OfferId
from marketplace.protocol.offer import Guarantee, Head, Member, Offer
from marketplace.protocol.pool import split_of
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.protocol.terms import Terms

LARGEST_DOCUMENT_BYTES = 2**18


@dataclass(frozen=True)
class Source:
    """One dataset behind an offer: what an order takes of it, where it stands, and its description.

    `version`: the version of its records that a result comes from, counting from 1. `spent_micro`: what the draw behind a
    result takes of its budget; for stock, what it took when it was made.
    """

    member: Member
    dataset: DatasetView
    version: int
    spent_micro: int
    description: Description

    def orders_left(self, head: Head) -> int | None:
        """How many more orders under `head` budget or allowance let the dataset serve; None for stock, which takes nothing."""
        if head.stock != NOTHING:
            return None
        if head.guarantee is Guarantee.EXACT:
            return max(0, self.dataset.exact_left)
        return max(0, self.dataset.left_micro) // max(1, self.member.rho_micro)


@dataclass(frozen=True)
class Entry:
    """One offer with its datasets, their descriptions and the licence terms.

    `credit_units`: what its lead has free on the ledger, which bonds are taken from. `earlier`: for stock, the specification
    that it was made by.
    """

    view: OfferView
    sources: tuple[Source, ...]
    terms: Terms
    credit_units: int
    earlier: Specification | None = None

    @property
    def description(self) -> Description:
        """What the provider of the first dataset says about it."""
        return self.sources[0].description

    @property
    def schema(self) -> Schema:
        """What its rows have: what its members declare, or of a split table the columns of both sides."""
        with suppress(Invalid):
            split = split_of(self.view.offer, [source.description.schema for source in self.sources])
            if split is not None:
                return split.joined
        return self.description.schema

    @property
    def rows_declared(self) -> int:
        """How many rows all of its providers declare together."""
        return sum(source.description.rows_declared for source in self.sources)

    def is_open(self, now_s: int) -> bool:
        """Whether an order could be placed at `now_s`, budgets and bond apart."""
        return is_open(self.view, now_s)

    @property
    def epsilon(self) -> float:
        """The largest epsilon that a result implies for a person in one of the datasets; infinite where it is exact."""
        head = self.view.offer.head
        if head.guarantee is Guarantee.EXACT:
            return inf
        return max(epsilon_of(source.spent_micro, delta_of(head.delta_atto)) for source in self.sources)

    @property
    def orders_left(self) -> int:
        """How many more orders budgets or allowances, the lead's credit and the offer's open places allow at once."""
        head = self.view.offer.head
        served = [left for source in self.sources if (left := source.orders_left(head)) is not None]
        bonds = [self.credit_units // head.bond_units] if head.bond_units else []
        return max(0, min(*served, *bonds, head.max_open - self.view.open, head.max_open))


def is_open(view: OfferView, now_s: int) -> bool:
    """Whether an order of this offer could be placed at `now_s`, budgets and bond apart."""
    head = view.offer.head
    return not view.retired and now_s <= head.valid_until_s and view.open < head.max_open


def read_entry(account: Account, offer: OfferId, store: ContentStore) -> Entry:
    """The offer with its documents. Raises `Invalid` if there is no such offer, and as the store does."""
    if offer not in account.offers:
        raise Invalid(f"expected the id of a published offer, got {offer.hex()[:16]}...; `agora offers` shows them")
    view = account.offers[offer]
    head, origin = view.offer.head, made_for(account, account.orders[view.origin]) if view.origin else None
    sources = tuple(_source(account, view.offer, index, origin, store) for index in range(len(view.offer.members)))
    terms = Terms.decode(read_document(store, head.terms))
    earlier = Specification.decode(read_document(store, origin.order.specification)) if origin else None
    return Entry(view, sources, terms, account.credits.get((head.token, head.lead), 0), earlier)


def _unmissed(_: OfferId, __: str) -> None:
    """Offers whose documents cannot be read, and nobody asks why."""


def open_entries(
    account: Account, store: ContentStore, now_s: int, missed: Callable[[OfferId, str], None] = _unmissed
) -> tuple[Entry, ...]:
    """Every offer that is open at `now_s` with its documents, in the order of publication.

    One offer whose documents cannot be had or read hides no other: `missed` is told its id and why. Raises as the store
    does where that is so for all of them.
    """
    entries, faults = [], list[MarketplaceError]()
    for offer, view in account.offers.items():
        if not is_open(view, now_s):
            continue
        try:
            entries.append(read_entry(account, offer, store))
        except (Corrupt, Invalid, Unreachable) as error:
            faults.append(error)
            missed(offer, str(error))
    if faults and not entries:
        raise faults[0]
    return tuple(entries)


def read_document(store: ContentStore, digest: bytes) -> bytes:
    """A public document by its SHA-256. Raises as the store does."""
    return read_bytes(store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)


def _source(account: Account, offer: Offer, index: int, origin: OrderView | None, store: ContentStore) -> Source:
    """The dataset of member `index`, in its newest version or in that which the stock was made from."""
    member = offer.members[index]
    dataset = account.datasets[member.dataset]
    version = origin.order.version(index) if origin else len(dataset.versions)
    spent_micro = account.offer_of(origin).members[index].rho_micro if origin else member.rho_micro
    description = Description.decode(read_document(store, dataset.versions[version - 1].description))
    return Source(member, dataset, version, spent_micro, description)
