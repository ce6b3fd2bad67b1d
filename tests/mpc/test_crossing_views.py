"""What a party sees of a split table is as random as the opened numbers let it be, with the power to notice less."""

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from marketplace.protocol.crossing import Crossing, Side, Table, Where
from node.mpc import field
from node.mpc.crossing import SEED_BYTES, Crosses
from node.mpc.field import PRIME
from node.mpc.frames import Line
from node.mpc.masks import Stream
from node.mpc.plan import Limits, Peer, Plan
from tests.mpc.hospitals import ORDER, SPECIFICATION, Identity
from tests.noise.goodness import fits

PARTIES, NUMBERS, OPENED = 3, 1_500, 77
CROSSING = Crossing(
    256, (Side.LEFT, Side.RIGHT, Side.LEFT), ((1, NUMBERS), (1,)), (Table(Where.WITHIN_LEFT, 0, 1, NUMBERS),), 10
)


@pytest.fixture
def parties(identities: tuple[Identity, ...], tmp_path: Path) -> Iterator[list[Crosses]]:
    """All parties of an order in this process, on connections in the clear."""
    peers = tuple(Peer("127.0.0.1", 1, one.fingerprint, one.certificate) for one in identities[:PARTIES])
    ends = {(i, j): socket.socketpair() for i in range(PARTIES) for j in range(PARTIES) if i != j}
    until = time.monotonic() + 600

    def lines(number: int, *, sends: bool) -> dict[int, Line]:
        others = [n for n in range(PARTIES) if n != number]
        pairs = {n: ends[number, n][0] if sends else ends[n, number][1] for n in others}
        return {n: Line(one, 600, until) for n, one in pairs.items()}

    key = generate_private_key(SECP256R1())
    plans = [Plan(ORDER, SPECIFICATION, n, 1, peers, tmp_path, Limits()) for n in range(PARTIES)]
    yield [Crosses(p, key, tmp_path, lines(p.own, sends=True), lines(p.own, sends=False)) for p in plans]
    for one in (end for pair in ends.values() for end in pair):
        one.close()


def shares_that_are_opened(parties: list[Crosses], patch: pytest.MonkeyPatch) -> np.ndarray:
    """Each party's share of every number before it is opened, shape (parties, numbers), where without noise all numbers and
    all shares of them are the same."""
    seen: dict[int, np.ndarray] = {}
    honest = Crosses._open

    def opening(self: Crosses, share: np.ndarray) -> np.ndarray:
        seen[self._plan.own] = share
        return honest(self, share)

    def alike(self: Crosses, crossing: Crossing, marks: np.ndarray) -> np.ndarray:
        point = self._plan.own + 1
        return np.full(crossing.opened, (OPENED + 5 * point + 9 * point**2) % PRIME, np.uint64)

    patch.setattr(Crosses, "_open", opening)
    patch.setattr(Crosses, "_products", alike)

    def work(one: Crosses) -> list[int]:
        one.greet()
        handed = [
            np.zeros(len(CROSSING.cells[CROSSING.sides[one._plan.own]]) * 256, np.int64),
            np.zeros(NUMBERS, np.int64),
        ]
        found: list[int] = []
        one.answer(CROSSING.encode(), lambda _: handed.pop(0), lambda values: found.extend(values.tolist()))
        return found

    with ThreadPoolExecutor(PARTIES) as pool:
        assert all(found == [OPENED] * NUMBERS for found in pool.map(work, parties))
    return np.array([seen[n] for n in range(PARTIES)]).astype(np.int64)


