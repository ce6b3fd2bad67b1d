"""The network: for every column the distribution of its bin given the bins of the columns before it.

A bin is an embedding; a column's context is the sum of the embeddings before it, so no column sees itself or a later
one. Each column has a layer of its own over its context, and a direct linear way past it. Source: the neural
autoregressive distribution estimator, Larochelle and Murray 2011; for mixed tables Tiwald et al. 2025 (TabularARGN).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch.nn import functional

from node.synthesis.cells import Floats
from node.synthesis.neural.plan import Plan

IMPOSSIBLE = -1e9
Weights = Mapping[str, torch.Tensor]
"""The parameters of `Plan.shapes`, float32."""


def device_of(wanted: str | None) -> torch.device:
    """The device of this name; a GPU where torch sees one, and the processor otherwise, if None is wanted."""
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums inside do not depend on how many threads the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def first_weights(plan: Plan, masses: Floats, seed: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Weights that know the columns' own distributions and no relation.

    `masses`: rows in each bin, the columns one after the other in the plan's order, shape (bins,).
    """
    chance = torch.Generator().manual_seed(seed)
    scale = 1 / math.sqrt(plan.width)
    made = {name: torch.zeros(shape) for name, shape in plan.shapes.items()}
    made["embedding"] = torch.randn(plan.shapes["embedding"], generator=chance) * scale
    made["inner"] = torch.randn(plan.shapes["inner"], generator=chance) * scale
    made["bias"] = torch.from_numpy(np.log(np.maximum(masses, 0.0) + 0.5)).to(torch.float32)
    return {name: weight.to(device) for name, weight in made.items()}


def logits(weights: Weights, plan: Plan, rows: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
    """Unnormalised log-probabilities of every column's bins given the bins before it, shape (rows, columns, most bins).

    `rows`: bins in the plan's order, shape (rows, columns). `kept`: factors on the contexts and on the layers, shape
    (2, rows, columns, width); None for none.
    """
    embedded = weights["embedding"][rows + _starts(plan, rows.device)]
    before = torch.cat([torch.zeros_like(embedded[:, :1]), torch.cumsum(embedded[:, :-1], 1)], dim=1)
    context = before + weights["position"]
    return _heads(weights, plan, context, kept)


def loss_of(weights: Weights, plan: Plan, rows: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
    """What each row costs: the weighted sum of its columns' negative log-likelihoods, in nats, shape (rows,)."""
    scores = functional.log_softmax(logits(weights, plan, rows, kept), dim=-1)
    of_bins = -scores.gather(-1, rows.unsqueeze(-1)).squeeze(-1)
    return of_bins @ torch.tensor(plan.weights, dtype=of_bins.dtype, device=of_bins.device)


def next_chances(weights: Weights, plan: Plan, context: torch.Tensor, place: int) -> torch.Tensor:
    """The distribution of the column at `place` of the plan, shape (rows, its bins), in float64.

    `context`: the sum of the embeddings of the columns before it, shape (rows, width).
    """
    start, size = plan.starts[place], plan.sizes[place]
    inside = context + weights["position"][place]
    layer = torch.relu(inside @ weights["inner"][place] + weights["threshold"][place])
    own = slice(start, start + size)
    found = layer @ weights["outer"][own].T + inside @ weights["direct"][own].T + weights["bias"][own]
    return torch.softmax(found.to(torch.float64), dim=-1)


def _heads(weights: Weights, plan: Plan, context: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
    layer = torch.relu(torch.einsum("ndh,dhk->ndk", context, weights["inner"]) + weights["threshold"])
    if kept is not None:
        context, layer = context * kept[0], layer * kept[1]
    places = _places(plan, context.device)
    outer, direct = (_arranged(weights[name], places) for name in ("outer", "direct"))
    bias = torch.cat([weights["bias"], weights["bias"].new_full((1,), IMPOSSIBLE)])[places]
    return torch.einsum("ndk,dbk->ndb", layer, outer) + torch.einsum("ndh,dbh->ndb", context, direct) + bias


def _arranged(flat: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """A row for each bin of each column, zeros where a column has fewer bins, shape (columns, most bins, numbers)."""
    return torch.cat([flat, flat.new_zeros((1, flat.shape[1]))])[places]


def _places(plan: Plan, device: torch.device) -> torch.Tensor:
    most, bins = max(plan.sizes), sum(plan.sizes)
    found = np.full((len(plan.sizes), most), bins)
    for row, start, size in zip(found, plan.starts, plan.sizes, strict=True):
        row[:size] = np.arange(start, start + size)
    return torch.from_numpy(found).to(device)


def _starts(plan: Plan, device: torch.device) -> torch.Tensor:
    return torch.tensor(plan.starts, device=device)
