"""The public documents behind a delivery, as the ledger names them. A sale of stock has those of the earlier order."""

from dataclasses import dataclass
from hashlib import sha256

from marketplace.buying.listing import read_document
from marketplace.certificate.agreement import made_for
from marketplace.certificate.manifest import Manifest
from marketplace.content.store import ContentStore
from marketplace.errors import Refused
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.order import Delivery


@dataclass(frozen=True)
class Documents:
    """Manifest, description of the records, and the specification that the result was made by: bytes as stored."""

    manifest: bytes
    description: bytes
    specification: bytes


def read_documents(account: Account, order: OrderView, store: ContentStore, known: bytes = b"") -> Documents:
    """The documents of the delivery on `order`. The description is that of the dataset that the certificate names.

    `known`: what may be the specification, which is not fetched then. Raises `Refused` if there is no delivery, `Corrupt` for
    a manifest that is none, and as the store does.
    """
    manifest, made = read_document(store, delivery_of(order).manifest), made_for(account, order)
    dataset = Manifest.decode(manifest).certificate.dataset
    members = account.offer_of(made).members
    index = next((index for index, member in enumerate(members) if member.dataset == dataset), 0)
    described = account.datasets[members[index].dataset].versions[made.order.version(index) - 1].description
    digest = made.order.specification
    specification = known if sha256(known).digest() == digest else read_document(store, digest)
    return Documents(manifest, read_document(store, described), specification)


def delivery_of(order: OrderView) -> Delivery:
    """The delivery on the ledger. Raises `Refused` if there is none."""
    if order.delivery is None:
        raise Refused(f"expected a delivery, the order is {order.state.word}; wait for the provider")
    return order.delivery
