"""A hospital with records, a buyer, and the marketplace between them: everything real, on a ledger of one's choice."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.buying.client import Client
from marketplace.buying.purchase import Purchase
from marketplace.content.directory import DirectoryStore
from marketplace.content.store import put_bytes
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import OrderView
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.specification import Workload
from marketplace.protocol.states import OrderState
from node.admission import Rules
from node.conditions import Conditions
from node.daemon import Daemon, Happened
from node.home import Keys, Node
from node.provider import Listed
from node.work import Decline, Step, Wait
from node.workers.process import ProcessWorkers, Workers
from tests.ledger.agreement import assert_agrees
from tests.node.examples import ROWS_DECLARED, SCHEMA, WORDS, records
from tests.node.workplace import LONGEST_S, STORAGE_KEY, quick_command

EURO = 1_000_000
PURSE_UNITS, COST_UNITS, MARGIN_UNITS, BOND_UNITS = 100_000 * EURO, 9 * EURO, EURO, 5 * EURO
EPSILON, ORDERS_IN_BUDGET = 1.0, 200
HOUR_S, SLOT_S = 3_600, 1


def conditions(token: Address, **changes: object) -> Conditions:
    """What the hospital decides about its offers, but for `changes`. Every window is an hour."""
    made = Conditions(
        token=token,
        epsilon=EPSILON,
        cost_units=COST_UNITS,
        margin_units=MARGIN_UNITS,
        bond_units=BOND_UNITS,
        deliver_window_s=HOUR_S,
        accept_window_s=HOUR_S,
        reveal_window_s=HOUR_S,
        challenge_window_s=HOUR_S,
        max_open=100,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Market:
    """`happened`: what the node did, in order. `pass_time` lets seconds pass on the ledger."""

    ledger: Ledger
    token: Address
    pass_time: Callable[[int], None]
    folder: Path
    node: Node
    client: Client
    listed: Listed
    offer: Offer
    happened: list[Happened] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        ledger: Ledger,
        token: Address,
        pass_time: Callable[[int], None],
        provider: LocalSigner,
        buyer: LocalSigner,
        folder: Path,
    ) -> "Market":
        """A market whose provider has listed some 600 rows and published an offer, with its bond staked.

        Provider and buyer have gas and money.
        """
        store = DirectoryStore(folder / "store")
        node = Node.open(folder / "node", Keys(provider, STORAGE_KEY), ledger, store)
        client = Client(
            ledger=ledger,
            follower=Follower(ledger),
            store=store,
            signer=buyer,
            seed=secrets.token_bytes(32),
            folder=folder / "buyer",
            clock=lambda: 0,
        )
        by_hand, wanted = node.provider(), conditions(token)
        total_micro = ORDERS_IN_BUDGET * 40_000
        path = records(folder / "records.csv")
        listed = by_hand.list_dataset(path, SCHEMA, WORDS, total_micro, rows_declared=ROWS_DECLARED)
        offer = by_hand.publish(listed.dataset, listed.description, wanted, now_s=ledger.now_s()).offer
        (folder / "points").mkdir()
        return cls(ledger, token, pass_time, folder, node, client, listed, offer)

    @property
    def points(self) -> Path:
        """The folder of the points at which processes die."""
        return self.folder / "points"

    def publish(self, **changes: object) -> Offer:
        """Another offer on the same dataset."""
        wanted = conditions(self.token, **changes)
        now_s = self.ledger.now_s()
        return self.node.provider().publish(self.listed.dataset, self.listed.description, wanted, now_s=now_s).offer

    def draft(self, offer: Offer | None = None, rows: int = 50, workload: Workload | None = None) -> Purchase:
        """A purchase that is not made yet."""
        return self.client.draft((offer or self.offer).id, rows=rows, workload=workload, slot_s=SLOT_S)

    def place(self, offer: Offer | None = None) -> OrderId:
        """A placed order."""
        return self.client.place(self.draft(offer)).order

    def place_unspecified(self, specification: bytes) -> OrderId:
        """A placed order whose specification is the bytes given, which are put into the store."""
        digest = put_bytes(self.node.store, specification).digest
        return self.place_with(digest)

    def place_with(self, specification: bytes) -> OrderId:
        """A placed order that names this digest as its specification."""
        return self.place_changed(self.draft(), specification=specification)

    def place_changed(self, purchase: Purchase, **changes: object) -> OrderId:
        """A placed order as in `purchase`, but for `changes`, with its specification in the store."""
        put_bytes(self.node.store, purchase.specification.encode())
        changed = replace(purchase.order, **changes)  # type: ignore[arg-type]
        offer = self.client.account().offers[changed.offer].offer
        self.ledger.approve(self.client.signer, self.token, offer.head.price_units)
        order, _ = self.ledger.place(self.client.signer, offer, changed)
        return order

    def stake(self, orders: int) -> None:
        """Stakes the bonds of so many orders more."""
        amount_units, provider = orders * self.offer.head.bond_units, self.node.keys.signer
        self.ledger.approve(provider, self.token, amount_units)
        self.ledger.stake(provider, self.token, amount_units)

    def daemon(
        self, workers: Workers | None = None, rules: Rules | None = None, clock: Callable[[], float] = lambda: 0
    ) -> Daemon:
        """The node's loop with quick workers, on the ledger's time alone."""
        return self.node.daemon(
            self.happened.append,
            clock=clock,
            rules=rules or Rules(below_floor=True),
            workers=workers or ProcessWorkers(1, quick_command(self.points)),
        )

    def order(self, order: OrderId) -> OrderView:
        """Where an order stands."""
        return self.client.order(order)

    def run(self, daemon: Daemon, reached: Callable[[], bool]) -> None:
        """Lets the node tick, a second of the ledger's time apart and never while a worker is at work, until `reached`.

        So what it does next depends on what was reached, and not on how fast a worker was or how much time passed meanwhile.
        """
        until, workers = time.monotonic() + LONGEST_S, daemon.effects.workers
        while not reached():
            assert time.monotonic() < until, self.happened
            if workers.has_place():
                daemon.tick()
                self.pass_time(1)
            time.sleep(0.05)

    def run_until(self, daemon: Daemon, order: OrderId, state: OrderState) -> OrderView:
        """Lets the node tick until the order is in `state`."""
        self.run(daemon, lambda: self.order(order).state is state)
        return self.order(order)

    def buy(self, daemon: Daemon, order: OrderId) -> Path:
        """The buyer's part from the delivery to the opened result. Gives the folder of the result."""
        self.run_until(daemon, order, OrderState.DELIVERED)
        self.client.receive(order)
        self.client.accept(order)
        self.run_until(daemon, order, OrderState.REVEALED)
        out = self.folder / "results" / order.hex()
        self.client.open(order, out)
        return out

    def steps(self, order: OrderId) -> list[type[Step]]:
        """What the node did about an order."""
        return [type(each.step) for each in self.happened if each.order == order]

    def reasons(self, order: OrderId) -> list[str]:
        """What the node said about an order: why it declined it, what troubled it."""
        steps = [each.step for each in self.happened if each.order == order]
        return [step.why for step in steps if isinstance(step, Decline | Wait)]

    def debits(self, order: OrderId) -> list[int]:
        """What the order took from the vault's account, in micro-rho."""
        return [debit.rho_micro for debit in self.node.vault.account.entries() if debit.order == order]

    def used_micro(self) -> int:
        """What the ledger says is used of the dataset's budget."""
        return self.ledger.dataset(self.listed.dataset).used_micro

    def assert_sound(self) -> None:
        """Fails unless money is conserved to the unit, and every check of the audit holds."""
        assert_agrees(self.ledger, Follower(self.ledger).catch_up())
        judged = judge(gather(self.ledger, self.node.store, lambda _: None))
        assert [check for check in judged.checks if check.passed is False] == []


def embedded_market(folder: Path) -> Market:
    """A market of its own in this process."""
    ledger = EmbeddedLedger()
    provider, buyer = (ledger.account(PURSE_UNITS) for _ in range(2))
    return Market.open(ledger, ledger.token, ledger.advance, provider, buyer, folder)
