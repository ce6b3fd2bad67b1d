"""`agora order`, `fetch`, `settle`, `reject` and `refund`: what a buyer does about an order."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.buying.client import Client
from marketplace.commands.keys import AsJson
from marketplace.commands.session import Session
from marketplace.errors import Invalid, Refused
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import OrderView
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import FINAL, OrderState, Reason
from marketplace.terminal import guarded, parse_order, say, show_json

POLL_S = 2.0
OrderArgument = Annotated[str, typer.Argument(help="The order's id.")]


@guarded
def order(order: OrderArgument, as_json: AsJson = False) -> None:
    """Show where ORDER stands."""
    session = Session.begin()
    account = session.follower(session.ledger()).catch_up()
    order_id = parse_order(order)
    if order_id not in account.orders:
        raise Invalid(
            "expected the id of a placed order, the ledger has none of this id; check the id and the contract"
        )
    view = account.orders[order_id]
    if as_json:
        show_json(_document(view))
        return
    for step in view.life:
        reason = f" ({words(step.reason)})" if step.reason is not Reason.NONE else ""
        print(f"{_time(step.position.at_s)}  {step.state.word}{reason}")
    if view.deadline_s:
        print(f"{_time(view.deadline_s)}  deadline of the next step")


@guarded
def fetch(
    order: OrderArgument,
    out: Annotated[Path | None, typer.Option(help="Where to put the result; ./ORDER by default.")] = None,
    wait: Annotated[int, typer.Option(help="Seconds to wait for the provider before giving up.")] = 3_600,
    settle_at_once: Annotated[bool, typer.Option("--settle", help="Settle once the result is open.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download, check, accept, wait for the key and open ORDER. Start it again to go on where it stopped."""
    client, order_id = Session.begin().client(), parse_order(order)
    until = time.monotonic() + wait
    _wait_for(client, order_id, OrderState.DELIVERED, until, "the delivery")
    client.receive(order_id, say)
    if client.order(order_id).state is OrderState.DELIVERED:
        say("every byte is as committed; accepting")
        client.accept(order_id)
    _wait_for(client, order_id, OrderState.REVEALED, until, "the key")
    folder = out or Path(order_id.hex())
    files = client.open(order_id, folder)
    receipt = None
    if settle_at_once and client.order(order_id).state is OrderState.REVEALED:
        receipt = client.settle(order_id)
    if as_json:
        state = client.order(order_id).state.word
        show_json({"order": order_id.hex(), "state": state, "files": {name: str(path) for name, path in files.items()}})
    else:
        print(f"Result in {folder}: {', '.join(files)}")
        say(f"Check it: `agora verify {folder}`." + ("" if receipt else f" Settle: `agora settle {order_id.hex()}`."))


@guarded
def settle(order: OrderArgument, as_json: AsJson = False) -> None:
    """Settle a revealed ORDER at once, in the provider's favour."""
    client, order_id = Session.begin().client(), parse_order(order)
    _show_receipt(client.settle(order_id), order_id, as_json)


@guarded
def reject(order: OrderArgument, as_json: AsJson = False) -> None:
    """Turn the delivery of ORDER down. The compute fee is lost."""
    client, order_id = Session.begin().client(), parse_order(order)
    _show_receipt(client.reject(order_id), order_id, as_json)


@guarded
def refund(order: OrderArgument, as_json: AsJson = False) -> None:
    """End an ORDER that lapsed, and withdraw what is due to you."""
    client, order_id = Session.begin().client(), parse_order(order)
    receipts = [] if client.order(order_id).state in FINAL else [client.refund(order_id)]
    withdrawn = client.withdraw(order_id)
    receipts += [withdrawn] if withdrawn else []
    if not receipts:
        raise Refused("expected something to end or to withdraw for this order, there is nothing")
    for receipt in receipts:
        _show_receipt(receipt, order_id, as_json and receipt is receipts[-1])


def words(reason: Reason) -> str:
    """A reason as people read it."""
    return reason.name.lower().replace("_", " ")


def _wait_for(client: Client, order: OrderId, state: OrderState, until: float, what: str) -> None:
    """Returns once the order has come to `state`. Raises `Refused` if it ended another way or did not come in time."""
    said = False
    while True:
        view = client.order(order)
        if view.at(state) is not None and view.state not in (OrderState.REFUNDED, OrderState.FORFEITED):
            return
        if view.state in FINAL:
            raise Refused(f"expected {what}, the order was {view.state.word}: {words(view.reason)}; `agora refund`")
        if view.deadline_s and client.now_s() > view.deadline_s:
            raise Refused(f"expected {what} by its deadline, it did not come; `agora refund {order.hex()}`")
        if time.monotonic() > until:
            raise Refused(f"expected {what} while waiting, it did not come yet; fetch again later")
        if not said:
            say(f"waiting for {what}")
            said = True
        time.sleep(POLL_S)


def _show_receipt(receipt: Receipt, order: OrderId, as_json: bool) -> None:
    if as_json:
        show_json(
            {"order": order.hex(), "step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas}
        )
    else:
        print(f"{receipt.function}: transaction {receipt.transaction.hex()}, {receipt.gas:,} gas")


def _document(view: OrderView) -> dict[str, Any]:
    return {
        "id": view.id.hex(),
        "offer": view.order.offer.hex(),
        "buyer": view.order.buyer,
        "state": view.state.word,
        "reason": words(view.reason),
        "deadline_s": view.deadline_s,
        "life": [
            {"state": step.state.word, "reason": words(step.reason), "at_s": step.position.at_s} for step in view.life
        ],
    }


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
