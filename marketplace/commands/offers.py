"""`agora offers`: what is for sale."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from marketplace.buying.listing import Entry, Source, open_entries
from marketplace.buying.phrases import constraint_text
from marketplace.commands.display import GUARANTEES, delta_text, duration_text, time_text
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.identity import NOBODY, NOTHING, OfferId
from marketplace.protocol.offer import Guarantee, Head
from marketplace.protocol.pool import everywhere_epsilon
from marketplace.protocol.purpose import purpose_codes, purpose_text
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.protocol.schema import Schema
from marketplace.terminal import guarded, plain, say, show_json


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


def guarantee_text(entry: Entry) -> str:
    """What an offer promises about a person."""
    head = entry.view.offer.head
    if head.guarantee is Guarantee.EXACT:
        return "exact: nothing is added to protect a person, so it asks for a permit"
    promise = f"dp: epsilon {entry.epsilon:.4f}, delta {delta_text(head.delta_atto)}"
    return promise if len(entry.sources) == 1 else f"{promise}, for a person in one of the datasets"


def title_text(entry: Entry) -> str:
    """What an offer's records are called."""
    others = len(entry.sources) - 1
    return plain(entry.description.title) + (f", and {others} more" if others else "")


def sold_text(entry: Entry) -> str:
    """What an offer sells, and who makes it."""
    words, parties = entry.view.offer.head.kind.words, len(entry.sources)
    return f"{words}, of {parties} providers together" if parties > 1 else words


def unit_lines(entry: Entry) -> Iterator[tuple[str, str]]:
    """Whom an offer protects, and of several datasets what that is worth to a person in all of them, by name."""
    head, words = entry.view.offer.head, entry.description.schema.unit
    if len(entry.sources) == 1 or head.guarantee is Guarantee.EXACT:
        yield "unit", words
        return
    yield "unit", head.unit.text
    yield "person", words
    everywhere = everywhere_epsilon(head, [source.spent_micro for source in entry.sources])
    yield "in all", f"epsilon {everywhere:.4f} for a person with records at every provider"


def taken_text(head: Head, source: Source) -> str:
    """What an order takes of a dataset."""
    if head.stock != NOTHING:
        return "nothing, its rho was spent when the stock was made"
    if head.guarantee is Guarantee.EXACT:
        return f"one of {source.dataset.exact_left:,} exact orders left in epoch {len(source.dataset.epochs)}"
    return f"{source.member.rho_micro:,} micro, of {source.dataset.left_micro:,} left"


def condition_lines(head: Head) -> Iterator[tuple[str, str]]:
    """Who else has a say in an order, by name: its authority and its arbiter."""
    if head.authority != NOBODY:
        yield "permit", f"of {head.authority}"
        yield "for", ", ".join(purpose_text(code) for code in purpose_codes(head.purposes))
    if head.arbiter != NOBODY:
        yield "arbiter", head.arbiter
        yield (
            "contesting",
            f"deposit {euro_text(head.contest_deposit_units)}, ruled in {duration_text(head.rule_window_s)}",
        )


def _miss(offer: OfferId, why: str) -> None:
    say(f"left out offer {offer.hex()[:16]}...: {why}")


def _lines(entry: Entry) -> Iterator[str]:
    """An offer for people, readable at 80 columns, its ids in one piece."""
    offer, description = entry.view.offer, entry.description
    head = offer.head
    yield title_text(entry)
    yield f"  offer      {offer.id.hex()}"
    yield f"  sells      {sold_text(entry)}"
    if head.stock != NOTHING:
        yield "  stock      an earlier result, sold again byte for byte"
    yield f"  price      {euro_text(head.price_units)}"
    yield f"  guarantee  {guarantee_text(entry)}"
    yield f"  made from  {len(entry.schema.columns)} columns, about {entry.rows_declared:,} rows declared"
    yield from (f"  {name:<10} {plain(words)}" for name, words in _linked_lines(description.schema))
    yield from (f"  {name:<10} {words}" for name, words in unit_lines(entry))
    yield from (f"  each row   {plain(constraint_text(constraint))}" for constraint in entry.schema.constraints)
    for source in entry.sources:
        yield f"  dataset    {source.dataset.id.hex()}"
        yield f"    of       {source.member.provider}, {source.member.share_bps / 100:g} % of the price"
        yield f"    rho      {taken_text(head, source)}"
    yield from (f"  {name:<10} {words}" for name, words in condition_lines(head))
    yield f"  on sale    until {time_text(head.valid_until_s)}, room for {entry.orders_left:,} more now"
    yield ""


def _linked_lines(schema: Schema) -> Iterator[tuple[str, str]]:
    """How rows hang together under persons, where they do."""
    if schema.timeline is not None:
        yield "in time", f"by {schema.timeline.column}, of a person"
    for table in schema.tables:
        yield "and", f"{table.name}: {len(table.schema.columns)} columns, under the same persons"


def _document(entry: Entry) -> dict[str, Any]:
    offer, head, origin = entry.view.offer, entry.view.offer.head, entry.view.origin
    schema = entry.description.schema
    return {
        "id": offer.id.hex(),
        "title": entry.description.title,
        "kind": head.kind.name.lower(),
        "guarantee": GUARANTEES[head.guarantee],
        "rows_declared": entry.rows_declared,
        "columns": list(entry.schema.names),
        "timeline": None if schema.timeline is None else schema.timeline.column,
        "tables": {table.name: list(table.schema.names) for table in schema.tables},
        "constraints": [constraint_text(constraint) for constraint in entry.schema.constraints],
        "lead": head.lead,
        "token": head.token,
        "price_units": head.price_units,
        "bond_units": head.bond_units,
        "rho_micro": offer.members[0].rho_micro,
        "epsilon": entry.epsilon if isfinite(entry.epsilon) else None,
        "delta": head.delta_atto / DELTA_UNIT,
        "unit": entry.description.schema.unit,
        "privacy_unit": head.unit.word,
        "members": [_member(source) for source in entry.sources],
        "authority": None if head.authority == NOBODY else head.authority,
        "purposes": list(purpose_codes(head.purposes)),
        "arbiter": None if head.arbiter == NOBODY else head.arbiter,
        "contest_deposit_units": head.contest_deposit_units,
        "stock": None if origin is None else {"plain_root": head.stock.hex(), "order": origin.hex()},
        "terms": head.terms.hex(),
        "orders_left": entry.orders_left,
        "valid_until_s": head.valid_until_s,
    }


def _member(source: Source) -> dict[str, Any]:
    dataset = source.dataset
    return {
        "dataset": dataset.id.hex(),
        "title": source.description.title,
        "provider": source.member.provider,
        "share_bps": source.member.share_bps,
        "rho_micro": source.member.rho_micro,
        "version": source.version,
        "epoch": len(dataset.epochs),
        "total_micro": dataset.total_micro,
        "left_micro": dataset.left_micro,
        "exact_left": dataset.exact_left,
    }
