"""A market with an offer, put back as it was after each test, and what tests say of refusals and of money."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from scripts.benchmarks.evm import Evm, Reverted
from scripts.benchmarks.market import Life, Market, Terms


class Stage:
    """A market on which the provider has registered `dataset`, published `terms` and staked ten bonds."""

    def __init__(self) -> None:
        self.market = Market()
        self.rules = self.market.rules
        self.provider, self.buyer, self.stranger = self.market.provider, self.market.buyer, self.market.stranger
        self.dataset = self.market.register(total=1_000)
        self.terms = self.market.publish(self.market.head(), [self.market.member(self.dataset)])
        self.head = self.terms.head
        self.price = self.head.cost + self.head.margin
        self.fee = self.price * self.head.computeFeeBps // 10_000
        self.bond = self.head.bond
        self.market.stake(10 * self.bond)

    @property
    def used(self) -> int:
        """What orders have taken of the dataset's budget, in micro-rho."""
        return int(self.rules.ask("getDataset", self.dataset).used)

    @property
    def offer(self) -> Any:
        """What the ledger keeps of the offer."""
        return self.rules.ask("getOffer", self.terms.offer)

    def credits(self) -> tuple[int, int]:
        """What the provider and the buyer may withdraw."""
        return self.market.credit(self.provider), self.market.credit(self.buyer)

    def publish(self, **changes: Any) -> Terms:
        """Another offer, with changes to its head."""
        return self.market.publish(self.market.head(**changes), [self.market.member(self.dataset)])

    def order(self, number: int = 0, **changes: Any) -> Life:
        """An order that is not placed yet."""
        return self.market.life(self.terms, number, **changes)

    def placed(self, number: int = 0) -> Life:
        life = self.order(number)
        life.place()
        return life

    def delivered(self, number: int = 0) -> Life:
        life = self.placed(number)
        life.deliver()
        return life

    def accepted(self, number: int = 0) -> Life:
        life = self.delivered(number)
        life.accept()
        return life

    def revealed(self, number: int = 0) -> Life:
        life = self.accepted(number)
        life.reveal()
        return life

    def settled(self, number: int = 0) -> Life:
        life = self.revealed(number)
        life.settle()
        return life

    def travel(self, seconds: int) -> None:
        """Let `seconds` pass."""
        self.market.evm.travel(self.market.evm.now_s + seconds)

    def check_money(self) -> None:
        """Every unit that the contract has is somebody's: a credit, a payout, or the price and bond of an open order."""
        balance = self.market.euro.ask("balanceOf", self.rules.address)
        credits = sum(self.market.credit(account) for account in (self.provider, self.buyer, self.stranger))
        offer = self.offer
        payouts = offer.accrued - self.rules.ask("getWithdrawn", self.terms.offer, 0)
        assert balance == credits + payouts + offer.open * (self.price + self.bond)

    def refused(self, name: str, *arguments: Any) -> AbstractContextManager[None]:
        """Expects a custom error with exactly these arguments, and that nothing has changed."""
        return refused(self.market.evm, name, *arguments)


@contextmanager
def refused(evm: Evm, name: str, *arguments: Any) -> Iterator[None]:
    """Expects a custom error with exactly these arguments, and that nothing has changed on `evm`."""
    before = evm.snapshot()
    with pytest.raises(Reverted) as raised:
        yield
    assert (raised.value.name, raised.value.arguments) == (name, arguments)
    assert evm.snapshot() == before


@pytest.fixture(scope="session")
def built() -> Stage:
    return Stage()


@pytest.fixture
def stage(built: Stage) -> Iterator[Stage]:
    before = built.market.evm.snapshot()
    yield built
    built.check_money()
    built.market.evm.restore(before)
