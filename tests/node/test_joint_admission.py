"""Why a node takes no part in an order that several answer together: decided by each for itself, before any record."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.protocol.account import DatasetView, Version
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count, Histogram
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.constraints import Condition
from marketplace.protocol.events import Position
from marketplace.protocol.identity import NOTHING, DatasetId, OfferId
from marketplace.protocol.offer import Guarantee, Kind, Member, Offer
from marketplace.protocol.order import pack_versions
from marketplace.protocol.pool import noise_of, together_micro
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.states import DeclineReason, OrderState
from marketplace.protocol.threshold import Threshold
from marketplace.protocol.unit import PrivacyUnit
from marketplace.protocol.views import Epoch
from node.admission import Holding, Rules
from node.pool.admission import JointApplication, objection_to_joint
from node.pool.joint import JointCommission, Source, is_joint
from tests.node.examples import AUTHORITY, DESCRIPTION, SCHEMA, order, specification, view
from tests.protocol.examples import address, head

RHO_MICRO = 20_000
BUDGET, RECORDS, RULES, SPECIFICATION, CAPACITY = (
    DeclineReason.BUDGET,
    DeclineReason.RECORDS,
    DeclineReason.RULES,
    DeclineReason.SPECIFICATION,
    DeclineReason.CAPACITY,
)
AT = Position(0, 0, b"t" * 32, 0)
MEMBERS = tuple(
    Member(DatasetId(bytes([number]) * 32), address(number + 1), 3_333 + (number == 0), RHO_MICRO)
    for number in range(3)
)
QUESTIONS = AnalysisSpecification(
    b"f" * 32, (Count(), Mean("age"), Histogram("sex", 2)), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32
)


def application(**changes: Any) -> JointApplication:
    """What node 1 of three is asked, but for `changes`: of the offer's head and members, of one description, of the rest."""
    members = changes.pop("members", MEMBERS)
    described = dict.fromkeys(range(3), DESCRIPTION) | changes.pop("descriptions", {})
    questions = changes.pop("questions", QUESTIONS)
    given = {name: changes.pop(name) for name in ("holding", "skew", "identified") if name in changes}
    offer = Offer(OfferId(b"f" * 32), head(**{"kind": Kind.ANALYSIS, **changes}), members)
    sources = tuple(
        Source(
            member,
            DatasetView(
                member.dataset, member.provider, b"s" * 32, (version := Version(bytes([n]) * 32, b"d" * 32, AT),),
                (Epoch(10**6, 5, NOTHING, AT),),
            ),
            version,
            described[n % 3],
        )
        for n, member in enumerate(members)
    )  # fmt: skip
    placed = view(OrderState.PLACED, made=order(versions=pack_versions([1] * len(members))))
    made = JointCommission(placed, offer, 1, sources, questions)
    usual = {"holding": Holding(1, bytes([1]) * 32, 10**6, 5), "skew": None}
    return JointApplication(made, **{**usual, **given})


def test_what_everything_speaks_for_is_let_in() -> None:
    assert objection_to_joint(application(), Rules()) is None


def test_members_answer_together_what_is_made_anew_and_not_what_is_sold_again() -> None:
    twin = application(**TWIN).commission.offer
    assert is_joint(twin) and is_joint(application().commission.offer)
    assert not is_joint(replace(twin, head=replace(twin.head, stock=b"s" * 32)))
    assert not is_joint(replace(twin, members=twin.members[:1]))


OLDER = replace(DESCRIPTION, schema=replace(SCHEMA, rows_per_person=3))
OF_ROWS = replace(DESCRIPTION, schema=replace(SCHEMA, person=None, rows_per_person=1))
LINKING = replace(QUESTIONS, analyses=(Linkage(3, 256, KnownTo.TWO),))
EXACT = {
    "guarantee": Guarantee.EXACT,
    "delta_atto": 0,
    "authority": AUTHORITY,
    "purposes": 16,
    "members": tuple(replace(member, rho_micro=0) for member in MEMBERS),
    "questions": replace(QUESTIONS, smallest_cell=1),
}
WISHES = specification()
AT_PROVIDER, BOTH_UNITS = PrivacyUnit.PERSON_AT_PROVIDER, Rules(units=frozenset(PrivacyUnit))
TWIN: dict[str, Any] = {"kind": Kind.SYNTHETIC, "questions": WISHES}
MEN = (Condition("sex", values=("male",)),)
CLOSED: dict[str, Any] = {**EXACT, "questions": replace(QUESTIONS, analyses=(Count(),), smallest_cell=10)}


