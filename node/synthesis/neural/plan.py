"""What a network models, in which order: told from schema, specification and released columns alone."""

from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.synthesis.bins import most_bins

WORKLOAD_WEIGHT = 2.0


@dataclass(frozen=True)
class Plan:
    """`order`: the columns' places in the schema, each drawn given those before it. `sizes`: how many bins each has, in
    that order. `weights`: how much each counts in the loss. `width`: of the network's context. `hidden`: of its layer."""

    order: tuple[int, ...]
    sizes: tuple[int, ...]
    weights: tuple[float, ...]
    width: int
    hidden: int

    @property
    def starts(self) -> tuple[int, ...]:
        """Where the bins of each column begin, all columns' bins one after the other."""
        return (0, *accumulate(self.sizes[:-1]))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The network's parameters, in the order in which they are flattened."""
        bins, columns = sum(self.sizes), len(self.sizes)
        return {
            "embedding": (bins, self.width),
            "position": (columns, self.width),
            "inner": (columns, self.width, self.hidden),
            "threshold": (columns, self.hidden),
            "outer": (bins, self.hidden),
            "direct": (bins, self.width),
            "bias": (bins,),
        }

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return parameters_of(len(self.sizes), sum(self.sizes), self.width, self.hidden)


def parameters_of(columns: int, bins: int, width: int, hidden: int) -> int:
    """How many numbers a network of these sizes has."""
    return bins * (2 * width + hidden + 1) + columns * (width + width * hidden + hidden)


def most_parameters(schema: Schema, width: int, hidden: int) -> int:
    """The most that `parameters_of` can be under this schema: public."""
    return parameters_of(len(schema.columns), sum(most_bins(column) for column in schema.columns), width, hidden)


def fitting_width(schema: Schema, most: int) -> int:
    """The largest width, equal to the hidden layer's, whose network has at most `most` numbers; 0 where none does."""
    columns, bins = len(schema.columns), sum(most_bins(column) for column in schema.columns)
    linear = 3 * bins + 2 * columns
    width = int((sqrt(linear**2 + 4 * columns * max(0, most - bins)) - linear) / (2 * columns))
    return width if parameters_of(columns, bins, width, width) <= most else 0


def plan_of(schema: Schema, specification: Specification, sizes: tuple[int, ...], width: int) -> Plan:
    """The plan for this order. `sizes`: bins of each column, in the schema's order.

    Columns with conditions come first, so that drawing begins with them; then the rest; a survival curve's groups, its
    event and its time last, so that they are drawn given all covariates. The workload's columns weigh double.
    """
    last = [name for curve in specification.workload.curves for name in (curve.by, curve.event, curve.time) if name]
    first = [condition.column for condition in specification.only if condition.column not in last]
    middle = [name for name in schema.names if name not in first and name not in last]
    names = list(dict.fromkeys([*first, *middle, *_by_last_mention(last)]))
    wanted = {name for marginal in specification.workload.all_marginals for name in marginal}
    order = tuple(schema.names.index(name) for name in names)
    return Plan(
        order=order,
        sizes=tuple(sizes[place] for place in order),
        weights=tuple(WORKLOAD_WEIGHT if name in wanted else 1.0 for name in names),
        width=width,
        hidden=width,
    )


def _by_last_mention(names: list[str]) -> list[str]:
    return list(dict.fromkeys(reversed(names)))[::-1]
