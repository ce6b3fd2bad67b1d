"""The main job, act by act: list, offer, buy, make, deliver, accept, reveal, settle, audit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.audit.audit import Audit, judge
from marketplace.audit.gathering import gather
from marketplace.buying.client import Client
from marketplace.certificate.verification import Verification, verify
from marketplace.commands.offers import price_lines
from marketplace.errors import Refused
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.check import Check
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.states import OrderState
from node.daemon import Happened
from node.home import Node
from node.provider import Conditions, Listed
from node.work import Deliver, Make, Reveal, Seal
from scripts.story.narration import Narrator
from scripts.story.options import Options
from scripts.story.records import material
from scripts.story.stage import Serve, Serving, Stage, open_buyer, open_node, set_up

EURO = 1_000_000
COST_UNITS, MARGIN_UNITS, BOND_UNITS, PURSE_UNITS = 200 * EURO, 50 * EURO, 100 * EURO, 1_000 * EURO
ORDERS_IN_BUDGET = 10
SLOT_S = 5

WORDS = {
    Make: "the node let the order in and began its one draw, in a process of its own",
    Seal: "the node signed the certificate, sealed the result for this buyer and stored the bytes",
    Deliver: "the node recorded the delivery",
    Reveal: "the node revealed the key",
}


@dataclass
class Cast:
    """Who plays, where, and who tells. `receipts`: what the order's transactions cost, as they happen."""

    stage: Stage
    node: Node
    serve: Serve
    client: Client
    folder: Path
    say: Narrator
    receipts: list[Receipt] = field(default_factory=list)

    def observe(self, happened: Happened) -> None:
        """Tells what the node does."""
        receipts = [happened.receipt] if happened.receipt else []
        self.receipts += receipts
        self.say.step(WORDS.get(type(happened.step), type(happened.step).__name__), receipts)


@dataclass(frozen=True)
class Ending:
    """What is to be shown at the end. `payout_units`: what the provider withdrew."""

    cast: Cast
    listed: Listed
    offer: Offer
    order: OrderId
    payout_units: int
    verification: Verification
    audit: Audit


def play(options: Options, folder: Path, say: Narrator) -> Ending:
    """Plays the main job in `folder`, which is fresh. Raises what any actor raises."""
    say.chapter("The stage")
    stage = set_up(options.rpc, folder)
    node, serve = open_node(stage, folder / "provider")
    cast = Cast(stage, node, serve, open_buyer(stage, folder / "buyer"), folder, say)
    for account in (node.keys.signer.address, cast.client.signer.address):
        stage.fund(account, PURSE_UNITS)
    where = "in this process" if options.rpc is None else "behind the RPC endpoint"
    say.step(f"a ledger {where}, the marketplace at {stage.ledger.domain.contract}, a test euro, two purses")
    listed, offer = _sell(cast, options)
    order = _place(cast, offer, options)
    serving = serve(cast.observe)
    try:
        _deliver(cast, serving, order)
    finally:
        serving.stop()
    return _prove(cast, listed, offer, order)


def _sell(cast: Cast, options: Options) -> tuple[Listed, Offer]:
    say, provider = cast.say, cast.node.provider()
    say.chapter("The provider lists its records and publishes an offer")
    records = material(options.data, options.person, options.exclude, cast.folder, say)
    delta_atto = largest_delta_atto(records.rows_declared)
    total_micro = ORDERS_IN_BUDGET * largest_rho_micro(options.epsilon, delta_of(delta_atto))
    listed = provider.list_dataset(
        records.path, records.schema, records.words, total_micro, rows_declared=records.rows_declared
    )
    say.step(
        f"registered {listed.description.rows_declared:,} declared rows of {len(records.schema.columns)} columns with a "
        f"budget of {total_micro:,} micro-rho; unit: {records.schema.unit}",
        [listed.receipt],
    )
    conditions = Conditions(cast.stage.token, options.epsilon, COST_UNITS, MARGIN_UNITS, BOND_UNITS)
    published = provider.publish(listed.dataset, listed.description, conditions, now_s=cast.stage.ledger.now_s())
    offer = published.offer
    say.step(
        f"staked {euro_text(BOND_UNITS)}, published an offer at {euro_text(offer.head.price_units)} "
        f"and epsilon {offer.epsilon():.4f}",
        published.receipts,
    )
    return listed, offer


def _place(cast: Cast, offer: Offer, options: Options) -> OrderId:
    cast.say.chapter("The buyer places an order")
    purchase = cast.client.draft(offer.id, rows=options.rows, slot_s=SLOT_S)
    for line in price_lines(purchase):
        cast.say.aside(line)
    placed = cast.client.place(purchase)
    cast.receipts += placed.receipts
    words = f"placed order {placed.order.hex()[:16]}: price held, bond locked, rho taken"
    cast.say.step(words, placed.receipts, offer.members[0].rho_micro)
    return placed.order


def _deliver(cast: Cast, serving: Serving, order: OrderId) -> None:
    client, say = cast.client, cast.say
    say.chapter("The node makes, seals and delivers; the buyer checks and accepts; the node reveals")
    serving.wait_for(lambda: client.order(order).state is not OrderState.PLACED, "a delivery")
    if client.order(order).state is not OrderState.DELIVERED:
        raise Refused("expected a delivery, the node declined the order; ask for another epsilon or other rows")
    client.receive(order)
    say.step("the buyer fetched the object and checked every byte against the commitment")
    cast.receipts.append(client.accept(order))
    say.step("the buyer accepted this very delivery", cast.receipts[-1:])
    serving.wait_for(lambda: client.order(order).state is not OrderState.ACCEPTED, "the key")
    client.open(order, cast.folder / "result")
    say.step("the buyer opened the result with the revealed key")
    cast.receipts.append(client.settle(order))
    say.step("the buyer settled: the payout accrues, the bond is free", cast.receipts[-1:])


def _prove(cast: Cast, listed: Listed, offer: Offer, order: OrderId) -> Ending:
    stage, say = cast.stage, cast.say
    say.chapter("Money and proof")
    owed_units = cast.client.account().offers[offer.id].owed_units(0)
    withdrawn = cast.node.provider().withdraw()
    say.step(f"the provider withdrew {euro_text(owed_units)}", withdrawn)
    verification = verify(cast.folder / "result")
    say.step(f"the buyer verified the result offline: {_score(verification.checks)}")
    audited = judge(gather(stage.ledger, stage.store, lambda _: None))
    say.step(f"the auditor rebuilt the account from the ledger alone: {_score(audited.checks)}")
    return Ending(cast, listed, offer, order, owed_units, verification, audited)


def _score(checks: Sequence[Check]) -> str:
    held = sum(check.passed is True for check in checks)
    return f"{held} of {len(checks)} checks hold"
