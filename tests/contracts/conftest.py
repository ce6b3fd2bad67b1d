"""A market with an offer, put back as it was after each test, and what tests say of refusals and of money."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from eth_utils.crypto import keccak

from marketplace.protocol.states import OrderState
from scripts.benchmarks.evm import Evm, Reverted
from scripts.benchmarks.life import Life, live
from scripts.benchmarks.market import Market, Terms


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
        self.offers, self.lives = [self.terms], list[Life]()

    @property
    def used(self) -> int:
        """What orders have taken of the dataset's budget, in micro-rho."""
        return int(self.rules.ask("getDataset", self.dataset).used)

    @property
    def standing(self) -> Any:
        """What the ledger keeps of the offer."""
        return self.rules.ask("getOffer", self.terms.offer)

    def credits(self) -> tuple[int, int]:
        """What the provider and the buyer may withdraw."""
        return self.market.credit(self.provider), self.market.credit(self.buyer)

    def publish(self, **changes: Any) -> Terms:
        """Another offer, with changes to its head."""
        return self.offer(self.market.head(**changes))

    def offer(self, head: Any, *members: Any) -> Terms:
        """An offer, of the stage's dataset where no members are given."""
        terms = self.market.publish(head, list(members) or [self.market.member(self.dataset)])
        self.offers.append(terms)
        return terms

    @property
    def disputed(self) -> Terms:
        """An offer with an arbiter."""
        return self.offer(self.market.arbitrated(terms=keccak(text=f"terms {len(self.offers)}")))

    def order(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        """An order that is not placed yet."""
        life = live(self.market, terms or self.terms, number, **changes)
        self.lives.append(life)
        return life

    def placed(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.order(number, terms, **changes), Life.place)

    def delivered(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.placed(number, terms, **changes), Life.deliver)

    def accepted(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.delivered(number, terms, **changes), Life.accept)

    def revealed(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.accepted(number, terms, **changes), Life.reveal)

    def contested(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.revealed(number, terms or self.disputed, **changes), Life.contest)

    def settled(self, number: int = 0, terms: Terms | None = None, **changes: Any) -> Life:
        return _after(self.revealed(number, terms, **changes), Life.settle)

    def travel(self, seconds: int) -> None:
        """Let `seconds` pass."""
        self.market.evm.travel(self.market.evm.now_s + seconds)

    def check_money(self) -> None:
        """Every unit that the contract has is somebody's: a credit, a payout, or what an open order holds."""
        market = self.market
        people = {*market.evm.accounts, *market.owners}
        euro = [terms for terms in self.offers if terms.head.token == market.euro.address]
        held = sum(market.credit(account) for account in people)
        for terms in {terms.offer: terms for terms in euro}.values():
            standing = self.rules.ask("getOffer", terms.offer)
            withdrawn = sum(self.rules.ask("getWithdrawn", terms.offer, index) for index in range(len(terms.members)))
            held += standing.accrued - withdrawn + standing.open * (terms.price + terms.head.bond)
        contested = {life.id: life for life in self.lives if life.standing.state == OrderState.CONTESTED}
        held += sum(life.terms.head.contestDeposit for life in contested.values())
        assert market.euro.ask("balanceOf", self.rules.address) == held

    def refused(self, name: str, *arguments: Any) -> AbstractContextManager[None]:
        """Expects a custom error with exactly these arguments, and that nothing has changed."""
        return refused(self.market.evm, name, *arguments)


def _after(life: Life, step: Callable[[Life], object]) -> Life:
    step(life)
    return life


@contextmanager
def refused(evm: Evm, name: str, *arguments: Any) -> Iterator[None]:
    """Expects a custom error with exactly these arguments, and that nothing has changed on `evm`."""
    before = evm.snapshot()
    with pytest.raises(Reverted) as raised:
        yield
    assert (raised.value.name, raised.value.arguments) == (name, tuple(_spelled(value) for value in arguments))
    assert evm.snapshot() == before


def _spelled(value: Any) -> Any:
    """An argument as the ledger gives it: a word stands left in 32 bytes."""
    return value.encode().ljust(32, b"\0") if isinstance(value, str) and not value.startswith("0x") else value


@pytest.fixture(scope="session")
def built() -> Stage:
    return Stage()


@pytest.fixture
def stage(built: Stage) -> Iterator[Stage]:
    before, offers = built.market.evm.snapshot(), list(built.offers)
    yield built
    built.check_money()
    built.market.evm.restore(before)
    built.offers, built.lives = offers, []
