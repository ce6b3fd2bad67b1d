"""The command `agora`."""

import typer

from marketplace.commands import (
    checks,
    contests,
    keys,
    licences,
    offers,
    orders,
    permits,
    providers,
    purchases,
    quotes,
    spot_check,
)
from marketplace.terminal import prepare_process

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Buy results made from health records that never move, check them, and audit the whole market. "
    "Exit codes: 0 done, 2 invalid input, 3 refused, 4 bytes or proofs disagree, 5 nobody answered.",
)
app.command()(offers.offers)
app.command()(providers.provider)
app.command()(quotes.quote)
app.command()(purchases.buy)
app.command()(purchases.relay)
app.command()(orders.order)
app.command()(spot_check.check)
app.command()(orders.fetch)
app.command()(orders.settle)
app.command()(orders.complain)
app.command()(contests.contest)
app.command()(contests.examine)
app.command()(contests.rule)
app.command()(orders.reject)
app.command()(orders.refund)
app.command()(checks.verify)
app.command()(checks.audit)
app.add_typer(licences.app, name="licence")
app.add_typer(permits.app, name="permit")
app.add_typer(keys.app, name="keys")


def run() -> None:
    """The entry point."""
    prepare_process()
    app()
