"""`Client`: everything that a buyer does, each step by itself, each safe to repeat."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from marketplace.buying import receiving
from marketplace.buying.acceptance import require_met, require_right
from marketplace.buying.asking import Asking, described_by
from marketplace.buying.documents import delivery_of
from marketplace.buying.endpoint import read_descriptor
from marketplace.buying.evidence import Evidence
from marketplace.buying.fetching import Progress
from marketplace.buying.listing import Entry, open_entries, read_entry
from marketplace.buying.purchase import DEFAULT_SLOT_S, PLACE_WITHIN_S, Placed, Purchase, Questions, Wishes, draft
from marketplace.buying.receiving import Received
from marketplace.buying.signed_purchase import SignedPurchase
from marketplace.buying.spot_check import DEFAULT_CHUNKS, SEED, SEED_BYTES, Sampled, TooSmall, Verdict
from marketplace.buying.spot_check import spot_check as check_chunks
from marketplace.certificate.agreement import committed_at
from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Invalid, Refused
from marketplace.ledger.follower import Follower
from marketplace.ledger.ids import order_id
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signatures import sign_order
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.constraints import Condition
from marketplace.protocol.descriptor import Described
from marketplace.protocol.draw import stock_seed
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.identity import NOBODY, Address, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.specification import Workload
from marketplace.protocol.specified import thresholds_of
from marketplace.protocol.states import FINAL, OrderState
from marketplace.protocol.threshold import Threshold
from marketplace.scores.thresholds import judge

ASKING_S = 600
TAKEN = frozenset({OrderState.ACCEPTED, OrderState.REVEALED, OrderState.CONTESTED})


def _silent(_: str) -> None:
    """Progress that nobody reads."""


@dataclass(frozen=True)
class Client:
    """One buyer. `seed`: the wallet's secret behind all sealing keys. `folder`: the wallet's folder for orders.
    `pause`: lets so many seconds pass.

    Every method reads the ledger afresh and raises as ledger and store do.
    """

    ledger: Ledger
    follower: Follower
    store: ContentStore
    signer: Signer
    seed: bytes = field(repr=False)
    folder: Path
    clock: Callable[[], float]
    pause: Callable[[float], None] = time.sleep

    def account(self) -> Account:
        """The whole account as of now."""
        return self.follower.catch_up()

    def now_s(self) -> int:
        """The later of this machine's clock and the ledger's."""
        return max(int(self.clock()), self.ledger.now_s())

    def entries(self) -> tuple[Entry, ...]:
        """Every open offer whose documents can be read, in the order of publication."""
        return open_entries(self.account(), self.store, self.now_s())

    def entry(self, offer: OfferId) -> Entry:
        """The offer with its documents. Raises as `read_entry` does."""
        return read_entry(self.account(), offer, self.store)

    def draft(
        self,
        offer: OfferId,
        *,
        rows: int | None = None,
        workload: Workload | None = None,
        slot_s: int = DEFAULT_SLOT_S,
        permit: PermitId | None = None,
        place_within_s: int = PLACE_WITHIN_S,
        only: tuple[Condition, ...] = (),
        generator: str | None = None,
        subgroups: str | None = None,
        thresholds: tuple[Threshold, ...] = (),
    ) -> Purchase:
        """A purchase to look at before it is placed. Raises as `purchase.draft` does."""
        wishes = Wishes(rows, workload, slot_s, permit, place_within_s, only, generator, subgroups, thresholds)
        return self._drafted(offer, wishes)

    def draft_analysis(self, offer: OfferId, questions: Questions) -> Purchase:
        """A purchase of answers by several providers together, to look at before it is placed. Raises as `purchase.draft`."""
        return self._drafted(offer, questions)

    def order_of(self, purchase: Purchase) -> OrderId:
        """The id that the order has once it is placed."""
        return order_id(self.ledger.domain, purchase.order)

    def place(self, purchase: Purchase) -> Placed:
        """Stores the specification, allows the price, places the order: bytes first, ledger last.

        The specification stays in the wallet too: without its nonce the seed does not make the sealing key again.
        Raises `Refused` if the balance does not pay the price, before anything is sent.
        """
        offer = purchase.entry.view.offer
        self._prepare(purchase)
        allowed = self._allow(offer.head.token, offer.head.price_units)
        order, receipt = self.ledger.place(self.signer, offer, purchase.order)
        return Placed(order, (*allowed, receipt))

    def sign(self, purchase: Purchase) -> SignedPurchase:
        """Signs order and payment instead of placing the order: anybody can hand them in, and this buyer needs no gas.

        The specification is stored and kept as by `place`. Raises `Refused` if the balance does not pay the price, or the
        token takes no payment by signature.
        """
        self._prepare(purchase)
        head, order, domain = purchase.entry.view.offer.head, purchase.order, self.ledger.domain
        payment = self.ledger.sign_payment(
            self.signer, head.token, head.price_units, self.order_of(purchase), order.place_by_s
        )
        signature = sign_order(self.signer, domain, order)
        return SignedPurchase(domain, purchase.specification, order, signature, payment)

    def order(self, order: OrderId) -> OrderView:
        """Where an order stands. Raises `Invalid` if there is none."""
        return self._find(self.account(), order)

    def receive(self, order: OrderId, progress: Progress = _silent) -> Received:
        """Downloads the delivery and checks it before acceptance. Raises as `receiving.receive` does."""
        account = self.account()
        view = self._find(account, order)
        folder = self._folder(order)
        return receiving.receive(account, view, self.ledger.domain, self.store, self.seed, folder, progress)

    def spot_check(
        self,
        order: OrderId,
        described: Described | None = None,
        *,
        chunks: int = DEFAULT_CHUNKS,
        randomness: Callable[[int], bytes] = os.urandom,
        progress: Progress = _silent,
    ) -> Verdict:
        """Opens a few random chunks of the delivery with the help of the provider's node, before it is accepted.

        `described`: what to believe of the lead's descriptor; None for what it said last on the ledger. `randomness`
        makes bytes; they are kept with the order, so that another check asks for the same chunks. Of stock the ledger says
        which chunks are opened, the same to all its buyers. Receives the delivery first. Raises `Refused` unless the order
        waits for acceptance, `NoEndpoint` where the lead describes no node, and as `receive`, `read_descriptor` and
        `spot_check.spot_check` do; that the node does not answer is a verdict and no error.
        """
        received = self.receive(order, progress)
        account, folder = self.account(), self._folder(order)
        view = self._find(account, order)
        if view.state is not OrderState.DELIVERED or view.delivery_hash is None:
            raise Refused(f"expected an order that waits for acceptance, it is {view.state.word}; nothing is opened")
        lead, delivery = account.offers[view.order.offer].offer.head.lead, DeliveryHash(view.delivery_hash)
        descriptor = read_descriptor(described or described_by(account, lead), lead, self.store)
        asking = Asking(descriptor, self.ledger.domain, self.signer, order, delivery, self.now_s() + ASKING_S)
        description, specification = receiving.documents_of(folder)
        if isinstance(specification, AnalysisSpecification):
            raise TooSmall("expected rows to look into, this is the answer to an analysis; judge it by its certificate")
        stock = self._stock_seed(account, view)
        seed = stock or receiving.keep_once(folder, SEED, lambda: randomness(SEED_BYTES))
        schema = received.manifest.certificate.schema(description.schema)
        sampled = Sampled(schema, specification.rows, seed, stock is not None)
        with received.inner.open("rb") as file:
            return check_chunks(file, sampled, chunks, asking)

    def accept(self, order: OrderId, *, check: bool = True, progress: Progress = _silent) -> Receipt | None:
        """Accepts the very delivery that was received and checked, by its hash; None if that is done already.

        Before that the released scores are held against the specification's thresholds, and a few random chunks are opened
        where the lead describes a node and the result is large enough, unless `check` is false. A delivery that misses a
        threshold, or of which chunks are wrong or cannot be had though the node was asked again, is rejected.
        `progress` is told what came of it. Raises `NotAccepted` for a delivery that it has just rejected, `Refused` if none
        was received, `Corrupt` if the ledger has another one by now, and as `spot_check` does.
        """
        view = self.order(order)
        checked = receiving.checked_delivery(self._folder(order))
        if checked is None:
            raise Refused("expected a delivery that was fetched and checked before it is accepted; fetch it first")
        if self.ledger.order(order).state in TAKEN:
            return None
        if checked == view.delivery_hash and view.state is OrderState.DELIVERED:
            folder = self._folder(order)
            wanted = thresholds_of(receiving.specification_of(view, self.store, folder))
            require_met(judge(wanted, receiving.scores_of(folder)), lambda: self.reject(order), progress)
            if check:
                asking = partial(self.spot_check, order, progress=progress)
                require_right(asking, lambda: self.reject(order), self.pause, progress)
        return self.ledger.accept(self.signer, self._offer(view), view.order, checked)

    def reject(self, order: OrderId) -> Receipt:
        """Turns the delivery down. The compute fee is lost."""
        view = self.order(order)
        if view.delivery_hash is None:
            raise Refused(f"expected a delivery to reject, the order is {view.state.word}; wait for the provider")
        return self.ledger.reject(self.signer, self._offer(view), view.order, DeliveryHash(view.delivery_hash))

    def check_key(self, order: OrderId) -> None:
        """Raises `Invalid` if this wallet's seed cannot open what is sealed for the order: the result would be lost."""
        specification = receiving.specification_of(self.order(order), self.store, self._folder(order))
        receiving.sealing_key(self.seed, specification)

    def open(self, order: OrderId, out: Path) -> dict[str, Path]:
        """Decrypts the received result into the folder `out`, beside its evidence. Raises as `open_result` does."""
        return receiving.open_result(self.order(order), self._folder(order), out)

    def is_licensed(self, order: OrderId) -> bool:
        """Whether this buyer holds the order's licence now, by the ledger's word."""
        view = self.order(order)
        return self.ledger.is_licensed(self._offer(view), view.order, self.signer.address, self.ledger.now_s())

    def name_user(self, order: OrderId, user: Address) -> Receipt:
        """Names a further user of the order's licence, for good."""
        view = self.order(order)
        return self.ledger.name_user(self.signer, self._offer(view), view.order, user)

    def settle(self, order: OrderId) -> Receipt:
        """Settles a revealed order at once where this is its buyer, and after the window, ruling or none, for anybody."""
        view = self.order(order)
        return self.ledger.settle(self.signer, self._offer(view), view.order)

    def complain(self, order: OrderId) -> Receipt:
        """Proves to the ledger that a chunk of the received delivery is wrong: price and bond become this buyer's credit.

        Raises `Refused` if every chunk is right or the window has passed, and as `receiving.complaint_of` does.
        """
        view = self.order(order)
        complaint = receiving.complaint_of(view, self._folder(order))
        delivery = delivery_of(view)
        return self.ledger.complain(self.signer, self._offer(view), view.order, delivery, complaint)

    def contest(self, order: OrderId, because: str, evidence: Path | None = None) -> tuple[Receipt, ...]:
        """Calls the arbiter: stores the grounds for all to read, allows the deposit, contests the order.

        `because`: what is wrong. `evidence`: a file to make, for this buyer to hand to the arbiter alone: it opens the
        sealed result of this order. The grounds name it by its hash.
        Raises `Invalid` for grounds that are no text, `Refused` if there is no arbiter, the order is not Revealed, the
        balance does not pay the deposit, or another file is in the way.
        """
        view = self.order(order)
        offer, head = self._offer(view), self._offer(view).head
        if head.arbiter == NOBODY:
            raise Refused("expected an offer with an arbiter, this one names none; only a wrong byte can be proven")
        if view.state is not OrderState.REVEALED or view.delivery_hash is None:
            raise Refused(f"expected an order that is Revealed, it is {view.state.word}; only then it can be contested")
        kept = self._evidence(view) if evidence else None
        grounds = Grounds(order, DeliveryHash(view.delivery_hash), because, kept.digest if kept else None)
        self._require_balance(head.token, head.contest_deposit_units, "the deposit")
        if kept and evidence:
            kept.write(evidence)
        digest = put_bytes(self.store, grounds.encode()).digest
        allowed = self._allow(head.token, head.contest_deposit_units)
        return (*allowed, self.ledger.contest(self.signer, offer, view.order, digest))

    def was_revoked(self, order: OrderView) -> bool:
        """Whether the permit of an accepted order was revoked before its key was overdue, so that no key can come."""
        permit = self.account().permits.get(PermitId(order.order.permit))
        revoked = permit is not None and 0 < permit.revoked_at_s <= order.deadline_s
        return revoked and order.state is OrderState.ACCEPTED

    def refund(self, order: OrderId) -> Receipt:
        """Ends an order that lapsed: a refund where delivery or acceptance did not come or the permit was revoked in time,
        a forfeit where the key did not come.

        Raises `Refused` where there is nothing to end, or it is too early.
        """
        view = self.order(order)
        if view.state in FINAL:
            raise Refused(f"expected an open order, it is {view.state.word} already; nothing is left to end")
        if view.state is OrderState.REVEALED:
            raise Refused(
                "expected an order that lapsed, this one is Revealed: its result is yours; fetch and settle it"
            )
        if view.state is OrderState.CONTESTED:
            raise Refused(
                "expected an order that lapsed, this one is Contested; wait for its arbiter, or settle it after the deadline"
            )
        if view.state is OrderState.ACCEPTED and not self.was_revoked(view):
            return self.ledger.forfeit(self.signer, self._offer(view), view.order)
        return self.ledger.refund(self.signer, self._offer(view), view.order)

    def withdraw(self, order: OrderId) -> Receipt | None:
        """Pays this buyer's whole credit in the order's token out to it; None if there is none, or the order is another's."""
        view = self.order(order)
        if view.order.buyer != self.signer.address:
            return None
        token = self._offer(view).head.token
        credit = self.ledger.credit_units(token, self.signer.address)
        return self.ledger.withdraw_credit(self.signer, token, credit) if credit else None

    def _drafted(self, offer: OfferId, wishes: Wishes | Questions) -> Purchase:
        account = self.account()
        entry = read_entry(account, offer, self.store)
        return draft(account, entry, self.signer.address, self.seed, wishes, self.now_s())

    def _offer(self, order: OrderView) -> Offer:
        return self.account().offers[order.order.offer].offer

    def _stock_seed(self, account: Account, order: OrderView) -> bytes | None:
        """What draws the chunks of stock; None for a result that was made for the order."""
        committed = committed_at(account, order)
        return stock_seed(committed.plain_root, self.ledger.block(committed.block).hash) if committed else None

    def _prepare(self, purchase: Purchase) -> None:
        """What comes before an order is signed or placed: the balance, the specification in the store and in the wallet."""
        head = purchase.entry.view.offer.head
        self._require_balance(head.token, head.price_units, "the price")
        put_bytes(self.store, purchase.specification.encode())
        receiving.keep_specification(purchase.specification, self._folder(self.order_of(purchase)))

    def _require_balance(self, token: Address, amount_units: int, what: str) -> None:
        if self.ledger.balance_units(token, self.signer.address) < amount_units:
            raise Refused(f"expected a balance that pays {what} of {euro_text(amount_units)}; pay in first")

    def _allow(self, token: Address, amount_units: int) -> tuple[Receipt, ...]:
        """Lets the marketplace take this amount, where it may not yet."""
        if self.ledger.allowance_units(token, self.signer.address) >= amount_units:
            return ()
        return (self.ledger.approve(self.signer, token, amount_units),)

    def _evidence(self, order: OrderView) -> Evidence:
        specification = receiving.specification_of(order, self.store, self._folder(order.id))
        domain = self.ledger.domain
        return Evidence(domain.chain_id, domain.contract, order.id, receiving.sealing_key(self.seed, specification))

    def _find(self, account: Account, order: OrderId) -> OrderView:
        if order not in account.orders:
            raise Invalid(f"expected the id of a placed order, got {order.hex()[:16]}...; check the id and the ledger")
        return account.orders[order]

    def _folder(self, order: OrderId) -> Path:
        return self.folder / order.hex()
