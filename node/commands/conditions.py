"""The options that say on which terms an offer is published."""

from collections.abc import Sequence
from typing import Annotated

import typer

from marketplace.errors import Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.protocol.amounts import euro_units
from marketplace.protocol.identity import NOBODY
from marketplace.protocol.offer import Kind
from marketplace.protocol.purpose import parse_purpose
from marketplace.protocol.unit import PrivacyUnit
from node.conditions import Conditions

HOUR_S = 3_600

Token = Annotated[str, typer.Option(help="The token's address.")]
Epsilon = Annotated[float, typer.Option(help="The most that one order may reveal about one person.")]
EpsilonOrExact = Annotated[
    float | None, typer.Option("--epsilon", help="The most that one order may reveal about one person.")
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Promise no privacy, in place of an epsilon: for permits of --authority alone.")
]
Cost = Annotated[str, typer.Option(help="Price line: what making the result costs, such as 200.00.")]
Margin = Annotated[str, typer.Option(help="Price line: what you charge above it.")]
Bond = Annotated[str, typer.Option(help="What you stake behind each order.")]
DeliverHours = Annotated[int, typer.Option(help="Hours from an order to its delivery.")]
LicenceDays = Annotated[int, typer.Option(help="Days that the licence lasts.")]
MaxOpen = Annotated[int, typer.Option(help="Orders open at once.")]
ValidDays = Annotated[int, typer.Option(help="Days for which orders can be placed.")]
Authority = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Whose permits are asked for.")]
Purpose = Annotated[
    list[str] | None,
    typer.Option(metavar="CODE", help="A purpose of permits that counts, by its code or word; may be repeated."),
]
Arbiter = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who rules contested orders.")]
RuleHours = Annotated[int | None, typer.Option(help="Hours that the arbiter has; 168 if there is one.")]
Deposit = Annotated[str | None, typer.Option(help="What contesting costs up front, such as 20.00.")]

RULE_HOURS = 168


def conditions_of(
    *,
    token: str,
    epsilon: float | None,
    exact: bool = False,
    cost: str,
    margin: str,
    bond: str,
    deliver_hours: int,
    licence_days: int,
    max_open: int,
    valid_days: int,
    authority: str | None,
    purpose: Sequence[str] | None,
    arbiter: str | None,
    rule_hours: int | None,
    deposit: str | None,
    kind: Kind = Kind.SYNTHETIC,
    unit: PrivacyUnit = PrivacyUnit.PERSON,
) -> Conditions:
    """What these options say. Raises `Invalid` where one says nothing, or does not go with the others."""
    if exact == (epsilon is not None):
        raise Invalid("expected either --epsilon or --exact, got both or neither; say what the offer promises")
    if arbiter is None and (rule_hours is not None or deposit is not None):
        raise Invalid("expected --rule-hours and --deposit together with --arbiter, got no arbiter; name one")
    purposes = 0
    for text in purpose or ():
        purposes |= 1 << parse_purpose(text)
    return Conditions(
        token=checksummed(token),
        epsilon=epsilon,
        cost_units=euro_units(cost),
        margin_units=euro_units(margin),
        bond_units=euro_units(bond),
        deliver_window_s=deliver_hours * HOUR_S,
        rule_window_s=0 if arbiter is None else (RULE_HOURS if rule_hours is None else rule_hours) * HOUR_S,
        licence_days=licence_days,
        contest_deposit_units=euro_units(deposit) if deposit else 0,
        max_open=max_open,
        valid_days=valid_days,
        authority=checksummed(authority) if authority else NOBODY,
        purposes=purposes,
        arbiter=checksummed(arbiter) if arbiter else NOBODY,
        kind=kind,
        unit=unit,
    )
