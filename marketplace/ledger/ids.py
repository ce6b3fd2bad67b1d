"""The names that the contract gives to things, computed here alike: EIP-712 digests under the marketplace's domain."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from web3 import Web3

from marketplace.ledger.abi import DELIVERY, HEAD, MEMBER, ORDER, check, encode
from marketplace.ledger.addresses import places_of
from marketplace.protocol.chunks import ChunkRequest
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Head, Member, Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.permit import Grant
from marketplace.protocol.quote import QuoteRequest

NAME = "Agora Health"
VERSION = "1"

_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_OFFER_ID_TYPE = "OfferId(bytes32 head,bytes32 members)"
_OFFER = "Offer(Head head,Member[] members)"
_OFFER_TYPE = f"{_OFFER}{HEAD.eip712()}{MEMBER.eip712()}"
_CONSENT_TYPE = f"Consent(Offer offer,uint64 until){HEAD.eip712()}{MEMBER.eip712()}{_OFFER}"
_ACCEPTANCE_TYPE = "Acceptance(bytes32 order,bytes32 delivery)"
_CERTIFICATE_TYPE = "Certificate(bytes32 order,bytes32 document)"
_CHUNKS_TYPE = "Chunks(bytes32 order,bytes32 delivery,uint32[] indices,uint64 until)"
_QUOTE_TYPE = "Quote(address buyer,bytes32 offer,bytes32 specification,uint64 until)"


def keccak(data: bytes) -> bytes:
    """Keccak-256, the ledger's hash."""
    return bytes(Web3.keccak(data))


@dataclass(frozen=True)
class Domain:
    """One contract: the one at this address of this chain. Every id and every signature is bound to it.

    Unless it says another name, it is a marketplace.
    """

    chain_id: int
    contract: Address
    name: str = NAME
    version: str = VERSION

    @cached_property
    def separator(self) -> bytes:
        """The domain's hash. Source: EIP-712."""
        names = (keccak(self.name.encode()), keccak(self.version.encode()))
        words = encode(
            ("bytes32", "bytes32", "bytes32", "uint256", "address"),
            (_type_hash(_DOMAIN_TYPE), *names, self.chain_id, self.contract),
        )
        return keccak(words)

    def digest(self, struct: bytes) -> bytes:
        """What is signed for the value whose hash is `struct`. Source: EIP-712."""
        return keccak(b"\x19\x01" + self.separator + struct)


def dataset_id(domain: Domain, provider: Address, salt: bytes) -> DatasetId:
    """The id of the dataset that `provider` registers with `salt` (32 bytes)."""
    values = (domain.chain_id, domain.contract, check("provider", "address", provider), check("salt", "bytes32", salt))
    return DatasetId(keccak(encode(("uint256", "address", "address", "bytes32"), values)))


def members_hash(members: Iterable[Member]) -> bytes:
    """The hash of an offer's members, in order, as its id names them: of their ABI encoding."""
    words = [MEMBER.words(member) for member in members]
    return keccak(encode(("uint256", "uint256"), (32, len(words))) + b"".join(words))


def offer_hash(head: Head, members: Iterable[Member]) -> bytes:
    """The EIP-712 hash of an offer as a provider signs it, every field of it, before the domain."""
    kind = _type_hash(MEMBER.eip712())
    hashes = b"".join(keccak(kind + MEMBER.words(member)) for member in members)
    return keccak(_type_hash(_OFFER_TYPE) + _head_hash(head) + keccak(hashes))


def offer_id(domain: Domain, head: Head, members: Iterable[Member]) -> OfferId:
    """The id of the offer with these terms and members."""
    return OfferId(domain.digest(keccak(_type_hash(_OFFER_ID_TYPE) + _head_hash(head) + members_hash(members))))


def offer(domain: Domain, head: Head, members: Iterable[Member]) -> Offer:
    """The offer with these terms and members, under its id."""
    members = tuple(members)
    return Offer(offer_id(domain, head, members), head, members)


def consent_hash(head: Head, members: Iterable[Member], until_s: int) -> bytes:
    """The EIP-712 hash of a provider's consent to an offer up to `until_s`, before the domain."""
    values = (offer_hash(head, members), check("until", "uint64", until_s))
    return keccak(_type_hash(_CONSENT_TYPE) + encode(("bytes32", "uint64"), values))


def order_hash(order: Order) -> bytes:
    """The EIP-712 hash of an order, before the domain."""
    return keccak(_type_hash(ORDER.eip712()) + ORDER.words(order))


def order_id(domain: Domain, order: Order) -> OrderId:
    """The id of an order."""
    return OrderId(domain.digest(order_hash(order)))


def delivery_struct(order: OrderId, delivery: Delivery) -> bytes:
    """The EIP-712 hash of a delivery for `order`, before the domain."""
    kind = _type_hash(DELIVERY.eip712("bytes32 order"))
    return keccak(kind + check("order", "bytes32", order) + DELIVERY.words(delivery))


def delivery_hash(domain: Domain, order: OrderId, delivery: Delivery) -> DeliveryHash:
    """The hash of a delivery for `order`, which names chain, contract and order."""
    return DeliveryHash(domain.digest(delivery_struct(order, delivery)))


def permit_id(domain: Domain, authority: Address, grant: Grant) -> PermitId:
    """The id of the permit that `authority` grants at this marketplace."""
    fields = (
        ("authority", "address", authority),
        ("holder", "address", grant.holder),
        ("purpose", "uint8", grant.purpose),
        ("from", "uint40", grant.from_s),
        ("to", "uint40", grant.to_s),
        ("document", "bytes32", grant.document),
        ("subjects", "bytes32[]", grant.subjects),
    )
    types = ("uint256", "address", *(kind for _, kind, _ in fields))
    values = (check(name, kind, value) for name, kind, value in fields)
    return PermitId(keccak(encode(types, (domain.chain_id, places_of(domain.contract).permits, *values))))


def acceptance_hash(order: OrderId, delivery: DeliveryHash) -> bytes:
    """The EIP-712 hash of a buyer's acceptance, before the domain."""
    return keccak(_type_hash(_ACCEPTANCE_TYPE) + encode(("bytes32", "bytes32"), (order, delivery)))


def certificate_hash(order: OrderId, document: bytes) -> bytes:
    """The EIP-712 hash of a provider's word for a certificate, before the domain. `document`: SHA-256 of its bytes."""
    return keccak(_type_hash(_CERTIFICATE_TYPE) + encode(("bytes32", "bytes32"), (order, document)))


def chunks_hash(request: ChunkRequest) -> bytes:
    """The EIP-712 hash of a buyer's request for the keys of chunks, before the domain."""
    indices = keccak(b"".join(check("index", "uint32", index).to_bytes(32) for index in request.indices))
    words = (request.order, request.delivery, indices, check("until", "uint64", request.until_s))
    return keccak(_type_hash(_CHUNKS_TYPE) + encode(("bytes32", "bytes32", "bytes32", "uint64"), words))


def quote_hash(request: QuoteRequest) -> bytes:
    """The EIP-712 hash of a request for a quote, before the domain."""
    values = (
        check("buyer", "address", request.buyer),
        check("offer", "bytes32", request.specification.offer),
        request.digest,
        check("until", "uint64", request.until_s),
    )
    return keccak(_type_hash(_QUOTE_TYPE) + encode(("address", "bytes32", "bytes32", "uint64"), values))


def _head_hash(head: Head) -> bytes:
    return keccak(_type_hash(HEAD.eip712()) + HEAD.words(head))


def _type_hash(kind: str) -> bytes:
    return keccak(kind.encode())
