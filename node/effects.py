"""The effects behind a node's decisions: start work, seal and store, send a transaction. One effect for each step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.calls import Call
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery
from node.accesslog import DayLog
from node.commission import LARGEST_DOCUMENT_BYTES, Commission, Earlier
from node.delivery import clear, decode_delivery, encode_delivery, prepare_delivery, prepare_sale_of_stock
from node.files import disk, reading, whole_file
from node.journal import Journal, Mark
from node.pool.joint import JointCommission
from node.pool.together import Together
from node.sale import make_secrets, read_secrets
from node.sending import Sender
from node.stockroom import Stockroom
from node.vault.access import Access
from node.vault.vault import Vault
from node.work import Decline, Deliver, Refund, Release, Reveal, Settle, Step
from node.workers.job import Name
from node.workers.process import Workers


@dataclass
class Effects:
    """What a node can do about an order. `folder`: where each order has a folder of its own. `stock`: results that may be
    sold again. `vault` opens the vault. `together`: what is done with other nodes. Every time is in seconds."""

    ledger: Ledger
    signer: Signer
    store: ContentStore
    journal: Journal
    workers: Workers
    folder: Path
    vault_folder: Path
    storage_key: bytes = field(repr=False)
    stock: Stockroom
    vault: Callable[[], Vault]
    together: Together

    def __post_init__(self) -> None:
        self._sender = Sender(self.ledger, self.signer, self.journal)
        self._box = SecretBox(self.storage_key)

    def order_folder(self, order: OrderId) -> Path:
        """The folder of one order."""
        return self.folder / order.hex()

    def make(self, commission: Commission, at_s: int) -> bool:
        """Lays the order's documents out and starts, or starts again, the work on it. False while there is no place."""
        if not self.workers.has_place():
            return False
        order, folder = commission.order.id, self._lay_out(commission)
        if self.journal.last(order, Mark.STARTED) is None:
            self.journal.add(order, Mark.STARTED, b"", at_s)
        self.workers.start(commission.job(self.vault_folder), folder, self.storage_key)
        return True

    def close(self, order: OrderId) -> None:
        """Ends the work on an order for good."""
        self.together.workers.end(order)
        self.workers.close(order, self.order_folder(order))

    def abstain(self, order: OrderId, why: str, at_s: int) -> None:
        """Notes why this node takes no part in an order, and ends the work on it for good."""
        if self.journal.last(order, Mark.DECLINED) is None:
            self.journal.add(order, Mark.DECLINED, why.encode(), at_s)
        self.close(order)

    def make_together(self, made: JointCommission, account: Account, at_s: int) -> bool:
        """Starts, or starts again, this node's part in a joint order. False while there is no place."""
        return self.together.make(made, account, self.order_folder(made.order.id), at_s)

    def seal_together(self, made: JointCommission, account: Account, now_s: Callable[[], int]) -> bool:
        """As `seal`, for the answer that this node's pool has made together. False while other members are asked."""
        order = made.order.id
        secrets = make_secrets(self.journal, self._box, order, now_s())
        delivery = self.together.seal(made, account, self.order_folder(order), secrets)
        if delivery is None:
            return False
        self.journal.add(order, Mark.SEALED, encode_delivery(delivery), now_s())
        return True

    def deliver_together(self, made: JointCommission, account: Account, at_s: int) -> Receipt | None:
        """Records a delivery that every member has signed; None while they are asked, or if it was sent before."""
        order, sealed = made.order, self._sealed(made.order)
        salts = read_secrets(self.journal, self._box, order.id).salts
        signatures = self.together.signatures(made, account, sealed, salts, at_s)
        if signatures is None:
            return None
        call = self.ledger.calls.deliver(made.offer, order.order, sealed, signatures)
        return self._sender.send(order.id, call, at_s)

    def seal(self, commission: Commission, now_s: Callable[[], int]) -> None:
        """Makes the delivery, stores its bytes, and then writes it into the journal, with the time at that moment."""
        order, earlier = commission.order.id, commission.earlier
        if earlier is not None:
            delivery = self._sell_again(commission, earlier, now_s)
        else:
            secrets, folder = make_secrets(self.journal, self._box, order, now_s()), self.order_folder(order)
            delivery = prepare_delivery(commission, folder, secrets, self.ledger, self.signer, self.store)
            with reading(folder / Name.RESULT) as plain:
                self.stock.keep(order, plain)
        self.journal.add(order, Mark.SEALED, encode_delivery(delivery), now_s())

    def send(self, step: Step, order: OrderView, offer: Offer, at_s: int) -> Receipt | None:
        """Sends the transaction for `step`; None if it was sent before and waits for confirmations."""
        call = self._call(step, order, offer)
        if isinstance(step, Decline) and self.journal.last(order.id, Mark.DECLINED) is None:
            self.journal.add(order.id, Mark.DECLINED, step.why.encode(), at_s)
        return self._sender.send(order.id, call, at_s, step.index if isinstance(step, Release) else 0)

    def clear(self, order: OrderId) -> None:
        """Ends what still runs for an ended order, and removes what need not be kept of it."""
        self.together.workers.end(order)
        self.together.inquiries.forget(order)
        self.workers.end(order)
        clear(self.order_folder(order))

    def delete(self, order: OrderId, at_s: int) -> None:
        """Deletes the kept result of `order` for good, having written so into access log and journal."""
        if self.journal.last(order, Mark.DELETED) is None:
            self.vault().access.note(Access.DELETED, at_s, order=order)
            self.journal.add(order, Mark.DELETED, b"", at_s)
        self.stock.drop(order)

    def anchor(self, order: OrderId, day: int, at_s: int) -> Receipt | None:
        """Anchors the access log of a day on which the kept result of `order` was deleted; None if that was sent before."""
        root = DayLog(self.vault().access.day(day)).root()
        return self._sender.send(order, self.ledger.calls.anchor(day, root), at_s)

    def stop(self) -> None:
        """Stops the work in hand and lets go of the journal."""
        self.together.workers.stop()
        self.workers.stop()
        self.journal.close()

    def _lay_out(self, commission: Commission) -> Path:
        """The order's folder, with the order's documents in it."""
        folder = self.order_folder(commission.order.id)
        commission.lay_out(folder)
        return folder

    def _sell_again(self, commission: Commission, earlier: Earlier, now_s: Callable[[], int]) -> Delivery:
        """The delivery of an earlier result, with a key of its own. The vault has no part in it."""
        folder = self._lay_out(commission)
        with whole_file(folder / Name.RESULT) as plain:
            self.stock.copy(earlier.order.id, plain)
        secrets = make_secrets(self.journal, self._box, commission.order.id, now_s(), earlier.order.id)
        return prepare_sale_of_stock(commission, folder, secrets, self._manifest_of(earlier), self.store)

    def _manifest_of(self, earlier: Earlier) -> bytes:
        """The manifest of an earlier delivery, from its order's folder, else from the store."""
        digest, kept = earlier.delivery.manifest, self.order_folder(earlier.order.id) / Name.MANIFEST
        with disk():
            data = kept.read_bytes() if kept.exists() else b""
        if sha256(data).digest() == digest:
            return data
        return read_bytes(self.store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES)

    def _call(self, step: Step, order: OrderView, offer: Offer) -> Call:
        calls = self.ledger.calls
        match step:
            case Decline():
                return calls.decline(offer, order.order, step.objection.code)
            case Deliver():
                return calls.deliver(offer, order.order, self._sealed(order))
            case Reveal():
                key = read_secrets(self.journal, self._box, order.id).key
                return calls.reveal(offer, order.order, self._delivered(order), key)
            case Settle():
                return calls.settle(offer, order.order)
            case Refund():
                return calls.refund(offer, order.order)
            case Release(index):
                return calls.release(offer, order.order, index)
            case _:
                raise ValueError(f"no transaction for {type(step).__name__}")

    def _sealed(self, order: OrderView) -> Delivery:
        """The delivery whose bytes were stored."""
        entry = self.journal.last(order.id, Mark.SEALED)
        if entry is None:
            raise Corrupt(
                "expected the sealed delivery in the journal, found none; restore the node's folder from its backup"
            )
        return decode_delivery(entry.data)

    def _delivered(self, order: OrderView) -> Delivery:
        """The delivery that the ledger has, whose key is to be revealed."""
        if order.delivery is None:
            raise Corrupt("expected a delivery on the ledger before its key is revealed, found none")
        return order.delivery
