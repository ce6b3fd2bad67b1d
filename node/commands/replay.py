"""`agora-node replay`, `review` and `remake`: make a delivered result again, to compare or to look into it."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.errors import Invalid
from marketplace.terminal import ask_passphrase, guarded, parse_order, say, show_json
from node.commands.datasets import AsJson
from node.home import Node, home
from node.memory import keep_private
from node.remaking import remake as remake_rows


@guarded
def replay(
    order: Annotated[str, typer.Argument(help="A delivered order of this node.")],
    result: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also compare with the result in FOLDER.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw for ORDER again with its own noise key, and compare with what was delivered. `agora-node run` must not run.

    The records are opened once more under the rho that the order has paid, the access log says so, and nothing leaves.
    """
    order_id = parse_order(order)
    if result is not None and not result.is_dir():
        raise Invalid(f"expected a result's folder, found none at {result.name!r}; give the folder that was fetched")
    keep_private()
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    found = node.replay(order_id, say, result)
    if found.elsewhere:
        say(f"warning: this is not the certificate's environment: {', '.join(found.elsewhere)} differ")
    if as_json:
        show_json(
            {
                "order": order_id.hex(),
                "delivered": found.delivered.hex(),
                "found": found.found.hex(),
                "elsewhere": list(found.elsewhere),
                "altered": list(found.altered),
            }
        )
    found.check()
    if not as_json:
        print(f"Same plain root {found.found.hex()}")


@guarded
def review(
    order: Annotated[str, typer.Argument(help="A delivered order of this node.")],
    as_json: AsJson = False,
) -> None:
    """Look into the result of ORDER as a reviewer would, on real records: a page for your eyes only.

    Draws again as `agora-node replay` does, on which the access log has a line. Nothing leaves.
    """
    order_id = parse_order(order)
    keep_private()
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    path = node.review(order_id, say)
    if as_json:
        show_json({"order": order_id.hex(), "page": str(path)})
    else:
        print(f"Provider only: {path}")


@guarded
def remake(
    folder: Annotated[Path, typer.Argument(help="A fetched result, of an order for a twin of pooled records.")],
    as_json: AsJson = False,
) -> None:
    """Make the rows in FOLDER again from the sums beside them. Needs no record, no key and no node: anybody can."""
    found = remake_rows(folder, lambda _, __: None, lambda: False)
    if as_json:
        show_json({"rows": found.rows, "differing": found.differing, "elsewhere": list(found.elsewhere)})
    found.check()
    if not as_json:
        print(f"The same {found.rows:,} rows follow from the sums")
