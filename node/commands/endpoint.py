"""`agora-node endpoint`: tell others where this node answers, and give it another TLS certificate."""

from collections.abc import Sequence

import typer

from marketplace.ledger.ledger import Receipt
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
    """Put this node's descriptor into the store, and tell the ledger of it. Nothing is sent where it says so already."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    descriptor, described = serving.describe(node)
    receipt = serving.tell(node, described)
    _show(descriptor, described, [receipt] if receipt else [], as_json)


@app.command()
@guarded
def rotate(as_json: AsJson = False) -> None:
    """Make another TLS certificate. Then start the node again, and `describe` it at once."""
    descriptor, described = serving.rotate(Node.from_settings(home(), ask_passphrase("the node's keys")))
    _show(descriptor, described, [], as_json)
    say(
        "Start the node again, and then tell the ledger: `agora-node endpoint describe`. In between buyers get no answer."
    )


def _show(descriptor: Descriptor, described: Described, receipts: Sequence[Receipt], as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "endpoint": descriptor.url,
                "party": str(descriptor.party.place) if descriptor.party else None,
                "descriptor": described.descriptor.hex(),
                "certificate": described.certificate.hex(),
                "transactions": [
                    {"step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas}
                    for receipt in receipts
                ],
            }
        )
        return
    print(f"Endpoint {descriptor.url}")
    print(f"party       {descriptor.party.place if descriptor.party else 'none: it takes no part in joint orders'}")
    print(f"descriptor  {described.descriptor.hex()}")
    print(f"certificate {described.certificate.hex()}")
    for receipt in receipts:
        print(f"{receipt.function} {receipt.transaction.hex()}, {receipt.gas:,} gas")
