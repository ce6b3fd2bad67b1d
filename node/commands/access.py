"""`agora-node anchor`: the access log of a day, as a root on the ledger."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.terminal import ask_passphrase, guarded, say, show_json
from node.accesslog import DayLog
from node.commands.datasets import AsJson
from node.commands.moment import day_text, parse_day
from node.commands.offers import now_s
from node.files import write_whole
from node.home import Node, home
from node.vault.access import day_of


@guarded
def anchor(
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="A day that is over (UTC); yesterday by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the day's log, for whom you show it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Anchor the access log of a day: 32 bytes that tell nothing, and hold you to what the log says."""
    given = parse_day(day) if day is not None else None
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    number = given if given is not None else day_of(now_s(node)) - 1
    log, receipt = node.provider().anchor(number, now_s(node))
    if out is not None:
        write_whole(out, log.encode())
    _show(log, number, receipt.transaction, receipt.gas, as_json)


def _show(log: DayLog, number: int, transaction: bytes, gas: int, as_json: bool) -> None:
    if as_json:
        show_json({"day": day_text(number), "root": log.root().hex(), "hash": transaction.hex(), "gas": gas})
        return
    print(f"Anchored {day_text(number)}: {log.root().hex()}")
    say(f"Provider only: {len(log.day.entries):,} entries.")
