"""A quote of a joint analysis: asked over HTTPS of real nodes, from public facts alone, computed again by the buyer."""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import pytest

from marketplace.buying.purchase import Questions, Wishes
from marketplace.buying.quote import ask_quote
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_noise import shares
from marketplace.protocol.analysis_quote import Forecast, Lane, Noise, Setting
from marketplace.protocol.offer import Offer
from marketplace.protocol.quote import Quote
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.states import DeclineReason
from node.admission import Rules
from tests.node.pooled import QUESTIONS, SCHEMA, Pool, pooled


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pooled(tmp_path_factory.mktemp("quoting"), (30, 30, 30)) as pool:
        pool.tick()
        yield pool


@pytest.fixture(scope="module")
def offer(pool: Pool) -> Offer:
    found = pool.publish()
    pool.tick()
    return found


def forecast_of(quote: Quote) -> Forecast:
    assert quote.forecast is not None
    return quote.forecast


def test_an_analysis_is_quoted_with_lane_noise_cost_and_every_view_and_no_record_is_opened(
    pool: Pool, offer: Offer
) -> None:
    quoted = ask_quote(pool.client, offer.id, QUESTIONS)
    quote, forecast = quoted.quote, forecast_of(quoted.quote)
    rho_micro, delta = 3 * offer.members[0].rho_micro, delta_of(offer.head.delta_atto)
    assert (quote.rho_micro, quote.price_units, quote.refusal) == (rho_micro, offer.head.price_units, None)
    assert float(quote.epsilon or 0) == pytest.approx(epsilon_of(rho_micro, delta), abs=1e-4)
    assert forecast.setting == Setting(Lane.SUMS, 3, 1, None)
    assert forecast.rounds == 1
    schedule = quoted.specification.schedule(SCHEMA)  # type: ignore[union-attr]
    (expected,) = shares(schedule, rho_micro, 3, 3, 1)
    assert forecast.noise == tuple(
        Noise(share.name, share.cells, f"{sqrt(3 * share.sigma2):.4f}", share.rho_micro) for share in expected
    )
    assert sum(one.rho_micro for one in forecast.noise) <= rho_micro
    assert quote.expectation is None
    assert quote.unknown is None
    assert not [entry for one in pool.hospitals for entry in one.node.vault.account.entries()]


def test_with_a_threshold_of_one_a_party_sees_what_the_offer_promises_and_the_buyer_less(
    pool: Pool, offer: Offer
) -> None:
    quote = ask_quote(pool.client, offer.id, QUESTIONS).quote
    forecast = forecast_of(quote)
    own, outside, promised = (float(text or 0) for text in (forecast.own_view, forecast.outside, quote.epsilon))
    assert outside < own <= promised
    assert own == pytest.approx(promised, rel=0.01)


def test_what_a_member_would_decline_is_told_before_it_is_paid(pool: Pool, offer: Offer) -> None:
    pool.restart(0, Rules(analyses=frozenset({"survival"})))
    pool.tick()
    refusal = ask_quote(pool.client, offer.id, QUESTIONS).quote.refusal
    assert refusal is not None
    assert refusal.code is DeclineReason.RULES
    assert "no analysis of the kind 'count'" in refusal.words
    pool.restart(0)
    pool.tick()


def test_what_no_schema_allows_is_invalid_before_anybody_is_asked(pool: Pool, offer: Offer) -> None:
    grid = replace(QUESTIONS.analyses[1], time="weeks")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="'weeks'"):
        ask_quote(pool.client, offer.id, Questions((grid,)))
    with pytest.raises(Refused, match="threshold"):
        ask_quote(pool.client, offer.id, replace(QUESTIONS, threshold=2))
    with pytest.raises(Invalid, match="expected questions"):
        ask_quote(pool.client, offer.id, Wishes())


@pytest.mark.parametrize(
    "change",
    [
        {"own_view": "0.0001"},
        {"rounds": 2},
        {"noise": ()},
        {"setting": Setting(Lane.SUMS, 3, 1, 1)},
        {"setting": Setting(Lane.SUMS, 4, 1, None)},
    ],
    ids=str,
)
def test_a_node_that_forecasts_otherwise_than_public_facts_say_is_not_believed(
    pool: Pool, offer: Offer, change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from node.endpoint import quote as verb

    def lying(*arguments: object) -> Quote:
        honest = verb_quote(*arguments)  # type: ignore[arg-type]
        return replace(honest, forecast=replace(forecast_of(honest), **change))  # type: ignore[arg-type]

    verb_quote = verb.joint_quote
    monkeypatch.setattr(verb, "joint_quote", lying)
    with pytest.raises(Corrupt, match="that follow from the offer"):
        ask_quote(pool.client, offer.id, Questions((Count(),)))