def is_uniform(elements: np.ndarray) -> bool:
    """By a chi-square test of 16 cells. Shares are drawn anew each time: at error 1e-14, and with 94 numbers in a cell, where
    the tail is up to a thousand times heavier, all tests here together fail less than once in 10^9 runs."""
    return fits(elements % PRIME * 16 // PRIME, dict.fromkeys(range(16), 1.0), 1e-14)


def tells_the_numbers_alone(shares: np.ndarray) -> bool:
    """Whether any two shares, and what is left of a polynomial of degree 2 beside its value at 0, look uniform."""
    second = shares[0] - 2 * shares[1] + shares[2]
    return all(map(is_uniform, (*shares, shares[0] - shares[1], shares[1] - shares[2], second)))


def test_the_opened_polynomial_is_random_but_for_the_number(
    parties: list[Crosses], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tells_the_numbers_alone(shares_that_are_opened(parties, monkeypatch))


@pytest.mark.parametrize("degree", [0, 1])
def test_noise_on_a_polynomial_of_too_low_a_degree_is_noticed(
    parties: list[Crosses], monkeypatch: pytest.MonkeyPatch, degree: int
) -> None:
    def low(self: Crosses, noise: np.ndarray) -> np.ndarray:
        stream = Stream(secrets.token_bytes(SEED_BYTES))
        values = [field.elements_of(noise), *(field.drawn(stream, noise.size) for _ in range(degree))]
        for number in self._plan.others:
            self._say_all(number, field.at(number + 1, range(degree + 1), values))
        shares = (self._hear_all(number, noise.size) for number in self._plan.others)
        return sum(shares, field.at(self._plan.own + 1, range(degree + 1), values))

    monkeypatch.setattr(Crosses, "_noise", low)
    assert not tells_the_numbers_alone(shares_that_are_opened(parties, monkeypatch))


def test_shares_that_are_dealt_of_the_same_secret_look_uniform_to_each_other_party(
    parties: list[Crosses], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that follow from keys and are not sent."""
    secret = np.full(NUMBERS, 1, np.uint64)

    def work(one: Crosses) -> list[np.ndarray]:
        one.greet()
        one._dealing = {n: one._masks(one._told[n]) for n in one._seeded(one._plan.own)}
        led = [n for n in one._plan.others if one._plan.own in one._seeded(n)]
        one._given = {n: one._masks(one._seeds[n]) for n in led}
        return one._dealt(secret, [NUMBERS] * PARTIES)

    with ThreadPoolExecutor(PARTIES) as pool:
        held = [[share.astype(np.int64) for share in one] for one in pool.map(work, parties)]
    for dealer in range(PARTIES):
        shares = [held[n][dealer].astype(np.uint64) for n in range(PARTIES)]
        assert (field.at(0, (1, 2), shares[:2]) == secret).all() and (field.at(0, (2, 3), shares[1:]) == secret).all()
        assert all(is_uniform(held[n][dealer]) for n in range(PARTIES))


def test_the_same_persons_are_dealt_with_other_shares_in_the_next_round(
    parties: list[Crosses], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a party that holds one share of either would see how the two differ."""
    dealt: dict[int, list[list[np.ndarray]]] = {n: [] for n in range(PARTIES)}
    honest = Crosses._dealt

    def noting(self: Crosses, secret: np.ndarray, counts: list[int]) -> list[np.ndarray]:
        found = honest(self, secret, counts)
        dealt[self._plan.own].append(found)
        return found

    monkeypatch.setattr(Crosses, "_dealt", noting)

    def work(one: Crosses) -> int:
        one.greet()
        for _ in range(2):
            one.answer(CROSSING.encode(), handed_in(one), lambda _: None)
        return len(dealt[one._plan.own]) // 2

    with ThreadPoolExecutor(PARTIES) as pool:
        (half,) = set(pool.map(work, parties))
    for held in dealt.values():
        for first, second in zip(held[:half], held[half:], strict=True):
            assert all(np.mean(one == other) < 0.01 for one, other in zip(first, second, strict=True) if one.size > 500)


def handed_in(one: Crosses) -> Callable[[int], np.ndarray]:
    """Everybody is there, without noise."""
    parts = len(CROSSING.cells[CROSSING.sides[one._plan.own]])
    handed = [np.ones(parts * 256, np.int64), np.zeros(NUMBERS, np.int64)]
    return lambda _: handed.pop(0)


def test_the_polynomials_of_noise_are_others_each_time(parties: list[Crosses]) -> None:
    def work(one: Crosses) -> list[np.ndarray]:
        one.greet()
        return [one._noise(np.zeros(NUMBERS, np.int64)) for _ in range(2)]

    with ThreadPoolExecutor(PARTIES) as pool:
        assert all(np.mean(first == second) < 0.01 for first, second in pool.map(work, parties))


def test_what_all_sign_for_has_in_it_what_each_saw_opened(
    parties: list[Crosses], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Crosses._open
    monkeypatch.setattr(Crosses, "_open", lambda self, share: honest(self, share) + (self._plan.own == 2))

    def work(one: Crosses) -> bytes:
        one.greet()
        one.answer(CROSSING.encode(), handed_in(one), lambda _: None)
        return one._known.digest()

    with ThreadPoolExecutor(PARTIES) as pool:
        first, second, misled = pool.map(work, parties)
    assert first == second != misled


def test_tables_that_no_parties_have_end_the_order(parties: list[Crosses], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Crosses, "_open", lambda _, share: np.full(share.size, CROSSING.largest + 1))

    def work(one: Crosses) -> None:
        one.greet()
        with pytest.raises(ValueError, match="within the declared bounds"):
            one.answer(CROSSING.encode(), handed_in(one), lambda _: None)

    with ThreadPoolExecutor(PARTIES) as pool:
        assert list(pool.map(work, parties)) == [None] * PARTIES


@pytest.mark.parametrize("wrong", range(4))
def test_of_more_parties_than_a_polynomial_needs_one_whose_share_does_not_fit_ends_the_order(wrong: int) -> None:
    """`wrong`: whose share does not fit; 0 for nobody's."""
    shares = [np.array([(OPENED + 5 * point + 9 * point**2) % PRIME], np.uint64) for point in range(1, 5)]
    if wrong:
        shares[wrong] = shares[wrong] + np.uint64(1)
    plan = SimpleNamespace(own=0, others=(1, 2, 3), peers=range(4), threshold=1)
    one = SimpleNamespace(_plan=plan, _say_all=lambda *_: None, _hear_all=lambda number, _: shares[number])
    if wrong:
        with pytest.raises(ValueError, match="shares that fit each other"):
            Crosses._open(one, shares[0])  # type: ignore[arg-type]
    else:
        assert Crosses._open(one, shares[0]).tolist() == [OPENED]  # type: ignore[arg-type]
