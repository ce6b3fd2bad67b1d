import math

import numpy as np
import pytest

from node.noise import coins as module
from node.noise.coins import coins, exponential_coins
from node.noise.stream import NoiseStream, Stage
from tests.noise.goodness import fits

COUNT = 40_000


def stage(name: str) -> Stage:
    return NoiseStream(bytes(32), b"coins").stage(name)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 5), (1, 3), (5, 5), (2**70 + 1, 2**71), (1, 1000)])
def test_a_coin_falls_with_its_probability(numerator: int, denominator: int) -> None:
    falls = coins(stage(f"{numerator}/{denominator}"), [numerator], denominator, np.zeros(COUNT, np.intp))
    chance = numerator / denominator
    if chance in (0, 1):
        assert falls.all() == bool(chance) and falls.any() == bool(chance)
    else:
        assert fits(falls.astype(np.int64), {0: 1 - chance, 1: chance})


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 7), (1, 7), (1, 1), (5, 2), (4, 1), (10**30, 3 * 10**30)])
def test_an_exponential_coin_falls_with_its_probability(numerator: int, denominator: int) -> None:
    falls = exponential_coins(stage(f"{numerator}/{denominator}"), [numerator], denominator, np.zeros(COUNT, np.intp))
    chance = math.exp(-numerator / denominator)
    assert falls.all() if chance == 1 else fits(falls.astype(np.int64), {0: 1 - chance, 1: chance})


def test_a_loss_beyond_all_words_falls_to_0() -> None:
    assert not exponential_coins(stage("far"), [10**40], 1, np.zeros(1000, np.intp)).any()


def test_each_coin_follows_its_own_probability() -> None:
    which = np.tile(np.arange(3), COUNT)
    falls = coins(stage("own"), [1, 2, 3], 4, which)
    shares = [falls[which == i].mean() for i in range(3)]
    assert np.allclose(shares, [0.25, 0.5, 0.75], atol=0.01)


def test_a_word_equal_to_the_expansion_is_decided_by_the_next_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """With words of one bit, half of all comparisons tie; a sampler that settled ties would give 1/2 or 0."""
    monkeypatch.setattr(module, "WORD", 2)

    class Bits(Stage):
        def words(self, count: int) -> np.ndarray:
            return super().words(count) & np.uint64(1)

    falls = coins(Bits(b"\1" * 32), [1], 3, np.zeros(COUNT, np.intp))
    assert fits(falls.astype(np.int64), {0: 2 / 3, 1: 1 / 3})
