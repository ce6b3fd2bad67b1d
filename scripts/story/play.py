"""The main job, act by act: list, offer, buy, make, deliver, accept, reveal, settle, audit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.audit.audit import Audit, judge
from marketplace.audit.gathering import gather
from marketplace.buying.client import Client
from marketplace.certificate.verification import Verification, verify
from marketplace.commands.purchases import price_lines
from marketplace.errors import Refused
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.check import Check
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.states import OrderState
from node.conditions import Conditions
from node.home import Node
from node.provider import Listed
from scripts.story.making import Making
from scripts.story.narration import Narrator, gas_of
from scripts.story.options import Options
from scripts.story.records import Material, check_wishes, material
from scripts.story.serving import Deed, Serve, Serving
from scripts.story.stage import Stage, open_buyer, open_node, set_up

EURO = 1_000_000
COST_UNITS, MARGIN_UNITS, BOND_UNITS, PURSE_UNITS = 200 * EURO, 50 * EURO, 100 * EURO, 1_000 * EURO
ORDERS_IN_BUDGET = 10
SLOT_S = 5

WORDS = {
    "make": "the node let the order in and began its one draw, in a process of its own",
    "seal": "the node signed the certificate, sealed the result and stored the bytes",
    "deliver": "the node recorded the delivery",
    "reveal": "the node revealed the key",
    "decline": "the node declined the order",
}


@dataclass
class Cast:
    """Who plays, where, and who tells. `receipts`: those of the buyer's transactions about the order."""

    stage: Stage
    node: Node
    serve: Serve
    client: Client
    folder: Path
    say: Narrator
    receipts: list[Receipt] = field(default_factory=list)
    objection: str | None = None

    def hear(self, deed: Deed) -> None:
        """Tells what the node does."""
        if deed.step == "decline":
            self.objection = deed.why
        if deed.step in WORDS:
            self.say.step(WORDS[deed.step], deed.gas)
        else:
            self.say.aside(f"the node: {deed.step} {deed.why or ''}".rstrip())


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

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return self.audit.passed and self.verification.passed


def play(options: Options, folder: Path, say: Narrator) -> Ending:
    """Plays the main job in `folder`, which is fresh. Raises what any actor raises."""
    say.chapter("The records")
    records = material(options.data, options.person, options.exclude, folder, say)
    rho_micro = largest_rho_micro(options.twin_epsilon, delta_of(largest_delta_atto(records.rows_declared)))
    check_wishes(records, rho_micro, options.rows, say)
    say.step(f"read and described: {len(records.schema.columns)} columns to sell")
    say.chapter("The stage")
    stage = set_up(options.rpc, folder)
    node, serve = open_node(stage, folder / "provider")
    cast = Cast(stage, node, serve, open_buyer(stage, folder / "buyer"), folder, say)
    for account in (node.keys.signer.address, cast.client.signer.address):
        stage.fund(account, PURSE_UNITS)
    where = "in this process" if options.rpc is None else "behind the RPC endpoint"
    say.step(f"a ledger {where} with a marketplace, a test euro and two purses of {euro_text(PURSE_UNITS)}")
    say.aside(f"marketplace {stage.ledger.domain.contract}, chain {stage.ledger.domain.chain_id}")
    listed, offer = _sell(cast, records, options.twin_epsilon, ORDERS_IN_BUDGET * rho_micro)
    order = _place(cast, offer, options)
    serving = serve(cast.hear)
    try:
        _deliver(cast, serving, order)
    finally:
        serving.stop()
    return _prove(cast, listed, offer, order)


def _sell(cast: Cast, records: Material, epsilon: float, total_micro: int) -> tuple[Listed, Offer]:
    say, provider = cast.say, cast.node.provider()
    say.chapter("The provider lists its records and publishes an offer")
    listed = provider.list_dataset(
        records.path, records.schema, records.words, total_micro, rows_declared=records.rows_declared
    )
    say.step("the provider took the records into its vault, committed to them, registered them", listed.receipt.gas)
    rows = listed.description.rows_declared
    say.aside(f"declared: about {rows:,} rows; unit: {records.schema.unit}; budget {total_micro:,} micro-rho")
    conditions = Conditions(cast.stage.token, epsilon, COST_UNITS, MARGIN_UNITS, BOND_UNITS)
    published = provider.publish(listed.dataset, listed.description, conditions, now_s=cast.stage.ledger.now_s())
    offer = published.offer
    price = euro_text(offer.head.price_units)
    say.step(
        f"the provider staked {euro_text(BOND_UNITS)} and published an offer at {price}", gas_of(published.receipts)
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
    cast.say.step(words, gas_of(placed.receipts), offer.members[0].rho_micro)
    return placed.order


def _deliver(cast: Cast, serving: Serving, order: OrderId) -> None:
    client, say = cast.client, cast.say
    say.chapter("The node makes, seals and delivers; the buyer checks and accepts; the node reveals")
    _wait_for_delivery(cast, serving, order)
    client.receive(order)
    say.step("the buyer fetched the object and checked every byte against the commitment")
    accepted = client.accept(order)
    cast.receipts += [accepted] if accepted else []
    say.step("the buyer accepted this very delivery", gas_of(cast.receipts[-1:]))
    serving.wait_for(lambda: client.order(order).state is not OrderState.ACCEPTED, "the key")
    client.open(order, cast.folder / "result")
    say.step("the buyer opened the result with the revealed key")
    cast.receipts.append(client.settle(order))
    say.step("the buyer settled: the payout accrues, the bond is free", gas_of(cast.receipts[-1:]))


def _wait_for_delivery(cast: Cast, serving: Serving, order: OrderId) -> None:
    """Raises `Refused`, saying why, if none will come. A buyer would not hear why the work failed; this is the provider."""
    making = Making(cast.folder / "provider" / "orders" / order.hex(), cast.say)
    state = OrderState.PLACED

    def reached() -> bool:
        nonlocal state
        making.tell()
        state = cast.client.order(order).state
        return state is not OrderState.PLACED or making.failure is not None

    serving.wait_for(reached, "a delivery")
    if state is OrderState.PLACED:
        raise Refused(f"expected a delivery, the work on the order failed: {making.failure}")
    if state is not OrderState.DELIVERED:
        raise Refused(f"expected a delivery, the node declined the order: {cast.objection or 'it did not say why'}")


def _prove(cast: Cast, listed: Listed, offer: Offer, order: OrderId) -> Ending:
    stage, say = cast.stage, cast.say
    say.chapter("Money and proof")
    owed_units = cast.client.account().offers[offer.id].owed_units(0)
    withdrawn = cast.node.provider().withdraw()
    say.step(f"the provider withdrew {euro_text(owed_units)}", gas_of(withdrawn))
    verification = verify(cast.folder / "result")
    say.step(f"the buyer verified the result offline: {_score(verification.checks)}")
    audited = judge(gather(stage.ledger, stage.store, lambda _: None, stage.from_block))
    say.step(f"the auditor rebuilt the account from the ledger alone: {_score(audited.checks)}")
    return Ending(cast, listed, offer, order, owed_units, verification, audited)


def _score(checks: Sequence[Check]) -> str:
    held = sum(check.passed is True for check in checks)
    return f"{held} of {len(checks)} checks hold"
