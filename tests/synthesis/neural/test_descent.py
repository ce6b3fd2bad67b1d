"""The noise of a gradient is what its stage paid for, on two fixed neighbours, and the price is the plain sum."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from node.noise.gaussian import discrete_gaussian
from node.synthesis.generator import Stopped
from node.synthesis.neural import descent
from node.synthesis.neural.descent import STEPS, Descent
from node.synthesis.neural.gradients import CLIPPED_UNITS, Grid, summed
from node.synthesis.neural.measured import Step
from node.synthesis.neural.plan import Plan
from tests.noise.goodness import NORMAL_QUANTILE
from tests.synthesis.examples import ignore, never, stream
from tests.synthesis.neural.test_network import PLAN, every_row, weights

DRAWS = 20_000
RHO_MICRO = 2_000
HERE = every_row()
PERSON = torch.tensor([(2, 4, 1)] * 3)
THERE = torch.cat([HERE, PERSON])


def training(rows: torch.Tensor, number: int = 0, bound: int = 3, plan: Plan = PLAN) -> Descent:
    return Descent(plan, rows, bound, 30.0, stream(number), ignore, never)


def draws_of(rows: torch.Tensor) -> tuple[np.ndarray, Step]:
    """`DRAWS` or more numbers that one stage released of these rows, less what the rows without the person sum to."""
    grid, found, step = Grid(1.0, PLAN.parameters), [], None
    exact = summed(weights(), PLAN, HERE, grid).numpy()
    for number in range(-(-DRAWS // PLAN.parameters)):
        one = training(rows, number)
        found.append(one._released(weights(), grid, RHO_MICRO).numpy().astype(np.float64) - exact)
        step = one.steps[0]
    assert step is not None
    return np.stack(found), step


def stage_is_as_paid() -> bool:
    """Whether the privacy loss between the two neighbours, by the noise that is there, is within what was charged.

    The noise's variance is taken from `DRAWS` numbers drawn on each neighbour; the distance between them is exact.
    """
    grid = Grid(1.0, PLAN.parameters)
    moved = (summed(weights(), PLAN, THERE, grid) - summed(weights(), PLAN, HERE, grid)).numpy().astype(np.float64)
    for rows, shift in ((HERE, np.zeros_like(moved)), (THERE, moved)):
        drawn, step = draws_of(rows)
        noise = drawn - shift
        slack = 1 + NORMAL_QUANTILE * math.sqrt(2 / noise.size)
        if float(noise.var()) * slack < float(step.sigma2):
            return False
        if float((moved**2).sum()) / (2 * float(noise.var()) * slack) > step.rho_micro / 1e6:
            return False
        if abs(float(noise.mean())) > NORMAL_QUANTILE * math.sqrt(float(step.sigma2) / noise.size):
            return False
    return True


def test_the_person_moves_the_sum_nearly_as_far_as_anyone_can() -> None:
    grid = Grid(1.0, PLAN.parameters)
    moved = summed(weights(), PLAN, THERE, grid) - summed(weights(), PLAN, HERE, grid)
    reached = math.sqrt(float((moved.to(torch.float64) ** 2).sum()))
    assert 0.98 * 3 * CLIPPED_UNITS < reached <= 3 * grid.bound


def test_a_gradient_has_the_noise_that_it_paid_for() -> None:
    assert stage_is_as_paid()


def test_halved_noise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        descent, "discrete_gaussian", lambda stage, sigma2, size: discrete_gaussian(stage, sigma2 / 4, size)
    )
    assert not stage_is_as_paid()


def test_noise_a_twentieth_too_small_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Fraction(9, 10)
    monkeypatch.setattr(
        descent, "discrete_gaussian", lambda stage, sigma2, size: discrete_gaussian(stage, sigma2 * short, size)
    )
    assert not stage_is_as_paid()


def test_every_step_is_charged_and_together_they_cost_what_was_given() -> None:
    one = training(HERE)
    one.run(weights(), RHO_MICRO)
    assert [step.stage for step in one.steps] == [f"gradient/{number}" for number in range(STEPS)]
    assert sum(step.rho_micro for step in one.steps) == RHO_MICRO
    for step in one.steps:
        true = Fraction(step.sensitivity) ** 2 / (2 * step.sigma2) * 1_000_000
        assert 0 <= step.rho_micro - true < 1
        assert step.sensitivity == 3 * Grid(1.0, PLAN.parameters).bound


def test_a_larger_bound_on_rows_costs_as_much_and_brings_more_noise() -> None:
    few, many = training(HERE, bound=1), training(HERE, bound=4)
    for one in (few, many):
        one.run(weights(), RHO_MICRO)
    assert all(16 * a.sigma2 == b.sigma2 for a, b in zip(few.steps, many.steps, strict=True))


def test_the_records_reach_the_weights_through_the_noisy_sums_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        descent, "summed", lambda weights, plan, rows, grid: torch.zeros(grid.parameters, dtype=torch.int64)
    )
    found = [training(rows).run(weights(), RHO_MICRO) for rows in (HERE, THERE[5:], HERE[:0])]
    assert all(torch.equal(found[0][name], other[name]) for other in found[1:] for name in PLAN.shapes)


def test_training_stops_between_two_steps() -> None:
    one = training(HERE)
    one.cancelled = lambda: len(one.steps) == 3
    with pytest.raises(Stopped):
        one.run(weights(), RHO_MICRO)
    assert len(one.steps) == 3


def test_with_much_rho_training_learns_what_the_records_say() -> None:
    rows = torch.tensor([(a, b, (a + b) % 2) for a in range(3) for b in range(5)] * 40)
    chance = {name: weight * 0.3 for name, weight in weights().items()}
    from node.synthesis.neural.network import loss_of

    one = Descent(PLAN, rows, 1, 600.0, stream(), ignore, never)
    before, after = (float(loss_of(given, PLAN, rows).mean()) for given in (chance, one.run(chance, 10**12)))
    assert after < before - 0.5
