"""Two hospitals that sell one offer together, on a ledger in this process: drafts, consents, and their refusal."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.content.store import put_bytes
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger import ids
from marketplace.protocol import canonical
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Consent, Guarantee, Member, Offer
from marketplace.protocol.order import CODEC_RAW, Delivery, pack_versions
from marketplace.protocol.rho import LARGEST_DELTA_ATTO
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.protocol.unit import PrivacyUnit
from node.admission import Holding, Rules
from node.commands.pools import consent_lines
from node.daemon import Daemon
from node.home import Keys, Node
from node.pool.consent import SignedConsent, objection_to_consent
from node.pool.countersignature import Countersignature, DeliveryDraft
from node.pool.draft import OfferDraft
from node.pooling import Part, Pooling
from node.provider import Listed
from node.work import Abstain, Close, Decline, Refund, Release
from tests.node.examples import ROWS_DECLARED, SCHEMA, WORDS, records
from tests.node.market import HOUR_S, PURSE_UNITS, Market, conditions, embedded_market
from tests.node.workplace import STORAGE_KEY

LASTS_S = 30 * 24 * HOUR_S
AT_PROVIDER = PrivacyUnit.PERSON_AT_PROVIDER


@dataclass
class Pool:
    """A market and another hospital beside it, with a dataset of its own."""

    market: Market
    other: Node
    listed: Listed

    @classmethod
    def open(cls, folder: Path) -> "Pool":
        market = embedded_market(folder)
        market.stake(50)
        signer = market.ledger.account(PURSE_UNITS)  # type: ignore[attr-defined]
        other = Node.open(folder / "other", Keys(signer, STORAGE_KEY), market.ledger, market.node.store)
        path = records(folder / "others.csv", seed=8)
        listed = other.provider().list_dataset(path, SCHEMA, WORDS, 10**6, rows_declared=ROWS_DECLARED)
        return cls(market, other, listed)

    def both_units(self) -> "Pool":
        """The same market and hospitals, whose rules let in either privacy unit."""
        rules = Rules(units=frozenset(PrivacyUnit))
        market = replace(self.market, node=replace(self.market.node, rules=rules))
        return Pool(market, replace(self.other, rules=rules), self.listed)

    @property
    def lead(self) -> Pooling:
        return self.market.node.pooling()

    @property
    def member(self) -> Pooling:
        return self.other.pooling()

    def now_s(self) -> int:
        return self.market.ledger.now_s()

    def draft(self, shares: tuple[int, int] = (6_000, 4_000), **changes: object) -> OfferDraft:
        """An offer of both, led by the market's hospital, but for `changes`."""
        parts = [Part(self.market.listed.dataset, shares[0]), Part(self.listed.dataset, shares[1])]
        return self.lead.draft(parts, conditions(self.market.token, **changes), self.now_s())

    def altered(self, draft: OfferDraft, **changes: Any) -> OfferDraft:
        """The draft with another head, or with other members."""
        members = changes.pop("members", draft.offer.members)
        head = replace(draft.offer.head, **changes)
        return OfferDraft(draft.domain, ids.offer(draft.domain, head, members))

    def consent(self, draft: OfferDraft) -> SignedConsent:
        until_s = self.now_s() + HOUR_S
        return self.member.consent(self.member.asked(draft), until_s, self.now_s())

    def publish(self, **changes: object) -> Offer:
        draft = self.draft(**changes)
        return self.lead.publish(draft, [self.consent(draft)], self.now_s()).offer

    def place(self, offer: Offer) -> OrderId:
        purchase = self.market.draft()
        specification = replace(purchase.specification, offer=offer.id)
        digest = put_bytes(self.market.node.store, specification.encode()).digest
        return self.market.place_changed(purchase, offer=offer.id, specification=digest, versions=pack_versions([1, 1]))

    def used_micro(self) -> tuple[int, int]:
        datasets = (self.market.listed.dataset, self.listed.dataset)
        first, second = (self.market.ledger.dataset(dataset).used_micro for dataset in datasets)
        return first, second


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return Pool.open(tmp_path_factory.mktemp("pool"))


# ------------------------------------------------------------------------------------------------ drafting, consenting


