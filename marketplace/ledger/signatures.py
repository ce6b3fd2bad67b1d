"""What buyers and providers sign off the ledger, under the marketplace's domain: acceptances and certificates."""

from marketplace.ledger.abi import check
from marketplace.ledger.ids import Domain, acceptance_hash, certificate_hash
from marketplace.ledger.signer import Signer, recover
from marketplace.protocol.identity import Address, DeliveryHash, OrderId


def sign_acceptance(by: Signer, domain: Domain, order: OrderId, delivery: DeliveryHash) -> bytes:
    """The buyer's acceptance of one delivery, which anyone may hand in: 65 bytes."""
    return by.sign_digest(domain.digest(_acceptance(order, delivery)))


def acceptance_signer(domain: Domain, order: OrderId, delivery: DeliveryHash, signature: bytes) -> Address:
    """Who signed this acceptance. Raises `Corrupt` if the bytes are no signature."""
    return recover(domain.separator, _acceptance(order, delivery), signature)


def sign_certificate(by: Signer, domain: Domain, order: OrderId, document: bytes) -> bytes:
    """The provider's signature for a certificate, given the SHA-256 of its bytes: 65 bytes."""
    return by.sign_digest(domain.digest(_certificate(order, document)))


def certificate_signer(domain: Domain, order: OrderId, document: bytes, signature: bytes) -> Address:
    """Who signed this certificate, given the SHA-256 of its bytes. Raises `Corrupt` if the bytes are no signature."""
    return recover(domain.separator, _certificate(order, document), signature)


def _acceptance(order: OrderId, delivery: DeliveryHash) -> bytes:
    return acceptance_hash(check("order", "bytes32", order), check("delivery", "bytes32", delivery))


def _certificate(order: OrderId, document: bytes) -> bytes:
    return certificate_hash(check("order", "bytes32", order), check("document", "bytes32", document))
