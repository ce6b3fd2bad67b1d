import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.noise.selection import choices, choose, choose_allowed, epsilon_for, rho_micro_of_selection
from node.noise.stream import NoiseStream, Stage
from tests.noise.goodness import fits

SCORES = [0, 3, -5, 10, 9]


def stage(name: str) -> Stage:
    return NoiseStream(b"\5" * 32, b"selection").stage(name)


def weights(scores: list[int], sensitivity: int, epsilon: float) -> dict[int, float]:
    return {i: math.exp(epsilon * score / (2 * sensitivity)) for i, score in enumerate(scores)}


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, Fraction(1, 10)), (2, Fraction(7, 3)), (1, Fraction(5))])
def test_candidates_are_drawn_with_the_exact_probabilities(sensitivity: int, epsilon: Fraction) -> None:
    drawn = choices(stage(f"{sensitivity} {epsilon}"), SCORES, sensitivity, epsilon, 50_000)
    assert fits(drawn.astype(np.int64), weights(SCORES, sensitivity, float(epsilon)))


def test_the_same_test_of_fit_rejects_twice_the_epsilon() -> None:
    drawn = choices(stage("twice"), SCORES, 1, Fraction(2, 5), 20_000)
    assert not fits(drawn.astype(np.int64), weights(SCORES, 1, 0.2))


def test_one_choice_is_the_first_of_many() -> None:
    assert choose(stage("one"), SCORES, 1, Fraction(1)) == choices(stage("one"), SCORES, 1, Fraction(1), 9)[0]


def test_among_the_allowed_the_probabilities_are_those_of_the_allowed_alone() -> None:
    drawing = stage("allowed")
    drawn = [choose_allowed(drawing, SCORES, 1, Fraction(2, 5), lambda i: i not in (1, 3)) for _ in range(20_000)]
    kept = {i: weight for i, weight in weights(SCORES, 1, 0.4).items() if i not in (1, 3)}
    assert None not in drawn and fits(np.array(drawn), kept)


def test_the_allowed_are_found_behind_candidates_that_hold_nearly_all_weight() -> None:
    asked: list[int] = []

    def allowed(index: int) -> bool:
        asked.append(index)
        return index == 2

    assert choose_allowed(stage("behind"), [10**9, 10**8, 0, 10**7], 1, Fraction(1), allowed) == 2
    assert asked == [0, 1, 3, 2]


def test_where_no_candidate_is_allowed_none_is_drawn_and_each_is_asked_once() -> None:
    asked: list[int] = []
    assert choose_allowed(stage("none"), SCORES, 1, Fraction(1), lambda i: bool(asked.append(i))) is None
    assert sorted(asked) == [0, 1, 2, 3, 4]


def test_a_sole_candidate_and_a_hopeless_one_are_served() -> None:
    assert choose(stage("sole"), [-7], 1, Fraction(1)) == 0
    assert choose(stage("hopeless"), [0, 10**15], 1, Fraction(1)) == 1


def test_scores_may_be_fractions() -> None:
    drawn = choices(stage("fractions"), [Fraction(1, 3), Fraction(-7, 5)], Fraction(1, 2), Fraction(1), 20_000)
    assert fits(drawn.astype(np.int64), {0: math.exp(1 / 3), 1: math.exp(-7 / 5)})


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=6), st.data())
def test_the_log_ratios_on_neighbours_span_at_most_epsilon(scores: list[int], data: st.DataObject) -> None:
    moves = data.draw(st.lists(st.integers(-2, 2), min_size=len(scores), max_size=len(scores)))
    here, there = weights(scores, 2, 0.7), weights([s + m for s, m in zip(scores, moves, strict=True)], 2, 0.7)
    ratios = [math.log(here[i] / sum(here.values())) - math.log(there[i] / sum(there.values())) for i in here]
    assert max(ratios) - min(ratios) <= 0.7 + 1e-12


@given(st.integers(1, 10**9))
def test_the_epsilon_for_a_price_costs_that_price(rho_micro: int) -> None:
    epsilon = epsilon_for(rho_micro)
    assert rho_micro_of_selection(epsilon) == rho_micro
    assert 1_000_000 * epsilon * epsilon / 8 <= rho_micro < 1_000_000 * (epsilon + Fraction(1, 10**9)) ** 2 / 8


def test_what_makes_no_sense_is_refused() -> None:
    for bad in (
        lambda: choose(stage("a"), [], 1, Fraction(1)),
        lambda: choose(stage("b"), [1], 0, Fraction(1)),
        lambda: choose(stage("c"), [1], 1, Fraction(0)),
        lambda: rho_micro_of_selection(Fraction(0)),
        lambda: epsilon_for(0),
    ):
        with pytest.raises(ValueError, match="expected"):
            bad()
