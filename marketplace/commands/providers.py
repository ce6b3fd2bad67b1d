"""`agora provider`: what a provider says about itself, and how its orders went. Numbers to read, never a score."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from marketplace.buying.asking import described_by
from marketplace.buying.endpoint import read_descriptor
from marketplace.commands.display import reason_text, time_text
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid, Unreachable
from marketplace.ledger.addresses import checksummed
from marketplace.protocol.account import Account, ProviderView
from marketplace.protocol.descriptor import Descriptor
from marketplace.protocol.record import Record, record_of
from marketplace.protocol.states import Reason
from marketplace.protocol.views import Anchor
from marketplace.protocol.views import Descriptor as Said
from marketplace.terminal import guarded, say, show_json

Provider = Annotated[str, typer.Argument(metavar="ADDRESS", help="The provider's address.")]
SHOWN_ROOTS = 5


@guarded
def provider(address: Provider, as_json: AsJson = False) -> None:
    """Show where a provider's node is, its certificates, its anchored roots and its record."""
    who, session = checksummed(address), Session.begin()
    ledger, store = session.ledger(), session.store()
    account = session.follower(ledger).catch_up()
    view, record = account.providers.get(who, ProviderView(who)), record_of(account, who)
    datasets = [dataset.id.hex() for dataset in account.datasets.values() if dataset.provider == who]
    offers = [offer.offer.id.hex() for offer in account.offers.values() if offer.offer.head.lead == who]
    if not (view.descriptors or view.anchors or datasets or offers):
        raise Invalid(f"expected a provider that the ledger knows, it has nothing of {who}; check the address")
    described = _described(account, view, store)
    if as_json:
        show_json(
            {
                "provider": who,
                "node": _node(view, described),
                "descriptors": [_said(one) for one in view.descriptors],
                "roots": [{"day": _day(anchor), "root": anchor.root.hex()} for anchor in view.anchors],
                "datasets": datasets,
                "offers": offers,
                "record": _record(record),
                "permit_holders": record.permit_holders,
            }
        )
        return
    for line in (*_node_lines(view, described), *_record_lines(record)):
        print(line)


def _described(account: Account, view: ProviderView, store: ContentStore) -> Descriptor | None:
    """What the node says of itself; None, having said why, where its descriptor cannot be read."""
    if view.descriptor is None:
        return None
    try:
        return read_descriptor(described_by(account, view.provider), view.provider, store)
    except (Corrupt, Unreachable) as error:
        say(f"left out the descriptor: {error}")
        return None


def _node_lines(view: ProviderView, described: Descriptor | None) -> Iterator[str]:
    unread = "described, its descriptor cannot be read" if view.descriptor else "none described"
    yield f"provider     {view.provider}"
    yield f"node         {described.url if described else unread}"
    if described is not None:
        yield f"party        {described.party.place if described.party else 'none: it takes no part in joint orders'}"
    for said in view.descriptors:
        words = "no node any more" if said.gone else f"certificate {said.certificate.hex()}"
        yield f"{time_text(said.position.at_s)}  {words}"
    yield f"roots        {len(view.anchors):,} anchored"
    yield from (f"  {_day(anchor)}  {anchor.root.hex()}" for anchor in view.anchors[-SHOWN_ROOTS:])


def _record_lines(record: Record) -> Iterator[str]:
    yield f"orders       {record.orders:,}, of them {record.open:,} open"
    yield f"delivered    {record.delivered:,}"
    yield f"contested    {record.contested:,}, ruled {len(record.rulings):,}"
    for reason in Reason:
        if count := record.ends.get(reason, 0):
            yield f"  {count:>9,}  ended: {reason_text(reason)}"
    for why, count in sorted(record.declined.items()):
        yield f"  {count:>9,}  declined for: {why.name.lower()}"
    for ruling in record.rulings:
        yield f"  ruled      {ruling.price_bps / 100:g} % of the price, {ruling.bond_bps / 100:g} % of the bond to providers"
    yield f"joined       {record.joined:,} orders that others lead"
    yield f"buyers       {record.permit_holders:,} different holders of permits"


def _node(view: ProviderView, described: Descriptor | None) -> dict[str, Any] | None:
    if view.descriptor is None:
        return None
    party = str(described.party.place) if described and described.party else None
    return {"endpoint": described.url if described else None, "party": party, **_said(view.descriptor)}


def _said(said: Said) -> dict[str, Any]:
    return {
        "descriptor": None if said.gone else said.descriptor.hex(),
        "certificate": None if said.gone else said.certificate.hex(),
        "since_s": said.position.at_s,
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "orders": record.orders,
        "open": record.open,
        "delivered": record.delivered,
        "late": record.late,
        "forfeited": record.forfeited,
        "wrong_bytes": record.wrong_bytes,
        "contested": record.contested,
        "ends": {reason_text(reason): count for reason, count in sorted(record.ends.items())},
        "declined": {why.name.lower(): count for why, count in sorted(record.declined.items())},
        "rulings": [vars(ruling) for ruling in record.rulings],
        "joined": record.joined,
    }


def _day(anchor: Anchor) -> str:
    """The day of a root as people write it; its number where the calendar has none."""
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=anchor.day):%Y-%m-%d}"
    except OverflowError:
        return f"day {anchor.day}"
