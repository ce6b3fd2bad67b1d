"""One order with all that it refers to, as the node reads it before it decides."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.protocol import result
from marketplace.protocol.account import Account, DatasetView, OrderView, Version
from marketplace.protocol.description import Description
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.specification import Specification
from marketplace.sealing import capacity_for
from node.files import disk
from node.workers.job import Name

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


def read_commission(account: Account, order: OrderView, folder: Path, store: ContentStore) -> Commission | None:
    """The order with its documents, from its `folder` where they were laid out, else from `store`.

    None while they cannot be had. Raises `Invalid` where the bytes that the order names are no such documents, and never
    will be.
    """
    offer = account.offers[order.order.offer].offer
    dataset = account.datasets[offer.members[0].dataset]
    version = dataset.versions[order.order.version() - 1]
    try:
        specified = _document(order.order.specification, folder / Name.SPECIFICATION, store)
        described = _document(version.description, folder / Name.DESCRIPTION, store)
    except (Unreachable, Corrupt, Refused):
        return None
    try:
        specification, description = Specification.decode(specified), Description.decode(described)
    except Corrupt as error:
        raise Invalid(str(error)) from None
    return Commission(order, offer, dataset, version, description, specification)


def _document(digest: bytes, kept: Path, store: ContentStore) -> bytes:
    """The public document of this SHA-256."""
    with disk():
        data = kept.read_bytes() if kept.exists() else b""
    return data if sha256(data).digest() == digest else read_bytes(store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)