@pytest.mark.parametrize(
    ("changes", "rules", "code", "words"),
    [
        ({"members": MEMBERS[:2]}, Rules(), SPECIFICATION, "3 to 16 parties"),
        ({"members": (*MEMBERS[:2], replace(MEMBERS[2], provider=MEMBERS[1].provider))}, Rules(), SPECIFICATION, "twice"),
        ({"questions": replace(QUESTIONS, threshold=2)}, Rules(), SPECIFICATION, "below half of 3"),
        ({}, Rules(threshold_at_least=2), RULES, "at most 1 honest"),
        ({"unit": AT_PROVIDER}, Rules(), RULES, "protects one person at one provider, and a person with records at k"),
        ({**TWIN, "unit": AT_PROVIDER}, Rules(), RULES, "protects one person at one provider"),
        ({"unit": AT_PROVIDER, "questions": LINKING}, BOTH_UNITS, SPECIFICATION, "where persons of several parties are matched"),
        ({"descriptions": {2: OLDER}}, Rules(), SPECIFICATION, "party 2 differs"),
        ({"questions": specification()}, Rules(), SPECIFICATION, "names an analysis"),
        ({"kind": Kind.SYNTHETIC}, Rules(), SPECIFICATION, "wishes for rows"),
        ({**TWIN, "members": MEMBERS[:2]}, Rules(), SPECIFICATION, "3 to 16 parties"),
        ({**TWIN, "members": (*MEMBERS[:2], replace(MEMBERS[2], provider=MEMBERS[1].provider))}, Rules(), SPECIFICATION, "twice"),
        ({**TWIN, "descriptions": {2: OLDER}}, Rules(), SPECIFICATION, "party 2 differs"),
        (TWIN, Rules(threshold_at_least=2), RULES, "at most 1 honest"),
        (TWIN, Rules(columns=frozenset({"age", "test"})), RULES, "columns sex"),
        (TWIN, Rules(generators=frozenset({"sdv-copula"})), RULES, "other generators: sdv-copula"),
        ({**TWIN, "questions": replace(WISHES, generator="sdv-copula")}, Rules(), SPECIFICATION, "expected private-marginals"),
        ({**TWIN, "questions": replace(WISHES, rows=12_001)}, Rules(), RULES, "at most 10 synthetic rows"),
        ({**TWIN, "members": tuple(replace(m, rho_micro=5) for m in MEMBERS)}, Rules(), SPECIFICATION, "a rho of at least"),
        ({**TWIN, "holding": Holding(1, bytes([1]) * 32, RHO_MICRO - 1)}, Rules(), BUDGET, "does not pay"),
        ({**TWIN, "guarantee": Guarantee.EXACT, "delta_atto": 0}, Rules(), RULES, "exact results of its own records only"),
        ({}, Rules(analyses=frozenset({"count", "mean"})), RULES, "the kind 'histogram'"),
        ({}, Rules(columns=frozenset({"age", "test"})), RULES, "columns sex"),
        (
            {"questions": replace(QUESTIONS, analyses=(Count(),), only=(Condition("sex", values=("male",)),))},
            Rules(columns=frozenset({"age"})),
            RULES,
            "columns sex",
        ),
        ({**TWIN, "questions": replace(WISHES, thresholds=(Threshold("egg", "1"),))}, Rules(), SPECIFICATION, "a threshold on"),
        ({"questions": replace(QUESTIONS, analyses=(Mean("height"),))}, Rules(), SPECIFICATION, "height"),
        ({"questions": replace(QUESTIONS, analyses=(Mean("sex"),))}, Rules(), SPECIFICATION, "sex"),
        ({"members": tuple(replace(m, rho_micro=1) for m in MEMBERS)}, Rules(), SPECIFICATION, "offer more rho"),
        ({"holding": None}, Rules(), RECORDS, "does not hold the dataset"),
        ({"holding": Holding(1, b"x" * 32, 10**6)}, Rules(), RECORDS, "these records"),
        ({"holding": Holding(2, bytes([1]) * 32, 10**6)}, Rules(), RECORDS, "version 2"),
        ({"holding": Holding(1, bytes([1]) * 32, RHO_MICRO - 1)}, Rules(), BUDGET, "does not pay"),
        ({}, Rules(epsilon_at_most=0.01), RULES, "an epsilon of at most 0.01"),
        ({}, Rules(buyers=frozenset()), RULES, "named buyers only"),
        ({"questions": replace(QUESTIONS, attestation="Not us.")}, Rules(), SPECIFICATION, "attestation"),
        ({"questions": replace(QUESTIONS, offer=b"x" * 32)}, Rules(), SPECIFICATION, "another offer"),
        ({"questions": replace(QUESTIONS, slot_s=3_601)}, Rules(), SPECIFICATION, "delivery slot"),
        ({"skew": "this node's clock is 301 s behind"}, Rules(), CAPACITY, "clock is 301 s behind"),
        (EXACT, Rules(), RULES, "at least 10 persons only"),
        ({**EXACT, "questions": QUESTIONS}, Rules(), SPECIFICATION, "a smallest cell with exact answers"),
        ({"questions": replace(QUESTIONS, smallest_cell=10)}, Rules(), SPECIFICATION, "and with no others"),
        ({**EXACT, "questions": replace(QUESTIONS, smallest_cell=9)}, Rules(smallest_cell=1), SPECIFICATION, "10 or more"),
        ({**EXACT, "questions": replace(QUESTIONS, smallest_cell=10)}, Rules(), SPECIFICATION, "one analysis"),
        (CLOSED, Rules(smallest_cell=11), RULES, "at least 11 persons only"),
        ({**CLOSED, "questions": replace(CLOSED["questions"], only=MEN)}, Rules(), RULES, "its fixed list"),
        ({"questions": LINKING}, Rules(), RECORDS, "no identifiers"),
        ({"questions": LINKING, "descriptions": dict.fromkeys(range(3), OF_ROWS)}, Rules(), SPECIFICATION, "person column"),
        ({"questions": replace(QUESTIONS, analyses=(Linkage(4, 256, KnownTo.TWO),))}, Rules(), SPECIFICATION, "3 parties, got 4"),
        ({**EXACT, "questions": LINKING}, Rules(smallest_cell=1), SPECIFICATION, "exact one tells of single persons"),
        ({"questions": LINKING}, Rules(analyses=frozenset({"count"})), RULES, "the kind 'linkage'"),
        ({"questions": LINKING}, Rules(), RECORDS, "keeps no identifiers of the dataset"),
        ({**EXACT, "holding": Holding(1, bytes([1]) * 32, 0, 0)}, Rules(smallest_cell=1), BUDGET, "allowance"),
    ],
)  # fmt: skip
def test_what_speaks_against_it_is_said(changes: dict[str, Any], rules: Rules, code: DeclineReason, words: str) -> None:
    found = objection_to_joint(application(**changes), rules)
    assert found is not None
    assert (found.code, words in found.words) == (code, True), found.words


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"unit": AT_PROVIDER}, BOTH_UNITS),
        ({**TWIN, "unit": AT_PROVIDER}, BOTH_UNITS),
        ({}, BOTH_UNITS),
        ({}, Rules(analyses=frozenset({"count", "mean", "histogram"}), columns=frozenset({"age", "sex"}))),
        ({**TWIN, "questions": replace(WISHES, subgroups="sex")}, Rules()),
        ({**TWIN, "questions": replace(WISHES, thresholds=(Threshold("l1_1way", "0.5"),))}, Rules()),
        (EXACT, Rules(smallest_cell=1)),
        ({**CLOSED, "questions": replace(CLOSED["questions"], only=MEN)}, Rules(filters=frozenset({"sex is male"}))),
        (CLOSED, Rules()),
        (TWIN, Rules(columns=frozenset({"age", "sex", "test"}))),
        ({**TWIN, "questions": replace(WISHES, rows=12_000)}, Rules(analyses=frozenset())),
    ],
)
def test_what_is_just_within_the_rules_is_let_in(changes: Mapping[str, Any], rules: Rules) -> None:
    assert objection_to_joint(application(**changes), rules) is None


