"""`agora-node status`, `stake` and `withdraw`: where the provider stands, and its money."""

import time
from typing import Annotated, Any

import typer

from marketplace.errors import Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.amounts import euro_text, euro_units
from marketplace.protocol.identity import Address
from marketplace.protocol.states import OrderState, Reason
from marketplace.terminal import ask_passphrase, guarded, say, show_json
from node.commands.datasets import AsJson
from node.commands.moment import moment_text
from node.commands.offers import transaction_documents
from node.home import Node, home
from node.pool.consent import own_places
from node.reconciliation import differences
from node.skew import Skew

DUE = {
    OrderState.PLACED: "to be delivered by",
    OrderState.DELIVERED: "to be accepted by",
    OrderState.ACCEPTED: "its key to be published by",
    OrderState.REVEALED: "to be complained of or contested by",
    OrderState.CONTESTED: "to be ruled by the arbiter by",
}


@guarded
def status(as_json: AsJson = False) -> None:
    """Show datasets with their budgets, and orders with their deadlines, as the ledger has them."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    account, me = node.follower.catch_up(), node.keys.signer.address
    mine = [dataset for dataset in account.datasets.values() if dataset.provider == me]
    orders = [order for order in account.orders.values() if own_places(account.offer_of(order), me)]
    owed_units = _owed_units(account, me)
    skew = Skew(time.time, node.ledger)
    skew.look()
    found = differences(account, me, node.vault.account)
    if as_json:
        show_json(
            {
                "address": me,
                "datasets": [
                    {
                        "id": dataset.id.hex(),
                        "total_micro": dataset.total_micro,
                        "used_micro": dataset.used_micro,
                        "epoch": len(dataset.epochs),
                        "exact_left": dataset.exact_left,
                    }
                    for dataset in mine
                ],
                "orders": [_order_document(order) for order in orders],
                "owed_units": owed_units,
                "differences": list(found),
                "clock": skew.words,
            }
        )
        return
    print(f"Provider {me}; {euro_text(owed_units)} to withdraw")
    for dataset in mine:
        exact = f", {dataset.exact_left:,} exact orders left" if dataset.exact_total else ""
        print(f"dataset {dataset.id.hex()}: {dataset.used_micro:,} of {dataset.total_micro:,} micro-rho used{exact}")
    for order in orders:
        print(f"order   {order.id.hex()}: {_order_text(order)}")
    for words in (*found, *filter(None, [skew.words])):
        say(f"warning: {words}")


@guarded
def stake(
    amount: Annotated[str, typer.Argument(help="What to add to the credit that bonds are taken from, such as 100.00.")],
    token: Annotated[str | None, typer.Option(help="The token's address; that of your offers by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Stake AMOUNT, so that more orders can be open at once."""
    amount_units = euro_units(amount)
    given = checksummed(token) if token is not None else None
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    of = given or _token(node.follower.catch_up(), node.keys.signer.address)
    receipts = node.provider().stake(of, amount_units)
    free_units = node.ledger.credit_units(of, node.keys.signer.address)
    if as_json:
        show_json({"free_units": free_units, "transactions": transaction_documents(receipts)})
    else:
        print(f"Staked {euro_text(amount_units)}; {euro_text(free_units)} are free for bonds")


@guarded
def withdraw(
    stake: Annotated[bool, typer.Option("--stake", help="Also the stake that no order holds as its bond.")] = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw what settled orders have earned."""
    provider = Node.from_settings(home(), ask_passphrase("the node's keys")).provider()
    receipts = [*provider.withdraw(), *(provider.withdraw_stake() if stake else ())]
    if as_json:
        show_json({"transactions": transaction_documents(receipts)})
    else:
        print(f"{len(receipts)} withdrawals" if receipts else "nothing to withdraw")


def _owed_units(account: Account, me: Address) -> int:
    views = account.offers.values()
    return sum(view.owed_units(index) for view in views for index in own_places(view.offer, me))


def _token(account: Account, me: Address) -> Address:
    """The one token of this provider's offers. Raises `Invalid` if there is none, or more than one."""
    tokens = {view.offer.head.token for view in account.offers.values() if view.offer.head.lead == me}
    if len(tokens) != 1:
        raise Invalid(f"expected offers of yours in one token, got {len(tokens)}; give --token")
    return tokens.pop()


def _order_document(order: OrderView) -> dict[str, Any]:
    return {
        "id": order.id.hex(),
        "state": order.state.name.lower(),
        "reason": None if order.reason is Reason.NONE else order.reason.name.lower(),
        "deadline_s": order.deadline_s or None,
    }


def _order_text(order: OrderView) -> str:
    word = order.state.name.lower()
    if order.state in DUE:
        return f"{word}, {DUE[order.state]} {moment_text(order.deadline_s)}"
    return f"{word}, {order.reason.name.lower().replace('_', ' ')}"
