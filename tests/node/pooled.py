"""Several hospitals that answer together, a buyer, and the marketplace between them: real nodes on one ledger of choice."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.buying.client import Client
from marketplace.buying.purchase import Questions
from marketplace.content.directory import DirectoryStore
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.follower import Follower
from marketplace.protocol.account import OrderView
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.descriptor import Place
from marketplace.protocol.identity import Address, DatasetId, OrderId
from marketplace.protocol.offer import Kind, Offer
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.states import OrderState
from node.admission import Rules
from node.daemon import Daemon, Happened
from node.endpoint.settings import EndpointSettings
from node.home import Keys, Node
from node.mpc.plan import Limits
from node.pooling import Part
from node.provider import Listed, Words
from node.serving import describe, serving, tell
from node.work import Decline, Step, Wait
from node.workers.joint import JointWorkers
from scripts.ports import HOST, take_ports
from tests.ledger.agreement import assert_agrees
from tests.node.market import HOUR_S, PURSE_UNITS, SLOT_S, conditions
from tests.node.workplace import LONGEST_S, STORAGE_KEY
from tests.synthesis.examples import WIDE, rows_of

SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(400), Decimal(1), False),
        Category("outcome", ("alive", "dead"), missing=False),
        Category("arm", ("old", "new"), missing=False),
    ),
    person="patient",
    rows_per_person=1,
)
GRID = tuple(Decimal(day) for day in range(50, 401, 50))
SURVIVAL = Survival("days", "outcome", "dead", GRID, "arm")
QUESTIONS = Questions((Count(), SURVIVAL), slot_s=SLOT_S)
WORDS = Words("Follow-up of nobody", "Drawn at random.", "Made for a test.")
Write = Callable[[Path, int, int, int], Path]
ROWS_DECLARED, TOTAL_MICRO = 100, 10**7
LIMITS = Limits(stall_s=300.0, join_s=300.0)
"""Longer than six processes take to begin on two processors that have much else to do."""


def follow_up(path: Path, persons: int, seed: int, common: int = 0) -> Path:
    """A CSV file of `persons` persons, one row each, of whom `common` have the same identifiers in every such file."""
    choices, lines = Random(seed), ["patient,days,outcome,arm"]
    for person in range(persons):
        arm = choices.choice(("old", "new"))
        days = min(400, int(choices.expovariate(1 / (150 if arm == "old" else 250))))
        who = "all" if person < common else seed
        lines.append(f"hush-{who}-{person},{days},{choices.choice(('alive', 'dead', 'dead'))},{arm}")
    path.write_text("\n".join(lines) + "\n")
    return path


def many_columns(path: Path, persons: int, seed: int, _: int = 0) -> Path:
    """A CSV file of `WIDE`, of so many columns that a sketch of their pairs says which are measured."""
    rows = rows_of(WIDE, persons, seed + 1)
    texts = (["" if c < 0 else one.text(c) for c, one in zip(row, WIDE.columns, strict=True)] for row in rows)
    lines = (",".join([f"hush-{seed}-{person}", *text]) for person, text in enumerate(texts))
    path.write_text("\n".join([",".join(["patient", *WIDE.names]), *lines]) + "\n")
    return path


@dataclass
class Hospital:
    """One provider's node, its dataset, the loop that serves it. `happened`: what that did. `notes`: what its endpoint noted."""

    node: Node
    listed: Listed
    happened: list[Happened] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    closing: ExitStack = field(default_factory=ExitStack)
    daemon: Daemon = field(init=False)

    @property
    def address(self) -> Address:
        return self.node.keys.signer.address

    def steps(self, order: OrderId) -> list[type[Step]]:
        return [type(each.step) for each in self.happened if each.order == order and not each.trouble]

    def troubles(self, order: OrderId) -> list[str]:
        return [
            each.step.why for each in self.happened if each.order == order and isinstance(each.step, Wait | Decline)
        ]

    def debits(self, order: OrderId) -> list[int]:
        return [debit.rho_micro for debit in self.node.vault.account.entries() if debit.order == order]

    def folder(self, order: OrderId) -> Path:
        return self.daemon.effects.order_folder(order)

    def used_micro(self) -> int:
        return self.node.ledger.dataset(self.listed.dataset).used_micro


