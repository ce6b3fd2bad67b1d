"""Offers: publish and retire."""

from typing import Any

import pytest

from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.market import DAY_S, HOUR_S

from .conftest import Stage

SOMEBODY = "0x" + "11" * 20
YEAR_S = 365 * DAY_S
LARGEST_WORD = 2**256 - 1


def publish(stage: Stage, **changes: Any) -> Any:
    """Try an offer like that of the stage, with changes to its head."""
    return stage.rules.send(stage.provider, "publish", stage.market.head(**changes), stage.terms.members, [])


def publish_members(stage: Stage, *changes: dict[str, Any]) -> Any:
    """Try an offer with a member for each set of changes to the usual one."""
    members = [stage.market.member(stage.dataset)._replace(**change) for change in changes]
    return stage.rules.send(stage.provider, "publish", stage.market.head(maxOpen=5), members, [])


def test_a_published_offer_is_told_in_full(stage: Stage) -> None:
    head, members = stage.market.head(maxOpen=5), stage.terms.members
    outcome = stage.rules.send(stage.provider, "publish", head, members, [])
    assert outcome.value == stage.market.terms(head, members).offer
    assert stage.rules.ask("getOffer", outcome.value) == (True, False, 0, 0)
    (event,) = outcome.events
    assert event.name == "OfferPublished"
    assert event.values == {
        "offer": outcome.value,
        "head": head,
        "members": tuple(tuple(member) for member in members),
    }


def test_only_the_lead_publishes(stage: Stage) -> None:
    with stage.refused("NotTheLead", stage.provider, stage.stranger):
        stage.rules.send(stage.stranger, "publish", stage.market.head(maxOpen=5), stage.terms.members, [])


def test_an_offer_is_published_once(stage: Stage) -> None:
    with stage.refused("OfferExists", stage.terms.offer):
        stage.rules.send(stage.provider, "publish", stage.head, stage.terms.members, [])


def test_a_retired_offer_is_not_published_again(stage: Stage) -> None:
    stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 0)
    with stage.refused("OfferExists", stage.terms.offer):
        stage.rules.send(stage.provider, "publish", stage.head, stage.terms.members, [])


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_every_kind_is_served(stage: Stage, kind: int) -> None:
    assert publish(stage, kind=kind, maxOpen=7).value


def test_an_offer_of_stock_says_where_it_comes_from(stage: Stage) -> None:
    with stage.refused("NotZero", "stock"):
        publish(stage, stock=b"\1" * 32)


def test_what_belongs_to_an_arbiter_is_zero_without_one(stage: Stage) -> None:
    with stage.refused("OutOfRange", "ruleWindow", HOUR_S, 0, 0):
        publish(stage, ruleWindow=HOUR_S)
    with stage.refused("OutOfRange", "contestDeposit", 1, 0, 0):
        publish(stage, contestDeposit=1)


def test_an_arbiter_has_an_hour_to_a_year_and_a_deposit_below_two_to_the_96(stage: Stage) -> None:
    def arbitrate(**changes: Any) -> Any:
        return publish(stage, **stage.market.arbitrated(**changes)._asdict())

    for changes in (
        {"ruleWindow": HOUR_S},
        {"ruleWindow": YEAR_S},
        {"contestDeposit": 0},
        {"contestDeposit": 2**96 - 1},
    ):
        assert arbitrate(**changes).value
    for window_s in (0, HOUR_S - 1, YEAR_S + 1):
        with stage.refused("OutOfRange", "ruleWindow", window_s, HOUR_S, YEAR_S):
            arbitrate(ruleWindow=window_s)
    with stage.refused("OutOfRange", "contestDeposit", 2**96, 0, 2**96 - 1):
        arbitrate(contestDeposit=2**96)


def test_purposes_and_an_authority_belong_together(stage: Stage) -> None:
    with stage.refused("OutOfRange", "purposes", 1, 0, 0):
        publish(stage, purposes=1)
    with stage.refused("OutOfRange", "purposes", 0, 1, LARGEST_WORD):
        publish(stage, authority=SOMEBODY)
    assert publish(stage, authority=SOMEBODY, purposes=LARGEST_WORD).value


