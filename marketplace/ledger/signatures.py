"""What buyers and providers sign off the ledger: under the marketplace's domain, and under a token's to pay."""

from collections.abc import Iterable

from marketplace.ledger.abi import check, encode
from marketplace.ledger.ids import (
    Domain,
    acceptance_hash,
    certificate_hash,
    chunks_hash,
    consent_hash,
    delivery_struct,
    keccak,
    order_hash,
    quote_hash,
)
from marketplace.ledger.signer import Signer, recover
from marketplace.protocol.chunks import ChunkRequest
from marketplace.protocol.identity import Address, DeliveryHash, OrderId
from marketplace.protocol.offer import Consent, Head, Member
from marketplace.protocol.order import Delivery, Means, Order, Payment
from marketplace.protocol.quote import QuoteRequest

_APPROVAL_TYPE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
_AUTHORIZATION_TYPE = (
    "ReceiveWithAuthorization"
    "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)


def sign_consent(by: Signer, domain: Domain, head: Head, members: Iterable[Member], until_s: int) -> Consent:
    """A provider's word that it is a member of this very offer, good for publishing it up to `until_s`."""
    return Consent(until_s, by.sign_digest(domain.digest(consent_hash(head, members, until_s))))


def consent_signer(domain: Domain, head: Head, members: Iterable[Member], consent: Consent) -> Address:
    """Who signed this consent. Raises `Corrupt` if the bytes are no signature of a key."""
    return recover(domain.separator, consent_hash(head, members, consent.until_s), consent.signature)


def sign_order(by: Signer, domain: Domain, order: Order) -> bytes:
    """The buyer's signature for an order that anyone may hand in: 65 bytes."""
    return by.sign_digest(domain.digest(order_hash(order)))


def order_signer(domain: Domain, order: Order, signature: bytes) -> Address:
    """Who signed this order. Raises `Corrupt` if the bytes are no signature of a key."""
    return recover(domain.separator, order_hash(order), signature)


def sign_delivery(by: Signer, domain: Domain, order: OrderId, delivery: Delivery) -> bytes:
    """A further provider's signature for a delivery of a pooled order: 65 bytes."""
    return by.sign_digest(domain.digest(delivery_struct(order, delivery)))


def delivery_signer(domain: Domain, order: OrderId, delivery: Delivery, signature: bytes) -> Address:
    """Who signed this delivery. Raises `Corrupt` if the bytes are no signature of a key."""
    return recover(domain.separator, delivery_struct(order, delivery), signature)


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


def sign_approval(
    by: Signer, token: Domain, spender: Address, amount_units: int, nonce: int, deadline_s: int
) -> Payment:
    """The owner's approval of `spender` for this amount, good up to `deadline_s`. `nonce`: the token's next number for
    the owner. `token`: the token's own domain. Source: EIP-2612."""
    fields = (
        ("owner", "address", by.address),
        ("spender", "address", spender),
        ("value", "uint256", amount_units),
        ("nonce", "uint256", nonce),
        ("deadline", "uint256", deadline_s),
    )
    return _payment(by, token, _APPROVAL_TYPE, fields, Means.SIGNED_APPROVAL, deadline_s)


def sign_authorization(
    by: Signer, token: Domain, receiver: Address, amount_units: int, order: OrderId, valid_before_s: int
) -> Payment:
    """The owner's transfer of this amount that `receiver` alone can take, before `valid_before_s`, for this order alone.
    `token`: the token's own domain. Source: EIP-3009."""
    fields = (
        ("from", "address", by.address),
        ("to", "address", receiver),
        ("value", "uint256", amount_units),
        ("validAfter", "uint256", 0),
        ("validBefore", "uint256", valid_before_s),
        ("nonce", "bytes32", order),
    )
    return _payment(by, token, _AUTHORIZATION_TYPE, fields, Means.AUTHORIZATION, valid_before_s)


def _payment(
    by: Signer, token: Domain, kind: str, fields: tuple[tuple[str, str, object], ...], means: Means, deadline_s: int
) -> Payment:
    values = [check(name, of, value) for name, of, value in fields]
    struct = keccak(keccak(kind.encode()) + encode((of for _, of, _ in fields), values))
    signature = by.sign_digest(token.digest(struct))
    return Payment(means, deadline_s, signature[64], signature[:32], signature[32:64])


def sign_chunk_request(by: Signer, domain: Domain, request: ChunkRequest) -> bytes:
    """The buyer's signature for a request for the keys of chunks: 65 bytes."""
    return by.sign_digest(domain.digest(chunks_hash(request)))


def chunk_request_signer(domain: Domain, request: ChunkRequest, signature: bytes) -> Address:
    """Who signed this request. Raises `Corrupt` if the bytes are no signature."""
    return recover(domain.separator, chunks_hash(request), signature)


def sign_quote_request(by: Signer, domain: Domain, request: QuoteRequest) -> bytes:
    """The signature of whoever asks for a quote: 65 bytes."""
    return by.sign_digest(domain.digest(quote_hash(request)))


def _acceptance(order: OrderId, delivery: DeliveryHash) -> bytes:
    return acceptance_hash(check("order", "bytes32", order), check("delivery", "bytes32", delivery))


def _certificate(order: OrderId, document: bytes) -> bytes:
    return certificate_hash(check("order", "bytes32", order), check("document", "bytes32", document))
