"""`agora offers` and `agora buy`: what is for sale, and placing an order for it."""

from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marketplace.buying.listing import Entry, read_entry
from marketplace.buying.purchase import DEFAULT_SLOT_S, Purchase
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.errors import Invalid
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.protocol.specification import ATTESTATION, Workload
from marketplace.terminal import guarded, parse_offer, say, show_json


@guarded
def offers(as_json: AsJson = False) -> None:
    """Show what is for sale."""
    session = Session.begin()
    ledger = session.ledger()
    account, store, now_s = session.follower(ledger).catch_up(), session.store(), ledger.now_s()
    entries = [read_entry(account, offer, store) for offer in account.offers]
    entries = [entry for entry in entries if entry.is_open(now_s)]
    if as_json:
        show_json({"offers": [_document(entry) for entry in entries]})
        return
    table = Table(title="Open offers")
    for heading in ("offer", "title", "rows", "columns", "price", "epsilon", "delta", "orders left"):
        table.add_column(heading)
    for entry in entries:
        offer = entry.view.offer
        table.add_row(
            offer.id.hex(),
            entry.description.title,
            f"about {entry.description.rows_declared:,}",
            str(len(entry.description.schema.columns)),
            euro_text(offer.head.price_units),
            f"{offer.epsilon():.3f}",
            delta_text(offer.head.delta_atto),
            str(entry.left_micro // offer.members[0].rho_micro),
        )
    Console(width=220 if not Console().is_terminal else None).print(table)


@guarded
def buy(
    offer: Annotated[str, typer.Argument(help="The offer's id.")],
    rows: Annotated[int | None, typer.Option(help="Synthetic rows; as many as declared by default.")] = None,
    marginal: Annotated[list[str] | None, typer.Option(help="Columns that matter together: a,b or a,b,c.")] = None,
    slot: Annotated[
        int, typer.Option(help="Seconds between the times at which a delivery may be posted.")
    ] = DEFAULT_SLOT_S,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an order of OFFER costs, ask, and place it."""
    client = Session.begin().client()
    workload = Workload(tuple(tuple(names.split(",")) for names in marginal or ()))
    purchase = client.draft(parse_offer(offer), rows=rows, workload=workload, slot_s=slot)
    for line in price_lines(purchase):
        say(line)
    if not yes and not typer.confirm("Place this order?", err=True):
        raise Invalid("expected a yes, the order was not placed; no money moved")
    placed = client.place(purchase)
    if as_json:
        show_json(
            {
                "order": placed.order.hex(),
                "transactions": [
                    {"step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas}
                    for receipt in placed.receipts
                ],
            }
        )
    else:
        print(f"Order {placed.order.hex()}")
        say(f"Fetch it with `agora fetch {placed.order.hex()}`.")


def price_lines(purchase: Purchase) -> list[str]:
    """What a buyer reads before it places an order."""
    entry, head = purchase.entry, purchase.entry.view.offer.head
    member = entry.view.offer.members[0]
    return [
        f"{entry.description.title}: {purchase.specification.rows:,} synthetic rows",
        f"  cost        {euro_text(head.cost_units)}",
        f"  margin      {euro_text(head.margin_units)}",
        f"  price       {euro_text(head.price_units)}",
        f"  compute fee {euro_text(head.compute_fee_units)} if you reject the delivery or let it lapse",
        f"  guarantee   epsilon {entry.view.offer.epsilon():.4f}, delta {delta_text(head.delta_atto)}, "
        f"rho {member.rho_micro:,} micro; unit: {entry.description.schema.unit}",
        f"  licence     {head.licence_s // 86_400} days from the reveal; terms {purchase.terms_hash.hex()}",
        f"  you declare {ATTESTATION}",
    ]


def delta_text(delta_atto: int) -> str:
    """A delta in few characters, as in `6e-6`."""
    return f"{Decimal(delta_atto) / DELTA_UNIT:.0e}".replace("e-0", "e-")


def _document(entry: Entry) -> dict[str, Any]:
    offer = entry.view.offer
    return {
        "id": offer.id.hex(),
        "title": entry.description.title,
        "kind": offer.head.kind.name.lower(),
        "guarantee": offer.head.guarantee.name.lower(),
        "rows_declared": entry.description.rows_declared,
        "columns": list(entry.description.schema.names),
        "price_units": offer.head.price_units,
        "rho_micro": offer.members[0].rho_micro,
        "epsilon": offer.epsilon(),
        "delta": offer.head.delta_atto / DELTA_UNIT,
        "terms": offer.head.terms.hex(),
        "valid_until_s": offer.head.valid_until_s,
    }