def test_an_exact_offer_has_an_authority_and_no_delta_and_takes_no_rho(stage: Stage) -> None:
    exact = {"guarantee": 1, "delta": 0, "authority": SOMEBODY, "purposes": 1}
    free = stage.market.member(stage.dataset, rhoMicro=0)
    assert stage.rules.send(stage.provider, "publish", stage.market.head(**exact), [free], []).value
    with stage.refused("OutOfRange", "authority", 0, 1, 1):
        publish(stage, guarantee=1, delta=0)
    with stage.refused("OutOfRange", "delta", 1, 0, 0):
        publish(stage, **{**exact, "delta": 1})
    with stage.refused("OutOfRange", "rhoMicro", 100, 0, 0):
        publish(stage, **exact)


def test_a_free_offer_has_an_authority(stage: Stage) -> None:
    with stage.refused("OutOfRange", "price", 0, 1, 2**96 - 1):
        publish(stage, cost=0, margin=0)
    assert publish(stage, cost=0, margin=0, authority=SOMEBODY, purposes=1).value


@pytest.mark.parametrize("role", ["arbiter", "authority"])
def test_no_provider_is_arbiter_or_authority_of_its_own_offer(stage: Stage, role: str) -> None:
    head = stage.market.arbitrated(authority=SOMEBODY, purposes=1)._replace(**{role: stage.provider})
    with stage.refused("RoleConflict", role, stage.provider):
        stage.rules.send(stage.provider, "publish", head, stage.terms.members, [])


@pytest.mark.parametrize(("field", "member"), [("kind", 3), ("guarantee", 2)])
def test_what_no_enum_names_is_refused(stage: Stage, field: str, member: int) -> None:
    before = stage.market.evm.snapshot()
    with pytest.raises(Reverted, match=r"Revert|FailedCall"):
        publish(stage, **{field: member})
    assert stage.market.evm.snapshot() == before


LIMITS = [
    ("delta", 1, 10**13),
    ("deliverWindow", 60, YEAR_S),
    ("acceptWindow", 60, YEAR_S),
    ("revealWindow", HOUR_S, YEAR_S),
    ("challengeWindow", HOUR_S, YEAR_S),
    ("licenceSeconds", 1, 10 * YEAR_S),
    ("computeFeeBps", 0, 1_000),
    ("maxOpen", 1, 2**32 - 1),
]


@pytest.mark.parametrize(("field", "least", "most"), LIMITS)
def test_the_least_and_the_most_of_each_number_are_taken(stage: Stage, field: str, least: int, most: int) -> None:
    assert publish(stage, **{field: least}).value != publish(stage, **{field: most, "margin": 1}).value


@pytest.mark.parametrize(("field", "least", "most"), LIMITS)
def test_a_number_below_its_least_is_refused(stage: Stage, field: str, least: int, most: int) -> None:
    if least:
        with stage.refused("OutOfRange", field, least - 1, least, most):
            publish(stage, **{field: least - 1})
    else:
        assert field == "computeFeeBps"


@pytest.mark.parametrize(("field", "least", "most"), [limit for limit in LIMITS if limit[0] != "maxOpen"])
def test_a_number_above_its_most_is_refused(stage: Stage, field: str, least: int, most: int) -> None:
    with stage.refused("OutOfRange", field, most + 1, least, most):
        publish(stage, **{field: most + 1})


def test_a_price_is_above_zero_and_below_two_to_the_96(stage: Stage) -> None:
    most = 2**96 - 1
    assert publish(stage, cost=0, margin=1).value
    assert publish(stage, cost=most, margin=0).value
    with stage.refused("OutOfRange", "price", 0, 1, most):
        publish(stage, cost=0, margin=0)
    with stage.refused("OutOfRange", "price", most + 1, 1, most):
        publish(stage, cost=most, margin=1)
    with stage.refused("OutOfRange", "price", 2 * (2**128 - 1), 1, most):
        publish(stage, cost=2**128 - 1, margin=2**128 - 1)


