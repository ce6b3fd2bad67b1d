"""An order without a privacy promise, on a ledger in this process: a live permit, one of the allowance, and plain words."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.certificate.certificate import NO_EPSILON, NO_PROMISE
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.verification import verify
from marketplace.errors import Invalid, Refused
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason, OrderState
from node.admission import Rules
from node.reconciliation import differences
from node.replay import Replay
from node.synthesis.generators import GENERATORS
from node.work import Close, Decline, Deliver, Make, Release, Reveal, Seal
from node.workers.process import ProcessWorkers
from tests.node.market import HOUR_S, ORDERS_IN_BUDGET, Market, conditions, embedded_market
from tests.node.quick_child import quick

RESEARCH = 4
DOCUMENT = b"d" * 32
TOTAL_MICRO = ORDERS_IN_BUDGET * 40_000
RULES = Rules(generators=frozenset(GENERATORS))


@dataclass
class Exact:
    """A market with an exact offer, and an allowance of two such orders."""

    market: Market
    authority: LocalSigner
    offer: Offer

    def place(self, generator: str | None = None) -> OrderId:
        market = self.market
        drafted = market.client.draft(self.offer.id, rows=50, slot_s=1, generator=generator)
        return market.client.place(drafted).order

    def exact_left(self) -> tuple[int, int]:
        """What ledger and vault have left of the allowance."""
        view = self.market.client.account().datasets[self.market.listed.dataset]
        return view.exact_left, self.market.node.vault.account.exact_left(view.salt)


def opened(folder: Path) -> Exact:
    market = embedded_market(folder)
    market.stake(20)
    authority = market.ledger.account()  # type: ignore[attr-defined]
    wanted = {"epsilon": None, "authority": authority.address, "purposes": 1 << RESEARCH}
    with pytest.raises(Refused, match="expected an allowance of exact orders, the dataset has none left"):
        market.publish(**wanted)
    market.node.provider().open_epoch(market.listed.dataset, TOTAL_MICRO, 2, "Two exact twins for one study.")
    offer = market.publish(**wanted)
    now_s = market.ledger.now_s()
    grant = Grant(
        market.client.signer.address, RESEARCH, now_s - 1, now_s + 720 * HOUR_S, DOCUMENT, (market.listed.dataset,)
    )
    market.ledger.grant(authority, grant)
    return Exact(market, authority, offer)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Exact:
    return opened(tmp_path_factory.mktemp("exact"))


@pytest.fixture(scope="module")
def bought(exact: Exact) -> tuple[Exact, OrderId, Path]:
    market = exact.market
    daemon, order = market.daemon(rules=RULES), exact.place("neural-exact")
    out = market.buy(daemon, order)
    daemon.close()
    return exact, order, out


def test_an_exact_offer_promises_nothing_and_takes_no_rho(exact: Exact) -> None:
    assert exact.offer.head.guarantee is Guarantee.EXACT
    assert (exact.offer.head.delta_atto, exact.offer.members[0].rho_micro) == (0, 0)


def test_an_exact_order_goes_its_way_against_the_allowance(bought: tuple[Exact, OrderId, Path]) -> None:
    exact, order, _ = bought
    market = exact.market
    assert market.steps(order) == [Make, Seal, Deliver, Reveal]
    assert (market.debits(order), market.used_micro()) == ([], 0)
    assert exact.exact_left() == (1, 1)
    assert market.node.vault.account.touched(order, market.listed.snapshot.dataset)
    market.assert_sound()
    account, vault = market.client.account(), market.node.vault.account
    assert differences(account, market.node.keys.signer.address, vault) == ()


def test_an_exact_order_made_again_gives_the_same_root_and_takes_no_more_of_the_allowance(
    bought: tuple[Exact, OrderId, Path],
) -> None:
    exact, order, out = bought
    delivery, left = exact.market.order(order).delivery, exact.exact_left()
    assert delivery is not None
    found = exact.market.node.replay(order, lambda _: None, out, quick)
    assert found == Replay(delivery.plain_root, delivery.plain_root, (), ())
    assert exact.exact_left() == left


def test_certificate_and_report_say_that_there_is_no_differential_privacy(bought: tuple[Exact, OrderId, Path]) -> None:
    _, _, out = bought
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.privacy.is_exact
    assert (certificate.privacy.epsilon, certificate.privacy.assumptions) == (NO_EPSILON, NO_PROMISE)
    assert "carries no differential privacy" in NO_PROMISE[0]
    page = re.sub(r"data:image/png;base64,[^\"]*", "", (out / "report.html").read_text())
    assert "carries no differential privacy" in page
    for promise in ("differentially private", "epsilon", "No row is a patient", "is the guarantee above"):
        assert promise not in page
    assert verify(out).passed


def test_an_order_beyond_the_allowance_cannot_be_placed_and_one_of_another_generator_is_declined_untouched(
    bought: tuple[Exact, OrderId, Path],
) -> None:
    exact, _, _ = bought
    market, order = exact.market, exact.place("neural-exact")
    with pytest.raises(Refused, match="expected an allowance of exact orders"):
        exact.place()
    daemon = market.daemon(rules=Rules())
    market.run(daemon, lambda: Release in market.steps(order))
    daemon.close()
    assert market.steps(order) == [Close, Decline, Release]
    assert market.order(order).declined is DeclineReason.RULES
    assert exact.exact_left() == (1, 1)
    market.assert_sound()


def test_without_a_live_permit_no_record_is_opened(bought: tuple[Exact, OrderId, Path]) -> None:
    exact, _, _ = bought
    market, order = exact.market, exact.place()
    market.ledger.revoke(exact.authority, market.order(order).order.permit, DOCUMENT)
    daemon = market.daemon(rules=RULES)
    market.run_until(daemon, order, OrderState.REFUNDED)
    daemon.close()
    assert not market.node.vault.account.touched(order, market.listed.snapshot.dataset)


@pytest.mark.slow
@pytest.mark.parametrize(("generator", "exact_offer"), [("neural-exact", True), ("neural", False)])
def test_the_real_networks_serve_an_order(tmp_path: Path, generator: str, exact_offer: bool) -> None:
    exact = opened(tmp_path)
    market, offer = exact.market, exact.offer if exact_offer else exact.market.offer
    drafted = market.client.draft(offer.id, rows=50, slot_s=1, generator=generator)
    order, daemon = (
        market.client.place(drafted).order,
        market.daemon(ProcessWorkers(), replace(RULES, below_floor=True)),
    )
    out = market.buy(daemon, order)
    daemon.close()
    assert verify(out).passed
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.mechanism.name == generator
    assert certificate.privacy.is_exact == exact_offer == (not certificate.mechanism.generate)
    market.assert_sound()


def test_an_exact_offer_needs_an_authority(exact: Exact) -> None:
    with pytest.raises(Invalid, match="expected an authority whose permits are asked for"):
        replace(conditions(exact.market.token), epsilon=None)