def test_a_pool_is_drafted_consented_to_and_published(pool: Pool) -> None:
    draft = OfferDraft.decode(pool.draft(max_open=3).encode())
    signed = SignedConsent.decode(pool.consent(draft).encode())
    published = pool.lead.publish(draft, [signed], pool.now_s())
    assert published.offer == draft.offer
    assert pool.market.ledger.offer(draft.offer.id).published
    datasets = [member.dataset for member in draft.offer.members]
    assert datasets == sorted([pool.market.listed.dataset, pool.listed.dataset])
    assert {member.provider for member in draft.offer.members} == {
        pool.market.node.keys.signer.address,
        pool.other.keys.signer.address,
    }
    pool.market.assert_sound()


def test_one_person_at_every_member_costs_no_more_than_the_epsilon_of_the_draft(pool: Pool) -> None:
    draft = pool.draft(epsilon=1.0)
    together = replace(draft.offer, members=(replace(draft.offer.members[0], rho_micro=0),))
    rho_micro = sum(member.rho_micro for member in draft.offer.members)
    whole = replace(together, members=(replace(draft.offer.members[0], rho_micro=rho_micro),))
    assert whole.epsilon() <= 1.0
    assert len({member.rho_micro for member in draft.offer.members}) == 1
    assert draft.offer.head.delta_atto * 10 * 2 * ROWS_DECLARED <= 10**18


