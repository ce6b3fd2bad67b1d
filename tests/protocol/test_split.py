"""A split table: which schemas make one, under which offers, and into how many buckets its persons are put."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.protocol.crossing import FEWEST_BUCKETS, MOST_BUCKETS, Side
from marketplace.protocol.identity import DatasetId, OfferId
from marketplace.protocol.offer import Guarantee, Kind, Member, Offer
from marketplace.protocol.pool import check_members, rows_in_pool, split_of
from marketplace.protocol.schema import Category, Number, Schema, Timeline
from marketplace.protocol.split import BUCKETS_PER_ROW, SplitSchema, buckets_for
from marketplace.protocol.unit import PrivacyUnit
from tests.protocol.examples import address, head

DAYS = Number("days", Decimal(0), Decimal(400), Decimal(1), False)
LEFT = Schema((DAYS, Category("arm", ("old", "new"), False)), "patient", 1)
RIGHT = Schema(
    (Category("outcome", ("alive", "dead"), False), Category("cause", ("heart", "other"), True)), "patient", 1
)
SCHEMAS = (RIGHT, LEFT, LEFT)


def offer(**changes: object) -> Offer:
    """An offer of three members, of which the second leads."""
    members = tuple(Member(DatasetId(bytes([n]) * 32), address(n), 3_333 + (n == 1), 1_000) for n in range(3))
    return Offer(OfferId(bytes(32)), head(**{"kind": Kind.SYNTHETIC, "lead": address(1), **changes}), members)


def test_the_leads_side_is_the_left_one_and_its_columns_come_first() -> None:
    split = split_of(offer(), SCHEMAS)
    assert split == SplitSchema(LEFT, RIGHT, (Side.RIGHT, Side.LEFT, Side.LEFT))
    assert split is not None and split.joined.names == ("days", "arm", "outcome", "cause")
    check_members(offer(), 1, SCHEMAS)


def test_at_so_many_parties_is_whom_it_protects() -> None:
    assert rows_in_pool(offer(), SCHEMAS) == 3


def test_only_persons_whom_both_sides_know_can_be_in_it() -> None:
    assert SplitSchema(LEFT, RIGHT, (Side.RIGHT, Side.LEFT, Side.LEFT)).most([100, 30, 50]) == 80


@pytest.mark.parametrize(
    "made", [offer(kind=Kind.ANALYSIS), offer(guarantee=Guarantee.EXACT)], ids=["analysis", "exact"]
)
def test_of_no_other_offers_members_may_differ(made: Offer) -> None:
    assert split_of(made, SCHEMAS) is None
    with pytest.raises(Invalid, match="declare their records alike"):
        check_members(made, 1, SCHEMAS)


def renamed(schema: Schema, *columns: object) -> Schema:
    return replace(schema, columns=columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schemas", "words"),
    [
        ((RIGHT, LEFT, renamed(LEFT, DAYS, replace(DAYS, name="height"))), "declare their records alike"),
        ((renamed(RIGHT, *RIGHT.columns, DAYS), LEFT, LEFT), "got days at both"),
        ((replace(RIGHT, rows_per_person=2), LEFT, LEFT), "one row for a person"),
        ((replace(RIGHT, person="case"), LEFT, LEFT), "one person column"),
        ((replace(RIGHT, person=None), LEFT, LEFT), "one person column"),
        ((RIGHT, *[replace(LEFT, timeline=Timeline("days", strict=False))] * 2), "one row for a person"),
        ((LEFT, replace(LEFT, rows_per_person=2), LEFT), "declare their records alike"),
    ],
    ids=["three", "shared column", "rows", "person column", "no person column", "linked", "the same columns"],
)
def test_tables_that_cannot_be_split_are_invalid(schemas: tuple[Schema, ...], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check_members(offer(), 1, schemas)


def test_an_offer_that_protects_a_person_at_one_provider_does_not_match_persons() -> None:
    made = offer()
    weaker = replace(made, head=replace(made.head, unit=PrivacyUnit.PERSON_AT_PROVIDER))
    with pytest.raises(Invalid, match="where persons of several parties are matched"):
        check_members(weaker, 1, SCHEMAS)


def test_two_parties_are_too_few_for_it() -> None:
    made = offer()
    with pytest.raises(Refused, match="3 to 16 parties"):
        check_members(replace(made, members=made.members[:2]), 1, SCHEMAS[:2])


@pytest.mark.parametrize("rows", [10, 100, 7_900, 10**9])
def test_buckets_are_a_power_of_two_that_follows_from_the_declared_rows(rows: int) -> None:
    found = buckets_for(rows)
    assert found & (found - 1) == 0 and FEWEST_BUCKETS <= found <= MOST_BUCKETS
    assert found == MOST_BUCKETS or BUCKETS_PER_ROW * rows <= found < max(
        2 * BUCKETS_PER_ROW * rows, FEWEST_BUCKETS + 1
    )
