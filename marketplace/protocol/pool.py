"""What an order needs that several nodes answer together: told from public documents alone, by buyer and nodes alike."""

from collections.abc import Sequence

from marketplace.errors import Invalid, Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.analysis_noise import Share, shares
from marketplace.protocol.analysis_parties import check_parties
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.columns import Number
from marketplace.protocol.crossing import Side
from marketplace.protocol.identity import Address
from marketplace.protocol.offer import Guarantee, Head, Kind, Offer
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, Specification
from marketplace.protocol.split import SplitSchema
from marketplace.protocol.unit import PrivacyUnit

Answered = AnalysisSpecification | ClosedSpecification

TWIN_GENERATOR = "pooled-marginals"
TWIN_THRESHOLD = 1
"""How many dishonest parties the noise of a pooled twin is sized against."""


def together_micro(offer: Offer) -> int:
    """What the sums that one order of `offer` opens may cost the privacy unit that it states."""
    return offer.head.unit.sums_micro([member.rho_micro for member in offer.members])


def everywhere_epsilon(head: Head, charged_micro: Sequence[int]) -> float:
    """The epsilon that a result under `head` implies for a person with records at every member.

    `charged_micro`: what each member's dataset was charged for it.
    """
    rho_micro = head.unit.everywhere_micro(head.unit.sums_micro(charged_micro), len(charged_micro))
    return epsilon_of(rho_micro, delta_of(head.delta_atto))


def rows_in_pool(offer: Offer, schemas: Sequence[Schema]) -> int:
    """The most rows in the sums of the privacy unit that `offer` states. `schemas`: of all members, in order."""
    return offer.head.unit.rows([schema.rows_per_person for schema in schemas])


def check_providers(providers: Sequence[Address]) -> None:
    """Raises `Refused` where a party stands twice: its own numbers would follow from the sums and what it knows."""
    if len(set(providers)) < len(providers):
        raise Refused("expected each provider once in a joint analysis, got a party twice; choose another offer")


def check_members(offer: Offer, threshold: int, schemas: Sequence[Schema]) -> None:
    """Raises `Refused` for too few parties, one that stands twice, or a threshold that cannot be; `Invalid` where the
    schemas differ, unless they are those of a split table under an offer that protects a person wherever it has records.
    `schemas`: of all members, in order."""
    check_providers([member.provider for member in offer.members])
    check_parties(len(offer.members), threshold)
    if split_of(offer, schemas) is not None:
        check_matching(offer)
        return
    for number, schema in enumerate(schemas):
        if schema != schemas[0]:
            raise Invalid(
                f"expected all parties to declare their records alike, party {number} differs in "
                f"{difference(schemas[0], schema)}; choose another offer"
            )


def difference(lead: Schema, other: Schema) -> str:
    """The first thing in which two schemas that are not alike differ, in words."""
    if lead.names != other.names:
        return "the columns' names or their order"
    for own, its in zip(lead.columns, other.columns, strict=True):
        if isinstance(own, Number) and isinstance(its, Number) and own.unit != its.unit:
            return f"the unit of {own.name!r}, {its.unit or 'none'} for {own.unit or 'none'}"
        if own != its:
            return f"what column {own.name!r} may hold"
    return "persons, constraints or tables"


def split_of(offer: Offer, schemas: Sequence[Schema]) -> SplitSchema | None:
    """The split table of which the members of `offer` declare a side each; that of its lead is the left one.

    None where they declare one schema, more than two or the same columns otherwise, and of offers of anything but rows with
    noise. `schemas`: of all members, in order. Raises `Invalid` for two schemas that no table can be split into.
    """
    head = offer.head
    if (head.kind, head.guarantee) != (Kind.SYNTHETIC, Guarantee.DIFFERENTIALLY_PRIVATE):
        return None
    left = next(s for s, member in zip(schemas, offer.members, strict=True) if member.provider == head.lead)
    others = [schema for schema in schemas if schema != left]
    if not others or any(one != others[0] for one in others) or set(left.names) == set(others[0].names):
        return None
    sides = tuple(Side.LEFT if schema == left else Side.RIGHT for schema in schemas)
    return SplitSchema(left, others[0], sides)


def check_matching(offer: Offer) -> None:
    """Raises `Invalid` where persons of several parties are to be matched under an offer that protects them at one alone:
    whether somebody is at two of them is then what the answer is about."""
    if offer.head.unit is not PrivacyUnit.PERSON:
        raise Invalid(
            f"expected the privacy unit {PrivacyUnit.PERSON.text!r} where persons of several parties are matched, got "
            f"{offer.head.unit.text!r}; choose another offer"
        )


def check_twin(specification: Specification, schema: Schema) -> None:
    """Raises `Invalid` unless a twin of pooled records of `schema` can be as it is asked for: by the declaration alone."""
    if schema.is_linked or specification.generator != DEFAULT_GENERATOR:
        raise Invalid(
            f"expected {DEFAULT_GENERATOR} and rows that do not hang together under persons for a twin of pooled "
            "records; order otherwise or of one provider"
        )
    specification.check(schema)


def answered_as(specification: AnalysisSpecification, guarantee: Guarantee) -> Answered:
    """What the parties ask each other for `specification`: itself in the sums lane, closed in the other.

    Raises `Invalid` where a smallest cell does not go with the guarantee, the analysis cannot be closed, or it is a linkage
    count without noise.
    """
    cell, lane = specification.smallest_cell, specification.lane(guarantee)
    if (cell is None) != (guarantee is Guarantee.DIFFERENTIALLY_PRIVATE):
        raise Invalid("expected a smallest cell with exact answers and with no others; ask again, with or without one")
    if lane is Lane.CLOSED:
        return ClosedSpecification(specification, cell)
    return specification


def noise_of(
    offer: Offer, specification: AnalysisSpecification, schemas: Sequence[Schema]
) -> tuple[tuple[Share, ...], ...]:
    """The noise that each party adds in each round; none where `offer` is exact. `schemas`: of all members, in order.

    Raises `Refused` for too few parties, one that stands twice, or a threshold that cannot be; `Invalid` where the schemas
    differ, the questions do not fit them, the rho does not pay for an answer, or a smallest cell does not go with the
    guarantee, or persons are matched under an offer that protects them at one provider alone.
    """
    check_members(offer, specification.threshold, schemas)
    if specification.links:
        check_matching(offer)
    for analysis in specification.analyses:
        if isinstance(analysis, Linkage) and analysis.parties != len(offer.members):
            raise Invalid(
                f"expected a linkage count of the offer's {len(offer.members)} parties, got {analysis.parties}"
            )
    schedule = specification.schedule(schemas[0])
    questions = answered_as(specification, offer.head.guarantee)
    if isinstance(questions, ClosedSpecification):
        questions.openings(schemas[0])
    if offer.head.guarantee is Guarantee.EXACT:
        return ()
    parties, rows = len(offer.members), rows_in_pool(offer, schemas)
    return shares(schedule, together_micro(offer), rows, parties, specification.threshold)
