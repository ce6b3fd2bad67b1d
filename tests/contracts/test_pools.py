"""Offers on the datasets of several providers: consents, signatures, budgets, shares."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.life import Life, live
from scripts.benchmarks.market import DAY_S, Terms

from .conftest import Stage

SIZES = pytest.mark.parametrize("size", [1, 2, 16])
FOREIGN = [{"chainId": 1}, {"verifyingContract": "0x" + "11" * 20}, {"version": "2"}, {"name": "Agora"}]


def members_of(stage: Stage, size: int, **changes: Any) -> list[Any]:
    """As many members, the first of whose datasets need not be the lead's: they stand in the order of their ids."""
    return stage.market.pool(stage.provider, *stage.market.others[: size - 1], total=1_000, **changes)


def pooled(stage: Stage, size: int, **changes: Any) -> Terms:
    """An offer of as many providers."""
    return stage.offer(stage.market.head(**changes), *members_of(stage, size))


def publish(stage: Stage, head: Any, members: list[Any], consents: list[Any]) -> Any:
    return stage.rules.send(head.lead, "publish", head, members, consents)


def other_index(stage: Stage, terms: Terms) -> int:
    """The place of a member that is not the lead's."""
    return next(index for index, member in enumerate(terms.members) if member.provider != stage.provider)


# ---------------------------------------------------------------------------------------------------------- publishing


@SIZES
def test_a_pool_lives_from_consent_to_payout(stage: Stage, size: int) -> None:
    terms = pooled(stage, size)
    life = stage.settled(1, terms)
    assert life.standing[:2] == (OrderState.SETTLED, Reason.APPROVED)
    for index, member in enumerate(terms.members):
        before = stage.market.euro.ask("balanceOf", member.provider)
        life.withdraw_payout(index=index)
        earned = stage.price * member.shareBps // 10_000
        assert stage.market.euro.ask("balanceOf", member.provider) == before + earned
        assert stage.rules.ask("getDataset", member.dataset).used == 100


def test_every_provider_but_the_lead_consents(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 4)
    consents = stage.market.consents(head, members)
    others = [member.provider for member in members if member.provider != stage.provider]
    for given in range(3):
        with stage.refused("SignatureMissing", others[given]):
            publish(stage, head, members, consents[:given])
    assert publish(stage, head, members, consents).value


def test_consents_stand_in_the_members_order(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 3)
    consents = stage.market.consents(head, members)
    first = next(member.provider for member in members if member.provider != stage.provider)
    with stage.refused("WrongSignature", first):
        publish(stage, head, members, consents[::-1])


