"""Offers as a buyer reads them: the terms on the ledger beside the documents that they name."""

from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Invalid
from marketplace.protocol.account import Account, DatasetView, OfferView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import OfferId
from marketplace.protocol.terms import Terms

LARGEST_DOCUMENT_BYTES = 2**18


@dataclass(frozen=True)
class Entry:
    """One offer with its first dataset, that dataset's newest description and the licence terms."""

    view: OfferView
    dataset: DatasetView
    description: Description
    terms: Terms

    def is_open(self, now_s: int) -> bool:
        """Whether an order could be placed at `now_s`, budget and bond apart."""
        head = self.view.offer.head
        return not self.view.retired and now_s <= head.valid_until_s and self.view.open < head.max_open

    @property
    def left_micro(self) -> int:
        """What the dataset may still reveal."""
        return self.dataset.total_micro - self.dataset.used_micro


def read_entry(account: Account, offer: OfferId, store: ContentStore) -> Entry:
    """The offer with its documents. Raises `Invalid` if there is no such offer, and as the store does."""
    if offer not in account.offers:
        raise Invalid(f"expected the id of a published offer, got {offer.hex()[:16]}...; `agora offers` shows them")
    view = account.offers[offer]
    dataset = account.datasets[view.offer.members[0].dataset]
    description = Description.decode(read_document(store, dataset.versions[-1].description))
    terms = Terms.decode(read_document(store, view.offer.head.terms))
    return Entry(view, dataset, description, terms)


def read_document(store: ContentStore, digest: bytes) -> bytes:
    """A public document by its SHA-256. Raises as the store does."""
    return read_bytes(store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)
