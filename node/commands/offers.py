"""`agora-node offer`: publish and retire offers."""

import time
from typing import Annotated

import typer

from marketplace.content.cid import Cid
from marketplace.content.store import read_bytes
from marketplace.errors import Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.protocol.amounts import euro_text, euro_units
from marketplace.protocol.description import Description
from marketplace.protocol.identity import DatasetId
from marketplace.terminal import ask_passphrase, guarded, parse_id, parse_offer, show_json
from node.commands.datasets import AsJson
from node.commission import LARGEST_DOCUMENT_BYTES
from node.home import Node, home
from node.provider import Conditions

app = typer.Typer(no_args_is_help=True, help="Publish and retire offers.")


@app.command()
@guarded
def publish(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")],
    token: Annotated[str, typer.Option(help="The token's address.")],
    epsilon: Annotated[float, typer.Option(help="The most that one order may reveal.")],
    cost: Annotated[str, typer.Option(help="Price line: what making the result costs, such as 200.00.")],
    margin: Annotated[str, typer.Option(help="Price line: what you charge above it.")],
    bond: Annotated[str, typer.Option(help="What you stake behind each order.")],
    deliver_hours: Annotated[int, typer.Option(help="Hours from an order to its delivery.")] = 24,
    licence_days: Annotated[int, typer.Option(help="Days that the licence lasts.")] = 365,
    max_open: Annotated[int, typer.Option(help="Orders open at once.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Publish an offer of a synthetic twin of DATASET, and stake for its bond."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    dataset_id = DatasetId(parse_id(dataset, "dataset"))
    view = node.follower.catch_up().datasets.get(dataset_id)
    if view is None:
        raise Invalid("expected the id of a registered dataset, the ledger has none of this id; list it first")
    digest = view.versions[-1].description
    description = Description.decode(read_bytes(node.store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES))
    conditions = Conditions(
        token=checksummed(token),
        epsilon=epsilon,
        cost_units=euro_units(cost),
        margin_units=euro_units(margin),
        bond_units=euro_units(bond),
        deliver_window_s=deliver_hours * 3_600,
        licence_days=licence_days,
        max_open=max_open,
    )
    now_s = max(int(time.time()), node.ledger.now_s())
    published = node.provider().publish(dataset_id, description, conditions, now_s=now_s)
    offer = published.offer
    if as_json:
        show_json(
            {
                "offer": offer.id.hex(),
                "rho_micro": offer.members[0].rho_micro,
                "epsilon": offer.epsilon(),
                "price_units": offer.head.price_units,
                "transactions": [
                    {"step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas}
                    for receipt in published.receipts
                ],
            }
        )
    else:
        price = euro_text(offer.head.price_units)
        print(
            f"Offer {offer.id.hex()}: {price}, rho {offer.members[0].rho_micro:,} micro, epsilon {offer.epsilon():.4f}"
        )


@app.command()
@guarded
def retire(offer: Annotated[str, typer.Argument(help="The offer's id.")], as_json: AsJson = False) -> None:
    """End OFFER for further orders."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    view = node.follower.catch_up().offers.get(parse_offer(offer))
    if view is None:
        raise Invalid("expected the id of a published offer, the ledger has none of this id")
    receipt = node.ledger.retire(node.keys.signer, view.offer)
    if as_json:
        show_json({"offer": view.offer.id.hex(), "hash": receipt.transaction.hex(), "gas": receipt.gas})
    else:
        print(f"Retired {view.offer.id.hex()}")
