"""A pool and an exact offer as their buyer meets them: what is shown, what an order takes, and why one is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.buying.purchase import Purchase
from marketplace.commands import offers as listing
from marketplace.content.store import ContentStore
from marketplace.errors import Invalid, MarketplaceError, Refused
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Ledger
from marketplace.protocol.identity import NOTHING
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.order import pack_versions
from node.home import Keys, Node
from node.pool.draft import OfferDraft
from node.pooling import Part
from node.provider import Listed
from tests.node.examples import ROWS_DECLARED, SCHEMA, WORDS, records
from tests.node.market import EPSILON, HOUR_S, PURSE_UNITS, Market, conditions
from tests.node.test_exact import TOTAL_MICRO, Exact, opened
from tests.node.test_pools import Pool
from tests.node.workplace import STORAGE_KEY

SHARES = (6_000, 4_000)


@dataclass(frozen=True)
class Desk:
    """What a buyer's command works with, on the ledger of a market in this process."""

    market: Market

    def ledger(self) -> Ledger:
        return self.market.ledger

    def follower(self, ledger: Ledger) -> Follower:
        return Follower(ledger)

    def store(self) -> ContentStore:
        return self.market.node.store


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `agora offers` prints about a market."""

    def shown(market: Market, as_json: bool = False) -> str:
        monkeypatch.setattr(listing.Session, "begin", lambda: Desk(market))
        capsys.readouterr()
        listing.offers(as_json)
        return capsys.readouterr().out

    return shown


def document(shown: str, offer: Offer) -> dict[str, Any]:
    (found,) = (each for each in json.loads(shown)["offers"] if each["id"] == offer.id.hex())
    return dict(found)


def paragraph(shown: str, offer: Offer) -> str:
    """What is printed about one offer."""
    (found,) = (each for each in shown.split("\n\n") if offer.id.hex() in each)
    return found


def draft(market: Market, offer: Offer) -> Purchase:
    return market.client.draft(offer.id, rows=50, slot_s=1)


def refused(market: Market, act: Callable[[], object], words: str, kind: type[MarketplaceError] = Refused) -> None:
    """Fails unless `act` is refused with `words`, and no order, budget or money moved."""

    def stand() -> tuple[object, ...]:
        account = market.client.account()
        datasets = [(each.left_micro, each.exact_left) for each in account.datasets.values()]
        return set(account.orders), datasets, market.ledger.balance_units(market.token, market.client.signer.address)

    before = stand()
    with pytest.raises(kind, match=words):
        act()
    assert stand() == before


# ------------------------------------------------------------------------------------------------------------- a pool


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return Pool.open(tmp_path_factory.mktemp("pool"))


@dataclass
class Three:
    """The pool with a third hospital beside it: the fewest that answer an order together."""

    pool: Pool
    third: Node
    listed: Listed

    @classmethod
    def open(cls, pool: Pool) -> "Three":
        market = pool.market
        signer = market.ledger.account(PURSE_UNITS)  # type: ignore[attr-defined]
        third = Node.open(market.folder / "third", Keys(signer, STORAGE_KEY), market.ledger, market.node.store)
        path = records(market.folder / "thirds.csv", seed=10)
        return cls(pool, third, third.provider().list_dataset(path, SCHEMA, WORDS, 10**6, rows_declared=ROWS_DECLARED))

    def draft(self, second: Listed | None = None, **changes: object) -> OfferDraft:
        """An offer of all three, but for `changes`; `second`: another dataset of the second's."""
        pool = self.pool
        listed = (pool.market.listed, second or pool.listed, self.listed)
        parts = [Part(each.dataset, share) for each, share in zip(listed, (6_000, 3_000, 1_000), strict=True)]
        return pool.lead.draft(parts, conditions(pool.market.token, **changes), pool.now_s())

    def publish(self, second: Listed | None = None, **changes: object) -> Offer:
        made, third = self.draft(second, **changes), self.third.pooling()
        now_s = self.pool.now_s()
        consents = [self.pool.consent(made), third.consent(third.asked(made), now_s + HOUR_S, now_s)]
        return self.pool.lead.publish(made, consents, now_s).offer

    def used_micro(self) -> tuple[int, ...]:
        return (*self.pool.used_micro(), self.pool.market.ledger.dataset(self.listed.dataset).used_micro)


