"""Offers as a buyer reads them: the terms on the ledger beside the documents that they name."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Unreachable
from marketplace.protocol.account import Account, DatasetView, OfferView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import OfferId
from marketplace.protocol.terms import Terms

LARGEST_DOCUMENT_BYTES = 2**18


@dataclass(frozen=True)
class Entry:
    """One offer with its first dataset, that dataset's newest description and the licence terms.

    `credit_units`: what its lead has free on the ledger, which bonds are taken from.
    """

    view: OfferView
    dataset: DatasetView
    description: Description
    terms: Terms
    credit_units: int

    def is_open(self, now_s: int) -> bool:
        """Whether an order could be placed at `now_s`, budget and bond apart."""
        return is_open(self.view, now_s)

    @property
    def left_micro(self) -> int:
        """What the dataset may still reveal."""
        return self.dataset.total_micro - self.dataset.used_micro

    @property
    def orders_left(self) -> int:
        """How many more orders the budget, the lead's credit and the offer's open places allow at once."""
        head, member = self.view.offer.head, self.view.offer.members[0]
        bonds = self.credit_units // head.bond_units if head.bond_units else head.max_open
        return max(0, min(self.left_micro // max(1, member.rho_micro), head.max_open - self.view.open, bonds))


def is_open(view: OfferView, now_s: int) -> bool:
    """Whether an order of this offer could be placed at `now_s`, budget and bond apart."""
    head = view.offer.head
    return not view.retired and now_s <= head.valid_until_s and view.open < head.max_open


def read_entry(account: Account, offer: OfferId, store: ContentStore) -> Entry:
    """The offer with its documents. Raises `Invalid` if there is no such offer, and as the store does."""
    if offer not in account.offers:
        raise Invalid(f"expected the id of a published offer, got {offer.hex()[:16]}...; `agora offers` shows them")
    view = account.offers[offer]
    head, dataset = view.offer.head, account.datasets[view.offer.members[0].dataset]
    description = Description.decode(read_document(store, dataset.versions[-1].description))
    terms = Terms.decode(read_document(store, head.terms))
    return Entry(view, dataset, description, terms, account.credits.get((head.token, head.lead), 0))


def open_entries(
    account: Account, store: ContentStore, now_s: int, missed: Callable[[OfferId, str], None]
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
