"""What a node can tell of its clock by the ledger's: how far behind it is at once, how far ahead once a block comes."""

from dataclasses import dataclass
from typing import cast

import pytest

from marketplace.ledger.ledger import Ledger
from node.skew import MOST_SKEW_S, Skew

NOON_S = 1_000_000


@dataclass
class Chain:
    """The head of a ledger, and the true time."""

    true_s: int = NOON_S
    number: int = 7
    block_s: int = NOON_S

    def head_block(self) -> int:
        return self.number

    def now_s(self) -> int:
        return self.block_s

    def passes(self, seconds: int, *, block: bool = True) -> None:
        self.true_s += seconds
        if block:
            self.number, self.block_s = self.number + 1, self.true_s


def skew_of(chain: Chain, off_s: int) -> Skew:
    made = Skew(lambda: chain.true_s + off_s, cast(Ledger, chain))
    made.look()
    chain.passes(12)
    made.look()
    return made


@pytest.mark.parametrize("off_s", [-MOST_SKEW_S, -1, 0, 1, MOST_SKEW_S + 12])
def test_a_clock_that_is_off_by_little_is_not_minded(off_s: int) -> None:
    assert skew_of(Chain(), off_s).words is None


def test_a_clock_that_is_behind_is_told_at_once_and_the_ledgers_time_is_taken() -> None:
    skew = skew_of(Chain(), -MOST_SKEW_S - 1)
    assert (
        skew.words == "this node's clock is 301 s behind the ledger's, so deadlines and permits cannot be told; set it"
    )
    assert skew.now_s() == NOON_S + 12


def test_a_clock_that_is_ahead_is_told_when_a_block_comes_and_the_ledgers_time_is_taken() -> None:
    chain = Chain()
    skew = skew_of(chain, 4_000)
    assert skew.words is not None and "3,988 s ahead of the ledger's" in skew.words
    assert skew.now_s() == chain.block_s


def test_a_ledger_that_stands_still_says_nothing_of_a_clock() -> None:
    chain = Chain()
    skew = skew_of(chain, 0)
    chain.passes(10**6, block=False)
    skew.look()
    assert skew.words is None
    assert skew.now_s() == chain.true_s
    chain.passes(12)
    skew.look()
    assert skew.words is None


def test_a_clock_that_is_set_right_is_no_longer_minded() -> None:
    chain = Chain()
    skew = skew_of(chain, 4_000)
    skew.clock = lambda: chain.true_s
    for _ in range(2):
        chain.passes(12)
        skew.look()
    assert skew.words is None
