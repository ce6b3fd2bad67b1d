"""Who signs: a port so narrow that a key management service can stand behind it, and a key held in memory."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

from eth_account import Account
from eth_account.messages import SignableMessage
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from web3 import Web3

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.identity import Address

SIGNATURE_BYTES = 65

# The curve secp256k1, y^2 = x^3 + 7: the size of its field and the order of its group. Source: SEC 2.
_FIELD = 2**256 - 2**32 - 977
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Signer(Protocol):
    """An account of the ledger that can sign."""

    @property
    def address(self) -> Address:
        """The account's address."""

    def sign_digest(self, digest: bytes) -> bytes:
        """A recoverable signature over 32 bytes: r, s (the lower one) and v (27 or 28), 65 bytes."""


@dataclass(frozen=True)
class LocalSigner:
    """A key of 32 bytes in this process's memory. Nothing that is printed or compared shows it."""

    key: bytes = field(repr=False, compare=False)
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        try:
            account = Account.from_key(self.key)
        except ValueError:
            raise Invalid("expected a ledger key of 32 bytes; make a new one or restore it from its keystore") from None
        object.__setattr__(self, "address", Address(account.address))

    @classmethod
    def random(cls) -> "LocalSigner":
        """A signer with a fresh key from the operating system."""
        return cls(secrets.token_bytes(32))

    def sign_digest(self, digest: bytes) -> bytes:
        """A recoverable signature over 32 bytes, the same for the same digest."""
        return bytes(Account.unsafe_sign_hash(digest, self.key).signature)


def recover(separator: bytes, struct: bytes, signature: bytes) -> Address:
    """The account that signed the EIP-712 value `struct` (its hash) under the domain `separator`.

    Raises `Corrupt` if the bytes are no signature that the contract would take.
    """
    if not _is_possible(signature):
        raise Corrupt(f"expected a signature of {SIGNATURE_BYTES} bytes, got bytes that no account signs; sign again")
    return Address(Account.recover_message(SignableMessage(b"\x01", separator, struct), signature=signature))


def _is_possible(signature: bytes) -> bool:
    """Whether some key can have made these bytes: r is the x of a point of the curve, s is in the lower half, v fits."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        return False
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    on_curve = pow(r**3 + 7, (_FIELD - 1) // 2, _FIELD) == 1
    return 0 < r < _ORDER and on_curve and 0 < s <= _ORDER // 2


@dataclass(frozen=True)
class Draft:
    """A transaction before it is signed. Fees in wei; `to` is None where it makes a contract."""

    chain_id: int
    nonce: int
    to: Address | None
    data: bytes
    value_wei: int
    gas_limit: int
    most_wei: int
    tip_wei: int


def sign_transaction(by: Signer, draft: Draft) -> tuple[bytes, bytes]:
    """The signed transaction, ready to be broadcast, and its hash."""
    unsigned: dict[str, Any] = {
        "type": 2,
        "chainId": draft.chain_id,
        "nonce": draft.nonce,
        "data": draft.data,
        "value": draft.value_wei,
        "gas": draft.gas_limit,
        "maxFeePerGas": draft.most_wei,
        "maxPriorityFeePerGas": draft.tip_wei,
    }
    if draft.to is not None:
        unsigned["to"] = draft.to
    signature = by.sign_digest(TypedTransaction.from_dict(unsigned).hash())
    r, s, v = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64] - 27
    raw = TypedTransaction.from_dict({**unsigned, "v": v, "r": r, "s": s}).encode()
    return raw, bytes(Web3.keccak(raw))
