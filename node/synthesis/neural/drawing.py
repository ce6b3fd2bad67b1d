"""Bins from a network: column after column, each row by its own chances, neighbours in the table spread evenly over them."""

import numpy as np
import torch
from numpy.typing import NDArray

from node.noise.stream import NoiseStream, Stage
from node.synthesis.cells import Floats
from node.synthesis.drawing import Drawn
from node.synthesis.generator import Cancelled, stop_if
from node.synthesis.neural.network import Weights, next_chances
from node.synthesis.neural.plan import Plan

TOGETHER = 32
SORTED_BY = 6
CHUNK = 20_000
TRIED = 8


def draw_network_bins(
    weights: Weights, plan: Plan, allowed: list[Floats], rows: int, noise: NoiseStream, cancelled: Cancelled
) -> dict[int, Drawn]:
    """For each column's place in the schema the bins of `rows` rows. Raises `Stopped` if cancelled.

    `allowed`: for each column of the plan how much of each bin is wanted, 0 to 1. Where some is not, `TRIED` times as many
    rows are drawn, each column among what is wanted of it; a row is then taken by what the columns left of it, so that
    what remains is the model given the conditions. Source: sampling importance resampling, Rubin 1987.
    """
    narrowed = any(share.min() < 1 for share in allowed)
    count = rows * TRIED if narrowed else rows
    bins, chances = _drawn(weights, plan, allowed, count, noise, cancelled)
    if narrowed:
        taken = _resampled(chances, rows, noise.stage("taken"))
        bins = bins[taken]
    return {place: bins[:, at].astype(np.int16) for at, place in enumerate(plan.order)}


def stratified(order: NDArray[np.intp], stage: Stage) -> Floats:
    """A number for each row, uniform on [0, 1) by itself; `TOGETHER` neighbours in `order` share the interval evenly.

    Source: stratified sampling, Owen 2013, Section 8.4.
    """
    count = len(order)
    words = stage.words(2 * count)
    group = np.arange(count) // TOGETHER
    mixed = np.lexsort((words[:count], group))
    within = (words[count:] >> np.uint64(11)).astype(np.float64) / 2.0**53
    sizes = np.bincount(group)
    rank = np.arange(count) - group * TOGETHER
    uniforms = np.empty(count)
    uniforms[order[mixed]] = (rank + within) / sizes[group]
    return np.minimum(uniforms, 1 - 2.0**-53)


def _drawn(
    weights: Weights, plan: Plan, allowed: list[Floats], rows: int, noise: NoiseStream, cancelled: Cancelled
) -> tuple[NDArray[np.int64], Floats]:
    """Bins, shape (rows, columns), and for each row the product of the shares that were left of its columns."""
    device = weights["bias"].device
    bins, left = np.zeros((rows, len(plan.sizes)), np.int64), np.ones(rows)
    context = torch.zeros((rows, plan.width))
    for place, start in enumerate(plan.starts):
        stop_if(cancelled)
        before = [bins[:, at] for at in range(max(0, place - SORTED_BY), place)]
        uniforms = stratified(np.lexsort(before) if before else np.arange(rows), noise.stage(f"network/{place}"))
        for first in range(0, rows, CHUNK):
            part = slice(first, first + CHUNK)
            with torch.no_grad():
                chances = next_chances(weights, plan, context[part].to(device), place).cpu().numpy() * allowed[place]
            totals = chances.sum(axis=1, keepdims=True)
            chances = np.where(totals > 0, chances, allowed[place])
            passed = np.cumsum(chances, axis=1)
            drawn = (passed <= uniforms[part, None] * passed[:, -1:]).sum(axis=1)
            bins[part, place] = np.minimum(drawn, _last_possible(chances))
            left[part] *= totals[:, 0]
        context += weights["embedding"][torch.from_numpy(bins[:, place] + start).to(device)].cpu()
    return bins, left


def _last_possible(chances: Floats) -> NDArray[np.int64]:
    return np.asarray(chances.shape[1] - 1 - np.argmax(chances[:, ::-1] > 0, axis=1))


def _resampled(weights: Floats, rows: int, stage: Stage) -> NDArray[np.intp]:
    """`rows` places, each as often as its weight says, less or more than one."""
    shares = weights if weights.sum() > 0 else np.ones(len(weights))
    passed = np.cumsum(shares) / shares.sum()
    first = (stage.words(1)[0] >> np.uint64(11)).astype(np.float64) / 2.0**53
    places = np.searchsorted(passed, (np.arange(rows) + first) / rows, side="right")
    taken = np.minimum(places, len(weights) - 1)
    return np.asarray(taken[np.argsort(stage.words(rows))])
