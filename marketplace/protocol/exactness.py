"""What an exact analysis has to keep to beside its lane: pure decisions of a provider, each a refusal with its reason.

That the permit is live and an allowance is left is decided where they stand: on the ledger and in the node's own account.
What can be closed is decided by `ClosedSpecification`.
"""

from collections.abc import Collection

from marketplace.errors import Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import PUBLIC_CELL
from marketplace.protocol.schema import Schema

MOST_ROUNDS = 25
"""How often an exact order may have sums opened one after the other: what bounds the iterations of a fit."""


def check_exact(
    specification: AnalysisSpecification, schema: Schema, least_cell: int, filters: Collection[str], only: str
) -> None:
    """Raises `Refused` where a provider does not answer such an exact analysis.

    `least_cell`: the provider's own smallest cell, 1 for records that it declares public. `filters`: the conditions that it
    has fixed, in words; `only`: those of the specification, empty for none. Conditions that a buyer makes up could single
    out a person; those on public records are free.
    """
    cell = specification.smallest_cell
    if cell is None or cell < least_cell:
        raise Refused(f"this provider tells exact numbers of at least {least_cell} persons only")
    if (rounds := specification.rounds(schema)) > MOST_ROUNDS:
        raise Refused(f"this provider opens exact sums at most {MOST_ROUNDS} times in an order, not {rounds} times")
    if least_cell != PUBLIC_CELL and only and only not in filters:
        raise Refused("this provider answers exact analyses without conditions, or under those of its fixed list")


def check_cohort(differing: int, least_cell: int) -> None:
    """Raises `Refused` where a cohort and an earlier one differ in `differing` persons, some but fewer than `least_cell`.

    Answers over two such cohorts, subtracted, would be an answer over those few. The same cohort again gives no such
    difference; the allowance ends it.
    """
    if 0 < differing < least_cell:
        raise Refused(
            "expected a cohort that differs from all earlier ones by more persons; nothing is counted over it"
        )