@pytest.fixture(scope="module")
def three(pool: Pool) -> Three:
    return Three.open(pool)


@pytest.fixture(scope="module")
def small(three: Three) -> tuple[Offer, Listed]:
    """An offer in which the budget of one member's dataset is enough for one order alone, and that dataset."""
    pool = three.pool
    rho_micro = three.draft().offer.members[0].rho_micro
    path = records(pool.market.folder / "small.csv", seed=9)
    listed = pool.other.provider().list_dataset(path, SCHEMA, WORDS, 2 * rho_micro - 1, rows_declared=ROWS_DECLARED)
    return three.publish(listed), listed


def test_a_pool_is_shown_with_every_member_its_share_and_what_is_promised(
    pool: Pool, offers: Callable[..., str]
) -> None:
    offer = pool.publish(max_open=31)
    shown, entry = paragraph(offers(pool.market), offer), pool.market.client.entry(offer.id)
    assert f"guarantee  dp: epsilon {entry.epsilon:.4f}, delta" in shown
    assert "for a person in one of the datasets" in shown
    assert 0 < entry.epsilon < EPSILON
    by_dataset = dict(zip((pool.market.listed.dataset, pool.listed.dataset), SHARES, strict=True))
    for member in offer.members:
        share = f"{by_dataset[member.dataset] / 100:g} % of the price"
        assert f"dataset    {member.dataset.hex()}\n    of       {member.provider}, {share}" in shown
        assert f"{member.rho_micro:,} micro, of " in shown
    told = document(offers(pool.market, as_json=True), offer)
    assert told["guarantee"] == "dp"
    assert {each["dataset"]: each["share_bps"] for each in told["members"]} == {
        dataset.hex(): share for dataset, share in by_dataset.items()
    }
    assert {each["provider"] for each in told["members"]} == {member.provider for member in offer.members}


def test_an_order_of_a_pool_takes_the_rho_of_every_member_and_the_price_once(three: Three) -> None:
    market, offer = three.pool.market, three.publish(max_open=32)
    before, left = three.used_micro(), market.client.entry(offer.id).orders_left
    balance_units = market.ledger.balance_units(market.token, market.client.signer.address)
    purchase = draft(market, offer)
    assert [source.member for source in purchase.entry.sources] == list(offer.members)
    assert purchase.order.versions == pack_versions([1, 1, 1])
    assert three.used_micro() == before
    order = market.client.place(purchase).order
    rho_micro = offer.members[0].rho_micro
    assert rho_micro > 0
    assert three.used_micro() == tuple(used + rho_micro for used in before)
    paid_units = balance_units - market.ledger.balance_units(market.token, market.client.signer.address)
    assert paid_units == offer.head.price_units
    assert market.order(order).order.offer == offer.id
    assert market.client.entry(offer.id).orders_left == left - 1
    market.assert_sound()


def test_where_the_budget_of_one_member_is_too_small_nothing_of_the_others_is_taken(
    pool: Pool, small: tuple[Offer, Listed], offers: Callable[..., str]
) -> None:
    (offer, listed), market = small, pool.market
    rho_micro = offer.members[0].rho_micro
    first, second = draft(market, offer), draft(market, offer)
    assert market.client.entry(offer.id).orders_left == 1
    market.client.place(first)
    refused(market, lambda: market.client.place(second), f"at most {rho_micro - 1} micro-rho, which dataset")
    refused(
        market,
        lambda: draft(market, offer),
        f"expected a budget of {rho_micro} micro-rho, the dataset has {rho_micro - 1} left",
    )
    assert market.client.account().datasets[listed.dataset].left_micro == rho_micro - 1
    assert document(offers(market, as_json=True), offer)["orders_left"] == 0


def test_a_pool_that_a_member_retired_is_neither_shown_nor_drafted_nor_placed(
    three: Three, offers: Callable[..., str]
) -> None:
    market, offer = three.pool.market, three.publish(max_open=33)
    drafted = draft(market, offer)
    assert offer.id.hex() in offers(market)
    three.pool.other.provider().retire(offer.id)
    assert offer.id.hex() not in offers(market)
    refused(market, lambda: draft(market, offer), "expected an open offer; this one is retired")
    refused(market, lambda: market.client.place(drafted), f"expected an offer that is on sale, got .*{offer.id.hex()}")


