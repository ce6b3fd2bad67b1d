"""The verb `quote` over a ledger and a store alone: what it tells, to whom, and what nobody is told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.buying.listing import read_entry
from marketplace.buying.purchase import Wishes, specification_of
from marketplace.content.store import put_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.ids import Domain
from marketplace.ledger.signatures import sign_quote_request
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import Account
from marketplace.protocol.chunks import LONGEST_LIFE_S
from marketplace.protocol.constraints import Condition
from marketplace.protocol.identity import Address, OfferId
from marketplace.protocol.offer import Offer
from marketplace.protocol.quote import NO_KEY, NO_NONCE, Quote, QuoteRequest
from marketplace.protocol.specification import Workload
from marketplace.protocol.states import DeclineReason
from node.admission import Rules
from node.endpoint.quote import Quotes
from tests.buying.world import World, build
from tests.certificate.examples import RHO_MICRO
from tests.synthesis.test_prediction import modules_behind


@dataclass
class Counter:
    """The verb of the world's provider, who has no node, no vault and no folder. `notes`: what it noted."""

    world: World
    offer: Offer
    quotes: Quotes
    notes: list[str]

    def request(self, offer: Offer | None = None, wishes: Wishes | None = None) -> QuoteRequest:
        """What the buyer asks."""
        client, at_s = self.world.client(), self.world.ledger.now_s() + 60
        entry = read_entry(client.account(), (offer or self.offer).id, self.world.store)
        return QuoteRequest(
            self.world.buyer.address, specification_of(entry, wishes or Wishes(), NO_KEY, NO_NONCE), at_s
        )

    def signed(self, request: QuoteRequest, by: LocalSigner | None = None, domain: Domain | None = None) -> bytes:
        """The request as it is sent, signed by the buyer for this marketplace, or by and for another."""
        signature = sign_quote_request(by or self.world.buyer, domain or self.world.ledger.domain, request)
        return request.encode(signature)

    def ask(self, offer: Offer | None = None, wishes: Wishes | None = None) -> Quote:
        """The answer that the buyer gets."""
        return Quote.decode(self.quotes.answer(self.signed(self.request(offer, wishes))))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = build(EmbeddedLedger(), tmp_path_factory.mktemp("wallet"))
    world.standing = world.provider.offer()
    return world


@pytest.fixture
def counter(world: World) -> Iterator[Counter]:
    assert world.standing is not None
    notes: list[str] = []
    quotes = Quotes(
        provider=world.provider.signer.address,
        account=lambda: world.client().account(),
        ledger=world.ledger,
        store=world.store,
        rules=Rules(),
        keeps_identifiers=lambda _: False,
        clock=lambda: 0,
        note=notes.append,
    )
    yield Counter(world, world.standing, quotes, notes)


# ---------------------------------------------------------------------------------------------------------- what is told


def test_a_quote_has_price_rho_epsilon_and_every_score_with_its_ends(counter: Counter) -> None:
    request = counter.request()
    quote = Quote.decode(counter.quotes.answer(counter.signed(request)))
    head = counter.offer.head
    assert quote.specification == request.digest
    assert (quote.price_units, quote.delta_atto, quote.rho_micro) == (head.price_units, head.delta_atto, RHO_MICRO)
    assert quote.epsilon is not None
    assert 0.5 < float(quote.epsilon) < 2
    assert quote.refusal is None
    expected = quote.expectation
    assert expected is not None
    assert [score.name for score in expected.scores] == ["l1_1way", "l1_2way", "l1_3way", "missingness"]
    assert (expected.decisive, expected.below_floor, expected.rows_needed) == ("l1_3way", False, None)
    assert expected.seconds >= 1
    assert counter.notes == []


def test_a_workload_is_expected_by_its_own_score(counter: Counter) -> None:
    expected = counter.ask(wishes=Wishes(workload=Workload((("sex", "age"),)))).expectation
    assert expected is not None
    assert (expected.scores[-1].name, expected.decisive) == ("workload", "workload")


