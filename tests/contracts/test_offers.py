"""Offers: publish and retire."""

from typing import Any

import pytest

from scripts.benchmarks.market import DAY_S, HOUR_S

from .conftest import Stage

SOMEBODY = "0x" + "11" * 20
YEAR_S = 365 * DAY_S


def publish(stage: Stage, **changes: Any) -> Any:
    """Try an offer like that of the stage, with changes to its head."""
    return stage.rules.send(stage.provider, "publish", stage.market.head(**changes), stage.terms.members)


def publish_members(stage: Stage, *changes: dict[str, Any]) -> Any:
    """Try an offer with a member for each set of changes to the usual one."""
    members = [stage.market.member(stage.dataset)._replace(**change) for change in changes]
    return stage.rules.send(stage.provider, "publish", stage.market.head(maxOpen=5), members)


def test_a_published_offer_is_told_in_full(stage: Stage) -> None:
    head, members = stage.market.head(maxOpen=5), stage.terms.members
    outcome = stage.rules.send(stage.provider, "publish", head, members)
    assert outcome.value == stage.market.terms(head, members).offer
    assert stage.rules.ask("getOffer", outcome.value) == (True, False, 0, 0)
    (event,) = outcome.events
    assert event.name == "OfferPublished"
    assert event.values == {
        "offer": outcome.value,
        "lead": stage.provider,
        "head": head,
        "members": tuple(tuple(member) for member in members),
    }


def test_only_the_lead_publishes(stage: Stage) -> None:
    with stage.refused("NotTheLead", stage.provider, stage.stranger):
        stage.rules.send(stage.stranger, "publish", stage.market.head(maxOpen=5), stage.terms.members)


def test_an_offer_is_published_once(stage: Stage) -> None:
    with stage.refused("OfferExists", stage.terms.offer):
        stage.rules.send(stage.provider, "publish", stage.head, stage.terms.members)


def test_a_retired_offer_is_not_published_again(stage: Stage) -> None:
    stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members_hash)
    with stage.refused("OfferExists", stage.terms.offer):
        stage.rules.send(stage.provider, "publish", stage.head, stage.terms.members)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", 1),
        ("kind", 2),
        ("guarantee", 1),
        ("ruleWindow", 1),
        ("contestDeposit", 1),
        ("purposes", 1),
        ("authority", SOMEBODY),
        ("arbiter", SOMEBODY),
        ("stock", b"\1" * 32),
    ],
)
def test_what_is_not_served_must_be_zero(stage: Stage, field: str, value: Any) -> None:
    with stage.refused("NotServed", field):
        publish(stage, **{field: value})


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


@pytest.mark.parametrize("count", [0, 2, 16])
def test_an_offer_has_exactly_one_member(stage: Stage, count: int) -> None:
    with stage.refused("OutOfRange", "members", count, 1, 1):
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
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        publish_members(stage, {"provider": stage.stranger})


def test_nobody_offers_the_dataset_of_another(stage: Stage) -> None:
    head = stage.market.head(lead=stage.stranger)
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        stage.rules.send(stage.stranger, "publish", head, stage.terms.members)
    own = stage.market.member(stage.dataset, provider=stage.stranger)
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        stage.rules.send(stage.stranger, "publish", head, [own])


def test_a_retired_offer_takes_no_order_but_lets_those_it_has_go_on(stage: Stage) -> None:
    life = stage.placed(1)
    (event,) = stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members_hash).events
    assert (event.name, event.values) == ("OfferRetired", {"offer": stage.terms.offer, "by": stage.provider})
    assert stage.offer.retired
    with stage.refused("OfferIsRetired", stage.terms.offer):
        stage.order(2).place()
    life.deliver()
    life.accept()
    life.reveal()
    life.settle()
    assert life.withdraw_payout().events


def test_only_the_lead_retires(stage: Stage) -> None:
    with stage.refused("NotTheLead", stage.provider, stage.stranger):
        stage.rules.send(stage.stranger, "retire", stage.head, stage.terms.members_hash)


def test_an_offer_is_retired_once(stage: Stage) -> None:
    stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members_hash)
    with stage.refused("OfferIsRetired", stage.terms.offer):
        stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members_hash)


def test_an_unknown_offer_is_not_retired(stage: Stage) -> None:
    unknown = stage.market.terms(stage.market.head(maxOpen=5), stage.terms.members)
    with stage.refused("UnknownOffer", unknown.offer):
        stage.rules.send(stage.provider, "retire", unknown.head, unknown.members_hash)
