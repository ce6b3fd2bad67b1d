"""A node and the permits of an authority, on a ledger in this process: live or nothing."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import OrderId, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from node.work import Close, Decline, Deliver, Made, Make, Refund, Release, Reveal, Seal
from tests.node.market import HOUR_S, Market, embedded_market

RESEARCH, TEACHING = 4, 3
DOCUMENT = b"d" * 32


@dataclass
class Permitted:
    """A market with an offer that asks for an authority's permits for research."""

    market: Market
    authority: LocalSigner
    offer: Offer

    def grant(self, lasts_s: int = 30 * 24 * HOUR_S, purpose: int = RESEARCH) -> PermitId:
        """A permit of the buyer's for the dataset, for `lasts_s` from now."""
        now_s = self.market.ledger.now_s()
        subjects = (self.market.listed.dataset,)
        grant = Grant(self.market.client.signer.address, purpose, now_s - 1, now_s + lasts_s, DOCUMENT, subjects)
        permit, _ = self.market.ledger.grant(self.authority, grant)
        return permit

    def place(self, permit: PermitId) -> OrderId:
        purchase = self.market.client.draft(self.market.offer.id, rows=50, slot_s=1)
        changed = replace(purchase.specification, offer=self.offer.id)
        digest = self.market.node.store.put([changed.encode()]).digest
        return self.market.place_changed(purchase, offer=self.offer.id, specification=digest, permit=permit)

    def revoke(self, permit: PermitId) -> None:
        self.market.ledger.revoke(self.authority, permit, DOCUMENT)

    def credit_units(self) -> int:
        """What the provider has staked and free."""
        return self.market.ledger.credit_units(self.market.token, self.market.node.keys.signer.address)

    def accept(self, order: OrderId) -> None:
        """The buyer accepts the delivery, unread."""
        view = self.market.order(order)
        assert view.delivery_hash
        self.market.ledger.accept(self.market.client.signer, self.offer, view.order, view.delivery_hash)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def permitted(tmp_path_factory: pytest.TempPathFactory) -> Permitted:
    market = embedded_market(tmp_path_factory.mktemp("permitted"))
    market.stake(50)
    authority = market.ledger.account()  # type: ignore[attr-defined]
    offer = market.publish(authority=authority.address, purposes=1 << RESEARCH)
    return Permitted(market, authority, offer)


def test_an_order_with_a_live_permit_goes_its_way(permitted: Permitted) -> None:
    market = permitted.market
    daemon, order = market.daemon(), permitted.place(permitted.grant())
    market.run_until(daemon, order, OrderState.DELIVERED)
    permitted.accept(order)
    market.run_until(daemon, order, OrderState.REVEALED)
    daemon.close()
    assert market.steps(order) == [Make, Seal, Deliver, Reveal]


def test_an_order_whose_permit_was_revoked_before_the_work_is_declined_untouched(permitted: Permitted) -> None:
    market, permit = permitted.market, permitted.grant()
    before, order = market.used_micro(), permitted.place(permit)
    permitted.revoke(permit)
    daemon = market.daemon()
    market.run(daemon, lambda: Release in market.steps(order))
    daemon.close()
    assert market.steps(order) == [Close, Decline, Release]
    assert market.order(order).declined is DeclineReason.RULES
    assert market.debits(order) == []
    assert market.used_micro() == before
    market.assert_sound()


def test_an_order_whose_permit_has_ended_before_the_work_is_declined(permitted: Permitted) -> None:
    market, order = permitted.market, permitted.place(permitted.grant(lasts_s=600))
    market.pass_time(601)
    daemon = market.daemon()
    market.run(daemon, lambda: Release in market.steps(order))
    daemon.close()
    assert market.order(order).declined is DeclineReason.RULES


def test_an_accepted_order_whose_permit_was_revoked_is_refunded_at_once_and_its_bond_is_free(
    permitted: Permitted,
) -> None:
    market, permit = permitted.market, permitted.grant()
    free_units = permitted.credit_units()
    daemon, order = market.daemon(), permitted.place(permit)
    assert permitted.credit_units() == free_units - permitted.offer.head.bond_units
    market.run_until(daemon, order, OrderState.DELIVERED)
    permitted.accept(order)
    permitted.revoke(permit)
    market.run_until(daemon, order, OrderState.REFUNDED)
    market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert market.steps(order) == [Make, Seal, Deliver, Refund]
    assert market.order(order).reason is Reason.PERMIT_REVOKED
    assert market.order(order).key is None
    assert permitted.credit_units() == free_units
    market.assert_sound()


def test_a_node_that_was_off_while_the_reveal_lapsed_still_saves_its_bond_after_a_revocation(
    permitted: Permitted,
) -> None:
    market, permit = permitted.market, permitted.grant()
    daemon, order = market.daemon(), permitted.place(permit)
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()
    permitted.accept(order)
    permitted.revoke(permit)
    market.pass_time(HOUR_S + 1)
    again = market.daemon()
    market.run_until(again, order, OrderState.REFUNDED)
    again.close()
    assert market.order(order).reason is Reason.PERMIT_REVOKED


def test_a_result_is_not_handed_over_once_the_permit_was_revoked(permitted: Permitted) -> None:
    market, permit = permitted.market, permitted.grant()
    before = market.used_micro()
    daemon, order = market.daemon(), permitted.place(permit)
    folder = daemon.effects.order_folder(order)
    market.run(daemon, lambda: daemon.effects.workers.made(order, folder) is Made.DONE)
    permitted.revoke(permit)
    for _ in range(3):
        daemon.tick()
    assert market.steps(order) == [Make]
    market.pass_time(HOUR_S + 1)
    market.run_until(daemon, order, OrderState.REFUNDED)
    daemon.close()
    assert market.order(order).reason is Reason.NOT_DELIVERED
    assert market.order(order).delivery is None
    assert market.used_micro() == before + permitted.offer.members[0].rho_micro
    market.assert_sound()


def test_an_offer_names_authority_and_purposes_together(tmp_path: Path, permitted: Permitted) -> None:
    head = permitted.offer.head
    assert (head.authority, head.purposes) == (permitted.authority.address, 1 << RESEARCH)