def test_a_consent_is_good_until_its_last_second(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    until_s = stage.market.evm.now_s + 100
    (other,) = (member for member in members if member.provider != stage.provider)
    consent = stage.market.consent(head, members, other.provider, until_s)
    before = stage.market.evm.snapshot()
    for left_s in (1, 0):
        stage.market.evm.travel(until_s - left_s)
        assert publish(stage, head, members, [consent]).value
        stage.market.evm.restore(before)
    stage.market.evm.travel(until_s + 1)
    with stage.refused("ConsentExpired", other.dataset, until_s):
        publish(stage, head, members, [consent])


def test_a_consents_end_cannot_be_moved(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    (consent,) = stage.market.consents(head, members)
    with stage.refused("WrongSignature", stage.market.others[0]):
        publish(stage, head, members, [consent._replace(until=consent.until + 1)])


@pytest.mark.parametrize(
    "changes", [{"cost": 1}, {"maxOpen": 5}, {"validUntil": 2**40}, {"bond": 0}, {"terms": b"\1" * 32}]
)
def test_a_consent_is_to_one_offer_alone(stage: Stage, changes: dict[str, Any]) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    consents = stage.market.consents(head, members)
    with stage.refused("WrongSignature", stage.market.others[0]):
        publish(stage, head._replace(**changes), members, consents)


def test_a_consent_is_to_these_members_with_these_shares(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    consents = stage.market.consents(head, members)
    greedy = [member._replace(shareBps=9_999 if member.provider == stage.provider else 1) for member in members]
    dearer = [member._replace(rhoMicro=101) for member in members]
    for changed in (greedy, dearer):
        with stage.refused("WrongSignature", stage.market.others[0]):
            publish(stage, head, changed, consents)


@pytest.mark.parametrize("domain", FOREIGN, ids=str)
def test_a_consent_for_another_chain_or_contract_is_refused(stage: Stage, domain: dict[str, Any]) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    consent = stage.market.consent(head, members, stage.market.others[0], **domain)
    with stage.refused("WrongSignature", stage.market.others[0]):
        publish(stage, head, members, [consent])


def test_a_consent_of_somebody_else_is_refused(stage: Stage) -> None:
    head, members = stage.market.head(), members_of(stage, 2)
    with stage.refused("WrongSignature", stage.market.others[0]):
        publish(stage, head, members, [stage.market.consent(head, members, stage.provider)])


def test_a_consent_does_not_publish_a_retired_offer_again(stage: Stage) -> None:
    terms = pooled(stage, 2)
    index = other_index(stage, terms)
    stage.rules.send(stage.market.others[0], "retire", terms.head, terms.members, index)
    with stage.refused("OfferExists", terms.offer):
        publish(stage, terms.head, terms.members, stage.market.consents(terms.head, terms.members))


@pytest.mark.parametrize("sum_bps", [0, 9_999, 10_001, 20_000])
def test_shares_sum_to_the_whole(stage: Stage, sum_bps: int) -> None:
    members = members_of(stage, 2)
    shares = (sum_bps // 2, sum_bps - sum_bps // 2)
    members = [member._replace(shareBps=share) for member, share in zip(members, shares, strict=True)]
    with stage.refused("SharesNotWhole", sum_bps):
        publish(stage, stage.market.head(), members, [])


def test_a_member_may_have_no_share(stage: Stage) -> None:
    members = members_of(stage, 2)
    shared = [member._replace(shareBps=0 if member.provider == stage.provider else 10_000) for member in members]
    life = stage.settled(1, stage.offer(stage.market.head(), *shared))
    mine = 1 - other_index(stage, life.terms)
    with stage.refused("NothingToWithdraw"):
        life.withdraw_payout(index=mine)
    life.withdraw_payout(index=1 - mine)


def test_one_dataset_stands_in_a_pool_once(stage: Stage) -> None:
    member = stage.market.member(stage.dataset, shareBps=5_000)
    with stage.refused("MembersNotSorted", stage.dataset, stage.dataset):
        publish(stage, stage.market.head(), [member, member], [])


def test_members_stand_in_the_order_of_their_datasets(stage: Stage) -> None:
    members = members_of(stage, 3)
    wrong = [members[0], members[2], members[1]]
    with stage.refused("MembersNotSorted", members[2].dataset, members[1].dataset):
        publish(stage, stage.market.head(), wrong, [])


def test_the_lead_is_one_of_the_providers(stage: Stage) -> None:
    members = stage.market.pool(*stage.market.others[:2])
    with stage.refused("LeadIsNotAMember", stage.provider):
        publish(stage, stage.market.head(), members, [])


@pytest.mark.parametrize("role", ["arbiter", "authority"])
def test_no_member_is_arbiter_or_authority(stage: Stage, role: str) -> None:
    members = members_of(stage, 3)
    head = stage.market.arbitrated(authority=stage.market.authority, purposes=1)
    head = head._replace(**{role: stage.market.others[1]})
    with stage.refused("RoleConflict", role, stage.market.others[1]):
        publish(stage, head, members, stage.market.consents(head, members))


def test_a_lead_with_several_datasets_consents_by_publishing(stage: Stage) -> None:
    members = stage.market.pool(*[stage.provider] * 3, total=1_000)
    terms = stage.offer(stage.market.head(), *members)
    assert stage.settled(1, terms).standing.state == OrderState.SETTLED


def test_a_provider_with_two_datasets_signs_for_each(stage: Stage) -> None:
    members = stage.market.pool(stage.provider, *[stage.market.others[0]] * 2, total=1_000)
    head = stage.market.head()
    consent, _ = stage.market.consents(head, members)
    with stage.refused("SignatureMissing", stage.market.others[0]):
        publish(stage, head, members, [consent])
    terms = stage.offer(head, *members)
    life = stage.placed(1, terms)
    with stage.refused("SignatureMissing", stage.market.others[0]):
        life.deliver(signatures=[life.sign_delivery(stage.market.others[0])])
    life.deliver()


# ----------------------------------------------------------------------------------------------------- placing, budgets


def test_each_dataset_gives_its_own_rho(stage: Stage) -> None:
    members = [member._replace(rhoMicro=10 * (n + 1)) for n, member in enumerate(members_of(stage, 4))]
    stage.placed(1, stage.offer(stage.market.head(), *members))
    used = [stage.rules.ask("getDataset", member.dataset).used for member in members]
    assert used == [10, 20, 30, 40]


def test_one_empty_budget_stops_the_whole_order(stage: Stage) -> None:
    members = members_of(stage, 3)
    members[2] = members[2]._replace(rhoMicro=501)
    terms = stage.offer(stage.market.head(), *members)
    stage.placed(1, terms)
    with stage.refused("BudgetExceeded", members[2].dataset, 499, 501):
        stage.order(2, terms).place()
    assert [stage.rules.ask("getDataset", member.dataset).used for member in members] == [100, 100, 501]


@pytest.mark.parametrize("index", [0, 7, 15])
def test_each_members_version_is_named_in_its_own_bits(stage: Stage, index: int) -> None:
    terms = pooled(stage, 16)
    dataset, right = terms.members[index].dataset, stage.order(1, terms).order.versions
    stage.rules.send(terms.members[index].provider, "revise", dataset, bytes(32), bytes(32))
    with stage.refused("WrongVersion", dataset, 2, 1):
        stage.order(1, terms).place()
    stage.placed(1, terms, versions=right + (1 << 16 * index))


def test_versions_are_named_for_each_member_and_nobody_else(stage: Stage) -> None:
    terms = pooled(stage, 2)
    with stage.refused("WrongVersion", terms.members[1].dataset, 1, 0):
        stage.order(1, terms, versions=1).place()
    for bit in (32, 48, 255):
        versions = 1 + (1 << 16) + (1 << bit)
        with stage.refused("OutOfRange", "versions", versions, 0, 2**32 - 1):
            stage.order(1, terms, versions=versions).place()


# ------------------------------------------------------------------------------------------------------------ delivering


@SIZES
def test_every_other_member_signs_the_delivery(stage: Stage, size: int) -> None:
    life = stage.placed(1, pooled(stage, size))
    others = [member.provider for member in life.terms.members if member.provider != stage.provider]
    signatures = [life.sign_delivery(other) for other in others]
    for given in range(len(others)):
        with stage.refused("SignatureMissing", others[given]):
            life.deliver(signatures=signatures[:given])
    life.deliver(signatures=signatures)
    assert life.standing.delivery == life.digest


def test_signatures_stand_in_the_members_order(stage: Stage) -> None:
    life = stage.placed(1, pooled(stage, 3))
    others = [member.provider for member in life.terms.members if member.provider != stage.provider]
    with stage.refused("WrongSignature", others[0]):
        life.deliver(signatures=[life.sign_delivery(other) for other in reversed(others)])


def test_a_signature_is_for_one_delivery_of_one_order(stage: Stage) -> None:
    terms, other = pooled(stage, 2), stage.market.others[0]
    first, second = stage.placed(1, terms), stage.placed(2, terms)
    with stage.refused("WrongSignature", other):
        first.deliver(signatures=[second.sign_delivery(other)])
    signature = first.sign_delivery(other)
    first.made = first.made._replace(manifest=b"\1" * 32)
    with stage.refused("WrongSignature", other):
        first.deliver(signatures=[signature])


@pytest.mark.parametrize("domain", FOREIGN, ids=str)
def test_a_signature_for_another_chain_or_contract_is_refused(stage: Stage, domain: dict[str, Any]) -> None:
    life = stage.placed(1, pooled(stage, 2))
    with stage.refused("WrongSignature", stage.market.others[0]):
        life.deliver(signatures=[life.sign_delivery(stage.market.others[0], **domain)])


def test_a_member_cannot_deliver_alone(stage: Stage) -> None:
    life = stage.placed(1, pooled(stage, 2))
    with stage.refused("NotTheLead", stage.provider, stage.market.others[0]):
        life.deliver(stage.market.others[0])


# ------------------------------------------------------------------------------------------------------ retiring, ending


@SIZES
def test_any_member_may_end_the_offer(stage: Stage, size: int) -> None:
    terms = pooled(stage, size)
    before = stage.market.evm.snapshot()
    for index, member in enumerate(terms.members):
        (event,) = stage.rules.send(member.provider, "retire", terms.head, terms.members, index).events
        assert event.values == {"offer": terms.offer, "by": member.provider}
        stage.market.evm.restore(before)


def test_a_member_speaks_for_itself_only(stage: Stage) -> None:
    terms = pooled(stage, 3)
    index = other_index(stage, terms)
    with stage.refused("NotAMember", terms.offer, index, stage.provider):
        stage.rules.send(stage.provider, "retire", terms.head, terms.members, index)


def test_the_bond_and_the_answer_are_the_leads(stage: Stage) -> None:
    life = stage.accepted(1, pooled(stage, 2))
    assert stage.credits() == (9 * stage.bond, 0)
    stage.market.evm.travel(life.standing.deadline + 1)
    life.forfeit()
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond)
    assert stage.market.credit(stage.market.others[0]) == 0


def test_each_member_releases_its_own_once(stage: Stage) -> None:
    life = stage.placed(1, pooled(stage, 3))
    life.decline()
    for index, member in enumerate(life.terms.members):
        stranger = life.terms.members[index - 1].provider
        with stage.refused("NotTheProvider", member.dataset, stranger):
            life.release(stranger, index)
        (event,) = life.release(index=index).events
        assert event.values == {"order": life.id, "dataset": member.dataset, "rhoMicro": 100}
        assert stage.rules.ask("getDataset", member.dataset).used == 0
        assert life.standing.released == (1 << index + 1) - 1
        with stage.refused("AlreadyReleased", life.id, index):
            life.release(index=index)


def test_a_pool_whose_order_was_delivered_releases_nothing(stage: Stage) -> None:
    life = stage.delivered(1, pooled(stage, 2))
    stage.travel(2 * DAY_S + 1)
    life.refund()
    for index in range(2):
        with stage.refused("NotReleasable", life.id, OrderState.REFUNDED, Reason.NOT_ACCEPTED):
            life.release(index=index)


@pytest.mark.parametrize("size", [2, 3, 7, 16])
def test_less_than_a_unit_for_each_member_stays_behind(stage: Stage, size: int) -> None:
    terms = pooled(stage, size, cost=1_000_003, margin=7)
    lives = [stage.settled(number, terms) for number in range(3)]
    for index in range(size):
        lives[0].withdraw_payout(index=index)
    paid = sum(stage.rules.ask("getWithdrawn", terms.offer, index) for index in range(size))
    assert 0 <= 3 * terms.price - paid < size


def test_withdrawing_often_or_once_gives_the_same(stage: Stage) -> None:
    terms = pooled(stage, 3, cost=1_003, margin=0, bond=0)
    before = stage.market.evm.snapshot()

    def paid(often: bool) -> list[int]:
        stage.market.evm.restore(before)
        life: Life | None = None
        for number in range(4):
            life = live(stage.market, terms, number)
            for step in (life.place, life.deliver, life.accept, life.reveal, life.settle):
                step()
            for index in range(3) if often or number == 3 else ():
                life.withdraw_payout(index=index)
        return [stage.rules.ask("getWithdrawn", terms.offer, index) for index in range(3)]

    assert paid(often=True) == paid(often=False)
