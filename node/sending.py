"""The node's transactions: signed, journalled, then sent, so that a crash in between neither loses one nor pays twice."""

from dataclasses import dataclass

from marketplace.certificate.fields import Fields
from marketplace.errors import Refused
from marketplace.ledger.calls import Call
from marketplace.ledger.ledger import Ledger, Prepared, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol import canonical
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark

NOUN, VERSION = "transaction", 1


@dataclass(frozen=True)
class Sender:
    """One account's transactions about orders. Nothing else may send from `signer` while a node runs."""

    ledger: Ledger
    signer: Signer
    journal: Journal

    def send(self, order: OrderId, call: Call, at_s: int) -> Receipt | None:
        """Sends `call`, which moves `order`, once; None if it is in a block already and only waits for confirmations.

        A transaction for this function that an earlier run signed is sent again as it is; only where the chain can no
        longer take it is a new one signed, after the contract was asked whether it still agrees. The contract takes
        each move of an order once, so even then nothing happens twice. Raises what the ledger raises.
        """
        signed = self.journal.last(order, f"{Mark.SIGNED}:{call.function}")
        if signed is not None:
            prepared = _decode(signed.data)
            sent = self.journal.last(order, f"{Mark.SENT}:{call.function}")
            if sent is not None and sent.data == prepared.hash and self._mined(prepared):
                return None
            receipt = self._send_again(prepared)
            if receipt is not None:
                return self._sent(order, receipt, at_s)
        prepared = self.ledger.prepare(self.signer, call)
        self.journal.add(order, f"{Mark.SIGNED}:{call.function}", _encode(prepared), at_s)
        return self._sent(order, self.ledger.send(prepared), at_s)

    def _mined(self, prepared: Prepared) -> bool:
        return self.ledger.receipt(prepared.hash) is not None

    def _send_again(self, prepared: Prepared) -> Receipt | None:
        try:
            return self.ledger.send(prepared)
        except Refused:
            return None

    def _sent(self, order: OrderId, receipt: Receipt, at_s: int) -> Receipt:
        self.journal.add(order, f"{Mark.SENT}:{receipt.function}", receipt.transaction, at_s)
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
    return Prepared(bytes.fromhex(fields.text("raw")), fields.bytes32("hash"), fields.text("function"))
