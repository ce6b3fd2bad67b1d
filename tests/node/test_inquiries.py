"""What a node asks other members about an order: all at once, and waiting for none."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import pytest

from marketplace.errors import Refused
from marketplace.protocol.identity import Address
from node.pool.inquiries import Inquiries
from tests.node.examples import ORDER
from tests.protocol.examples import address

FAST, SLOW = address(1), address(2)
LONG_S = 600


class Talk:
    """Two members: one answers at once, the other when it is let."""

    def __init__(self) -> None:
        self.inquiries, self.let = Inquiries(), threading.Event()
        self.asked: list[Address] = []

    def answers(self) -> Mapping[Address, Future[bytes]] | None:
        return self.inquiries.answers(ORDER, "statement", {FAST: self._question(FAST), SLOW: self._question(SLOW)})

    def _question(self, who: Address) -> Callable[[], bytes]:
        def question() -> bytes:
            self.asked.append(who)
            if who == SLOW:
                assert self.let.wait(LONG_S)
                raise Refused("expected to be asked something else")
            return b"yes"

        return question

    def await_questions(self, count: int) -> None:
        until = time.monotonic() + LONG_S
        while len(self.asked) < count:
            assert time.monotonic() < until
            time.sleep(0.01)

    def awaited(self) -> Mapping[Address, Future[bytes]]:
        while (found := self.answers()) is None:
            threading.Event().wait(0.01)
        return found


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_all_are_asked_once_and_what_came_is_told_when_nobody_is_awaited_any_more(talk: Talk) -> None:
    assert [talk.answers() for _ in range(3)] == [None] * 3
    talk.let.set()
    found = talk.awaited()
    assert found[FAST].result() == b"yes"
    with pytest.raises(Refused, match="something else"):
        found[SLOW].result()
    assert sorted(talk.asked) == [FAST, SLOW]


def test_once_it_is_told_they_are_asked_anew(talk: Talk) -> None:
    talk.let.set()
    talk.awaited()
    talk.awaited()
    assert sorted(talk.asked) == [FAST, FAST, SLOW, SLOW]


def test_another_verb_is_another_question_and_nothing_is_awaited_of_an_order_that_is_forgotten(talk: Talk) -> None:
    assert talk.answers() is None
    talk.await_questions(2)
    other = {FAST: lambda: b"signed"}
    while (found := talk.inquiries.answers(ORDER, "countersign", other)) is None:
        threading.Event().wait(0.01)
    assert found[FAST].result() == b"signed"
    talk.inquiries.forget(ORDER)
    talk.let.set()
    assert talk.awaited()[FAST].result() == b"yes"
    assert talk.asked.count(FAST) == 2


def test_a_fault_is_raised_where_the_answer_is_wanted(talk: Talk) -> None:
    while (found := talk.inquiries.answers(ORDER, "statement", {FAST: lambda: bytes(-1)})) is None:
        threading.Event().wait(0.01)
    with pytest.raises(ValueError, match="negative"):
        found[FAST].result()
