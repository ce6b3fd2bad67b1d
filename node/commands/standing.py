"""`agora-node status` and `withdraw`: where the provider stands, and taking what it has earned."""

from typing import Annotated

import typer

from marketplace.ledger.ledger import Receipt
from marketplace.protocol.amounts import euro_text
from marketplace.terminal import ask_passphrase, guarded, show_json
from node.commands.datasets import AsJson
from node.home import Node, home


@guarded
def status(as_json: AsJson = False) -> None:
    """Show datasets with their budgets, and orders, as the ledger has them."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    account, me = node.follower.catch_up(), node.keys.signer.address
    mine = [dataset for dataset in account.datasets.values() if dataset.provider == me]
    offers_mine = {view.offer.id: view for view in account.offers.values() if view.offer.head.lead == me}
    orders = [order for order in account.orders.values() if order.order.offer in offers_mine]
    owed = sum(view.owed_units(0) for view in offers_mine.values())
    if as_json:
        show_json(
            {
                "address": me,
                "datasets": [
                    {"id": dataset.id.hex(), "total_micro": dataset.total_micro, "used_micro": dataset.used_micro}
                    for dataset in mine
                ],
                "orders": [{"id": order.id.hex(), "state": order.state.name.lower()} for order in orders],
                "owed_units": owed,
            }
        )
        return
    print(f"Provider {me}; {euro_text(owed)} to withdraw")
    for dataset in mine:
        print(f"dataset {dataset.id.hex()}: {dataset.used_micro:,} of {dataset.total_micro:,} micro-rho used")
    for order in orders:
        print(f"order   {order.id.hex()}: {order.state.name.lower()}")


@guarded
def withdraw(
    stake: Annotated[bool, typer.Option("--stake", help="Also the stake that no order holds as its bond.")] = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw what settled orders have earned."""
    provider = Node.from_settings(home(), ask_passphrase("the node's keys")).provider()
    receipts = [*provider.withdraw(), *(provider.withdraw_stake() if stake else ())]
    if as_json:
        show_json({"transactions": [_document(receipt) for receipt in receipts]})
    else:
        print(f"{len(receipts)} withdrawals" if receipts else "nothing to withdraw")


def _document(receipt: Receipt) -> dict[str, str | int]:
    return {"step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas}
