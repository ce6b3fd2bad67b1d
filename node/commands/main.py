"""The command `agora-node`."""

import json
import signal
import threading
from contextlib import suppress
from typing import Annotated

import typer

from marketplace.content.address import open_store
from marketplace.errors import MarketplaceError, Unreachable
from marketplace.ledger.addresses import checksummed
from marketplace.settings import Connection
from marketplace.terminal import ask_passphrase, guarded, prepare_process, say, show_json
from node import home as homes
from node.commands import access, datasets, epochs, offers, pools, standing, stock
from node.commands import endpoint as endpoints
from node.commands import replay as replaying
from node.commands.datasets import AsJson
from node.daemon import Daemon, Happened
from node.endpoint.settings import endpoint_settings
from node.home import Node
from node.memory import keep_private
from node.reconciliation import differences
from node.serving import serving
from node.work import Abstain, Decline, Wait

POLL_S = 1.0

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One hospital's node: it holds the records, serves orders and takes the earnings. "
    "Exit codes: 0 done, 2 invalid input, 3 refused, 4 bytes or proofs disagree, 5 nobody answered.",
)
app.add_typer(datasets.app, name="dataset")
app.add_typer(offers.app, name="offer")
app.add_typer(endpoints.app, name="endpoint")
app.command()(standing.status)
app.command()(standing.stake)
app.command()(standing.withdraw)
app.command()(epochs.epoch)
app.command()(stock.stock)
app.command()(pools.consent)
app.command()(access.anchor)
app.command()(replaying.replay)
app.command()(replaying.review)
app.command()(replaying.remake)


@app.command()
@guarded
def init(
    rpc: Annotated[str, typer.Option(help="URL of an EVM node.")],
    contract: Annotated[str, typer.Option(help="The marketplace's address.")],
    store: Annotated[str, typer.Option(help="A directory, or the multiaddress of an IPFS daemon.")],
    chain_id: Annotated[int | None, typer.Option(min=0, help="The chain that it must be.")] = None,
    confirmations: Annotated[int, typer.Option(min=0, help="Blocks that must follow before an event counts.")] = 2,
    from_block: Annotated[int, typer.Option(min=0, help="The block that the contract was deployed in.")] = 0,
    endpoint: Annotated[str | None, typer.Option(help="Where others find this node: HOST:PORT.")] = None,
    listen: Annotated[str | None, typer.Option(help="Where it listens for them, if elsewhere: HOST:PORT.")] = None,
    party: Annotated[
        str | None, typer.Option(help="Where the nodes of other hospitals find it in joint orders: HOST:PORT.")
    ] = None,
    party_listen: Annotated[
        str | None, typer.Option(help="Where it listens for those, if elsewhere: HOST:PORT.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the node's folder: settings, a ledger key, a storage key."""
    open_store(store)
    connection = Connection(rpc, checksummed(contract), chain_id, store, confirmations, from_block)
    answering = endpoint_settings(endpoint, listen, party, party_listen)
    signer = homes.create(homes.home(), connection, ask_passphrase("the new node's keys", twice=True), answering)
    if as_json:
        show_json({"address": signer.address})
    else:
        print(f"Address {signer.address}")
        say("Give it gas, and the token that you want to stake.")


@app.command()
@guarded
def run(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each thing done.")] = False,
) -> None:
    """Serve orders until interrupted. Killed at any point and started again, it goes on where it was."""
    keep_private()
    node = Node.from_settings(homes.home(), ask_passphrase("the node's keys"))
    daemon = node.daemon(_show if as_json else _say)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    say(f"serving orders of {node.keys.signer.address}")
    _tell_differences(node)
    try:
        with serving(node, daemon, say):
            if node.endpoint is not None:
                say(f"answering at {node.endpoint.public}")
            _serve(daemon, stopping)
    finally:
        daemon.close()


def _tell_differences(node: Node) -> None:
    """Where vault and ledger differ at the start. A ledger that does not answer now is waited for later."""
    with suppress(Unreachable):
        for words in differences(node.follower.catch_up(), node.keys.signer.address, node.vault.account):
            say(f"warning: {words}")


def _serve(daemon: Daemon, stopping: threading.Event) -> None:
    """Ticks until told to stop. What the ledger says once it was connected to is trouble that passes, and is told once."""
    told = ""
    while not stopping.is_set():
        try:
            daemon.tick()
        except MarketplaceError as error:
            if str(error) != told:
                say(f"waiting: {error}")
            told = str(error)
        else:
            told = ""
        stopping.wait(POLL_S)


def _say(happened: Happened) -> None:
    step = happened.step
    gas = f", {happened.receipt.gas:,} gas" if happened.receipt else ""
    why = f": {step.why}" if isinstance(step, Abstain | Decline | Wait) else ""
    say(f"order {happened.order.hex()[:16]}: {type(step).__name__.lower()}{gas}{why}")


def _show(happened: Happened) -> None:
    step, receipt = happened.step, happened.receipt
    line = json.dumps(
        {
            "order": happened.order.hex(),
            "step": type(step).__name__.lower(),
            "why": step.why if isinstance(step, Abstain | Decline | Wait) else None,
            "trouble": happened.trouble,
            "hash": receipt.transaction.hex() if receipt else None,
            "gas": receipt.gas if receipt else None,
        }
    )
    print(line, flush=True)


def run_command() -> None:
    """The entry point."""
    prepare_process()
    app()
