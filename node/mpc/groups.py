"""What a party counts of its own rows where two groups or many variants are beside each other: cells of small tables."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_genetics import GENOTYPES, AlleleFrequencies, CaseControl
from marketplace.protocol.schema import Schema
from node.mpc.codes import MISSING, Codes, Integers


def compared(
    asked: Welch | MannWhitney | Proportions, schema: Schema, codes: Mapping[str, Codes]
) -> dict[str, Integers]:
    """The statistics of a comparison, flat."""
    first, second = asked.groups(schema)
    there = (codes[asked.column] != MISSING) & np.isin(codes[asked.by], (first, second))
    values, group = codes[asked.column][there].astype(np.int64), (codes[asked.by][there] == second).astype(np.int64)
    match asked:
        case MannWhitney():
            bins = np.searchsorted(np.array(asked.starts(schema)), values, side="right") - 1
            return {"bins": _cells(group * asked.bins + bins, 2 * asked.bins)}
        case Proportions():
            return {"cells": _cells(group * 2 + (values == asked.event_code(schema)), 4)}
        case Welch():
            centred = 2 * values - (schema.column(asked.column).size - 1)
            each = [centred[group == place] for place in (0, 1)]
            return {
                "present": np.array([len(one) for one in each], np.int64),
                "sum": np.array([one.sum() for one in each], np.int64),
                "squares": np.array([(one**2).sum() for one in each], np.int64),
            }


def genotypes(asked: AlleleFrequencies | CaseControl, schema: Schema, codes: Mapping[str, Codes]) -> Integers:
    """The statistic of variants, flat: rows of each genotype, for cases after controls where there is an outcome."""
    if isinstance(asked, AlleleFrequencies):
        counted = [codes[one.column][codes[one.column] != MISSING] for one in asked.variants]
        return np.concatenate([_cells(one.astype(np.int64), GENOTYPES) for one in counted])
    happened = codes[asked.outcome] == asked.event_code(schema)
    found = []
    for one in asked.variants:
        there = (codes[one.column] != MISSING) & (codes[asked.outcome] != MISSING)
        cells = codes[one.column][there].astype(np.int64) + GENOTYPES * happened[there]
        found.append(_cells(cells, 2 * GENOTYPES))
    return np.concatenate(found)


def _cells(places: NDArray[np.int64], size: int) -> Integers:
    return np.bincount(places, minlength=size).astype(np.int64)
