"""Fitting a network to rows as they are: no noise, and so nothing but a holdout against learning rows by heart."""

import math
from dataclasses import dataclass

import torch

from node.noise.stream import Stage
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.neural.network import Weights, loss_of
from node.synthesis.neural.plan import Plan

EPOCHS, LEAST_STEPS, MOST_STEPS = 60, 400, 4_000
BATCH, SMALLEST_BATCH, BATCHES = 256, 16, 30
RATE, DECAY, DROPPED = 2e-3, 0.03, 0.3
WATCHED_PERCENT, PATIENCE = 10, 6


@dataclass
class _Best:
    loss: float
    weights: dict[str, torch.Tensor]
    turns_since: int = 0


def fitted(
    weights: Weights, plan: Plan, rows: torch.Tensor, stage: Stage, progress: Progress, cancelled: Cancelled
) -> dict[str, torch.Tensor]:
    """The weights that explain a tenth of the `rows` best that fitting does not see, shape (rows, columns), or the given
    ones where there is no row.

    The same arguments give the same weights on the same machine and device. Raises `Stopped` if cancelled.
    Source: AdamW, Loshchilov and Hutter 2019; dropout, Srivastava et al. 2014.
    """
    chance = torch.Generator(device=rows.device).manual_seed(int(stage.integers_below(2**62, 1)[0]))
    rows = rows[torch.randperm(len(rows), generator=chance, device=rows.device)]
    watched = len(rows) * WATCHED_PERCENT // 100
    seen, unseen = rows[watched:], rows[:watched] if watched else rows
    batch = max(SMALLEST_BATCH, min(BATCH, len(seen) // BATCHES))
    turns = max(1, -(-len(seen) // batch))
    steps = min(MOST_STEPS, max(LEAST_STEPS, EPOCHS * turns))
    free = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    optimizer = torch.optim.AdamW(free.values(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    )
    best, order = _Best(math.inf, dict(weights)), torch.empty(0)
    for step in range(steps if len(seen) else 0):
        stop_if(cancelled)
        progress("fitting the network", step / steps)
        place = step % turns
        if place == 0:
            order = torch.randperm(len(seen), generator=chance, device=rows.device)
        taken = seen[order[place * batch : (place + 1) * batch]]
        kept = torch.rand((2, *taken.shape, plan.width), generator=chance, device=rows.device) >= DROPPED
        optimizer.zero_grad()
        loss_of(free, plan, taken, kept.to(torch.float32) / (1 - DROPPED)).mean().backward()
        optimizer.step()
        schedule.step()
        if place == turns - 1 and _is_spent(best, free, plan, unseen):
            break
    return best.weights


def _is_spent(best: _Best, free: Weights, plan: Plan, unseen: torch.Tensor) -> bool:
    """Whether the watched rows have not been explained better for too long; keeps the best weights so far."""
    with torch.no_grad():
        loss = float(torch.cat([loss_of(free, plan, part) for part in unseen.split(4_096)]).mean())
    if loss < best.loss:
        best.loss, best.turns_since = loss, 0
        best.weights = {name: weight.detach().clone() for name, weight in free.items()}
    else:
        best.turns_since += 1
    return best.turns_since >= PATIENCE