def test_of_a_person_at_one_provider_each_member_is_charged_all_of_the_drafts_epsilon(pool: Pool) -> None:
    whole, parts = pool.both_units().draft(epsilon=1.0, unit=AT_PROVIDER).offer, pool.draft(epsilon=1.0).offer
    assert 0.999 < whole.epsilon(0) == whole.epsilon(1) <= 1.0
    assert {member.rho_micro // 2 for member in whole.members} == {member.rho_micro for member in parts.members}
    assert (whole.head.unit, parts.head.unit) == (AT_PROVIDER, PrivacyUnit.PERSON)
    assert whole.id != parts.id


def test_a_unit_that_the_lead_or_a_member_does_not_answer_for_is_neither_drafted_nor_consented_to(pool: Pool) -> None:
    with pytest.raises(Invalid, match="a privacy unit that this node answers for, got person-at-provider"):
        pool.draft(unit=AT_PROVIDER)
    draft = pool.both_units().draft(unit=AT_PROVIDER)
    assert "a person with records at k providers would lose k * k times the rho" in refusal(pool, draft)
    signed = pool.both_units().consent(draft)
    assert pool.lead.publish(draft, [signed], pool.now_s()).offer.head.unit is AT_PROVIDER


def test_a_consent_is_to_one_unit_alone(pool: Pool) -> None:
    draft = pool.both_units().draft(unit=AT_PROVIDER, max_open=2)
    other = pool.altered(draft, unit=PrivacyUnit.PERSON)
    with pytest.raises(Invalid, match="expected consents to this very offer"):
        pool.lead.publish(draft, [pool.consent(other)], pool.now_s())
    assert OfferDraft.decode(draft.encode()) == draft != other


def test_what_a_member_reads_says_whom_the_offer_protects(pool: Pool) -> None:
    drafts = (pool.draft(epsilon=1.0), pool.both_units().draft(epsilon=1.0, unit=AT_PROVIDER))
    everywhere, once = ("\n".join(consent_lines(pool.member.asked(each), pool.now_s() + HOUR_S)) for each in drafts)
    assert "unit        one person, wherever it has records" in everywhere
    assert "together    epsilon 0.99" in everywhere or "together    epsilon 1.0" in everywhere
    assert "beware" not in everywhere
    assert "unit        one person at one provider" in once
    assert "together    epsilon 2." in once
    assert "one at k of them loses k * k times the rho" in once


@pytest.mark.parametrize(
    ("shares", "changes", "words"),
    [
        ((6_000, 4_001), {}, "sum of shares"),
        ((6_000, 4_000), {"bond_units": 1, "max_open": 0}, "number of open orders"),
        ((6_000, 4_000), {"licence_days": 0}, "1 day or more"),
    ],
)
def test_a_draft_that_the_marketplace_would_not_take_is_invalid(
    pool: Pool, shares: tuple[int, int], changes: dict[str, object], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        pool.draft(shares, **changes)


def test_a_draft_of_an_unknown_dataset_is_invalid(pool: Pool) -> None:
    with pytest.raises(Invalid, match="expected registered datasets"):
        pool.lead.draft([Part(b"x" * 32, 10_000)], conditions(pool.market.token), pool.now_s())  # type: ignore[arg-type]


def refusal(pool: Pool, draft: OfferDraft, member: Pooling | None = None, until_s: int | None = None) -> str:
    """Why a consent is refused."""
    asking = member or pool.member
    with pytest.raises(Refused, match="nothing was signed") as refused:
        asking.consent(asking.asked(draft), until_s or pool.now_s() + HOUR_S, pool.now_s())
    return str(refused.value)


def test_a_consent_ends_after_now_and_by_the_end_of_the_offer(pool: Pool) -> None:
    draft = pool.draft()
    valid_until_s = draft.offer.head.valid_until_s
    for until_s in (pool.now_s(), 1, valid_until_s + 1):
        assert "end after now" in refusal(pool, draft, until_s=until_s)
    pool.member.consent(pool.member.asked(draft), valid_until_s, pool.now_s())


def test_an_offer_of_another_marketplace_or_that_is_published_is_refused(pool: Pool) -> None:
    draft = pool.draft(max_open=5)
    assert "another marketplace" in refusal(pool, replace(draft, domain=replace(draft.domain, chain_id=1)))
    pool.lead.publish(draft, [pool.consent(draft)], pool.now_s())
    assert "published already" in refusal(pool, draft)


def test_only_another_than_the_lead_with_a_dataset_in_it_consents(pool: Pool) -> None:
    draft = pool.draft()
    assert "you lead it" in refusal(pool, draft, pool.lead)
    stranger = replace(
        pool.other, keys=Keys(pool.market.client.signer, STORAGE_KEY), folder=pool.market.folder / "third"
    )
    assert "no dataset in it is yours" in refusal(pool, draft, stranger.pooling())


def test_a_dataset_that_is_not_the_members_is_refused(pool: Pool) -> None:
    draft = pool.draft()
    other, me = pool.other.keys.signer.address, pool.market.node.keys.signer.address
    swapped = tuple(replace(member, provider=other if member.provider == me else me) for member in draft.offer.members)
    assert "is not registered as yours" in refusal(pool, pool.altered(draft, members=swapped))
    unknown = tuple(
        sorted(
            (Member(b"\x01" * 32, me, 6_000, 5), next(each for each in draft.offer.members if each.provider == other)),  # type: ignore[arg-type]
            key=lambda member: member.dataset,
        )
    )
    whole = tuple(replace(member, share_bps=5_000) for member in unknown)
    assert "is not registered as its member's" in refusal(pool, pool.altered(draft, members=whole))


def test_what_contradicts_the_members_rules_and_account_is_refused(pool: Pool) -> None:
    draft = pool.draft()
    strict = pool.other.pooling(Rules(epsilon_at_most=0.1))
    assert "an epsilon of at most 0.1" in refusal(pool, draft, strict)
    assert "exact results of its own records only" in refusal(
        pool,
        pool.altered(
            draft,
            guarantee=Guarantee.EXACT,
            delta_atto=0,
            authority=pool.market.client.signer.address,
            purposes=1,
            members=tuple(replace(member, rho_micro=0) for member in draft.offer.members),
        ),
    )
    dear = tuple(replace(member, rho_micro=10**6 + 1) for member in draft.offer.members)
    assert "more than is left" in refusal(pool, pool.altered(draft, members=dear))
    assert pool.listed.description.rows_declared < 10_000
    assert "the marketplace would not take it" in refusal(pool, pool.altered(draft, delta_atto=LARGEST_DELTA_ATTO + 1))


def test_a_delta_that_is_too_large_for_the_members_rows_is_refused(tmp_path: Path) -> None:
    pool = Pool.open(tmp_path)
    path = records(tmp_path / "many.csv", seed=9)
    many = pool.other.provider().list_dataset(path, SCHEMA, WORDS, 10**6, rows_declared=1_000_000)
    parts = [Part(pool.market.listed.dataset, 5_000), Part(many.dataset, 5_000)]
    draft = pool.lead.draft(parts, conditions(pool.market.token), pool.now_s())
    assert "delta is too large for the 1,000,000 rows" in refusal(pool, pool.altered(draft, delta_atto=10**12))


def test_a_consent_needs_the_very_records_and_their_rho_in_the_nodes_account_and_in_the_ledgers(pool: Pool) -> None:
    asked, now_s = pool.member.asked(pool.draft()), pool.now_s()
    (stake,) = asked.stakes
    member, dataset = asked.draft.offer.members[stake.index], asked.account.datasets[pool.listed.dataset]
    holding = stake.holding
    assert holding is not None

    def objection(holding: Holding, used_micro: int) -> str | None:
        datasets = {**asked.account.datasets, dataset.id: replace(dataset, used_micro=used_micro)}
        account = replace(asked.account, datasets=datasets)
        changed = replace(asked, stakes=(replace(stake, holding=holding),), account=account)
        return objection_to_consent(changed, Rules(), now_s + HOUR_S, now_s)

    just = replace(holding, left_micro=member.rho_micro)
    spent = dataset.total_micro - member.rho_micro
    assert objection(just, spent) is None
    assert "take more than is left" in (objection(replace(just, left_micro=member.rho_micro - 1), spent) or "")
    assert "take more than is left" in (objection(just, spent + 1) or "")
    assert "holds other records" in (objection(replace(just, commitment=b"x" * 32), spent) or "")


def test_a_version_that_the_vault_does_not_hold_is_refused(tmp_path: Path) -> None:
    pool = Pool.open(tmp_path)
    signer, dataset = pool.other.keys.signer, pool.listed.dataset
    description = pool.market.client.account().datasets[dataset].versions[0].description
    pool.market.ledger.revise(signer, dataset, b"c" * 32, description)
    assert "does not hold version 2" in refusal(pool, pool.draft())
    empty = replace(pool.other, folder=tmp_path / "elsewhere").pooling()
    assert "does not hold version 2" in refusal(pool, pool.draft(), empty)


# ------------------------------------------------------------------------------------------------------- publishing


def test_a_pool_is_not_published_without_every_members_consent_to_this_very_offer(pool: Pool) -> None:
    draft, block = pool.draft(max_open=7), pool.market.ledger.head_block
    signed = pool.consent(draft)
    before = block()
    with pytest.raises(Invalid, match="got none; ask it"):
        pool.lead.publish(draft, [], pool.now_s())
    with pytest.raises(Invalid, match="to another; ask again"):
        pool.lead.publish(pool.altered(draft, max_open=8), [signed], pool.now_s())
    with pytest.raises(Invalid, match="has expired"):
        pool.lead.publish(draft, [signed], signed.consent.until_s + 1)
    with pytest.raises(Invalid, match="a draft of your own"):
        pool.member.publish(draft, [signed], pool.now_s())
    forged = replace(signed, consent=Consent(signed.consent.until_s + 1, signed.consent.signature))
    with pytest.raises(Corrupt, match="expected a signature of"):
        pool.lead.publish(draft, [forged], pool.now_s())
    assert block() == before


def test_any_member_retires_an_offer_and_nobody_else(pool: Pool) -> None:
    offer = pool.publish(max_open=9)
    stranger = replace(pool.other, keys=Keys(pool.market.client.signer, STORAGE_KEY))
    with pytest.raises(Refused, match="only they retire it"):
        stranger.provider().retire(offer.id)
    with pytest.raises(Invalid, match="none of this id"):
        pool.other.provider().retire(b"x" * 32)  # type: ignore[arg-type]
    pool.other.provider().retire(offer.id)
    assert pool.market.ledger.offer(offer.id).retired


# ----------------------------------------------------------------------------------------------------------- orders


def other_daemon(pool: Pool, happened: list[Any]) -> Daemon:
    return pool.other.daemon(happened.append, clock=pool.now_s)


def test_an_order_of_too_few_is_declined_before_any_record_and_every_member_releases(pool: Pool) -> None:
    before, happened = pool.used_micro(), []  # type: ignore[var-annotated]
    order = pool.place(pool.publish(max_open=11))
    assert all(now > then for now, then in zip(pool.used_micro(), before, strict=True))
    daemon, theirs = pool.market.daemon(clock=pool.now_s), other_daemon(pool, happened)
    (waiting,) = (each for each in theirs.tick() if each.order == order)
    assert isinstance(waiting.step, Abstain)
    assert "3 to 16 parties" in waiting.step.why
    pool.market.run_until(daemon, order, OrderState.REFUNDED)
    pool.market.run(daemon, lambda: order in daemon._ended)
    pool.market.run(theirs, lambda: order in theirs._ended)
    daemon.close()
    theirs.close()
    index = next(i for i, each in enumerate(pool.draft().offer.members) if each.dataset == pool.listed.dataset)
    assert pool.market.steps(order) == [Close, Decline, Release]
    assert [each.step for each in happened if each.order == order][1:] == [Release(index)]
    assert pool.market.order(order).declined is DeclineReason.SPECIFICATION
    assert pool.used_micro() == before
    assert pool.market.debits(order) == []
    assert pool.other.vault.account.entries() == ()
    pool.market.assert_sound()


def test_a_member_ends_what_the_lead_left_lying_and_releases(pool: Pool) -> None:
    before, happened = pool.used_micro(), []  # type: ignore[var-annotated]
    order, theirs = pool.place(pool.publish(max_open=12)), other_daemon(pool, happened)
    pool.market.pass_time(2 * HOUR_S + 2)
    pool.market.run(theirs, lambda: order in theirs._ended)
    theirs.close()
    assert [type(each.step) for each in happened if each.order == order] == [Refund, Close, Release]
    assert pool.market.order(order).reason is Reason.NOT_DELIVERED
    assert pool.used_micro()[1] == before[1]
    daemon = pool.market.daemon()
    pool.market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert pool.used_micro() == before


# ------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("kind", ["draft", "consent", "delivery", "signature"])
def test_files_of_another_format_or_with_other_parts_are_refused(pool: Pool, kind: str) -> None:
    draft, order = pool.draft(), OrderId(b"o" * 32)
    delivery = Delivery(b"c" * 32, b"r" * 32, b"k" * 32, b"o" * 32, b"m" * 32, 2, CODEC_RAW)
    values = {
        "draft": draft,
        "consent": SignedConsent(draft.offer.id, pool.other.keys.signer.address, Consent(5, b"s" * 65)),
        "delivery": DeliveryDraft(draft.domain, order, delivery, b"s" * 32),
        "signature": Countersignature(order, b"d" * 32, pool.other.keys.signer.address, b"s" * 65),
    }
    value = values[kind]
    noun = {"draft": "offer-draft", "consent": "consent", "delivery": "delivery-draft", "signature": "countersignature"}
    document = canonical.decode(value.encode(), noun[kind], 1)
    assert type(value).decode(value.encode()) == value
    with pytest.raises(Corrupt, match=f"got 'agora/{noun[kind]}/2'"):
        type(value).decode(canonical.encode({**document, "format": f"agora/{noun[kind]}/2"}))
    for part in document.keys() - {"format"}:
        for wrong in (None, -1, "x", [], {}, [1]):
            with pytest.raises(Corrupt):
                type(value).decode(canonical.encode({**document, part: wrong}))
        with pytest.raises(Corrupt):
            type(value).decode(canonical.encode({name: each for name, each in document.items() if name != part}))
    with pytest.raises(Corrupt):
        type(value).decode(canonical.encode({**document, "more": 1}))


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        ("head", "cost_units", "-1"),
        ("head", "cost_units", "1.5"),
        ("head", "cost_units", str(2**128)),
        ("head", "kind", "egg"),
        ("head", "lead", "0x12"),
        ("head", "terms", "ab"),
        ("members", "share_bps", "x"),
        ("members", "rho_micro", str(2**64)),
        ("members", "dataset", "ab"),
    ],
)
def test_a_draft_with_a_value_that_no_offer_has_is_refused(pool: Pool, place: str, name: str, wrong: str) -> None:
    document = canonical.decode(pool.draft().encode(), "offer-draft", 1)
    target = document[place] if place == "head" else document[place][0]
    target[name] = wrong
    with pytest.raises((Corrupt, Invalid)):
        OfferDraft.decode(canonical.encode(document))
