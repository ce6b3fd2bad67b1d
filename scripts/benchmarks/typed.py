"""What people sign, as typed data of EIP-712 by another implementation than the product's."""

from collections.abc import Mapping
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

TYPES = {
    "Head": "address lead,uint8 kind,uint8 guarantee,address token,uint128 cost,uint128 margin,uint64 delta,"
    "uint32 deliverWindow,uint32 acceptWindow,uint32 revealWindow,uint32 challengeWindow,uint32 ruleWindow,"
    "uint64 licenceSeconds,uint16 computeFeeBps,uint128 bond,uint128 contestDeposit,uint32 maxOpen,bytes32 terms,"
    "uint256 purposes,address authority,address arbiter,bytes32 stock,uint8 unit,uint64 validUntil",
    "Member": "bytes32 dataset,address provider,uint16 shareBps,uint64 rhoMicro",
    "OfferId": "bytes32 head,bytes32 members",
    "Offer": "Head head,Member[] members",
    "Consent": "Offer offer,uint64 until",
    "Order": "bytes32 offer,address buyer,bytes32 specification,uint256 versions,bytes32 permit,uint64 placeBy",
    "Delivery": "bytes32 order,bytes32 commitmentRoot,bytes32 plainRoot,bytes32 keyHash,bytes32 object,"
    "bytes32 manifest,uint32 count,uint8 objectCodec",
    "Acceptance": "bytes32 order,bytes32 delivery",
    "Permit": "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline",
    "ReceiveWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce",
    "TransferWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce",
    "CancelAuthorization": "address authorizer,bytes32 nonce",
}
FIELDS = {
    name: [dict(zip(("type", "name"), field.split(), strict=True)) for field in text.split(",")]
    for name, text in TYPES.items()
}

Domain = Mapping[str, Any]


def digest(domain: Domain, primary: str, value: Mapping[str, Any]) -> bytes:
    """What is signed for a value of a struct."""
    signable = encode_typed_data(dict(domain), _types(primary), dict(value))
    return keccak(b"\x19\x01" + signable.header + signable.body)


def struct_hash(primary: str, value: Mapping[str, Any]) -> bytes:
    """The hash of a value of a struct, before any domain."""
    return encode_typed_data({}, _types(primary), dict(value)).body


def sign(key: bytes, domain: Domain, primary: str, value: Mapping[str, Any]) -> bytes:
    """A key's signature over a value of a struct: r, s and v, 65 bytes."""
    signable = encode_typed_data(dict(domain), _types(primary), dict(value))
    return bytes(Account.sign_message(signable, key).signature)


def _types(primary: str) -> dict[str, list[dict[str, str]]]:
    """A struct's type and all that it is made of."""
    found = {primary: FIELDS[primary]}
    for field in FIELDS[primary]:
        part = field["type"].removesuffix("[]")
        if part in FIELDS:
            found |= _types(part)
    return found
