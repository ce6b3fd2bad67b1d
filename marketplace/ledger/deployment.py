"""Putting the contracts on a chain, and telling a marketplace from anything else that may stand at an address."""

from dataclasses import dataclass

from marketplace.errors import Refused
from marketplace.ledger import artifact, sending
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.artifact import Compiled
from marketplace.ledger.calls import Call
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.identity import Address


@dataclass(frozen=True)
class Deployed:
    """Where the contracts stand, and the receipts of the transactions that put them there."""

    marketplace: Address
    euro: Address
    receipts: tuple[Receipt, Receipt]


def deploy(chain: Chain, by: Signer, wait_s: float = 120.0) -> Deployed:
    """Puts a new marketplace and a new test euro on `chain`. Raises `Refused` if `by` cannot pay for it."""
    compiled = artifact.load()
    marketplace, first = _create(chain, by, compiled.marketplace, wait_s)
    euro, second = _create(chain, by, compiled.euro, wait_s)
    return Deployed(marketplace, euro, (first, second))


def check(chain: Chain, address: Address) -> Address:
    """`address` in mixed case, if this program's marketplace stands there.

    Raises `Invalid` if it is no address, `Refused` if no contract or another one stands there. The chain itself is asked
    what the creation code of this program's contract would leave there, so even one other byte of code is found out.
    """
    address = checksummed(address)
    code = chain.code(address)
    if not code:
        raise Refused(f"expected a marketplace at {address}, got an address without code; check address and chain")
    try:
        expected = chain.call(None, artifact.load().marketplace.creation)
    except Revert:
        expected = b""
    if len(code) != len(expected) or _common(code, code, chain, address) != _common(expected, code, chain, address):
        raise Refused(
            f"expected the marketplace of this program's version at {address}, got another contract; "
            "check the address, or use the version that it was deployed with"
        )
    return address


def _common(code: bytes, deployed: bytes, chain: Chain, address: Address) -> bytes:
    """`code` without what `deployed` says about its own address: the address itself and the domain made from it."""
    masked = bytearray(code)
    for own in (bytes.fromhex(address.removeprefix("0x")), Domain(chain.chain_id, address).separator):
        start = deployed.find(own)
        while start >= 0:
            masked[start : start + len(own)] = bytes(len(own))
            start = deployed.find(own, start + len(own))
    return bytes(masked)


def _create(chain: Chain, by: Signer, compiled: Compiled, wait_s: float) -> tuple[Address, Receipt]:
    prepared = sending.prepare(chain, by, Call(None, "constructor", compiled.creation))
    receipt = sending.send(chain, prepared, wait_s)
    return sending.created(chain, receipt), receipt
