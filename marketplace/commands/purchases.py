"""`agora buy` and `agora relay`: placing an order, or signing one that somebody else places."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from marketplace.buying.client import Client
from marketplace.buying.phrases import condition_text
from marketplace.buying.purchase import DEFAULT_SLOT_S, PLACE_WITHIN_S, Purchase
from marketplace.buying.relaying import relay as hand_in
from marketplace.buying.signed_purchase import LARGEST_BYTES, SignedPurchase
from marketplace.commands.display import receipt_line, time_text, transaction_documents
from marketplace.commands.files import read_file, require_new, write_file
from marketplace.commands.keys import AsJson
from marketplace.commands.offers import condition_lines, guarantee_text, taken_text, title_text, unit_lines
from marketplace.commands.session import Session
from marketplace.commands.wishes import (
    AtMost,
    Cell,
    Curves,
    Dishonest,
    GeneratorName,
    Marginals,
    Only,
    QuestionsFile,
    Rows,
    Subgroups,
    asked_in,
    check_alone,
    conditions_of,
    thresholds_of,
    workload_of,
)
from marketplace.errors import Invalid
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.identity import PermitId
from marketplace.protocol.pool import TWIN_GENERATOR
from marketplace.protocol.specification import standing_in
from marketplace.terminal import guarded, parse_id, parse_offer, say, show_json

OfferArgument = Annotated[str, typer.Argument(metavar="OFFER", help="The offer's id.")]
Slot = Annotated[int, typer.Option(min=1, help="Seconds between the times at which a delivery may be posted.")]
Permit = Annotated[
    str | None, typer.Option(metavar="ID", help="The permit to buy with; found by itself where just one fits.")
]
Sign = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Sign order and payment into FILE instead of placing the order.")
]
Within = Annotated[int, typer.Option(min=1, help="Seconds within which the order can be placed.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
SignedFile = Annotated[Path, typer.Argument(metavar="FILE", help="What `agora buy --sign` wrote.")]


@guarded
def buy(
    offer: OfferArgument,
    rows: Rows = None,
    workload: Marginals = None,
    curve: Curves = None,
    only: Only = None,
    subgroups: Subgroups = None,
    at_most: AtMost = None,
    generator: GeneratorName = None,
    questions: QuestionsFile = None,
    threshold: Dishonest = 1,
    cell: Cell = None,
    slot: Slot = DEFAULT_SLOT_S,
    permit: Permit = None,
    sign: Sign = None,
    within: Within = PLACE_WITHIN_S,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show what an order of OFFER costs, ask, and place it; or sign it for somebody else to place."""
    offer_id, permit_id = parse_offer(offer), PermitId(parse_id(permit, "permit")) if permit else None
    if sign:
        require_new(sign)
    client = Session.begin().client()
    conditions = conditions_of(only, client.entry(offer_id).schema) if only else ()
    if questions:
        check_alone(rows, workload, curve, subgroups, at_most, generator)
        asked = asked_in(questions, conditions, threshold, slot, permit_id, within, cell)
        purchase = client.draft_analysis(offer_id, asked)
    else:
        purchase = client.draft(
            offer_id,
            rows=rows,
            workload=workload_of(workload, curve),
            slot_s=slot,
            permit=permit_id,
            place_within_s=within,
            only=conditions,
            generator=generator,
            subgroups=subgroups,
            thresholds=thresholds_of(at_most),
        )
    for line in price_lines(purchase):
        say(line)
    if not yes:
        _confirm()
    if sign:
        _sign(client, purchase, sign, as_json)
    else:
        _place(client, purchase, as_json)


@guarded
def relay(file: SignedFile, as_json: AsJson = False) -> None:
    """Place the order in FILE for the buyer who signed it. You pay the gas and can change nothing."""
    purchase = SignedPurchase.decode(read_file(file, LARGEST_BYTES))
    session = Session.begin()
    ledger, store = session.ledger(), session.store()
    account, signer = session.follower(ledger).catch_up(), session.signer()
    receipt = hand_in(ledger, account, store, signer, purchase)
    if as_json:
        show_json({"order": purchase.id.hex(), "transactions": transaction_documents([receipt])})
        return
    print(f"Order {purchase.id.hex()}")
    say(receipt_line(receipt))


