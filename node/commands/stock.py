"""`agora-node stock`: sell an earlier result again."""

from typing import Annotated

import typer

from marketplace.protocol.amounts import euro_units
from marketplace.terminal import ask_passphrase, guarded, parse_order, say
from node.commands.conditions import Cost, Margin
from node.commands.datasets import AsJson
from node.commands.moment import moment_text, parse_moment
from node.commands.offers import now_s, show_published
from node.home import Node, home
from node.resale import Resale


@guarded
def stock(
    order: Annotated[str, typer.Argument(help="The order whose result is to be sold again.")],
    cost: Cost,
    margin: Margin,
    until: Annotated[
        str, typer.Option(metavar="DAY", help="The last day on which it can be ordered, or a time (UTC).")
    ],
    as_json: AsJson = False,
) -> None:
    """Publish an offer that sells the result of ORDER again as it is, on the terms that it was made under.

    No record is opened and no budget is spent. After the offer's end the node deletes the result, and says so in the access
    log that it anchors.
    """
    resale = Resale(parse_order(order), euro_units(cost), euro_units(margin), parse_moment(until))
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    show_published(node.provider().sell_again(resale, now_s=now_s(node)), as_json)
    say(f"It is deleted after {moment_text(resale.until_s)}, once its last order has ended.")
