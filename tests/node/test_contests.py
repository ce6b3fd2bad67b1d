"""A node and an arbiter: it waits for the ruling, and settles after a silent one."""

from dataclasses import dataclass

import pytest

from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import OrderState, Reason
from node.daemon import Daemon
from node.work import Reveal, Settle, Wait
from tests.node.market import EURO, HOUR_S, Market, embedded_market

GROUNDS = b"g" * 32


@dataclass
class Arbitrated:
    """A market with an offer that an arbiter rules."""

    market: Market
    arbiter: LocalSigner
    offer: Offer

    def contested(self, daemon: Daemon) -> OrderId:
        """A revealed order that its buyer has contested."""
        order = self.market.place(self.offer)
        self.market.buy(daemon, order)
        self.market.ledger.approve(self.market.client.signer, self.market.token, 2 * EURO)
        view = self.market.order(order)
        self.market.ledger.contest(self.market.client.signer, self.offer, view.order, GROUNDS)
        return order


@pytest.fixture(scope="module")
def arbitrated(tmp_path_factory: pytest.TempPathFactory) -> Arbitrated:
    market = embedded_market(tmp_path_factory.mktemp("arbitrated"))
    market.stake(10)
    arbiter = market.ledger.account()  # type: ignore[attr-defined]
    terms = {"arbiter": arbiter.address, "rule_window_s": 2 * HOUR_S, "contest_deposit_units": 2 * EURO}
    return Arbitrated(market, arbiter, market.publish(**terms))


def test_a_contested_order_waits_and_is_settled_after_a_silent_arbiter(arbitrated: Arbitrated) -> None:
    market, daemon = arbitrated.market, arbitrated.market.daemon()
    order = arbitrated.contested(daemon)
    market.pass_time(HOUR_S + 1)
    (waiting,) = (each for each in daemon.tick() if each.order == order)
    assert waiting.step == Wait("for the arbiter to rule")
    market.pass_time(HOUR_S)
    market.run_until(daemon, order, OrderState.SETTLED)
    daemon.close()
    assert market.steps(order)[-2:] == [Reveal, Settle]
    assert market.order(order).reason is Reason.NOT_RULED
    market.assert_sound()


@pytest.mark.parametrize(("price_bps", "state"), [(4_000, OrderState.SETTLED), (0, OrderState.REFUNDED)])
def test_a_ruled_order_has_ended(arbitrated: Arbitrated, price_bps: int, state: OrderState) -> None:
    market, daemon = arbitrated.market, arbitrated.market.daemon()
    order = arbitrated.contested(daemon)
    market.ledger.rule(arbitrated.arbiter, arbitrated.offer, market.order(order).order, price_bps, 10_000)
    market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert (market.order(order).state, market.order(order).reason) == (state, Reason.RULED)
    assert Settle not in market.steps(order)
    market.assert_sound()
