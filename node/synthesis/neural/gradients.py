"""Gradients of single rows on a grid: the one module of the private network that computes from records.

What it returns is not noisy. The network is trained on all rows at once, step after step, so every person takes part in
every step, and nothing is gained from sampling: no charge is amplified.

A row's whole numbers are a function of that row and the weights alone, to the last bit, wherever it stands and whatever
stands beside it: floating-point numbers of different rows never meet, since every operation here works element by element
or adds in an order that the shapes fix. A product of matrices would not do: its last digits depend on its other rows.
"""

from dataclasses import dataclass
from math import isqrt

import torch

from node.synthesis.neural.network import Weights
from node.synthesis.neural.plan import Plan

CLIPPED_UNITS = 2**15
CHUNK_NUMBERS = 2**22


@dataclass(frozen=True)
class Grid:
    """How one row's gradient becomes whole numbers. `clip`: the L2 norm to which it is cut, which is `CLIPPED_UNITS` on
    the grid. `parameters`: how many numbers it has."""

    clip: float
    parameters: int

    @property
    def bound(self) -> int:
        """The largest L2 norm of one row's whole numbers.

        Rounding moves each number by at most 1/2, so their vector by at most sqrt(parameters) / 2, rounded up here;
        `rounded` turns a row beyond it into zeros.
        """
        return CLIPPED_UNITS + isqrt(self.parameters) // 2 + 1

    @property
    def unit(self) -> float:
        """The gradient that 1 on the grid stands for."""
        return self.clip / CLIPPED_UNITS


def rounded(gradients: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Whole numbers for each row's gradient, shape (rows, parameters), int64, of an L2 norm of at most `grid.bound`.

    Whatever the gradient is, also infinite or none: the norm is looked at once more in whole numbers, without any error.
    """
    exact = torch.nan_to_num(gradients.to(torch.float64), nan=0.0, posinf=0.0, neginf=0.0)
    norms = sum_of(exact * exact).sqrt().unsqueeze(1)
    factors = CLIPPED_UNITS / torch.clamp(norms, min=grid.clip)
    whole = torch.round(exact * factors).clamp(-2 * CLIPPED_UNITS, 2 * CLIPPED_UNITS).to(torch.int64)
    within = (whole * whole).sum(1, keepdim=True) <= grid.bound**2
    return whole * within


def summed(weights: Weights, plan: Plan, rows: torch.Tensor, grid: Grid) -> torch.Tensor:
    """The sum of all rows' gradients on the grid, shape (parameters,), int64, in the order of `plan.shapes`.

    L2 sensitivity: neighbours differ by all rows of one person, at most b. The other rows' whole numbers do not depend on
    them, since `weights` come from released numbers alone and a row's numbers from itself; each of the b rows adds a
    vector of norm `grid.bound` at most: b times that by the triangle inequality, all rows of the person together. No
    division by a count happens here.
    """
    total = torch.zeros(grid.parameters, dtype=torch.int64, device=rows.device)
    given = {name: weight.to(torch.float64) for name, weight in weights.items()}
    for part in rows.split(max(1, CHUNK_NUMBERS // grid.parameters)) if len(rows) else ():
        total += rounded(row_gradients(given, plan, part), grid).sum(0)
    return total


def row_gradients(weights: Weights, plan: Plan, rows: torch.Tensor) -> torch.Tensor:
    """The gradient of each row's `network.loss_of`, float64, shape (rows, parameters), in the order of `plan.shapes`.

    `weights`: float64. `rows`: bins in the plan's order, shape (rows, columns).
    """
    found = {
        name: torch.zeros((len(rows), *shape), dtype=torch.float64, device=rows.device)
        for name, shape in plan.shapes.items()
    }
    everyone = torch.arange(len(rows), device=rows.device)
    context = torch.zeros((len(rows), plan.width), dtype=torch.float64, device=rows.device)
    for place, start in enumerate(plan.starts):
        from_context = _of_column(weights, plan, place, rows[:, place], context + weights["position"][place], found)
        found["position"][:, place] = from_context
        for before in range(place):
            found["embedding"][everyone, rows[:, before] + plan.starts[before]] += from_context
        context = context + weights["embedding"][rows[:, place] + start]
    return torch.cat([found[name].reshape(len(rows), -1) for name in plan.shapes], dim=1)


def _of_column(
    weights: Weights, plan: Plan, place: int, bins: torch.Tensor, context: torch.Tensor, found: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Puts the gradients of one column's own weights into `found`; returns that of its context, shape (rows, width)."""
    own = slice(plan.starts[place], plan.starts[place] + plan.sizes[place])
    inner, outer, direct = weights["inner"][place], weights["outer"][own], weights["direct"][own]
    before_layer = weights["threshold"][place] + times(context, inner)
    layer = torch.relu(before_layer)
    scores = weights["bias"][own] + times(layer, outer.T) + times(context, direct.T)
    raised = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    residual = raised / sum_of(raised).unsqueeze(1)
    residual[torch.arange(len(bins), device=bins.device), bins] -= 1.0
    residual = residual * plan.weights[place]
    from_layer = times(residual, outer) * (before_layer > 0)
    found["bias"][:, own] = residual
    found["outer"][:, own] = residual.unsqueeze(2) * layer.unsqueeze(1)
    found["direct"][:, own] = residual.unsqueeze(2) * context.unsqueeze(1)
    found["threshold"][:, place] = from_layer
    found["inner"][:, place] = context.unsqueeze(2) * from_layer.unsqueeze(1)
    return times(residual, direct) + times(from_layer, inner.T)


def times(numbers: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """`numbers` (rows, inner) times `matrix` (inner, outer), each row by itself: the inner axis is added in order."""
    total = numbers[:, :1] * matrix[0]
    for at in range(1, len(matrix)):
        total = total + numbers[:, at : at + 1] * matrix[at]
    return total


def sum_of(numbers: torch.Tensor) -> torch.Tensor:
    """The sum over the last axis, added in halves: an order that its length alone decides."""
    while numbers.shape[-1] > 1:
        half = (numbers.shape[-1] + 1) // 2
        first, second = numbers[..., :half], numbers[..., half:]
        numbers = torch.cat([first[..., : second.shape[-1]] + second, first[..., second.shape[-1] :]], dim=-1)
    return numbers[..., 0]
