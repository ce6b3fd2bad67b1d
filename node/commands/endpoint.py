"""`agora-node endpoint`: tell others where this node answers, and give it another TLS certificate."""

import typer

from marketplace.protocol.descriptor import Described, Descriptor
from marketplace.terminal import ask_passphrase, guarded, say, show_json
from node import serving
from node.commands.datasets import AsJson
from node.home import Node, home

app = typer.Typer(
    no_args_is_help=True, help="Tell others where this node answers, and how they know that it is this one."
)


@app.command()
@guarded
def describe(as_json: AsJson = False) -> None:
    """Put this node's descriptor into the store, and show what the ledger is to say of it."""
    _show(*serving.describe(Node.from_settings(home(), ask_passphrase("the node's keys"))), as_json)


@app.command()
@guarded
def rotate(as_json: AsJson = False) -> None:
    """Make another TLS certificate. Then start the node again, and tell the ledger of the new descriptor."""
    _show(*serving.rotate(Node.from_settings(home(), ask_passphrase("the node's keys"))), as_json)
    say("Start the node again: until then it answers with its old certificate.")


def _show(descriptor: Descriptor, described: Described, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "endpoint": descriptor.url,
                "descriptor": described.descriptor.hex(),
                "certificate": described.certificate.hex(),
            }
        )
        return
    print(f"Endpoint {descriptor.url}")
    print(f"descriptor  {described.descriptor.hex()}")
    print(f"certificate {described.certificate.hex()}")
