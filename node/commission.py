"""One order with all that it refers to, as the node reads it before it decides."""

from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, Unreachable
from marketplace.protocol import result
from marketplace.protocol.account import Account, DatasetView, OrderView, Version
from marketplace.protocol.description import Description
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.specification import Specification
from marketplace.sealing import capacity_for

LARGEST_DOCUMENT_BYTES = 2**18


@dataclass(frozen=True)
class Commission:
    """An order, its offer and the dataset behind it, the version that it names, that version's description, the
    specification. `dataset.salt` is the dataset's name in the vault."""

    order: OrderView
    offer: Offer
    dataset: DatasetView
    version: Version
    description: Description
    specification: Specification

    @property
    def member(self) -> Member:
        """This node's part of the offer."""
        return self.offer.members[0]

    @property
    def capacity(self) -> int:
        """How many chunks the result is padded to, by declared facts alone."""
        return capacity_for(result.most_bytes(self.description.schema, self.specification.rows))


def read_commission(account: Account, order: OrderView, store: ContentStore) -> Commission | None:
    """The order with its documents; None while they cannot be had, or are none."""
    offer = account.offers[order.order.offer].offer
    dataset = account.datasets[offer.members[0].dataset]
    version = dataset.versions[order.order.version() - 1]
    try:
        specification = Specification.decode(_document(store, order.order.specification))
        description = Description.decode(_document(store, version.description))
    except (Unreachable, Corrupt, Invalid):
        return None
    return Commission(order, offer, dataset, version, description, specification)


def _document(store: ContentStore, digest: bytes) -> bytes:
    return read_bytes(store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)