def test_two_datasets_with_the_same_public_facts_get_the_same_quote(counter: Counter) -> None:
    provider = counter.world.provider
    other = provider.list_dataset()
    provider.revise(other)
    again = provider.offer(other, staked_units=0)
    account = counter.world.client().account()
    datasets = [account.datasets[offer.members[0].dataset] for offer in (counter.offer, again)]
    assert datasets[0].versions[-1].commitment != datasets[1].versions[-1].commitment
    first, second = (replace(counter.ask(offer), specification=b"") for offer in (counter.offer, again))
    assert first == second


def test_nothing_that_opens_records_is_within_reach_of_the_verb() -> None:
    behind = set(modules_behind("node.endpoint.quote"))
    assert "node.admission" in behind
    assert not [name for name in behind if name.startswith("node.vault")]
    assert not behind & {"node.synthesis.records", "node.synthesis.measuring", "node.evaluation.released"}


# ----------------------------------------------------------------------------------------------------- what it would not


def test_few_records_are_refused_with_how_many_would_do(counter: Counter) -> None:
    provider = counter.world.provider
    few = replace(provider, description=replace(provider.description, rows_declared=120))
    offer = few.offer(few.list_dataset(), staked_units=0)
    quote = counter.ask(offer)
    assert quote.refusal is not None
    assert quote.refusal.code is DeclineReason.RULES
    assert "worse than a shuffle of the columns" in quote.refusal.words
    expected = quote.expectation
    assert expected is not None
    assert expected.below_floor
    assert expected.rows_needed is not None
    assert expected.rows_needed > 120
    assert f"{expected.rows_needed:,} records like these" in quote.refusal.words
    counter.quotes.rules = Rules(below_floor=True)
    assert counter.ask(offer).refusal is None


def test_what_admission_would_say_is_said_before_the_order(counter: Counter) -> None:
    counter.quotes.rules = Rules(buyers=frozenset())
    refusal = counter.ask().refusal
    assert refusal is not None
    assert "named buyers only" in refusal.words
    counter.quotes.rules = Rules(rows_per_declared=1)
    too_many = counter.ask(wishes=Wishes(rows=15_001)).refusal
    assert too_many is not None
    assert "at most 1 synthetic rows" in too_many.words


def test_a_generator_that_was_never_fitted_is_quoted_without_scores(counter: Counter) -> None:
    quote = counter.ask(wishes=Wishes(generator="unheard-of"))
    assert (quote.expectation, quote.unknown) == (None, "no runs of unheard-of on public tables are on record")
    assert quote.refusal is not None
    assert "this node serves other generators" in quote.refusal.words


def test_a_wish_that_the_schema_rules_out_is_refused_without_scores(counter: Counter) -> None:
    request = counter.request()
    wrong = replace(request.specification, only=(Condition("height", present=True),))
    quote = Quote.decode(counter.quotes.answer(counter.signed(replace(request, specification=wrong))))
    assert (quote.expectation, quote.unknown) == (None, "it cannot be made as it is asked for")
    assert quote.refusal is not None
    assert (quote.refusal.code, "'height'" in quote.refusal.words) == (DeclineReason.SPECIFICATION, True)


def test_a_retired_offer_and_a_spent_budget_are_told(counter: Counter) -> None:
    provider = counter.world.provider
    retired = provider.offer(staked_units=0)
    provider.ledger.retire(provider.signer, retired)
    refusal = counter.ask(retired).refusal
    assert refusal is not None
    assert "no longer open" in refusal.words
    poor = provider.offer(provider.list_dataset(RHO_MICRO - 1), staked_units=0)
    refusal = counter.ask(poor).refusal
    assert refusal is not None
    assert (refusal.code, "does not pay" in refusal.words) == (DeclineReason.BUDGET, True)


# -------------------------------------------------------------------------------------------------------- who gets none


