"""Gradients of single rows on a grid: the one module of the private network that computes from records.

What it returns is not noisy. The network is trained on all rows at once, step after step, so every person takes part in
every step, and nothing is gained from sampling: no charge is amplified.
"""

from dataclasses import dataclass
from math import isqrt

import torch
from torch.func import grad, vmap

from node.synthesis.neural.network import Weights, loss_of
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
    norms = torch.linalg.vector_norm(exact, dim=1, keepdim=True)
    factors = CLIPPED_UNITS / torch.clamp(norms, min=grid.clip)
    whole = torch.round(exact * factors).clamp(-2 * CLIPPED_UNITS, 2 * CLIPPED_UNITS).to(torch.int64)
    within = (whole * whole).sum(1, keepdim=True) <= grid.bound**2
    return whole * within


def summed(weights: Weights, plan: Plan, rows: torch.Tensor, grid: Grid) -> torch.Tensor:
    """The sum of all rows' gradients on the grid, shape (parameters,), int64, in the order of `plan.shapes`.

    L2 sensitivity: neighbours differ by all rows of one person, at most b. The other rows' whole numbers do not depend on
    them, since `weights` come from released numbers alone, and each of the b rows adds a vector of norm `grid.bound` at
    most: b times that by the triangle inequality, all rows of the person together. No division by a count happens here.
    """
    total = torch.zeros(grid.parameters, dtype=torch.int64, device=rows.device)
    one = vmap(grad(lambda given, row: loss_of(given, plan, row.unsqueeze(0))[0]), in_dims=(None, 0))
    for part in rows.split(max(1, CHUNK_NUMBERS // grid.parameters)) if len(rows) else ():
        found = one(dict(weights), part)
        flat = torch.cat([found[name].reshape(len(part), -1) for name in plan.shapes], dim=1)
        total += rounded(flat, grid).sum(0)
    return total