def price_lines(purchase: Purchase) -> list[str]:
    """What a buyer reads before it signs or places an order."""
    entry, head = purchase.entry, purchase.entry.view.offer.head
    permit = purchase.permit
    return [
        *_wished_lines(purchase),
        f"  cost        {euro_text(head.cost_units)}",
        f"  margin      {euro_text(head.margin_units)}",
        f"  price       {euro_text(head.price_units)}",
        f"  compute fee {euro_text(head.compute_fee_units)} of it is lost if you reject the delivery or let it lapse",
        f"  guarantee   {guarantee_text(entry)}",
        *(f"  rho         {taken_text(head, source)}" for source in entry.sources),
        *(f"  {name:<11} {words}" for name, words in unit_lines(entry)),
        f"  licence     {head.licence_s // 86_400} days from the reveal",
        f"  terms       {purchase.terms_hash.hex()}",
        *(f"  {name:<11} {words}" for name, words in condition_lines(head)),
        *([f"  with permit {permit.id.hex()}, until {time_text(permit.to_s)}"] if permit else []),
        f"  you declare {purchase.specification.attestation}",
    ]


def _wished_lines(purchase: Purchase) -> list[str]:
    """What is ordered, in words."""
    entry, wished = purchase.entry, purchase.specification
    title, only = title_text(entry), [f"  only where  {condition_text(condition)}" for condition in wished.only]
    if isinstance(wished, AnalysisSpecification):
        return [
            f"{title}: {questions_text(wished, len(entry.sources))}",
            *(f"  asked       {question_text(analysis)}" for analysis in wished.analyses),
            *only,
            *(f"  party       {source.member.provider}" for source in entry.sources),
            _strength_line(wished),
        ]
    people = "persons, each with its rows" if entry.description.schema.is_linked else "rows"
    pooled = [source.member.provider for source in entry.sources] if len(entry.sources) > 1 else []
    generator = TWIN_GENERATOR if pooled else standing_in(wished.generator, entry.description.schema)
    return [
        f"{title}: {wished.rows:,} synthetic {people}",
        *only,
        *(f"  accepted if {each.score} is at most {each.at_most}" for each in wished.thresholds),
        f"  generator   {generator}",
        *(f"  party       {provider}" for provider in pooled),
    ]


def _strength_line(wished: AnalysisSpecification) -> str:
    """Against how many the noise suffices, or of an answer without noise how few persons a number in it may count."""
    if wished.smallest_cell is None:
        return f"  threshold   noise that suffices where up to {wished.threshold} of them may be dishonest"
    return f"  cell        no number of fewer than {wished.smallest_cell} persons is told"


def questions_text(specification: AnalysisSpecification, parties: int) -> str:
    """How many questions are asked, and of whom."""
    count = len(specification.analyses)
    return f"{count} {'question' if count == 1 else 'questions'} to {parties} providers together"


def question_text(analysis: Analysis) -> str:
    """An analysis in one line: its kind and what it is asked about."""
    document = analysis.document()
    kind, grid = document.pop("kind"), document.pop("grid", None)
    parts = [f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in document.items()]
    if grid:
        parts.append(f"at {len(grid)} points from {grid[0]} to {grid[-1]}")
    return f"{kind}: {', '.join(parts)}" if parts else str(kind)


def _place(client: Client, purchase: Purchase, as_json: bool) -> None:
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


def _sign(client: Client, purchase: Purchase, file: Path, as_json: bool) -> None:
    order, place_by_s = client.order_of(purchase).hex(), purchase.order.place_by_s
    write_file(file, client.sign(purchase).encode())
    if as_json:
        show_json({"order": order, "file": str(file), "place_by_s": place_by_s, "transactions": []})
        return
    print(f"Order {order}, signed in {file}")
    say(f"Nothing was sent. Anybody can place it until {time_text(place_by_s)}: `agora relay {file}`.")


def _confirm() -> None:
    """Raises `Invalid` unless a person says yes."""
    if not sys.stdin.isatty():
        raise Invalid("expected a keyboard to ask whether to place the order, found none; give --yes. No money moved")
    print("Place this order? [y/N]: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Invalid("expected a yes, so the order was not placed; no money moved")