def test_a_pool_whose_consent_expired_before_it_was_published_is_never_on_sale(
    pool: Pool, offers: Callable[..., str]
) -> None:
    market, made = pool.market, pool.draft(max_open=34)
    consent = pool.consent(made).consent
    market.pass_time(HOUR_S + 1)
    refused(
        market,
        lambda: market.ledger.publish(market.node.keys.signer, made.offer.head, made.offer.members, [consent]),
        f"expected a consent for dataset .*{pool.listed.dataset.hex()} that lasts",
    )
    assert made.offer.id.hex() not in offers(market)
    refused(market, lambda: draft(market, made.offer), "expected the id of a published offer", Invalid)


# ------------------------------------------------------------------------------------------------------ an exact offer


@pytest.fixture
def exact(tmp_path: Path) -> Exact:
    """An exact offer with an allowance of two orders, and a buyer who holds a permit."""
    return opened(tmp_path)


def test_an_exact_offer_is_shown_without_a_promise_and_takes_one_of_the_allowance(
    exact: Exact, offers: Callable[..., str]
) -> None:
    market, offer = exact.market, exact.offer
    shown, told = paragraph(offers(market), offer), document(offers(market, as_json=True), offer)
    assert "guarantee  exact: nothing is added to protect a person" in shown
    assert f"permit     of {exact.authority.address}" in shown
    assert "one of 2 exact orders left in epoch " in shown
    assert "epsilon" not in shown
    assert (told["guarantee"], told["epsilon"], told["rho_micro"]) == ("exact", None, 0)
    assert [(each["share_bps"], each["exact_left"]) for each in told["members"]] == [(10_000, 2)]

    purchase = draft(market, offer)
    assert purchase.entry.view.offer.head.guarantee is Guarantee.EXACT
    assert purchase.permit is not None
    assert purchase.permit.authority == exact.authority.address
    assert purchase.order.permit == purchase.permit.id
    market.client.place(purchase)
    assert market.client.account().datasets[market.listed.dataset].exact_left == 1
    assert market.used_micro() == 0
    assert market.client.entry(offer.id).orders_left == 1
    assert "one of 1 exact orders left in epoch " in paragraph(offers(market), offer)


def test_an_exact_order_is_refused_without_a_permit_beyond_the_allowance_and_after_the_offer(exact: Exact) -> None:
    market, offer, client = exact.market, exact.offer, exact.market.client
    stranger = replace(client, signer=market.ledger.account(PURSE_UNITS))  # type: ignore[attr-defined]
    refused(
        market,
        lambda: stranger.draft(offer.id, rows=50, slot_s=1),
        f"expected a live permit of {exact.authority.address} .* you hold none that fits, ask the authority",
    )
    purchase = draft(market, offer)
    bare = replace(purchase, order=replace(purchase.order, permit=NOTHING))
    refused(market, lambda: client.place(bare), f"expected a granted permit, got 0x{NOTHING.hex()}")
    taken = replace(purchase, order=replace(purchase.order, buyer=stranger.signer.address))
    refused(market, lambda: stranger.place(taken), f"to be held by {stranger.signer.address}")

    late = draft(market, offer)
    for each in (purchase, draft(market, offer)):
        client.place(each)
    dataset = market.listed.dataset
    spent = f"expected an allowance of exact orders, that of dataset {dataset.hex()[:16]}... is used up; wait for"
    refused(market, lambda: draft(market, offer), spent)
    refused(market, lambda: client.place(late), f"expected fewer than 2 exact orders of dataset .*{dataset.hex()}")

    market.node.provider().open_epoch(dataset, TOTAL_MICRO, 1, "One exact twin more.")
    again = draft(market, offer)
    market.node.provider().retire(offer.id)
    refused(market, lambda: draft(market, offer), "expected an open offer; this one is retired")
    refused(market, lambda: client.place(again), f"expected an offer that is on sale, got .*{offer.id.hex()}")
