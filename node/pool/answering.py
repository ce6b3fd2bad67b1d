"""How a member answers its pool's lead, at its endpoint: what it says of itself, and its signature under the delivery."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger import ids
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_delivery
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account
from marketplace.protocol.identity import OrderId
from node.commission import LARGEST_DOCUMENT_BYTES
from node.delivery import plain_root_in
from node.files import reading
from node.outcome import Outcome
from node.pool.closing import JointClosing
from node.pool.consent import own_places
from node.pool.countersignature import (
    Countersignature,
    DeliveryDraft,
    Presented,
    differs,
    objection_to_delivery,
    objection_to_result,
)
from node.pool.joint import read_joint
from node.pool.statement import Statement, decode_request
from node.workers.job import Name

NOT_DELIVERED = "expected an order that this node answers, this one is not delivered; ask its provider"


@dataclass
class Answering:
    """Answers for one member. Safe to use by several threads at once where `ledger` is.

    `account`: as the node last read it; None before it has. `folder_of`: the folder of an order. `clock` gives seconds.
    `note` is told what goes wrong inside the node, and why it does not sign, which nobody else learns.
    """

    account: Callable[[], Account | None]
    ledger: Ledger
    signer: Signer
    store: ContentStore
    folder_of: Callable[[OrderId], Path]
    clock: Callable[[], float]
    note: Callable[[str], None]

    def statement(self, body: bytes) -> bytes:
        """What this member says of the order in `body`. Raises `Invalid` for what is no request, `Refused` where it takes no
        part in that order, `Unreachable` while it has no answer."""
        order = decode_request(body)
        with self._untold():
            outcome, closing = self._ended(order)
        return Statement(order, closing.transcript, outcome.register, outcome.noise_commitment).encode()

    def countersign(self, body: bytes) -> bytes:
        """This member's signature under the delivery in `body`.

        Raises `Invalid` for what is no delivery, `Refused` where it is not signed, `Unreachable` while it has no answer.
        """
        try:
            draft = DeliveryDraft.decode(body)
        except Corrupt as error:
            raise Invalid(str(error)) from None
        with self._untold():
            presented = self._presented(draft)
            now_s = max(int(self.clock()), self.ledger.now_s())
            objection = objection_to_delivery(presented, now_s)
            if objection is None:
                root = plain_root_in(self.folder_of(draft.order), presented.made.capacity, draft.salts)
                objection = objection_to_result(presented, root)
        if objection is not None:
            self.note(f"countersign: order {draft.order.hex()[:16]} is not signed: {objection}")
            raise Refused("expected a delivery that this member can sign, it does not sign this one; ask its provider")
        if differs(presented, root):
            self.note(
                f"countersign: order {draft.order.hex()[:16]}: the lead's rows are not those that this node makes of the same "
                "sums, as may be on another processor; you sign for the sums"
            )
        signature = sign_delivery(self.signer, self.ledger.domain, draft.order, draft.delivery)
        digest = ids.delivery_hash(self.ledger.domain, draft.order, draft.delivery)
        return Countersignature(draft.order, digest, self.signer.address, signature).encode()

    def _presented(self, draft: DeliveryDraft) -> Presented:
        account = self.account()
        if account is None:
            raise Unreachable("expected a node that has read the ledger, it has only begun")
        outcome, closing = self._ended(draft.order)
        manifest = Manifest.decode(read_bytes(self.store, Cid.raw(draft.delivery.manifest), LARGEST_DOCUMENT_BYTES))
        domain, member, order = self.ledger.domain, self.signer.address, account.orders.get(draft.order)
        if order is None or not own_places(account.offer_of(order), member):
            raise Refused(NOT_DELIVERED)
        made = read_joint(account, order, member, self.folder_of(order.id), self.store)
        if made is None:
            raise Unreachable("expected the documents of the order, they cannot be had now")
        return Presented(draft, manifest, domain, member, account, made, outcome, closing)

    def _ended(self, order: OrderId) -> tuple[Outcome, JointClosing]:
        """How the order ended at this member."""
        folder = self.folder_of(order)
        if (folder / Name.FAILURE).exists() or (folder / Name.CLOSED).exists():
            raise Refused(NOT_DELIVERED)
        if not (folder / Name.OUTCOME).exists():
            raise Unreachable("expected an order that was answered, this one is not yet")
        return read_ended(folder)

    @contextmanager
    def _untold(self) -> Iterator[None]:
        """What goes wrong inside is told to the provider alone; others learn whether to try again."""
        try:
            yield
        except Refused:
            raise Refused(NOT_DELIVERED) from None
        except MarketplaceError as error:
            if not isinstance(error, Unreachable):
                self.note(f"countersign: {error}")
            raise Unreachable("expected an answer from this node, it cannot give one now; try again later") from None


def read_ended(folder: Path) -> tuple[Outcome, JointClosing]:
    """How an order ended well, from its folder. Raises as the documents and the disk do."""
    with reading(folder / Name.OUTCOME) as file:
        outcome = Outcome.decode(file.read())
    with reading(folder / Name.TRANSCRIPT) as file:
        return outcome, JointClosing.decode(file.read())
