"""A wallet that is a contract, on a chain inside this process."""

from marketplace.ledger import sending
from marketplace.ledger.abi import encode
from marketplace.ledger.calls import Call
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.ids import keccak
from marketplace.ledger.signer import Signer
from marketplace.protocol.identity import Address
from tests.contracts.doubles import double


def new_wallet(ledger: EmbeddedLedger, owner: Address) -> Address:
    """A new wallet that takes the signature of `owner` for its own (ERC-1271)."""
    creation = Call(None, "constructor", double("Wallet").bytecode + encode(["address"], [owner]))
    receipt = sending.send(ledger.chain, sending.prepare(ledger.chain, ledger.treasury, creation), 10)
    return sending.created(ledger.chain, receipt)


def run(ledger: EmbeddedLedger, by: Signer, wallet: Address, wanted: Call) -> None:
    """Lets the wallet make a call. `by` pays the gas: of this double anybody may ask it."""
    data = keccak(b"run(address,bytes)")[:4] + encode(["address", "bytes"], [wanted.to, wanted.data])
    ledger.send(ledger.prepare(by, Call(wallet, "run", data)))
