"""`agora offers` and `agora buy`: what is for sale, and placing an order for it."""

import sys
from typing import Annotated, Any

import typer

from marketplace.buying.listing import Entry, open_entries
from marketplace.buying.purchase import DEFAULT_SLOT_S, Purchase
from marketplace.commands.display import GUARANTEES, delta_text, receipt_line, time_text, transaction_documents
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.errors import Invalid
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.identity import OfferId
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.protocol.specification import ATTESTATION, Workload
from marketplace.terminal import guarded, parse_offer, plain, say, show_json

OfferArgument = Annotated[str, typer.Argument(metavar="OFFER", help="The offer's id.")]
Rows = Annotated[int | None, typer.Option(help="Synthetic rows; as many as are declared by default.")]
Marginals = Annotated[
    list[str] | None, typer.Option("--marginal", metavar="COLUMNS", help="Columns that matter together: a,b or a,b,c.")
]
Slot = Annotated[int, typer.Option(min=1, help="Seconds between the times at which a delivery may be posted.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@guarded
def offers(as_json: AsJson = False) -> None:
    """Show what is for sale."""
    session = Session.begin()
    ledger, store = session.ledger(), session.store()
    entries = open_entries(session.follower(ledger).catch_up(), store, ledger.now_s(), _miss)
    if as_json:
        show_json({"offers": [_document(entry) for entry in entries]})
        return
    for entry in entries:
        for line in _lines(entry):
            print(line)
    if not entries:
        say("no open offers")


@guarded
def buy(
    offer: OfferArgument,
    rows: Rows = None,
    marginal: Marginals = None,
    slot: Slot = DEFAULT_SLOT_S,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show what an order of OFFER costs, ask, and place it."""
    offer_id = parse_offer(offer)
    client = Session.begin().client()
    workload = Workload(tuple(tuple(name.strip() for name in names.split(",")) for names in marginal or ()))
    purchase = client.draft(offer_id, rows=rows, workload=workload, slot_s=slot)
    for line in price_lines(purchase):
        say(line)
    if not yes:
        _confirm()
    order = client.order_of(purchase).hex()
    say(f"placing order {order}")
    placed = client.place(purchase)
    if as_json:
        show_json({"order": order, "transactions": transaction_documents(placed.receipts)})
        return
    print(f"Order {order}")
    for receipt in placed.receipts:
        say(receipt_line(receipt))
    say(f"Fetch it with `agora fetch {order}`.")


def price_lines(purchase: Purchase) -> list[str]:
    """What a buyer reads before it places an order."""
    entry, head = purchase.entry, purchase.entry.view.offer.head
    return [
        f"{entry.description.title}: {purchase.specification.rows:,} synthetic rows",
        f"  cost        {euro_text(head.cost_units)}",
        f"  margin      {euro_text(head.margin_units)}",
        f"  price       {euro_text(head.price_units)}",
        f"  compute fee {euro_text(head.compute_fee_units)} of it is lost if you reject the delivery or let it lapse",
        f"  guarantee   {_guarantee(entry)}",
        f"  rho         {entry.view.offer.members[0].rho_micro:,} micro, of {entry.left_micro:,} left",
        f"  unit        {entry.description.schema.unit}",
        f"  licence     {head.licence_s // 86_400} days from the reveal",
        f"  terms       {purchase.terms_hash.hex()}",
        f"  you declare {ATTESTATION}",
    ]


def _confirm() -> None:
    """Raises `Invalid` unless a person says yes."""
    if not sys.stdin.isatty():
        raise Invalid("expected a keyboard to ask whether to place the order, found none; give --yes. No money moved")
    print("Place this order? [y/N]: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Invalid("expected a yes, so the order was not placed; no money moved")


def _miss(offer: OfferId, why: str) -> None:
    say(f"left out offer {offer.hex()[:16]}...: {why}")


def _guarantee(entry: Entry) -> str:
    offer = entry.view.offer
    return (
        f"{GUARANTEES[offer.head.guarantee]}: epsilon {offer.epsilon():.4f}, delta {delta_text(offer.head.delta_atto)}"
    )


def _lines(entry: Entry) -> list[str]:
    """An offer for people, readable at 80 columns, its id in one piece."""
    offer, description = entry.view.offer, entry.description
    size = f"{len(description.schema.columns)} columns, about {description.rows_declared:,} rows declared"
    return [
        plain(description.title),
        f"  offer      {offer.id.hex()}",
        f"  price      {euro_text(offer.head.price_units)}",
        f"  guarantee  {_guarantee(entry)}",
        f"  made from  {size}",
        f"  unit       {description.schema.unit}",
        f"  on sale    until {time_text(offer.head.valid_until_s)}, {entry.orders_left:,} more orders now",
        "",
    ]


def _document(entry: Entry) -> dict[str, Any]:
    offer = entry.view.offer
    return {
        "id": offer.id.hex(),
        "title": entry.description.title,
        "kind": offer.head.kind.name.lower(),
        "guarantee": GUARANTEES[offer.head.guarantee],
        "rows_declared": entry.description.rows_declared,
        "columns": list(entry.description.schema.names),
        "price_units": offer.head.price_units,
        "rho_micro": offer.members[0].rho_micro,
        "epsilon": offer.epsilon(),
        "delta": offer.head.delta_atto / DELTA_UNIT,
        "unit": entry.description.schema.unit,
        "terms": offer.head.terms.hex(),
        "orders_left": entry.orders_left,
        "valid_until_s": offer.head.valid_until_s,
    }