def test_only_the_account_that_asks_signs_for_it_and_just_this_request(counter: Counter) -> None:
    request = counter.request()
    elsewhere = Domain(counter.world.ledger.domain.chain_id + 1, counter.world.ledger.domain.contract)
    bodies = [
        counter.signed(request, by=LocalSigner.random()),
        counter.signed(request, domain=elsewhere),
        request.encode(b""),
        request.encode(bytes(65)),
    ]
    signature = sign_quote_request(counter.world.buyer, counter.world.ledger.domain, request)
    for changes in (
        {"until_s": request.until_s + 1},
        {"specification": replace(request.specification, rows=7)},
        {"buyer": Address("0x" + "11" * 20)},
    ):
        bodies.append(replace(request, **changes).encode(signature))
    for body in bodies:
        with pytest.raises(Refused, match="the signature of the account that asks"):
            counter.quotes.answer(body)


def test_a_request_holds_until_its_last_second_and_for_an_hour_at_most(counter: Counter) -> None:
    now_s, request = counter.world.ledger.now_s(), counter.request()
    for until_s in (now_s, now_s + LONGEST_LIFE_S):
        counter.quotes.answer(counter.signed(replace(request, until_s=until_s)))
    with pytest.raises(Refused, match="has expired"):
        counter.quotes.answer(counter.signed(replace(request, until_s=now_s - 1)))
    with pytest.raises(Refused, match="at most 3600 s"):
        counter.quotes.answer(counter.signed(replace(request, until_s=now_s + LONGEST_LIFE_S + 1)))


def test_another_providers_offer_and_stock_are_not_quoted(counter: Counter) -> None:
    request = counter.request()
    unknown = replace(request.specification, offer=OfferId(b"u" * 32))
    with pytest.raises(Refused, match="an offer of this provider"):
        counter.quotes.answer(counter.signed(replace(request, specification=unknown)))
    account = counter.world.client().account()
    view = account.offers[counter.offer.id]
    stock = replace(view, offer=replace(view.offer, head=replace(view.offer.head, stock=b"r" * 32)))
    counter.quotes.account = lambda: replace(account, offers={**account.offers, counter.offer.id: stock})
    with pytest.raises(Refused, match="sells an earlier one"):
        counter.quotes.answer(counter.signed(request))
    counter.quotes.provider = Address("0x" + "11" * 20)
    with pytest.raises(Refused, match="an offer of this provider"):
        counter.quotes.answer(counter.signed(request))


def test_bytes_that_are_no_request_are_invalid(counter: Counter) -> None:
    for body in (b"", b"{}", b"x" * 8_192):
        with pytest.raises(Invalid):
            counter.quotes.answer(body)


def test_trouble_in_the_node_is_told_to_its_provider_alone(counter: Counter) -> None:
    body, nothing = counter.signed(counter.request()), list[Account | None]([None])
    store, counter.quotes.store = counter.quotes.store, counter.world.store.copy()
    counter.quotes.store.answers = 0  # type: ignore[attr-defined]
    with pytest.raises(Unreachable, match="cannot give one now") as raised:
        counter.quotes.answer(body)
    assert len(counter.notes) == 1
    assert counter.notes[0] not in str(raised.value)
    counter.quotes.store, counter.quotes.account = store, lambda: nothing[0]
    with pytest.raises(Unreachable, match="has only begun"):
        counter.quotes.answer(body)


def test_a_description_that_is_none_is_corrupt(counter: Counter, tmp_path: Path) -> None:
    provider = counter.world.provider
    digest = put_bytes(counter.world.store, b"no description").digest
    dataset, _ = provider.ledger.register(provider.signer, b"salt" * 8, b"c" * 32, digest, 10 * RHO_MICRO)
    offer = provider.offer(dataset, staked_units=0)
    wrong = replace(counter.request().specification, offer=offer.id)
    with pytest.raises(Corrupt, match="some are damaged"):
        counter.quotes.answer(counter.signed(replace(counter.request(), specification=wrong)))
