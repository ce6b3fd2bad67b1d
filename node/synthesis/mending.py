"""Rows that break a constraint are drawn anew until none does: first within their bins, then whole."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition, Sum
from marketplace.protocol.schema import Schema
from marketplace.scores.constraints import MISSING, keep_all
from node.noise.stream import NoiseStream

TURNS_WITHIN = 12
TURNS_WHOLE = 40

Coded = dict[str, NDArray[np.int64]]
"""Codes under the columns' names, -1 for missing, all of one length."""


def mended(
    codes: Coded,
    schema: Schema,
    only: Sequence[Condition],
    within: Callable[[NDArray[np.intp], NoiseStream], Coded],
    whole: Callable[[int, NoiseStream], Coded],
    noise: NoiseStream,
) -> Coded:
    """The rows with totals that are sums of their parts, each of them keeping all constraints and meeting `only`.

    `within`: draws codes of these rows again, their bins kept, so that what was modelled of bins stays as it is.
    `whole`: draws so many rows from the model. What still breaks a constraint then is replaced by other rows that do not:
    rejection sampling, so the rows are the model's, given that the constraints hold.
    Raises `Invalid` where no row that was drawn keeps them.
    """
    add_up(schema, codes)
    broken = np.flatnonzero(~keep_all(schema, only, codes))
    for turn in range(TURNS_WITHIN + TURNS_WHOLE):
        if not broken.size:
            return codes
        part = noise.part(f"turn/{turn}")
        again = within(broken, part) if turn < TURNS_WITHIN else whole(len(broken), part)
        add_up(schema, again)
        good = keep_all(schema, only, again)
        for name, column in codes.items():
            column[broken[good]] = again[name][good]
        broken = broken[~good]
    if broken.size:
        kept = np.setdiff1d(np.arange(len(next(iter(codes.values())))), broken)
        if not kept.size:
            raise Invalid(
                "expected constraints and conditions that a row can keep together, found no such row; ask for less"
            )
        taken = kept[noise.stage("kept").integers_below(len(kept), len(broken))]
        for column in codes.values():
            column[broken] = column[taken]
    return codes


def add_up(schema: Schema, codes: Mapping[str, NDArray[np.int64]]) -> None:
    """Puts the sum of the parts for each total that is there, where parts are and the total's grid has the sum."""
    sums = [constraint for constraint in schema.constraints if isinstance(constraint, Sum)]
    for constraint in sums * len(sums):
        linear = constraint.linear(schema.by_name)
        weights = dict(linear.weights)
        unit, total = -weights[constraint.total], codes[constraint.total]
        reached = np.full(len(total), linear.offset, np.int64)
        for part in constraint.parts:
            reached += weights[part] * codes[part]
        there = (total != MISSING) & np.all([codes[part] != MISSING for part in constraint.parts], axis=0)
        fits = there & (reached >= 0) & (reached // unit < schema.column(constraint.total).size)
        total[fits] = (reached // unit)[fits]
