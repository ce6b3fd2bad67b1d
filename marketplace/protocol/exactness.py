"""What an exact analysis has to keep to beside its lane: pure decisions of a provider, each a refusal with its reason.

That the permit is live and an allowance is left is decided where they stand: on the ledger and in the node's own account.
What can be closed is decided by `ClosedSpecification`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from marketplace.errors import Refused
from marketplace.protocol import canonical
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import PUBLIC_CELL
from marketplace.protocol.schema import Schema

MOST_ROUNDS = 25
"""How often an exact order may have sums opened one after the other: what bounds the iterations of a fit."""


@dataclass(frozen=True)
class ExactQuestion:
    """What an exact order asks about: the columns that its analyses and its conditions look at, and a SHA-256 of the analyses
    and of the records that they are about."""

    columns: frozenset[str]
    digest: bytes

    @classmethod
    def of(cls, specification: AnalysisSpecification, commitment: bytes) -> "ExactQuestion":
        """That of `specification` about the records of a dataset's version with this `commitment`, 32 bytes."""
        columns = {name for analysis in specification.analyses for name in analysis.columns}
        asked = canonical.encode({"analyses": [analysis.document() for analysis in specification.analyses]})
        conditions = {condition.column for condition in specification.only}
        return cls(frozenset(columns | conditions), sha256(commitment + asked).digest())


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


def check_question(question: ExactQuestion, earlier: ExactQuestion, differing: int, shared: int) -> None:
    """Raises `Refused` where a question about `shared` of the persons of an `earlier` one, and `differing` others, looks at a
    column of it and is not the same question about the same records.

    Each answer closes its own cells; what two of them open could be subtracted: a column in other bins, a curve by other
    groups, a table over all and over the men among them, or over the same persons once one of them is told otherwise. Where no
    person or no column is common, there is nothing of the kind.
    """
    same = not differing and question.digest == earlier.digest
    if shared and not same and not question.columns.isdisjoint(earlier.columns):
        raise Refused(
            "expected columns that no other exact question looked at over some of these persons, since closed cells could "
            "follow from both; nothing is counted"
        )