def test_an_order_costs_as_often_the_least_that_a_member_is_charged_as_there_are_members() -> None:
    dearer = (MEMBERS[0], replace(MEMBERS[1], rho_micro=7 * RHO_MICRO), MEMBERS[2])
    offer = application(members=dearer).commission.offer
    assert together_micro(offer) == 3 * RHO_MICRO


def test_of_a_person_at_one_provider_an_order_costs_the_least_that_a_member_is_charged() -> None:
    dearer = (MEMBERS[0], replace(MEMBERS[1], rho_micro=7 * RHO_MICRO), MEMBERS[2])
    offer = application(members=dearer, unit=AT_PROVIDER).commission.offer
    assert together_micro(offer) == RHO_MICRO
    (parts,) = noise_of(offer, QUESTIONS, [SCHEMA] * 3)
    (wider,) = noise_of(application(members=dearer).commission.offer, QUESTIONS, [SCHEMA] * 3)
    assert RHO_MICRO - 3 * len(parts) <= sum(part.rho_micro for part in parts) <= RHO_MICRO
    assert [9 * part.sensitivity_squared for part in parts] == [part.sensitivity_squared for part in wider]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_person_at_some_parties_loses_no_more_than_their_datasets_are_charged(at: int) -> None:
    """The noise is sized for all rows of a person at all parties; one with rows at fewer moves the sums by less."""
    offer = application().commission.offer
    (parts,) = noise_of(offer, QUESTIONS, [SCHEMA] * 3)
    for part in parts:
        moved_squared = Decimal(part.sensitivity_squared) * at * at / 9
        lost_micro = (
            10**6 * moved_squared / (2 * part.honest * Decimal(part.sigma2.numerator) / part.sigma2.denominator)
        )
        assert lost_micro <= at * Decimal(RHO_MICRO) / len(parts)


def test_before_purchase_the_same_is_refused_by_the_same_function() -> None:
    made = application().commission
    with pytest.raises(Refused, match="3 to 16 parties"):
        noise_of(replace(made.offer, members=MEMBERS[:2]), QUESTIONS, [SCHEMA] * 2)
    with pytest.raises(Invalid, match="party 1 differs"):
        noise_of(made.offer, QUESTIONS, [SCHEMA, replace(SCHEMA, rows_per_person=3), SCHEMA])
