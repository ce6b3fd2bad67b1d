"""In lanes of secret shares too all mean the same order from the first word on, and sign for all that was said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.mpc import stating
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Kind
from node.mpc.plan import Plan
from node.mpc.stating import SALT_BYTES, Stating
from node.mpc.transcript import Transcript
from tests.mpc.hospitals import Hospitals
from tests.mpc.table import Table

CULPRIT = 2


class Talking(Stating):
    """A lane in which parties greet each other and say what they are asked to."""

    def __init__(self, plan: Plan, key: Any, folder: Path, *lines: Any) -> None:
        super().__init__(plan, key, *lines)
        self.greetings: dict[int, bytes] = {}

    def greet(self) -> None:
        self._meet(lambda number: b"for %d" % number, lambda _, secret: None, 8)

    def answer(self, asked: bytes, *_: Any) -> None:
        self._mean_alike(asked)

    def _say(self, number: int, kind: Kind, payload: bytes) -> None:
        if kind == Kind.HELLO:
            self.greetings[number] = payload
        super()._say(number, kind, payload)


@pytest.fixture
def plans(hospitals: Callable[..., Hospitals]) -> list[Plan]:
    return hospitals(3).plans


def named(table: Table, work: Callable[[Talking], object]) -> list[tuple[int, Reason]]:
    """Whom each party names where `work` ends badly at all of them."""
    found = []
    for one in [table.pool.submit(work, party) for party in table.parties]:
        with pytest.raises(Ended) as raised:
            one.result()
        found.append((raised.value.party, raised.value.reason))
    return found


@pytest.mark.parametrize("what", ["order", "specification"])
def test_who_is_there_for_something_else_is_found_at_the_greeting(plans: list[Plan], tmp_path: Path, what: str) -> None:
    plans[CULPRIT] = replace(plans[CULPRIT], **{what: b"another".ljust(32)})  # type: ignore[arg-type]
    table = Table(plans, tmp_path, Talking)
    assert named(table, Talking.greet)[:CULPRIT] == [(CULPRIT, Reason.DISAGREED)] * CULPRIT
    assert not any(party.agreed for party in table.parties)


def test_who_is_asked_something_else_is_named(plans: list[Plan], tmp_path: Path) -> None:
    table = Table(plans, tmp_path, Talking)
    table.all(lambda _, party: party.greet())
    asked = [b"this", b"this", b"that"]
    found = named(table, lambda party: party.answer(asked[party._plan.own]))
    assert found[:CULPRIT] == [(CULPRIT, Reason.DISAGREED)] * CULPRIT


@pytest.mark.parametrize("side", ["_said", "_heard"])
def test_who_states_something_else_of_what_it_said_or_heard_is_named(
    plans: list[Plan], tmp_path: Path, side: str
) -> None:
    table = Table(plans, tmp_path, Talking)
    table.all(lambda _, party: party.greet())
    for number in range(CULPRIT):
        getattr(table.parties[CULPRIT], side)[number].update(b"a word more")
    assert named(table, Talking.finish)[:CULPRIT] == [(CULPRIT, Reason.DISAGREED)] * CULPRIT


def test_all_sign_for_all_that_was_said(plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stating, "token_bytes", bytes)
    digests = set()
    for place, asked in enumerate([b"this", b"this", b"that"]):
        (tmp_path / str(place)).mkdir()
        table = Table(plans, tmp_path / str(place), Talking)
        table.all(lambda _, party: party.greet())
        table.all(lambda _, party, asked=asked: party.answer(asked))
        first, second, third = table.all(lambda _, party: party.finish())
        assert isinstance(first, Transcript)
        assert first == second == third
        digests.add(first.digest)
    assert len(digests) == 2


def test_a_greeting_has_salt_of_its_own_for_each_party_and_what_is_agreed_is_another_each_time(
    plans: list[Plan], tmp_path: Path
) -> None:
    agreed, salts = set(), set()
    for place in range(2):
        (tmp_path / str(place)).mkdir()
        table = Table(plans, tmp_path / str(place), Talking)
        table.all(lambda _, party: party.greet())
        agreed |= {party.agreed for party in table.parties}
        start = len(plans[0].context)
        salts |= {said[start : start + SALT_BYTES] for party in table.parties for said in party.greetings.values()}
    assert (len(agreed), len(salts)) == (2, 12)
