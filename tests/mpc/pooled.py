"""Answers without processes: hospitals count in turn, and what they count is added up in the clear, with noise or without."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_noise import Share, variances
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.codes import Codes
from node.mpc.counting import count

PARTIES = 3


def specification(*analyses: Any) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def dealt(codes: Mapping[str, Codes], parties: int = PARTIES) -> list[dict[str, Codes]]:
    """The rows of each hospital; the last has none."""
    rows = np.arange(len(next(iter(codes.values()))))
    return [
        {name: column[at] for name, column in codes.items()} for at in (*np.array_split(rows, parties - 1), rows[:0])
    ]


def pooled(
    whole: AnalysisSpecification,
    schema: Schema,
    codes: Mapping[str, Codes],
    parts: Sequence[Sequence[Share]] = (),
    seed: int = 0,
    told: bool = True,
) -> tuple[Any, ...]:
    """What all parties learn. `parts`: of each round, where noise is wanted: of a Gaussian, which numpy draws fast.

    `told`: whether the answers know how large it is.
    """
    drawn = np.random.default_rng(seed)
    opened: tuple[Mapping[str, list[int]], ...] = ()
    for number in range(whole.rounds(schema)):
        counted = [count(whole, schema, len(next(iter(one.values()))), one, opened) for one in dealt(codes)]
        sums = {name: sum(one[name] for one in counted) for name in counted[0]}
        for part in parts[number] if parts else ():
            wide = np.sqrt(float(PARTIES * part.sigma2))
            sums[part.name] = sums[part.name] + np.rint(drawn.normal(0, wide, part.cells)).astype(np.int64)
        opened = (*opened, {name: values.tolist() for name, values in sums.items()})
    return whole.results(schema, opened, variances(parts, PARTIES) if told else ())
