"""What a `Ledger` promises, on every adapter."""

from dataclasses import replace

import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger import artifact, ids
from marketplace.ledger.ledger import DatasetStanding, Ledger, OfferStanding
from marketplace.ledger.refusals import error_name
from marketplace.ledger.signatures import sign_acceptance
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import NOBODY, NOTHING, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.permit import PermitStanding
from marketplace.protocol.states import OrderState, Reason
from tests.ledger.world import BOND_UNITS, COMPLAINT, HOUR_S, PRICE_UNITS, RHO_MICRO, TOTAL_MICRO, World


class TestEveryFunctionChangesWhatItSays:
    def test_registering_makes_version_one_with_the_whole_budget(self, world: World) -> None:
        salt = world.fresh()
        dataset, receipt = world.ledger.register(world.provider, salt, world.fresh(), world.fresh(), 77)
        assert dataset == ids.dataset_id(world.ledger.domain, world.provider.address, salt)
        assert world.ledger.dataset(dataset) == DatasetStanding(world.provider.address, 77, 0, 0, 0, 1, 1)
        assert receipt.function == "register"

    def test_revising_makes_the_next_version(self, world: World) -> None:
        dataset = world.dataset()
        world.ledger.revise(world.provider, dataset, world.fresh(), world.fresh())
        assert world.ledger.dataset(dataset).version == 2

    def test_publishing_gives_the_offer_under_the_contracts_id(self, world: World) -> None:
        offer = world.offer()
        assert world.ledger.offer(offer.id) == OfferStanding(published=True, retired=False, open=0, accrued_units=0)

    def test_retiring_keeps_further_orders_out(self, world: World) -> None:
        offer = world.offer()
        world.ledger.retire(world.provider, offer)
        assert world.ledger.offer(offer.id).retired
        with pytest.raises(Refused, match="retired"):
            world.place(offer)

    def test_staking_and_withdrawing_credit_move_tokens(self, world: World) -> None:
        ledger, who = world.ledger, world.provider
        credit, balance = ledger.credit_units(world.token, who.address), ledger.balance_units(world.token, who.address)
        ledger.stake(who, world.token, 1_000)
        assert ledger.credit_units(world.token, who.address) == credit + 1_000
        ledger.withdraw_credit(who, world.token, 400)
        assert ledger.credit_units(world.token, who.address) == credit + 600
        assert ledger.balance_units(world.token, who.address) == balance - 600

    def test_placing_takes_price_bond_and_rho(self, world: World) -> None:
        ledger, token = world.ledger, world.token
        offer = world.offer()
        order = world.order(offer)
        credit, balance = (
            ledger.credit_units(token, world.provider.address),
            ledger.balance_units(token, world.buyer.address),
        )
        order_id, receipt = ledger.place(world.buyer, offer, order)
        assert order_id == world.id(order)
        assert ledger.balance_units(token, world.buyer.address) == balance - PRICE_UNITS
        assert ledger.credit_units(token, world.provider.address) == credit - BOND_UNITS
        assert ledger.dataset(offer.members[0].dataset).used_micro == RHO_MICRO
        standing = ledger.order(order_id)
        assert (standing.state, standing.reason) == (OrderState.PLACED, Reason.NONE)
        assert standing.deadline_s == receipt.at_s + HOUR_S

    def test_declining_refunds_and_releasing_frees_the_rho(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        credit = world.ledger.credit_units(world.token, world.buyer.address)
        world.ledger.decline(world.provider, offer, order)
        assert world.ledger.order(world.id(order)).reason is Reason.DECLINED
        assert world.ledger.credit_units(world.token, world.buyer.address) == credit + PRICE_UNITS
        world.ledger.release(world.provider, offer, order)
        assert world.ledger.dataset(offer.members[0].dataset).used_micro == 0
        assert world.ledger.order(world.id(order)).released == 1

    def test_delivering_and_accepting_name_the_delivery(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        delivery = world.deliver(offer, order)
        digest = world.hash(order, delivery)
        assert world.ledger.order(world.id(order)).delivery == digest
        world.ledger.accept(world.buyer, offer, order, digest)
        assert world.ledger.order(world.id(order)).state is OrderState.ACCEPTED

    def test_anyone_may_hand_in_the_buyers_signed_acceptance(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        digest = world.hash(order, world.deliver(offer, order))
        signature = sign_acceptance(world.buyer, world.ledger.domain, world.id(order), digest)
        world.ledger.accept_for(world.stranger, offer, order, digest, signature)
        assert world.ledger.order(world.id(order)).state is OrderState.ACCEPTED

    def test_rejecting_costs_the_compute_fee(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        digest = world.hash(order, world.deliver(offer, order))
        world.ledger.reject(world.buyer, offer, order, digest)
        assert world.ledger.order(world.id(order)).reason is Reason.REJECTED
        assert world.ledger.offer(offer.id).accrued_units == offer.head.compute_fee_units > 0

    def test_revealing_starts_the_licence(self, world: World) -> None:
        offer, order, _ = world.reach_revealed()
        ledger, buyer = world.ledger, world.buyer.address
        revealed_at_s = ledger.order(world.id(order)).revealed_at_s
        assert ledger.is_licensed(offer, order, buyer, revealed_at_s)
        assert ledger.is_licensed(offer, order, buyer, revealed_at_s + offer.head.licence_s)
        assert not ledger.is_licensed(offer, order, buyer, revealed_at_s - 1)
        assert not ledger.is_licensed(offer, order, buyer, revealed_at_s + offer.head.licence_s + 1)
        assert not ledger.is_licensed(offer, order, world.stranger.address, revealed_at_s)

    def test_complaining_gives_price_and_bond_to_the_buyer(self, world: World) -> None:
        offer, order, delivery = world.reach_revealed()
        ledger, buyer = world.ledger, world.buyer.address
        credit = ledger.credit_units(world.token, buyer)
        receipt = ledger.complain(world.buyer, offer, order, delivery, COMPLAINT)
        assert receipt.function == "complain"
        standing = ledger.order(world.id(order))
        assert (standing.state, standing.reason) == (OrderState.FORFEITED, Reason.WRONG_BYTE)
        assert ledger.credit_units(world.token, buyer) == credit + PRICE_UNITS + BOND_UNITS
        assert not ledger.is_licensed(offer, order, buyer, standing.revealed_at_s)

    def test_settling_accrues_the_price_and_the_payout_is_withdrawn_once(self, world: World) -> None:
        offer, order, _ = world.reach_revealed()
        ledger = world.ledger
        ledger.settle(world.buyer, offer, order)
        assert ledger.order(world.id(order)).reason is Reason.APPROVED
        balance = ledger.balance_units(world.token, world.provider.address)
        ledger.withdraw_payout(world.stranger, offer)
        assert ledger.balance_units(world.token, world.provider.address) == balance + PRICE_UNITS
        assert ledger.withdrawn_units(offer.id) == PRICE_UNITS
        with pytest.raises(Refused, match="something to withdraw"):
            ledger.withdraw_payout(world.stranger, offer)

    def test_deadlines_that_pass_refund_forfeit_and_settle(self, world: World) -> None:
        ledger, offer = world.ledger, world.offer()
        undelivered, unaccepted = world.place(offer), world.place(offer)
        world.deliver(offer, unaccepted)
        unrevealed_offer, unrevealed, _ = world.reach_accepted()
        unsettled_offer, unsettled, _ = world.reach_revealed()
        world.pass_time(HOUR_S + 1)
        ledger.refund(world.stranger, offer, undelivered)
        ledger.refund(world.stranger, offer, unaccepted)
        ledger.forfeit(world.stranger, unrevealed_offer, unrevealed)
        ledger.settle(world.stranger, unsettled_offer, unsettled)
        orders = (undelivered, unaccepted, unrevealed, unsettled)
        assert [ledger.order(world.id(order)).reason for order in orders] == [
            Reason.NOT_DELIVERED,
            Reason.NOT_ACCEPTED,
            Reason.NOT_REVEALED,
            Reason.UNCHALLENGED,
        ]

    def test_approving_and_minting_move_the_test_euro(self, world: World) -> None:
        someone = LocalSigner.random().address
        assert world.ledger.mint(world.stranger, world.token, someone, 5).function == "mint"
        assert world.ledger.balance_units(world.token, someone) == 5
        world.ledger.approve(world.stranger, world.token, 9)
        assert world.ledger.allowance_units(world.token, world.stranger.address) == 9

    def test_gas_money_reaches_whom_it_is_given_to(self, world: World) -> None:
        someone = LocalSigner.random()
        world.ledger.give_gas(world.stranger, someone.address, 10**18)
        assert world.ledger.gas_balance_wei(someone.address) == 10**18
        assert world.ledger.approve(someone, world.token, 1).gas > 0


class TestWhatWasNeverMadeIsAllZero:
    def test_a_dataset(self, world: World) -> None:
        assert world.ledger.dataset(DatasetId(world.fresh())) == DatasetStanding(NOBODY, 0, 0, 0, 0, 0, 0)

    def test_an_offer(self, world: World) -> None:
        assert world.ledger.offer(OfferId(world.fresh())) == OfferStanding(False, False, 0, 0)

    def test_an_order(self, world: World) -> None:
        standing = world.ledger.order(OrderId(world.fresh()))
        assert (standing.state, standing.deadline_s, standing.delivery) == (OrderState.ABSENT, 0, NOTHING)

    def test_a_permit(self, world: World) -> None:
        permit = PermitId(world.fresh())
        assert world.ledger.permit(permit) == PermitStanding(NOBODY, NOBODY, 0, False, 0, 0, 0)
        assert not world.ledger.permit(permit).granted
        assert not world.ledger.permit_covers(permit, world.fresh())


class TestARefusalComesBeforeAnyGasIsSpent:
    def test_the_sender_pays_nothing_for_what_the_contract_refuses(self, world: World) -> None:
        held, head = world.ledger.gas_balance_wei(world.stranger.address), world.ledger.head_block()
        with pytest.raises(Refused, match="expected a registered dataset"):
            world.ledger.revise(world.stranger, DatasetId(world.fresh()), world.fresh(), world.fresh())
        assert world.ledger.gas_balance_wei(world.stranger.address) == held
        assert world.ledger.head_block() == head

    def test_the_contracts_own_name_for_the_error_is_kept(self, world: World) -> None:
        with pytest.raises(Refused) as caught:
            world.ledger.withdraw_credit(world.stranger, world.token, 10**20)
        assert error_name(caught.value) == "InsufficientCredit"
        assert "EUR 100,000,000,000,000.00 (test)" in str(caught.value)

    def test_a_price_that_was_not_approved_is_refused_with_both_amounts(self, world: World) -> None:
        offer = world.offer()
        order = world.order(offer)
        theirs = type(order)(**{**vars(order), "buyer": world.stranger.address})
        world.ledger.approve(world.stranger, world.token, 5_000_000)
        with pytest.raises(
            Refused, match=r"expected an approval of EUR 1,200\.000007 \(test\).*got EUR 5\.00 \(test\)"
        ):
            world.ledger.place(world.stranger, offer, theirs)

    def test_a_balance_that_does_not_cover_the_stake_is_refused(self, world: World) -> None:
        poor = LocalSigner.random()
        world.ledger.give_gas(world.stranger, poor.address, 10**18)
        world.ledger.approve(poor, world.token, 10)
        with pytest.raises(Refused, match=r"expected a balance of EUR 0\.000010 \(test\)"):
            world.ledger.stake(poor, world.token, 10)

    def test_a_budget_that_is_too_small_is_refused_before_any_money_moves(self, world: World) -> None:
        offer = world.offer(world.dataset(total_micro=RHO_MICRO + RHO_MICRO // 2))
        world.place(offer)
        balance = world.ledger.balance_units(world.token, world.buyer.address)
        with pytest.raises(Refused, match=f"at most {RHO_MICRO // 2} micro-rho.*order for {RHO_MICRO}"):
            world.place(offer)
        assert world.ledger.balance_units(world.token, world.buyer.address) == balance

    def test_an_acceptance_of_another_delivery_is_corrupt(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        world.deliver(offer, order)
        with pytest.raises(Corrupt, match="fetch the delivery again"):
            world.ledger.accept(world.buyer, offer, order, DeliveryHash(world.fresh()))

    def test_a_signature_of_somebody_else_is_corrupt(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        digest = world.hash(order, world.deliver(offer, order))
        signature = sign_acceptance(world.stranger, world.ledger.domain, world.id(order), digest)
        with pytest.raises(Corrupt, match="expected a signature of"):
            world.ledger.accept_for(world.stranger, offer, order, digest, signature)

    def test_a_wrong_key_is_corrupt_and_not_shown(self, world: World) -> None:
        offer, order, delivery = world.reach_accepted()
        wrong = world.fresh()
        with pytest.raises(Corrupt) as caught:
            world.ledger.reveal(world.provider, offer, order, delivery, wrong)
        assert wrong.hex() not in str(caught.value)

    def test_a_complaint_about_what_was_not_committed_is_corrupt_and_about_nothing_refused(self, world: World) -> None:
        offer, order, delivery = world.reach_revealed()
        with pytest.raises(Corrupt, match=r"expected chunk 0 as the delivery of order .* commits to it"):
            complaint = replace(COMPLAINT, cipher=bytes(1024))
            world.ledger.complain(world.buyer, offer, order, delivery, complaint)
        with pytest.raises(Invalid, match="expected path between 1 and 1, got 0"):
            world.ledger.complain(world.buyer, offer, order, delivery, replace(COMPLAINT, path=()))
        with pytest.raises(Refused, match="expected the order's buyer"):
            world.ledger.complain(world.stranger, offer, order, delivery, COMPLAINT)
        world.pass_time(HOUR_S + 1)
        with pytest.raises(Refused, match="the deadline has passed"):
            world.ledger.complain(world.buyer, offer, order, delivery, COMPLAINT)

    def test_a_value_that_its_field_cannot_hold_is_invalid_and_named(self, world: World) -> None:
        with pytest.raises(Invalid, match="maxOpen"):
            world.offer(max_open=2**32)
        with pytest.raises(Invalid, match="salt"):
            world.ledger.register(world.provider, b"short", world.fresh(), world.fresh(), 1)
        with pytest.raises(Invalid, match="total"):
            world.ledger.register(world.provider, world.fresh(), world.fresh(), world.fresh(), -1)

    def test_an_account_without_ether_is_told_so(self, world: World) -> None:
        penniless = LocalSigner.random()
        with pytest.raises(Refused):
            world.ledger.register(penniless, world.fresh(), world.fresh(), world.fresh(), 1)


class TestAPreparedTransactionPaysOnce:
    def test_preparing_changes_nothing_and_shows_no_calldata(self, world: World) -> None:
        head = world.ledger.head_block()
        call = world.ledger.calls.register(world.fresh(), world.fresh(), world.fresh(), 1)
        prepared = world.ledger.prepare(world.provider, call)
        assert world.ledger.head_block() == head
        assert world.ledger.receipt(prepared.hash) is None
        assert prepared.function == "register"
        assert prepared.raw.hex() not in repr(prepared)
        assert call.data.hex() not in repr(call)

    def test_sending_twice_gives_the_same_receipt(self, world: World) -> None:
        balance = world.ledger.balance_units(world.token, world.provider.address)
        prepared = world.ledger.prepare(world.provider, world.ledger.calls.stake(world.token, 11))
        first = world.ledger.send(prepared)
        assert world.ledger.send(prepared) == first
        assert world.ledger.balance_units(world.token, world.provider.address) == balance - 11

    def test_a_receipt_is_found_again_by_the_hash_alone(self, world: World) -> None:
        prepared = world.ledger.prepare(world.provider, world.ledger.calls.stake(world.token, 1))
        sent = world.ledger.send(prepared)
        assert sent.transaction == prepared.hash
        assert world.ledger.receipt(prepared.hash) == sent

    def test_the_receipt_tells_gas_block_and_time(self, world: World) -> None:
        receipt = world.ledger.stake(world.provider, world.token, 1)
        assert 21_000 < receipt.gas < 200_000
        assert receipt.block == world.ledger.head_block()
        assert receipt.at_s == world.ledger.now_s() == world.ledger.block(receipt.block).at_s

    def test_a_transaction_that_was_overtaken_is_refused(self, world: World) -> None:
        slow = world.ledger.prepare(world.provider, world.ledger.calls.stake(world.token, 2))
        world.ledger.stake(world.provider, world.token, 3)
        with pytest.raises(Refused):
            world.ledger.send(slow)
        assert world.ledger.receipt(slow.hash) is None

    def test_a_transaction_that_the_contract_undoes_in_its_block_says_why(self, world: World) -> None:
        offer = world.offer()
        order = world.place(offer)
        late = world.ledger.prepare(world.provider, world.ledger.calls.deliver(offer, order, world.delivery()))
        world.pass_time(HOUR_S + 1)
        with pytest.raises(Refused, match="the deadline has passed"):
            world.ledger.send(late)
        with pytest.raises(Refused, match="the deadline has passed"):
            world.ledger.receipt(late.hash)

    def test_an_unknown_hash_has_no_receipt(self, world: World) -> None:
        assert world.ledger.receipt(world.fresh()) is None


class TestTheLedgerSaysWhereItIs:
    def test_domain_and_source_are_named(self, world: World) -> None:
        ledger: Ledger = world.ledger
        assert ledger.domain.contract == world.ledger.calls.stake(world.token, 1).to
        assert ledger.source_hash == artifact.load().source_hash
        assert len(ledger.source_hash) == 32

    def test_time_passes(self, world: World) -> None:
        before_s = world.ledger.now_s()
        world.pass_time(1_000)
        assert world.ledger.now_s() >= before_s + 1_000

    def test_a_block_that_does_not_exist_is_refused(self, world: World) -> None:
        with pytest.raises(Refused, match="expected a block"):
            world.ledger.block(world.ledger.head_block() + 1_000)
        with pytest.raises(Refused, match="expected a block"):
            world.ledger.block(-1)

    def test_the_budget_never_grows_by_itself(self, world: World) -> None:
        assert world.ledger.dataset(world.dataset()).total_micro == TOTAL_MICRO
