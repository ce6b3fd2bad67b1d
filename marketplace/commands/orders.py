"""`agora order`, `fetch`, `settle`, `complain`, `reject` and `refund`: what a buyer does about an order."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.buying.acceptance import NotAccepted
from marketplace.buying.client import Client
from marketplace.buying.licence import LicenceView, licence_of
from marketplace.certificate.verification import verify_against
from marketplace.commands.checks import failed
from marketplace.commands.display import reason_text, receipt_line, time_text, transaction_documents
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import NOTHING, OrderId
from marketplace.protocol.states import FINAL, OrderState, Reason
from marketplace.sealing import WrongChunk
from marketplace.terminal import guarded, parse_order, say, show_json

POLL_S = 2.0
OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")]
Out = Annotated[Path | None, typer.Option(help="The folder for the result; ./ORDER by default.")]
WaitS = Annotated[int, typer.Option(min=0, help="Seconds to wait for the provider before giving up.")]
SettleToo = Annotated[bool, typer.Option("--settle", help="Settle once the result is open and every check holds.")]

NoCheck = Annotated[bool, typer.Option("--no-check", help="Accept without a look into a few chunks.")]


@guarded
def order(order: OrderArgument, as_json: AsJson = False) -> None:
    """Show where ORDER stands."""
    order_id, session = parse_order(order), Session.begin()
    ledger = session.ledger()
    account = session.follower(ledger).catch_up()
    view = find_order(account, order_id)
    licence = licence_of(account, view, ledger.now_s())
    if as_json:
        show_json(_document(view, licence))
        return
    for line in _lines(view, licence):
        print(line)


@guarded
def fetch(
    order: OrderArgument,
    out: Out = None,
    wait: WaitS = 3_600,
    settle_too: SettleToo = False,
    no_check: NoCheck = False,
    as_json: AsJson = False,
) -> None:
    """Download, check, accept or reject, wait for the key and open ORDER. Start it again to go on where it stopped."""
    order_id = parse_order(order)
    client, until = Session.begin().client(), time.monotonic() + wait
    client.check_key(order_id)
    _wait_for(client, order_id, OrderState.DELIVERED, until, "the delivery")
    client.receive(order_id, say)
    receipts = []
    if client.order(order_id).state is OrderState.DELIVERED:
        receipts += _sent(_accept(client, order_id, not no_check))
    _wait_for(client, order_id, OrderState.REVEALED, until, "the key")
    folder = out or Path(order_id.hex())
    files = _open(client, order_id, folder)
    if settle_too and client.order(order_id).state is OrderState.REVEALED:
        _check(client, folder)
        receipts += _sent(client.settle(order_id))
    state = client.order(order_id).state.word
    if as_json:
        shown = {name: str(path) for name, path in files.items()}
        show_json(
            {"order": order_id.hex(), "state": state, "files": shown, "transactions": transaction_documents(receipts)}
        )
        return
    print(f"Result in {folder}: {', '.join(files)}")
    settle_words = "" if state in {end.word for end in FINAL} else f" Settle: `agora settle {order_id.hex()}`."
    say(f"Check it: `agora verify {folder}`.{settle_words}")


@guarded
def settle(order: OrderArgument, as_json: AsJson = False) -> None:
    """Settle a revealed ORDER at once as its buyer, or after the deadline as anybody, a contested one too."""
    order_id = parse_order(order)
    client = Session.begin().client()
    receipts = [client.settle(order_id)]
    _show(client, order_id, [*receipts, *_sent(client.withdraw(order_id))], as_json)


@guarded
def complain(order: OrderArgument, as_json: AsJson = False) -> None:
    """Prove that a chunk of ORDER is wrong, and withdraw price and bond."""
    order_id = parse_order(order)
    client = Session.begin().client()
    receipts = [client.complain(order_id)]
    _show(client, order_id, [*receipts, *_sent(client.withdraw(order_id))], as_json)


@guarded
def reject(order: OrderArgument, as_json: AsJson = False) -> None:
    """Turn the delivery of ORDER down. The compute fee is lost."""
    order_id = parse_order(order)
    client = Session.begin().client()
    _show(client, order_id, [client.reject(order_id)], as_json)


@guarded
def refund(order: OrderArgument, as_json: AsJson = False) -> None:
    """End an ORDER that lapsed, and withdraw what is due to you."""
    order_id = parse_order(order)
    client = Session.begin().client()
    receipts = [] if client.order(order_id).state in FINAL else [client.refund(order_id)]
    receipts += _sent(client.withdraw(order_id))
    if not receipts:
        raise Refused("expected something to end or to withdraw for this order, there is nothing; `agora order` tells")
    _show(client, order_id, receipts, as_json)


def find_order(account: Account, order: OrderId) -> OrderView:
    """Where an order stands. Raises `Invalid` if there is none."""
    if order not in account.orders:
        raise Invalid("expected the id of a placed order, the ledger has none of this id; check id and contract")
    return account.orders[order]


def _wait_for(client: Client, order: OrderId, state: OrderState, until: float, what: str) -> None:
    """Returns once the order has come to `state`. Raises `Refused` if it ended another way or did not come in time."""
    said = False
    while True:
        view = client.order(order)
        if view.at(state) is not None and view.state not in (OrderState.REFUNDED, OrderState.FORFEITED):
            return
        if view.state in FINAL:
            raise Refused(
                f"expected {what}, the order is {view.state.word} ({reason_text(view.reason)}); "
                f"`agora refund {order.hex()}` withdraws what is due to you"
            )
        if view.deadline_s and client.now_s() > view.deadline_s:
            raise Refused(
                f"expected {what} by its deadline, it did not come; `agora refund {order.hex()}` ends the order"
            )
        if client.was_revoked(view):
            raise Refused(
                f"expected {what}, but the permit was revoked; `agora refund {order.hex()}` gives the price back less the "
                "compute fee"
            )
        if time.monotonic() > until:
            raise Refused(f"expected {what} while waiting, it did not come yet; fetch again later")
        if not said:
            say(f"waiting for {what}")
            said = True
        time.sleep(POLL_S)


def _accept(client: Client, order: OrderId, check: bool) -> Receipt | None:
    """Accepts the received delivery, or rejects it. Raises as `Client.accept` does, with where the money is."""
    say(
        f"every byte is as committed; {'a look into a few chunks, then' if check else 'unchecked,'} accepting this delivery"
    )
    try:
        return client.accept(order, check=check, progress=say)
    except NotAccepted as rejected:
        raise Refused(f"{rejected}: `agora refund {order.hex()}`") from None


def _open(client: Client, order: OrderId, folder: Path) -> dict[str, Path]:
    """The open result. Raises `Corrupt` for a wrong chunk, with what the buyer can still do about it."""
    try:
        return client.open(order, folder)
    except WrongChunk as wrong:
        view = client.order(order)
        if view.state is not OrderState.REVEALED:
            raise
        raise Corrupt(
            f"expected every chunk to open to its committed hash, chunk {wrong.index} does not; do not settle: "
            f"`agora complain {order.hex()}` by {time_text(view.deadline_s)} proves it, and price and bond are yours"
        ) from wrong


def _check(client: Client, folder: Path) -> None:
    """Raises `Corrupt` unless every check holds: who has settled can contest no more."""
    verification = verify_against(folder, client.account(), client.ledger.domain)
    if not verification.passed:
        raise Corrupt(
            f"expected every check to hold before settling, failed: {failed(verification.checks)}; "
            f"not settled, look at `agora verify {folder}`"
        )


def _sent(receipt: Receipt | None) -> list[Receipt]:
    return [receipt] if receipt else []


def _show(client: Client, order: OrderId, receipts: Sequence[Receipt], as_json: bool) -> None:
    if as_json:
        state = client.order(order).state.word
        show_json({"order": order.hex(), "state": state, "transactions": transaction_documents(receipts)})
        return
    for receipt in receipts:
        print(receipt_line(receipt))


def _lines(view: OrderView, licence: LicenceView) -> Iterator[str]:
    for step in view.life:
        reason = f" ({reason_text(step.reason)})" if step.reason is not Reason.NONE else ""
        yield f"{time_text(step.position.at_s)}  {step.state.word}{reason}"
    if view.declined:
        yield f"  declined for: {view.declined.name.lower()}"
    if view.grounds:
        yield f"  grounds {view.grounds.hex()}: `agora examine` shows them"
    if view.ruling:
        price, bond = view.ruling.price_bps / 100, view.ruling.bond_bps / 100
        yield f"  ruled: {price:g} % of the price and {bond:g} % of the bond to the providers"
    if view.deadline_s:
        yield f"{time_text(view.deadline_s)}  deadline of the next step"
    if licence.until_s:
        yield f"{time_text(licence.until_s)}  end of the licence, which is {licence.word}"


def _document(view: OrderView, licence: LicenceView) -> dict[str, Any]:
    return {
        "id": view.id.hex(),
        "offer": view.order.offer.hex(),
        "buyer": view.order.buyer,
        "state": view.state.word,
        "reason": reason_text(view.reason),
        "deadline_s": view.deadline_s,
        "permit": None if view.order.permit == NOTHING else view.order.permit.hex(),
        "declined": view.declined.name.lower() if view.declined is not None else None,
        "grounds": view.grounds.hex() if view.grounds else None,
        "ruling": vars(view.ruling) if view.ruling else None,
        "life": [
            {"state": step.state.word, "reason": reason_text(step.reason), "at_s": step.position.at_s}
            for step in view.life
        ],
        "licence": {"live": licence.word == "live", "until_s": licence.until_s or None},
    }
