"""The node's transactions: signed, journalled, then sent, so that a crash in between neither loses one nor pays twice."""

from dataclasses import dataclass

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger.calls import Call
from marketplace.ledger.ledger import Ledger, Prepared, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol import canonical
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark

NOUN, VERSION = "transaction", 1


@dataclass(frozen=True)
class Sender:
    """One account's transactions about orders. Another program that sends from `signer` can only delay them."""

    ledger: Ledger
    signer: Signer
    journal: Journal

    def send(self, order: OrderId, call: Call, at_s: int, part: int = 0) -> Receipt | None:
        """Sends `call`, which moves `order`, once; None if it is in a block already and only waits for confirmations.

        `part`: tells calls of one function for one order apart.

        A transaction for this function that was signed before is sent again as it is. Only where the chain undid it, or
        can no longer take it because another one took its number, is a new one signed, after the contract was asked
        whether it still agrees. The contract takes each move of an order once, so even then nothing happens twice.
        Raises what the ledger raises.
        """
        name = f"{call.function}.{part}" if part else call.function
        signed, sent = (self.journal.last(order, f"{mark}:{name}") for mark in (Mark.SIGNED, Mark.SENT))
        if signed is not None:
            receipt = self._again(_decode(signed.data))
            if receipt is not None:
                known = sent is not None and sent.data == receipt.transaction
                return None if known else self._sent(order, name, receipt, at_s)
        prepared = self.ledger.prepare(self.signer, call)
        self.journal.add(order, f"{Mark.SIGNED}:{name}", _encode(prepared), at_s)
        return self._sent(order, name, self.ledger.send(prepared), at_s)

    def _again(self, prepared: Prepared) -> Receipt | None:
        """The receipt of a transaction that was signed before; None if it never can have one that says it succeeded."""
        try:
            return self.ledger.send(prepared)
        except (Refused, Invalid, Corrupt):
            return None

    def _sent(self, order: OrderId, name: str, receipt: Receipt, at_s: int) -> Receipt:
        self.journal.add(order, f"{Mark.SENT}:{name}", receipt.transaction, at_s)
        return receipt


def _encode(prepared: Prepared) -> bytes:
    return canonical.encode(
        {
            "format": canonical.format_name(NOUN, VERSION),
            "function": prepared.function,
            "hash": prepared.hash.hex(),
            "raw": prepared.raw.hex(),
        }
    )


def _decode(data: bytes) -> Prepared:
    fields = Fields(canonical.decode(data, NOUN, VERSION))
    try:
        return Prepared(bytes.fromhex(fields.text("raw")), fields.bytes32("hash"), fields.text("function"))
    except (Invalid, ValueError):
        raise Corrupt(
            "expected a signed transaction in the journal, got other parts; restore it from its backup"
        ) from None