def test_an_offer_must_not_have_expired_already(stage: Stage) -> None:
    now_s = stage.market.evm.now_s
    assert publish(stage, validUntil=now_s).value
    with stage.refused("OutOfRange", "validUntil", now_s - 1, now_s, 2**64 - 1):
        publish(stage, validUntil=now_s - 1)


def test_a_token_without_code_is_refused(stage: Stage) -> None:
    with stage.refused("TokenWithoutCode", SOMEBODY):
        publish(stage, token=SOMEBODY)


@pytest.mark.parametrize("count", [0, 17])
def test_an_offer_has_one_to_sixteen_members(stage: Stage, count: int) -> None:
    with stage.refused("OutOfRange", "members", count, 1, 16):
        publish_members(stage, *([{}] * count))


@pytest.mark.parametrize("share", [0, 9_999, 10_001, 65_535])
def test_the_shares_sum_to_the_whole(stage: Stage, share: int) -> None:
    with stage.refused("SharesNotWhole", share):
        publish_members(stage, {"shareBps": share})


def test_an_order_takes_at_least_one_micro_rho(stage: Stage) -> None:
    assert publish_members(stage, {"rhoMicro": 1}).value
    assert publish_members(stage, {"rhoMicro": 2**64 - 1}).value
    with stage.refused("OutOfRange", "rhoMicro", 0, 1, 2**64 - 1):
        publish_members(stage, {"rhoMicro": 0})


def test_an_unknown_dataset_is_not_offered(stage: Stage) -> None:
    with stage.refused("UnknownDataset", b"\7" * 32):
        publish_members(stage, {"dataset": b"\7" * 32})


def test_a_member_is_named_with_its_own_provider(stage: Stage) -> None:
    with stage.refused("LeadIsNotAMember", stage.provider):
        publish_members(stage, {"provider": stage.stranger})
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        head = stage.market.head(lead=stage.stranger)
        member = stage.market.member(stage.dataset, provider=stage.stranger)
        stage.rules.send(stage.stranger, "publish", head, [member], [])


def test_nobody_offers_the_dataset_of_another(stage: Stage) -> None:
    head = stage.market.head(lead=stage.stranger)
    with stage.refused("LeadIsNotAMember", stage.stranger):
        stage.rules.send(stage.stranger, "publish", head, stage.terms.members, [])
    own = stage.market.member(stage.dataset, provider=stage.stranger)
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        stage.rules.send(stage.stranger, "publish", head, [own], [])


def test_a_retired_offer_takes_no_order_but_lets_those_it_has_go_on(stage: Stage) -> None:
    life = stage.placed(1)
    (event,) = stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 0).events
    assert (event.name, event.values) == ("OfferRetired", {"offer": stage.terms.offer, "by": stage.provider})
    assert stage.standing.retired
    with stage.refused("OfferIsRetired", stage.terms.offer):
        stage.order(2).place()
    life.deliver()
    life.accept()
    life.reveal()
    life.settle()
    assert life.withdraw_payout().events


def test_only_a_member_retires(stage: Stage) -> None:
    with stage.refused("UnknownMember", stage.terms.offer, 1):
        stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 1)
    with stage.refused("NotAMember", stage.terms.offer, 0, stage.stranger):
        stage.rules.send(stage.stranger, "retire", stage.head, stage.terms.members, 0)


def test_an_offer_is_retired_once(stage: Stage) -> None:
    stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 0)
    with stage.refused("OfferIsRetired", stage.terms.offer):
        stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 0)


def test_an_unknown_offer_is_not_retired(stage: Stage) -> None:
    unknown = stage.market.terms(stage.market.head(maxOpen=5), stage.terms.members)
    with stage.refused("UnknownOffer", unknown.offer):
        stage.rules.send(stage.provider, "retire", unknown.head, unknown.members, 0)
