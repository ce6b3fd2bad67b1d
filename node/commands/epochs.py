"""`agora-node epoch`: open a dataset's next epoch."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.errors import Invalid
from marketplace.protocol.epoch import LONGEST_WORDS
from marketplace.protocol.identity import DatasetId
from marketplace.terminal import ask_passphrase, guarded, parse_id, show_json
from node.commands.datasets import AsJson
from node.commands.given import read_given
from node.home import Node, home


@guarded
def epoch(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")],
    total: Annotated[int, typer.Option(min=1, help="What it may reveal in all from now on, in micro-rho. Only grows.")],
    reason: Annotated[Path, typer.Option(metavar="FILE", help="Why, in words that everybody can read for ever.")],
    allowance: Annotated[int, typer.Option(min=0, help="How many exact orders the epoch may serve.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Open the next epoch of DATASET: raise its total, and begin a new allowance of exact orders."""
    dataset_id, words = DatasetId(parse_id(dataset, "dataset")), _words(reason)
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    receipt = node.provider().open_epoch(dataset_id, total, allowance, words)
    if as_json:
        show_json({"dataset": dataset_id.hex(), "total_micro": total, "allowance": allowance, "gas": receipt.gas})
    else:
        print(f"Dataset {dataset_id.hex()}: {total:,} micro-rho in all, {allowance:,} exact orders in this epoch")


def _words(path: Path) -> str:
    data = read_given(path, 4 * LONGEST_WORDS)
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise Invalid("expected a reason in UTF-8, got another encoding; convert the file") from None
