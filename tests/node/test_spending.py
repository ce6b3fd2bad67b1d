"""How an order's rho is divided between its result and its scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from node.evaluation.stages import ROWS_WEIGHT, WEIGHTS
from node.spending import LEAST_EVALUATE_MICRO, Spending, spending_of


@given(st.integers(LEAST_EVALUATE_MICRO + 1, 2**40))
def test_both_parts_together_are_what_was_charged(rho_micro: int) -> None:
    spent = spending_of(rho_micro)
    assert spent.generate_micro + spent.evaluate_micro == rho_micro
    assert spent.generate_micro >= 1


@given(st.integers(1_000, 2**40))
def test_the_scores_take_five_per_cent_rounded_up(rho_micro: int) -> None:
    evaluate_micro = spending_of(rho_micro).evaluate_micro
    assert 100 * (evaluate_micro - 1) < 5 * rho_micro <= 100 * evaluate_micro


def test_a_small_charge_still_pays_for_every_score() -> None:
    assert spending_of(100) == Spending(79, 21)
    assert sum(weight for _, weight in WEIGHTS) + ROWS_WEIGHT <= LEAST_EVALUATE_MICRO


@pytest.mark.parametrize("rho_micro", [-1, 0, 1, LEAST_EVALUATE_MICRO])
def test_what_leaves_nothing_for_the_result_is_invalid(rho_micro: int) -> None:
    with pytest.raises(Invalid, match=f"at least {LEAST_EVALUATE_MICRO + 1} micro-rho"):
        spending_of(rho_micro)
