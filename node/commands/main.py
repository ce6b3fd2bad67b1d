"""The command `agora-node`."""

import signal
import threading
from typing import Annotated

import typer

from marketplace.errors import Unreachable
from marketplace.protocol.amounts import euro_text
from marketplace.settings import Connection
from marketplace.terminal import ask_passphrase, guarded, say, show_json
from node import home as homes
from node.commands import datasets, offers
from node.commands.datasets import AsJson
from node.daemon import Happened
from node.home import Node
from node.work import Decline, Wait

POLL_S = 1.0

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One hospital's node: it holds the records, serves orders and takes the earnings. "
    "Exit codes: 0 done, 2 invalid input, 3 refused, 4 bytes or proofs disagree, 5 nobody answered.",
)
app.add_typer(datasets.app, name="dataset")
app.add_typer(offers.app, name="offer")


@app.command()
@guarded
def init(
    rpc: Annotated[str, typer.Option(help="URL of an EVM node.")],
    contract: Annotated[str, typer.Option(help="The marketplace's address.")],
    store: Annotated[str, typer.Option(help="A directory, or the multiaddress of an IPFS daemon.")],
    chain_id: Annotated[int | None, typer.Option(help="The chain that it must be.")] = None,
    confirmations: Annotated[int, typer.Option(help="Blocks that must follow before an event counts.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Make the node's folder: settings, a ledger key, a storage key."""
    connection = Connection(rpc=rpc, contract=contract, chain_id=chain_id, store=store, confirmations=confirmations)
    signer = homes.create(homes.home(), connection, ask_passphrase("the new node's keys", twice=True))
    if as_json:
        show_json({"address": signer.address})
    else:
        print(f"Address {signer.address}")
        say("Give it gas, and the token that you want to stake.")


@app.command()
@guarded
def run() -> None:
    """Serve orders until interrupted. Killed at any point and started again, it goes on where it was."""
    node = Node.from_settings(homes.home(), ask_passphrase("the node's keys"))
    daemon = node.daemon(_say)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    say(f"serving orders of {node.keys.signer.address}")
    try:
        while not stopping.is_set():
            try:
                daemon.tick()
            except Unreachable as error:
                say(f"waiting: {error}")
            stopping.wait(POLL_S)
    finally:
        daemon.close()


@app.command()
@guarded
def status(as_json: AsJson = False) -> None:
    """Show datasets with their budgets, and orders, as the ledger has them."""
    node = Node.from_settings(homes.home(), ask_passphrase("the node's keys"))
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
                "orders": [{"id": order.id.hex(), "state": order.state.word} for order in orders],
                "owed_units": owed,
            }
        )
        return
    print(f"Provider {me}; {euro_text(owed)} to withdraw")
    for dataset in mine:
        print(f"dataset {dataset.id.hex()}: {dataset.used_micro:,} of {dataset.total_micro:,} micro-rho used")
    for order in orders:
        print(f"order   {order.id.hex()}: {order.state.word}")


@app.command()
@guarded
def withdraw(as_json: AsJson = False) -> None:
    """Withdraw what settled orders have earned."""
    receipts = Node.from_settings(homes.home(), ask_passphrase("the node's keys")).provider().withdraw()
    if as_json:
        show_json({"transactions": [receipt.transaction.hex() for receipt in receipts]})
    else:
        print(f"{len(receipts)} payouts withdrawn" if receipts else "nothing to withdraw")


def _say(happened: Happened) -> None:
    step = happened.step
    gas = f", {happened.receipt.gas:,} gas" if happened.receipt else ""
    why = f": {step.why}" if isinstance(step, Decline | Wait) else ""
    say(f"order {happened.order.hex()[:16]}: {type(step).__name__.lower()}{gas}{why}")


def run_command() -> None:
    """The entry point."""
    app()
