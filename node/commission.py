"""One order with all that it refers to, as the node reads it before it decides."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.certificate.agreement import made_for
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.protocol import result
from marketplace.protocol.account import Account, DatasetView, OrderView, Version
from marketplace.protocol.description import Description
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.order import Delivery
from marketplace.protocol.specification import Specification
from marketplace.sealing import capacity_for
from node.files import disk, make_folder, write_whole
from node.workers.job import Job, Name

LARGEST_DOCUMENT_BYTES = 2**18


@dataclass(frozen=True)
class Earlier:
    """The order whose delivery a sale of stock repeats, that delivery, and the specification that it was made by."""

    order: OrderView
    delivery: Delivery
    specification: Specification


@dataclass(frozen=True)
class Commission:
    """An order, its offer and the lead's dataset behind it at `index` of the members, the version that the result is made
    from, that version's description, the specification. `dataset.salt` is the dataset's name in the vault.

    `earlier`: what is sold again; None where the result is made for this order.
    """

    order: OrderView
    offer: Offer
    index: int
    dataset: DatasetView
    version: Version
    description: Description
    specification: Specification
    earlier: Earlier | None = None

    @property
    def member(self) -> Member:
        """This node's part of the offer."""
        return self.offer.members[self.index]

    @property
    def capacity(self) -> int:
        """How many chunks the result is padded to, by declared facts alone."""
        if self.earlier is not None:
            return self.earlier.delivery.count
        return capacity_for(result.most_bytes(self.description.schema, self.specification.rows))

    def job(self, vault: Path) -> Job:
        """What the process that makes the result is told. `vault`: the vault's folder."""
        return Job(
            order=self.order.id,
            dataset=self.dataset.salt,
            version=self.order.order.version(self.index),
            commitment=self.version.commitment,
            rho_micro=self.member.rho_micro,
            delta_atto=self.offer.head.delta_atto,
            provider=self.member.provider,
            vault=vault,
        )

    def lay_out(self, folder: Path) -> None:
        """Puts the documents that the result is made by into `folder`, which is made if it is not there."""
        make_folder(folder)
        write_whole(folder / Name.SPECIFICATION, self.specification.encode())
        write_whole(folder / Name.DESCRIPTION, self.description.encode())


def read_commission(account: Account, order: OrderView, folder: Path, store: ContentStore) -> Commission | None:
    """The order with its documents, from its `folder` where they were laid out, else from `store`.

    None while they cannot be had. Raises `Invalid` where the bytes that the order names are no such documents, and never
    will be.
    """
    offer, made = account.offer_of(order), made_for(account, order)
    index = next(place for place, member in enumerate(offer.members) if member.provider == offer.head.lead)
    dataset = account.datasets[offer.members[index].dataset]
    version = dataset.versions[made.order.version(index) - 1]
    try:
        specified = read_document(order.order.specification, folder / Name.SPECIFICATION, store)
        described = read_document(version.description, folder / Name.DESCRIPTION, store)
        before = read_document(made.order.specification, folder.with_name(made.id.hex()) / Name.SPECIFICATION, store)
    except (Unreachable, Corrupt, Refused):
        return None
    try:
        specification, description = Specification.decode(specified), Description.decode(described)
        earlier = _earlier(made, before) if made.id != order.id else None
    except Corrupt as error:
        raise Invalid(str(error)) from None
    return Commission(order, offer, index, dataset, version, description, specification, earlier)


def _earlier(made: OrderView, specification: bytes) -> Earlier:
    if made.delivery is None:
        raise Corrupt("expected a delivery on the order that a stock was made for; read the ledger again")
    return Earlier(made, made.delivery, Specification.decode(specification))


def read_document(digest: bytes, kept: Path, store: ContentStore) -> bytes:
    """The public document of this SHA-256: `kept` if it is that, else from `store`. Raises as the store does."""
    with disk():
        data = kept.read_bytes() if kept.exists() else b""
    return data if sha256(data).digest() == digest else read_bytes(store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)
