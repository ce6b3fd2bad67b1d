"""`agora permit`: what an authority grants, and what anybody can read of it."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from marketplace.buying.authority import Authority, Reasons, Request, decision_faults, expected_decisions
from marketplace.buying.listing import read_document
from marketplace.commands.display import receipt_line, time_text, transaction_documents
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.commands.times import parse_time
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid, Unreachable
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.protocol.account import Account, PermitView
from marketplace.protocol.decision import Decision
from marketplace.protocol.identity import PermitId
from marketplace.protocol.purpose import parse_purpose, purpose_text
from marketplace.terminal import guarded, parse_id, plain, say, show_json

app = typer.Typer(no_args_is_help=True, help="Grant, extend, revoke and read permits.")

PermitArgument = Annotated[str, typer.Argument(metavar="PERMIT", help="The permit's id.")]
Holder = Annotated[str, typer.Argument(metavar="HOLDER", help="The address that may buy with it.")]
Purpose = Annotated[
    str, typer.Option(metavar="PURPOSE", help="Its code, 0 to 255, or one of the first six in words, as in research.")
]
Subjects = Annotated[
    list[str], typer.Option("--for", metavar="ID", help="An offer or a dataset; give it again for more.")
]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="The beginning, as in 2027-01-01; UTC.")]
To = Annotated[str, typer.Option("--to", metavar="TIME", help="The end; a day means its last second.")]
Reference = Annotated[str, typer.Option(metavar="TEXT", help="Your own file number.")]
Words = Annotated[
    str, typer.Option("--decision", metavar="TEXT", help="Reasons and conditions, public for ever: name no person.")
]
OfHolder = Annotated[str | None, typer.Option("--holder", metavar="ADDRESS", help="Only this holder's.")]
OfAuthority = Annotated[str | None, typer.Option("--authority", metavar="ADDRESS", help="Only this authority's.")]


@app.command()
@guarded
def grant(
    holder: Holder,
    purpose: Purpose,
    subjects: Subjects,
    begins: From,
    ends: To,
    reference: Reference,
    words: Words,
    as_json: AsJson = False,
) -> None:
    """Let HOLDER buy results for a purpose and a time, as an authority."""
    request = Request(
        checksummed(holder),
        parse_purpose(purpose),
        parse_time(begins),
        parse_time(ends, at_its_end=True),
        tuple(parse_id(subject, "offer's or dataset") for subject in subjects),
    )
    authority, account = _authority()
    permit, receipt = authority.grant(account, request, Reasons(reference, words))
    if as_json:
        show_json({"permit": permit.hex(), "transactions": transaction_documents([receipt])})
        return
    print(f"Permit {permit.hex()}")
    say(receipt_line(receipt))


@app.command()
@guarded
def extend(permit: PermitArgument, ends: To, reference: Reference, words: Words, as_json: AsJson = False) -> None:
    """Move the end of your PERMIT, once."""
    permit_id, to_s = _parse_permit(permit), parse_time(ends, at_its_end=True)
    authority, account = _authority()
    _show_change(permit_id, authority.extend(_find(account, permit_id), to_s, Reasons(reference, words)), as_json)


@app.command()
@guarded
def revoke(permit: PermitArgument, reference: Reference, words: Words, as_json: AsJson = False) -> None:
    """End your PERMIT now and for ever."""
    permit_id = _parse_permit(permit)
    authority, account = _authority()
    _show_change(permit_id, authority.revoke(_find(account, permit_id), Reasons(reference, words)), as_json)


@app.command()
@guarded
def show(permit: PermitArgument, as_json: AsJson = False) -> None:
    """Show a PERMIT and the decisions behind it."""
    permit_id, session = _parse_permit(permit), Session.begin()
    ledger, store = session.ledger(), session.store()
    view = _find(session.follower(ledger).catch_up(), permit_id)
    decisions = [_read(store, digest) for digest in view.documents]
    faults = list(_faults(view, decisions))
    if as_json:
        documents = [
            {"document": digest.hex(), "act": act.value, **_words(decision)}
            for (digest, act, _), decision in zip(expected_decisions(view), decisions, strict=True)
        ]
        show_json(_document(view, ledger) | {"subjects": _subjects(view), "decisions": documents})
    else:
        for line in _lines(view, ledger, decisions):
            print(line)
    if faults:
        raise Corrupt(
            f"expected decisions that say what the ledger says, got others: {'; '.join(faults)}; ask the authority"
        )


@app.command(name="list")
@guarded
def list_permits(holder: OfHolder = None, authority: OfAuthority = None, as_json: AsJson = False) -> None:
    """List permits, the newest last."""
    of_holder, of_authority = (checksummed(text) if text else None for text in (holder, authority))
    session = Session.begin()
    ledger = session.ledger()
    permits = [
        permit
        for permit in session.follower(ledger).catch_up().permits.values()
        if of_holder in (None, permit.grant.holder) and of_authority in (None, permit.authority)
    ]
    if as_json:
        show_json({"permits": [_document(permit, ledger) for permit in permits]})
        return
    for permit in permits:
        for line in _head_lines(permit, ledger):
            print(line)
    if not permits:
        say("no permits")


def _authority() -> tuple[Authority, Account]:
    session = Session.begin()
    ledger, store = session.ledger(), session.store()
    account = session.follower(ledger).catch_up()
    return Authority(ledger, store, session.signer()), account


def _parse_permit(text: str) -> PermitId:
    return PermitId(parse_id(text, "permit"))


def _find(account: Account, permit: PermitId) -> PermitView:
    if permit not in account.permits:
        raise Invalid(f"expected the id of a permit, got {permit.hex()[:16]}...; `agora permit list` shows them")
    return account.permits[permit]


def _read(store: ContentStore, digest: bytes) -> Decision | None:
    """A decision; None, having said why, where it cannot be read."""
    try:
        return Decision.decode(read_document(store, digest))
    except (Corrupt, Unreachable) as error:
        say(f"left out document {digest.hex()[:16]}...: {error}")
        return None


def _faults(view: PermitView, decisions: list[Decision | None]) -> Iterator[str]:
    for (digest, act, to_s), decision in zip(expected_decisions(view), decisions, strict=True):
        if decision and (found := decision_faults(decision, view, act, to_s)):
            yield f"{digest.hex()[:16]}... has another {', '.join(found)}"


def _show_change(permit: PermitId, receipt: Receipt, as_json: bool) -> None:
    if as_json:
        show_json({"permit": permit.hex(), "transactions": transaction_documents([receipt])})
    else:
        print(receipt_line(receipt))


def _state(permit: PermitView, ledger: Ledger) -> str:
    now_s = ledger.now_s()
    if permit.revoked_at_s:
        return "revoked"
    return "live" if permit.live(now_s) else "ended" if now_s > permit.to_s else "not begun"


def _head_lines(permit: PermitView, ledger: Ledger) -> Iterator[str]:
    yield permit.id.hex()
    yield f"  state      {_state(permit, ledger)}"
    yield f"  holder     {permit.grant.holder}"
    yield f"  authority  {permit.authority}"
    yield f"  for        {purpose_text(permit.grant.purpose)}"
    yield f"  from       {time_text(permit.grant.from_s)}"
    yield f"  to         {time_text(permit.to_s)}{', extended' if permit.extended else ''}"
    if permit.revoked_at_s:
        yield f"  revoked    {time_text(permit.revoked_at_s)}"


def _lines(permit: PermitView, ledger: Ledger, decisions: list[Decision | None]) -> Iterator[str]:
    yield from _head_lines(permit, ledger)
    yield from (f"  subject    {subject}" for subject in _subjects(permit))
    for decision in decisions:
        if decision:
            yield f"{decision.act.value}: {plain(decision.reference)}"
            yield from (f"  {plain(line)}" for line in decision.words.split("\n"))


def _subjects(permit: PermitView) -> list[str]:
    return [subject.hex() for subject in permit.grant.subjects]


def _words(decision: Decision | None) -> dict[str, Any]:
    return (
        {"reference": decision.reference, "words": decision.words} if decision else {"reference": None, "words": None}
    )


def _document(permit: PermitView, ledger: Ledger) -> dict[str, Any]:
    return {
        "id": permit.id.hex(),
        "state": _state(permit, ledger),
        "authority": permit.authority,
        "holder": permit.grant.holder,
        "purpose": permit.grant.purpose,
        "from_s": permit.grant.from_s,
        "to_s": permit.to_s,
        "extended": permit.extended,
        "revoked_at_s": permit.revoked_at_s or None,
    }
