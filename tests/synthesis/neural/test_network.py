"""The network: no column sees itself or a later one, and drawing follows it."""

import numpy as np
import pytest
import torch

from marketplace.errors import Invalid, Refused
from marketplace.protocol.schema import Category, Schema
from node.noise.stream import NoiseStream
from node.synthesis.generator import Stopped
from node.synthesis.generators import generator_of
from node.synthesis.neural import neural
from node.synthesis.neural.drawing import draw_network_bins, stratified
from node.synthesis.neural.network import device_of, first_weights, logits, loss_of, next_chances
from node.synthesis.neural.plan import Plan
from tests.synthesis.examples import FEW, KEY, RHO_MICRO, never, specification, stream

PLAN = Plan(order=(2, 0, 1), sizes=(3, 5, 2), weights=(1.0, 1.0, 2.0), width=4, hidden=6)
MASSES = np.arange(1.0, 11.0)
ALL = [np.ones(size) for size in PLAN.sizes]


def weights(seed: int = 1) -> dict[str, torch.Tensor]:
    """Weights under which everything depends on everything that it may depend on."""
    chance = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=chance) for name, shape in PLAN.shapes.items()}


def every_row() -> torch.Tensor:
    return torch.tensor([(a, b, c) for a in range(3) for b in range(5) for c in range(2)])


def test_a_column_depends_on_the_columns_before_it_and_on_nothing_else() -> None:
    rows = every_row()
    found = logits(weights(), PLAN, rows)
    for place in range(3):
        alike = [tuple(row[:place].tolist()) for row in rows]
        for one, other in ((i, j) for i in range(len(rows)) for j in range(i)):
            same = torch.allclose(found[one, place], found[other, place], atol=1e-4)
            assert same == (alike[one] == alike[other])


def test_a_bin_that_a_column_does_not_have_is_impossible_and_the_rest_is_a_distribution() -> None:
    total = torch.exp(-loss_of(weights(), Plan(PLAN.order, PLAN.sizes, (1.0,) * 3, 4, 6), every_row())).sum()
    assert abs(float(total) - 1) < 1e-4


def test_the_loss_weighs_columns_as_planned() -> None:
    plain = Plan(PLAN.order, PLAN.sizes, (1.0, 1.0, 1.0), 4, 6)
    last = Plan(PLAN.order, PLAN.sizes, (0.0, 0.0, 1.0), 4, 6)
    one, whole, extra = (loss_of(weights(), plan, every_row()) for plan in (PLAN, plain, last))
    assert torch.allclose(one, whole + extra, atol=1e-5)


def test_drawing_asks_for_the_same_distribution_that_fitting_saw() -> None:
    rows, given = every_row(), weights()
    context = torch.zeros((len(rows), PLAN.width))
    for place, start in enumerate(PLAN.starts):
        wanted = torch.softmax(logits(given, PLAN, rows)[:, place, : PLAN.sizes[place]], -1)
        assert torch.allclose(next_chances(given, PLAN, context, place), wanted.to(torch.float64), atol=1e-5)
        context = context + given["embedding"][rows[:, place] + start]


def test_at_first_the_network_knows_each_column_and_no_relation() -> None:
    given = first_weights(PLAN, MASSES, 3, device_of("cpu"))
    chances = torch.softmax(logits(given, PLAN, every_row()), -1)
    assert torch.allclose(chances, chances[:1].expand_as(chances))
    assert np.allclose(chances[0, 1, :5].numpy(), (MASSES[3:8] + 0.5) / (MASSES[3:8] + 0.5).sum(), atol=1e-6)


def test_rows_are_drawn_by_the_network_s_own_chances() -> None:
    bins = draw_network_bins(weights(), PLAN, ALL, 60_000, stream(), never)
    drawn = np.stack([bins[place] for place in PLAN.order], axis=1)
    keys = (drawn[:, 0] * 5 + drawn[:, 1]) * 2 + drawn[:, 2]
    plain = Plan(PLAN.order, PLAN.sizes, (1.0,) * 3, 4, 6)
    wanted = torch.exp(-loss_of(weights(), plain, every_row())).numpy()
    found = np.bincount(keys, minlength=30) / len(keys)
    assert np.abs(found - wanted).max() < 0.005


def test_rows_that_meet_conditions_are_those_of_the_network_given_them() -> None:
    allowed = [np.ones(3), np.ones(5), np.array([1.0, 0.0])]
    bins = draw_network_bins(weights(), PLAN, allowed, 60_000, stream(), never)
    assert not bins[1].any()
    plain = Plan(PLAN.order, PLAN.sizes, (1.0,) * 3, 4, 6)
    wanted = torch.exp(-loss_of(weights(), plain, every_row())).numpy().reshape(15, 2)[:, 0]
    found = np.bincount(bins[2] * 5 + bins[0], minlength=15) / 60_000
    assert np.abs(found - wanted / wanted.sum()).max() < 0.01


def test_stratified_numbers_fill_the_interval_among_neighbours() -> None:
    order = np.random.default_rng(1).permutation(320)
    found = stratified(order, NoiseStream(KEY, b"").stage("a"))
    for first in range(0, 320, 32):
        assert sorted((found[order[first : first + 32]] * 32).astype(int).tolist()) == list(range(32))


def test_drawing_stops_when_it_is_cancelled() -> None:
    with pytest.raises(Stopped):
        draw_network_bins(weights(), PLAN, ALL, 10, stream(), lambda: True)


@pytest.mark.parametrize("name", ["neural", "neural-exact"])
def test_without_torch_an_order_is_refused_before_any_record(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural, "find_spec", lambda _: None)
    with pytest.raises(Refused, match="expected the library torch in this node's environment"):
        generator_of(name).check(FEW, specification(), RHO_MICRO)


def test_more_categories_than_a_private_network_holds_are_refused() -> None:
    many = tuple(str(number) for number in range(1_000))
    schema = Schema(tuple(Category(f"c{place}", many, missing=False) for place in range(8)), None, 1)
    with pytest.raises(Invalid, match="that a network of 20000 numbers can hold"):
        generator_of("neural").check(schema, specification(), RHO_MICRO)