@dataclass
class Pool:
    """`hospitals`: the lead first. In an offer they stand in the order of their datasets' identifiers, which are random."""

    ledger: EmbeddedLedger
    folder: Path
    store: DirectoryStore
    client: Client
    hospitals: list[Hospital] = field(default_factory=list)

    @property
    def token(self) -> Address:
        return self.ledger.token

    def add(self, path: Path, schema: Schema, rules: Rules | None, rows_declared: int, keep_identifiers: bool) -> None:
        """Another hospital with the records at `path`, described on the ledger and answering."""
        endpoint, party = (Place(HOST, port) for port in take_ports(2))
        settings = EndpointSettings(endpoint, endpoint, party, party)
        keys = Keys(self.ledger.account(PURSE_UNITS), STORAGE_KEY)
        folder = self.folder / f"hospital-{len(self.hospitals)}"
        node = Node.open(folder, keys, self.ledger, self.store, endpoint=settings, rules=rules)
        listed = node.provider().list_dataset(
            path, schema, WORDS, TOTAL_MICRO, rows_declared=rows_declared, keep_identifiers=keep_identifiers
        )
        tell(node, describe(node)[1])
        self.hospitals.append(Hospital(node, listed))
        self.restart(-1)

    def restart(self, number: int, rules: Rules | None = None, joint: JointWorkers | None = None) -> None:
        """Ends a hospital's node, and starts it again over the same folder, with these rules and processes."""
        one = self.hospitals[number]
        one.closing.close()
        one.daemon = one.node.daemon(one.happened.append, clock=self.ledger.now_s, rules=rules, joint=joint)
        one.daemon.effects.together.limits = LIMITS
        one.closing.callback(one.daemon.close)
        one.closing.enter_context(serving(one.node, one.daemon, one.notes.append))

    def limit(self, stall_s: float, join_s: float) -> None:
        """How long all hospitals wait for each other from now on."""
        for one in self.hospitals:
            one.daemon.effects.together.limits = Limits(stall_s=stall_s, join_s=join_s)

    @property
    def lead(self) -> Hospital:
        return self.hospitals[0]

    def stake(self, orders: int) -> None:
        """Stakes the bonds of so many orders."""
        units = orders * conditions(self.token).bond_units
        self.ledger.approve(self.lead.node.keys.signer, self.token, units)
        self.ledger.stake(self.lead.node.keys.signer, self.token, units)

    def publish(self, *more: DatasetId, **changes: object) -> Offer:
        """An offer of analyses by all hospitals. `more`: further datasets of theirs that stand in it."""
        wanted = conditions(self.token, **{"kind": Kind.ANALYSIS, "epsilon": 2.0, **changes})
        datasets = [*(one.listed.dataset for one in self.hospitals), *more]
        share = 10_000 // len(datasets)
        parts = [Part(dataset, share) for dataset in datasets]
        parts[0] = Part(parts[0].dataset, 10_000 - share * (len(parts) - 1))
        now_s = self.ledger.now_s()
        draft = self.lead.node.pooling().draft(parts, wanted, now_s)
        consents = []
        for one in self.hospitals[1:]:
            pooling = one.node.pooling()
            consents.append(pooling.consent(pooling.asked(draft), now_s + HOUR_S, now_s))
        return self.lead.node.pooling().publish(draft, consents, now_s).offer

    def place(self, offer: Offer, questions: Questions = QUESTIONS) -> OrderId:
        return self.client.place(self.client.draft_analysis(offer.id, questions)).order

    def order(self, order: OrderId) -> OrderView:
        return self.client.order(order)

    def tick(self, but: Sequence[int] = ()) -> None:
        """Every node ticks once but those, and a second passes."""
        for number, one in enumerate(self.hospitals):
            if number not in but:
                one.daemon.tick()
        self.ledger.advance(1)
        time.sleep(0.05)

    def run(self, reached: Callable[[], bool], but: Sequence[int] = ()) -> None:
        """Lets all nodes tick until `reached`."""
        until = time.monotonic() + LONGEST_S
        while not reached():
            assert time.monotonic() < until, [one.happened for one in self.hospitals]
            self.tick(but)

    def run_until(self, order: OrderId, state: OrderState, but: Sequence[int] = ()) -> OrderView:
        self.run(lambda: self.order(order).state is state, but)
        return self.order(order)

    def run_out(self, order: OrderId, but: Sequence[int] = ()) -> OrderView:
        """Lets the order's time pass, and everybody end it."""
        self.ledger.advance(max(0, self.order(order).deadline_s - self.ledger.now_s()) + 1)
        self.run(lambda: all(order in one.daemon._ended for n, one in enumerate(self.hospitals) if n not in but), but)
        return self.order(order)

    def buy(self, order: OrderId) -> Path:
        """The buyer's part from the delivery to the opened result. Gives the folder of the result."""
        self.run_until(order, OrderState.DELIVERED)
        self.client.receive(order)
        self.client.accept(order)
        self.run_until(order, OrderState.REVEALED)
        out = self.folder / "results" / order.hex()
        self.client.open(order, out)
        return out

    def assert_settles(self, order: OrderId) -> None:
        """Fails unless the buyer can settle the order, and all is sound at its end."""
        self.client.settle(order)
        assert self.order(order).state is OrderState.SETTLED
        self.assert_sound()

    def assert_sound(self) -> None:
        """Fails unless money is conserved to the unit, and every check of the audit holds."""
        assert_agrees(self.ledger, Follower(self.ledger).catch_up())
        judged = judge(gather(self.ledger, self.store, lambda _: None))
        assert [check for check in judged.checks if check.passed is False] == []


@contextmanager
def pooled(
    folder: Path,
    persons: Sequence[int] = (60, 70, 80),
    schemas: Mapping[int, Schema] | None = None,
    common: int = 0,
    rules: Rules | None = None,
    write: Write | None = None,
    rows_declared: int = ROWS_DECLARED,
) -> Iterator[Pool]:
    """As many hospitals as there are numbers of persons, each described on the ledger and answering, until the block ends.

    `common`: how many persons every hospital knows; where there are some, hospitals keep identifiers. `write`: makes each
    hospital's records, as `follow_up` does.
    """
    folder.mkdir(exist_ok=True)
    ledger, store = EmbeddedLedger(), DirectoryStore(folder / "store")
    client = Client(
        ledger=ledger,
        follower=Follower(ledger),
        store=store,
        signer=ledger.account(PURSE_UNITS),
        seed=secrets.token_bytes(32),
        folder=folder / "buyer",
        clock=lambda: 0,
    )
    pool = Pool(ledger, folder, store, client)
    with ExitStack() as closing:
        for number, count in enumerate(persons):
            schema = (schemas or {}).get(number, SCHEMA)
            writing = write or (many_columns if schema == WIDE else follow_up)
            path = writing(folder / f"{number}.csv", count, number, common)
            pool.add(path, schema, rules, rows_declared, common > 0)
            closing.callback(pool.hospitals[number].closing.close)
        pool.stake(20)
        yield pool
