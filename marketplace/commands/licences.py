"""`agora licence`: who may use a result, naming further users, showing a licence in a wallet."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from marketplace.buying.licence import LicenceView, licence_of, why_unlicensed
from marketplace.commands.display import receipt_line, time_text, transaction_documents
from marketplace.commands.keys import AsJson
from marketplace.commands.orders import OrderArgument, find_order
from marketplace.commands.session import Session
from marketplace.commands.times import parse_time
from marketplace.errors import Refused
from marketplace.ledger.addresses import checksummed, places_of
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.identity import OrderId
from marketplace.terminal import guarded, parse_order, say, show_json


class AskingGroup(TyperGroup):
    """`agora licence ORDER` is `agora licence holds ORDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        asked = bool(args) and args[0] not in self.commands and args[0] != "--help"
        return super().parse_args(ctx, ["holds", *args] if asked else args)


app = typer.Typer(
    cls=AskingGroup,
    no_args_is_help=True,
    help="Who may use a result: `agora licence ORDER`. Name further users, or show it in a wallet.",
)
Who = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who is asked about; the order's buyer by default.")]
At = Annotated[str | None, typer.Option(metavar="TIME", help="When, as in 2027-03-01T12:00:00Z; now by default.")]
User = Annotated[str, typer.Argument(metavar="USER", help="The address to name, once and for all.")]


@app.command()
@guarded
def holds(order: OrderArgument, who: Who = None, at: At = None, as_json: AsJson = False) -> None:
    """Tell whether somebody holds the licence of ORDER. Exit code 3 if not."""
    order_id, asked = parse_order(order), checksummed(who) if who else None
    asked_s = parse_time(at) if at else None
    session = Session.begin()
    ledger = session.ledger()
    account = session.follower(ledger).catch_up()
    view = find_order(account, order_id)
    someone, at_s = asked or view.order.buyer, ledger.now_s() if asked_s is None else asked_s
    licensed = ledger.is_licensed(account.offer_of(view), view.order, someone, at_s)
    licence = licence_of(account, view, at_s)
    if as_json:
        asking = {"order": order_id.hex(), "who": someone, "at_s": at_s, "licensed": licensed}
        show_json({**asking, **_document(licence), "token": _token(ledger.domain, order_id)})
    else:
        _print(licence)
    if not licensed:
        why = why_unlicensed(account, view, someone, at_s)
        raise Refused(f"expected a licence of {someone} at {time_text(at_s)}, there is none: {why}")
    if not as_json:
        print(f"{someone} is licensed at {time_text(at_s)}")


@app.command(name="name-user")
@guarded
def name_user(order: OrderArgument, user: User, as_json: AsJson = False) -> None:
    """Let USER use the result of your ORDER too. At most eight, and none can be taken back."""
    order_id, named = parse_order(order), checksummed(user)
    client = Session.begin().client()
    _show(order_id, [client.name_user(order_id, named)], {"user": named}, as_json)


@app.command()
@guarded
def show(order: OrderArgument, as_json: AsJson = False) -> None:
    """Show the live licence of ORDER in its buyer's wallet, as a token that nobody can transfer."""
    order_id = parse_order(order)
    session = Session.begin()
    ledger = session.ledger()
    account = session.follower(ledger).catch_up()
    view = find_order(account, order_id)
    receipt = ledger.show_licence(session.signer(), account.offer_of(view), view.order)
    token = _token(ledger.domain, order_id)
    _show(order_id, [receipt], {"token": token}, as_json)
    say(f"Token {token['id']} of {token['contract']}, held by {view.order.buyer}")


def _show(order: OrderId, receipts: Sequence[Receipt], more: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json({"order": order.hex(), **more, "transactions": transaction_documents(receipts)})
        return
    for receipt in receipts:
        print(receipt_line(receipt))


def _print(licence: LicenceView) -> None:
    print(f"licence  {licence.word}{f', until {time_text(licence.until_s)}' if licence.until_s else ''}")
    print(f"buyer    {licence.buyer}")
    for user in licence.users:
        print(f"user     {user.who}, named {time_text(user.named_at_s)}")


def _document(licence: LicenceView) -> dict[str, Any]:
    users = [{"who": user.who, "named_at_s": user.named_at_s} for user in licence.users]
    return {
        "buyer": licence.buyer,
        "licence": licence.word,
        "until_s": licence.until_s or None,
        "users": users,
    }


def _token(domain: Domain, order: OrderId) -> dict[str, str]:
    """The token that shows the licence: its contract, and its number in decimals, which wallets ask for."""
    return {"contract": places_of(domain.contract).licences, "id": str(int.from_bytes(order))}
