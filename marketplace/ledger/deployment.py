"""Putting the contracts on a chain, and telling a marketplace from anything else that may stand at an address."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from marketplace.errors import Refused
from marketplace.ledger import artifact, sending
from marketplace.ledger.abi import encode
from marketplace.ledger.addresses import address_of, checksummed, places_of
from marketplace.ledger.artifact import Compiled
from marketplace.ledger.calls import Call
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.identity import Address


@dataclass(frozen=True)
class Deployed:
    """Where the contracts stand, and the receipts of the transactions that put them there: one for each of these two.

    The marketplace makes the other contracts itself, in the same transaction.
    """

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
    """`address` in mixed case, if this program's marketplace stands there, with the contracts that it makes.

    Raises `Invalid` if it is no address, `Refused` if no contract or another one stands there. The chain itself is asked
    what the creation code of this program's contracts would leave there, so even one other byte of code is found out.
    """
    places = places_of(checksummed(address))
    if not chain.code(places.marketplace):
        raise Refused(
            f"expected a marketplace at {places.marketplace}, got an address without code; check address and chain"
        )
    compiled = artifact.load()
    own = _words(places.marketplace)
    expected = {
        places.marketplace: compiled.marketplace.creation,
        places.permits: compiled.permits.creation,
        places.providers: compiled.providers.creation,
        places.licences: compiled.licences.creation + own,
        places.checks: compiled.checks.creation,
    }
    for place, creation in expected.items():
        if not _is(chain, place, creation, places.marketplace):
            raise Refused(
                f"expected the marketplace of this program's version at {places.marketplace}, got another contract; "
                "check the address, or use the version that it was deployed with"
            )
    return places.marketplace


def _is(chain: Chain, place: Address, creation: bytes, marketplace: Address) -> bool:
    """Whether what stands at `place` is what `creation` leaves, but for the marketplace that it was made by or for."""
    code = chain.code(place)
    try:
        expected = chain.call(None, creation)
    except Revert:
        return False
    at = code.find(_words(marketplace)[12:])
    if len(code) != len(expected) or at < 0:
        return code == expected
    model = address_of(expected[at : at + 20])
    return code == _renamed(expected, code, zip(_names(chain, model), _names(chain, marketplace), strict=True))


def _names(chain: Chain, marketplace: Address) -> list[bytes]:
    """What code says about a marketplace: its address, those of the contracts that it makes, and its domain."""
    places = astuple(places_of(marketplace))
    return [*(_words(place)[12:] for place in places), Domain(chain.chain_id, marketplace).separator]


def _renamed(expected: bytes, code: bytes, names: Iterable[tuple[bytes, bytes]]) -> bytes:
    """`expected` with each name that it says changed for another, at the places where `code` says that other."""
    renamed = bytearray(expected)
    for old, new in names:
        at = code.find(new)
        while at >= 0:
            end = at + len(new)
            if expected[at:end] == old:
                renamed[at:end] = new
            at = code.find(new, end)
    return bytes(renamed)


def _words(address: Address) -> bytes:
    return encode(["address"], [address])


def _create(chain: Chain, by: Signer, compiled: Compiled, wait_s: float) -> tuple[Address, Receipt]:
    prepared = sending.prepare(chain, by, Call(None, "constructor", compiled.creation))
    receipt = sending.send(chain, prepared, wait_s)
    return sending.created(chain, receipt), receipt
