"""`agora-node offer`: publish and retire offers."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from marketplace.content.cid import Cid
from marketplace.content.store import read_bytes
from marketplace.errors import Invalid, Refused
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.description import Description
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.pool import everywhere_epsilon
from marketplace.protocol.quote import NO_KEY, NO_NONCE
from marketplace.protocol.specification import Specification, Workload
from marketplace.terminal import ask_passphrase, guarded, parse_id, parse_offer, say, show_json
from node.admission import prediction_of
from node.commands.conditions import (
    Arbiter,
    Authority,
    Bond,
    Cost,
    DeliverHours,
    Deposit,
    EpsilonOrExact,
    Exact,
    LicenceDays,
    Margin,
    MaxOpen,
    Purpose,
    RuleHours,
    Token,
    ValidDays,
    conditions_of,
)
from node.commands.datasets import AsJson
from node.commission import LARGEST_DOCUMENT_BYTES
from node.home import Node, home
from node.provider import Published

app = typer.Typer(no_args_is_help=True, help="Publish and retire offers; draft those of several providers.")


@app.command()
@guarded
def publish(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")],
    token: Token,
    cost: Cost,
    margin: Margin,
    bond: Bond,
    epsilon: EpsilonOrExact = None,
    exact: Exact = False,
    deliver_hours: DeliverHours = 24,
    licence_days: LicenceDays = 365,
    max_open: MaxOpen = 8,
    valid_days: ValidDays = 180,
    authority: Authority = None,
    purpose: Purpose = None,
    arbiter: Arbiter = None,
    rule_hours: RuleHours = None,
    deposit: Deposit = None,
    as_json: AsJson = False,
) -> None:
    """Publish an offer of a synthetic twin of DATASET, and stake for its bond."""
    conditions = conditions_of(
        token=token,
        epsilon=epsilon,
        exact=exact,
        cost=cost,
        margin=margin,
        bond=bond,
        deliver_hours=deliver_hours,
        licence_days=licence_days,
        max_open=max_open,
        valid_days=valid_days,
        authority=authority,
        purpose=purpose,
        arbiter=arbiter,
        rule_hours=rule_hours,
        deposit=deposit,
    )
    dataset_id = DatasetId(parse_id(dataset, "dataset"))
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    view = node.follower.catch_up().datasets.get(dataset_id)
    if view is None:
        raise Invalid("expected the id of a registered dataset, the ledger has none of this id; list it first")
    digest = view.versions[-1].description
    description = Description.decode(read_bytes(node.store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES))
    published = node.provider().publish(dataset_id, description, conditions, now_s=now_s(node))
    show_published(published, as_json)
    _tell_floor(published, description, node.rules.below_floor)


@app.command()
@guarded
def retire(offer: Annotated[str, typer.Argument(help="The offer's id.")], as_json: AsJson = False) -> None:
    """End OFFER for further orders. Any of its members may."""
    offer_id = parse_offer(offer)
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    receipt = node.provider().retire(offer_id)
    if as_json:
        show_json({"offer": offer_id.hex(), "hash": receipt.transaction.hex(), "gas": receipt.gas})
    else:
        print(f"Retired {offer_id.hex()}")


def _tell_floor(published: Published, description: Description, below_floor: bool) -> None:
    """Tells a provider of few records what orders of its offer, without further wishes, are expected to be like."""
    offer, rows = published.offer, description.rows_declared
    plain = Specification(offer.id, rows, Workload(), 1, NO_KEY, NO_NONCE)
    try:
        prediction = prediction_of(offer, 0, plain, description)
    except (Invalid, Refused) as error:
        say(f"warning: orders of this offer would be declined: {error}")
        return
    if prediction is None or not prediction.below_floor:
        return
    served = "served" if below_floor else "declined, unless node.toml says `below_floor = true`"
    pool = f" Join a pool of about {prediction.rows_needed:,} records." if prediction.rows_needed else ""
    say(f"warning: its rows are expected to be worse than a shuffle of the columns; orders are {served}.{pool}")


def now_s(node: Node) -> int:
    """The later of this machine's clock and the ledger's."""
    return max(int(time.time()), node.ledger.now_s())


def show_published(published: Published, as_json: bool) -> None:
    """Shows an offer that was just published."""
    offer = published.offer
    is_exact = offer.head.guarantee is Guarantee.EXACT
    if as_json:
        show_json(
            {
                "offer": offer.id.hex(),
                "rho_micro": offer.members[0].rho_micro,
                "epsilon": None if is_exact else offer.epsilon(),
                "price_units": offer.head.price_units,
                "transactions": transaction_documents(published.receipts),
            }
        )
        return
    promise = "exact, no differential privacy"
    if not is_exact:
        promise = f"rho {offer.members[0].rho_micro:,} micro, epsilon {offer.epsilon():.4f}"
        if len(offer.members) > 1:
            charged_micro = [member.rho_micro for member in offer.members]
            promise += (
                f" of each dataset, epsilon {everywhere_epsilon(offer.head, charged_micro):.4f} for a person at all"
            )
    print(f"Offer {offer.id.hex()}: {euro_text(offer.head.price_units)}, {promise}")


def transaction_documents(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """What transactions did, for JSON."""
    return [{"step": receipt.function, "hash": receipt.transaction.hex(), "gas": receipt.gas} for receipt in receipts]
