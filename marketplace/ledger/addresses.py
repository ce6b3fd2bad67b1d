"""Addresses in the ledger's mixed-case form, whose case is a checksum."""

from functools import lru_cache

from web3 import Web3

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
