"""Everything that should be refused is refused through the client: by its own error, its class, in one line, for no gas."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused
from marketplace.ledger.ids import Domain
from marketplace.ledger.refusals import error_name
from marketplace.ledger.signatures import sign_acceptance, sign_consent, sign_order
from marketplace.protocol.identity import NOTHING, DatasetId, PermitId
from marketplace.protocol.offer import Consent, Head, Member
from marketplace.protocol.order import Means, Origin, Payment
from marketplace.protocol.permit import Grant
from marketplace.sealing.chunk import leaf_hash
from tests.ledger import once
from tests.ledger.attempts import Attempt, Attempts
from tests.ledger.world import COMPLAINT, HOUR_S, KEY, PURPOSE, World

TRIED = Attempts()
refused = TRIED.refused
CONTRACTS = Path(__file__).parent.parent.parent / "contracts"
MET_ELSEWHERE = {"InexactTransfer", "NotTransferable"}
"""What only another token, or a wallet that moves a licence, can meet: tests/contracts/test_tokens.py, test_licences.py."""


# -------------------------------------------------------------------------------------------------- wrong states, callers


@refused(Refused, "WrongState")
def a_key_before_the_delivery_was_accepted(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    delivery = world.deliver(offer, order)
    return lambda: world.ledger.reveal(world.provider, offer, order, delivery, KEY)


@refused(Refused, "WrongState")
def an_order_that_has_ended_settled_again(world: World) -> Attempt:
    offer, order, _ = world.reach_revealed()
    world.ledger.settle(world.buyer, offer, order)
    return lambda: world.ledger.settle(world.buyer, offer, order)


@refused(Refused, "NotTheLead")
def a_delivery_by_a_member_that_does_not_lead(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool())
    order, delivery = world.place(offer), world.delivery()
    signatures = world.signatures(offer, order, delivery)
    return lambda: world.ledger.deliver(world.partner, offer, order, delivery, signatures)


@refused(Refused, "NotTheBuyer")
def an_acceptance_by_the_provider(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    digest = world.hash(order, world.deliver(offer, order))
    return lambda: world.ledger.accept(world.provider, offer, order, digest)


@refused(Refused, "NotTheArbiter")
def a_ruling_by_the_buyer(world: World) -> Attempt:
    offer, order, _ = world.reach_contested()
    return lambda: world.ledger.rule(world.buyer, offer, order, 0, 0)


@refused(Refused, "NotTheAuthority")
def a_revocation_by_the_holder(world: World) -> Attempt:
    permit = world.grant(world.fresh())
    return lambda: world.ledger.revoke(world.buyer, permit, world.fresh())


@refused(Refused, "NotAMember")
def an_offer_retired_in_the_name_of_another_member(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool())
    index = [member.provider for member in offer.members].index(world.partner.address)
    return lambda: world.ledger.retire(world.provider, offer, index)


@refused(Refused, "NotTheProvider")
def an_epoch_of_anothers_dataset(world: World) -> Attempt:
    dataset = world.dataset()
    return lambda: world.ledger.open_epoch(world.partner, dataset, 2_000_000, 1, world.fresh())


@refused(Refused, "NoArbiter")
def a_contest_without_an_arbiter(world: World) -> Attempt:
    offer, order, _ = world.reach_revealed()
    return lambda: world.ledger.contest(world.buyer, offer, order, world.fresh())


# -------------------------------------------------------------------------------------------------------------- deadlines


@refused(Refused, "TooEarly")
def a_refund_within_the_window(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    return lambda: world.ledger.refund(world.stranger, offer, order)


@refused(Refused, "TooLate")
def a_delivery_after_the_window(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    world.pass_time(HOUR_S + 2)
    return lambda: world.deliver(offer, order)


@refused(Refused, "TooLate")
def a_ruling_after_the_arbiters_window(world: World) -> Attempt:
    offer, order, _ = world.reach_contested()
    world.pass_time(HOUR_S + 2)
    return lambda: world.ledger.rule(world.arbiter, offer, order, 1, 1)


@refused(Refused, "PlacedTooLate")
def an_order_after_its_own_limit(world: World) -> Attempt:
    offer = world.offer()
    order = world.order(offer)
    world.pass_time(HOUR_S + 2)
    return lambda: world.ledger.place(world.buyer, offer, order)


@refused(Refused, "OfferExpired")
def an_order_after_the_offers_end(world: World) -> Attempt:
    offer = world.offer(valid_until_s=world.ledger.now_s() + 1_000)
    world.pass_time(1_001)
    return lambda: world.place(offer)


# ---------------------------------------------------------------------------------------------------- amounts and numbers


@refused(Invalid, "OutOfRange")
def a_stake_of_nothing(world: World) -> Attempt:
    return lambda: world.ledger.stake(world.provider, world.token, 0)


@refused(Invalid, "OutOfRange")
def a_stake_beyond_all_money(world: World) -> Attempt:
    return lambda: world.ledger.stake(world.provider, world.token, 2**128)


@refused(Refused, "NothingToWithdraw")
def a_withdrawal_of_nothing(world: World) -> Attempt:
    return lambda: world.ledger.withdraw_credit(world.provider, world.token, 0)


@refused(Refused, "InsufficientCredit")
def a_withdrawal_beyond_all_money(world: World) -> Attempt:
    return lambda: world.ledger.withdraw_credit(world.provider, world.token, 2**256 - 1)


@refused(Invalid, "OutOfRange")
def a_price_of_two_to_the_96(world: World) -> Attempt:
    return _publishing(world, world.head(cost_units=2**96, margin_units=0))


@refused(Invalid, "OutOfRange")
def a_price_of_nothing_without_an_authority(world: World) -> Attempt:
    return _publishing(world, world.head(cost_units=0, margin_units=0))


@refused(Invalid, "OutOfRange")
def a_budget_of_nothing(world: World) -> Attempt:
    return lambda: world.dataset(total_micro=0)


@refused(Invalid, "OutOfRange")
def a_total_that_falls(world: World) -> Attempt:
    dataset = world.dataset(total_micro=7)
    return lambda: world.ledger.open_epoch(world.provider, dataset, 6, 0, world.fresh())


@refused(Invalid, "OutOfRange")
def a_ruling_above_the_whole(world: World) -> Attempt:
    offer, order, _ = world.reach_contested()
    return lambda: world.ledger.rule(world.arbiter, offer, order, 10_001, 0)


@refused(Invalid, "TokenWithoutCode")
def a_token_without_code(world: World) -> Attempt:
    return _publishing(world, world.head(token=world.stranger.address))


# ------------------------------------------------------------------------------------------------------------------ pools


@refused(Invalid, "SharesNotWhole")
def shares_that_do_not_sum_to_the_whole(world: World) -> Attempt:
    first, second = world.pool()
    return _pooling(world, first, replace(second, share_bps=second.share_bps - 1))


@refused(Invalid, "MembersNotSorted")
def one_dataset_twice_in_a_pool(world: World) -> Attempt:
    member = replace(world.member(world.dataset()), share_bps=5_000)
    return _pooling(world, member, member)


@refused(Invalid, "RoleConflict")
def an_arbiter_that_is_a_member(world: World) -> Attempt:
    return _pooling(world, *world.pool(), head=world.arbitrated(arbiter=world.partner.address))


@refused(Invalid, "SignatureMissing")
def a_pool_without_consents(world: World) -> Attempt:
    head, members = world.head(), world.pool()
    return lambda: world.ledger.publish(world.provider, head, members)


@refused(Refused, "ConsentExpired")
def an_expired_consent(world: World) -> Attempt:
    head, members = world.head(), world.pool()
    consents = world.consents(head, members)
    world.pass_time(HOUR_S + 1)
    return lambda: world.ledger.publish(world.provider, head, members, consents)


@refused(Corrupt, "WrongSignature")
def a_consent_for_a_foreign_chain(world: World) -> Attempt:
    return _foreign_consent(world, Domain(1, world.ledger.domain.contract))


@refused(Corrupt, "WrongSignature")
def a_consent_for_a_foreign_contract(world: World) -> Attempt:
    return _foreign_consent(world, Domain(world.ledger.domain.chain_id, world.token))


@refused(Refused, "BudgetExceeded")
def an_order_that_one_members_budget_does_not_cover(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool(rho_micro=600, total_micro=1_000))
    world.place(offer)
    return lambda: world.place(offer)


# ------------------------------------------------------------------------------------------------------------- signatures


@refused(Refused, "OrderExists")
def a_replayed_order(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    signature = sign_order(world.buyer, world.ledger.domain, order)
    return lambda: world.ledger.place_for(world.stranger, offer, order, signature, Payment(Means.APPROVAL))


@refused(Corrupt, "WrongSignature")
def an_order_signed_for_a_foreign_chain(world: World) -> Attempt:
    offer = world.offer()
    order = world.order(offer)
    signature = sign_order(world.buyer, Domain(1, world.ledger.domain.contract), order)
    return lambda: world.ledger.place_for(world.stranger, offer, order, signature, Payment(Means.APPROVAL))


@refused(Refused, "WrongState")
def a_replayed_acceptance(world: World) -> Attempt:
    offer, order, delivery = world.reach_accepted()
    digest = world.hash(order, delivery)
    signature = sign_acceptance(world.buyer, world.ledger.domain, world.id(order), digest)
    return lambda: world.ledger.accept_for(world.stranger, offer, order, digest, signature)


@refused(Corrupt, "WrongSignature")
def a_deliverys_signature_for_another_order(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool())
    first, second, delivery = world.place(offer), world.place(offer), world.delivery()
    signatures = world.signatures(offer, first, delivery)
    return lambda: world.ledger.deliver(world.provider, offer, second, delivery, signatures)


# ---------------------------------------------------------------------------------------------------------------- permits


@refused(Refused, "WrongPurpose")
def a_permit_for_another_purpose(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.id, purpose=PURPOSE + 1)
    return lambda: world.place(offer, permit)


@refused(Refused, "UnknownPermit")
def no_permit_where_one_is_asked_for(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    return lambda: world.place(offer)


@refused(Refused, "NotPermitted")
def a_permit_for_a_part_of_the_pool(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.members[0].dataset)
    return lambda: world.place(offer, permit)


@refused(Refused, "NotTheHolder")
def a_permit_of_somebody_else(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.id, holder=world.stranger.address)
    return lambda: world.place(offer, permit)


@refused(Refused, "PermitNotLive")
def a_permit_that_was_revoked(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.id)
    world.ledger.revoke(world.authority, permit, world.fresh())
    return lambda: world.place(offer, permit)


@refused(Refused, "PermitEndsTooEarly")
def a_permit_that_ends_before_the_key_is_due(world: World) -> Attempt:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.id, to_s=world.ledger.now_s() + HOUR_S - 60)
    order = world.place(offer, permit)
    digest = world.hash(order, world.deliver(offer, order))
    return lambda: world.ledger.accept(world.buyer, offer, order, digest)


@refused(Invalid, "PermitTermOutOfRange")
def a_permit_for_more_than_ten_years(world: World) -> Attempt:
    now_s = world.ledger.now_s()
    grant = Grant(world.buyer.address, 1, now_s, now_s + 3_650 * 24 * HOUR_S + 1, NOTHING, (NOTHING,))
    return lambda: world.ledger.grant(world.authority, grant)


@refused(Refused, "UnknownPermit")
def an_extension_of_what_was_never_granted(world: World) -> Attempt:
    permit = PermitId(world.fresh())
    return lambda: world.ledger.extend(world.authority, permit, 2**39, world.fresh())


@refused(Refused, "AllowanceExceeded")
def an_exact_order_beyond_the_allowance(world: World) -> Attempt:
    head = world.permitted(guarantee=1, delta_atto=0)
    offer = world.publish(head, [Member(world.dataset(), world.provider.address, 10_000, 0)])
    permit = world.grant(offer.id)
    return lambda: world.place(offer, permit)


# ----------------------------------------------------------------------------------------------- complaints, stock, release


@refused(Invalid, "OutOfRange")
def a_path_of_the_wrong_length(world: World) -> Attempt:
    offer, order, delivery = world.reach_revealed()
    longer = replace(COMPLAINT, path=(*COMPLAINT.path, NOTHING))
    return lambda: world.ledger.complain(world.buyer, offer, order, delivery, longer)


@refused(Corrupt, "ChunkNotCommitted")
def an_inner_node_as_a_leaf(world: World) -> Attempt:
    offer, order, delivery = world.reach_revealed()
    leaf = leaf_hash(0, COMPLAINT.plain_hash + COMPLAINT.cipher)
    node = replace(COMPLAINT, plain_hash=leaf, cipher=COMPLAINT.path[0].ljust(1_024, b"\0"))
    return lambda: world.ledger.complain(world.buyer, offer, order, delivery, node)


@refused(Refused, "NotStock")
def a_stock_of_other_members(world: World) -> Attempt:
    offer, order, delivery = world.reach_revealed()
    other = [replace(world.member(world.dataset()), rho_micro=0)]
    head = world.head(stock=delivery.plain_root)
    origin = Origin(offer.head, offer.members, order, delivery)
    return lambda: world.ledger.publish_stock(world.provider, head, other, origin)


@refused(Refused, "WrongStock")
def another_result_than_the_stock(world: World) -> Attempt:
    offer, order, delivery = world.reach_revealed()
    head, members = world.head(stock=delivery.plain_root), [replace(offer.members[0], rho_micro=0)]
    origin = Origin(offer.head, offer.members, order, delivery)
    stock, _ = world.ledger.publish_stock(world.provider, head, members, origin)
    again = world.place(stock)
    return lambda: world.deliver(stock, again)


@refused(Refused, "NotReleasable")
def a_release_of_an_order_that_was_delivered(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    world.ledger.reject(world.buyer, offer, order, world.hash(order, world.deliver(offer, order)))
    return lambda: world.ledger.release(world.provider, offer, order)


@refused(Refused, "UnknownDataset")
def an_unknown_dataset(world: World) -> Attempt:
    member = world.member(DatasetId(world.fresh()))
    return lambda: world.ledger.publish(world.provider, world.head(), [member])


def _publishing(world: World, head: Head) -> Attempt:
    member = world.member(world.dataset())
    return lambda: world.ledger.publish(world.provider, head, [member])


def _pooling(world: World, *members: Member, head: Head | None = None) -> Attempt:
    terms = head or world.head()
    consents = world.consents(terms, members)
    return lambda: world.ledger.publish(world.provider, terms, members, consents)


def _foreign_consent(world: World, domain: Domain) -> Attempt:
    head, members = world.head(), world.pool()
    until_s = world.ledger.now_s() + HOUR_S
    consent: Consent = sign_consent(world.partner, domain, head, members, until_s)
    return lambda: world.ledger.publish(world.provider, head, members, [consent])


@pytest.mark.parametrize("name", [*TRIED, *once.TRIED])
def test_what_should_be_refused_is_refused_by_its_own_error(world: World, name: str) -> None:
    bad, kind, error = {**TRIED, **once.TRIED}[name]
    attempt = bad(world)
    block, gas = world.ledger.head_block(), world.ledger.gas_balance_wei(world.provider.address)
    with pytest.raises(MarketplaceError) as caught:
        attempt()
    assert (type(caught.value), error_name(caught.value)) == (kind, error)
    assert str(caught.value).startswith("expected ")
    assert "\n" not in str(caught.value)
    assert world.ledger.head_block() == block
    assert world.ledger.gas_balance_wei(world.provider.address) == gas


def test_every_error_that_the_contracts_declare_is_met_through_the_client() -> None:
    declared = {
        name
        for path in CONTRACTS.glob("*.sol")
        for name in re.findall(r"^ +error (\w+)\(", path.read_text(), re.MULTILINE)
    }
    met = {error for _, _, error in (TRIED | once.TRIED).values()}
    assert declared - met == MET_ELSEWHERE
