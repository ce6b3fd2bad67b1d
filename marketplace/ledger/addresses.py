"""Addresses in the ledger's mixed-case form, whose case is a checksum."""

from dataclasses import dataclass
from functools import lru_cache

from web3 import Web3
from web3.utils import get_create_address

from marketplace.errors import Invalid
from marketplace.protocol.identity import Address


@lru_cache(maxsize=4_096)
def checksummed(text: str) -> Address:
    """The address that `text` spells, in mixed case. Raises `Invalid` if it spells none, or with a wrong checksum."""
    lower = text.lower()
    if not Web3.is_address(lower) or not lower.startswith("0x"):
        raise Invalid(f"expected an address of 0x and 40 hexadecimal digits, got {text[:50]!r}; copy it again")
    address = Address(Web3.to_checksum_address(lower))
    if text not in (lower, address):
        raise Invalid(f"expected an address with a right checksum, got {text}; a character is wrong, so copy it again")
    return address


def address_of(raw: bytes) -> Address:
    """The address of 20 bytes."""
    return checksummed("0x" + raw.hex())


@dataclass(frozen=True)
class Places:
    """Where a marketplace stands, and the contracts that its constructor makes, in the order in which it makes them."""

    marketplace: Address
    permits: Address
    providers: Address
    licences: Address
    checks: Address


@lru_cache(maxsize=256)
def places_of(marketplace: Address) -> Places:
    """Where the contracts around the marketplace at this address stand: a contract's own first creation has nonce 1.

    Source: EIP-161.
    """
    own = checksummed(marketplace)
    made = (checksummed(get_create_address(own, nonce)) for nonce in range(1, 5))  # type: ignore[arg-type]
    return Places(own, *made)
