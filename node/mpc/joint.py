"""One party's whole part in a joint analysis: agree, count once, sum, and answer from the sums alone."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.schema import Schema
from node.mpc.masks import Tensor
from node.mpc.running import Closing, PartyProcess

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Answer:
    """What everybody learns: the sums by name, flat, and the results, one for each analysis, which follow from them.

    `seconds`: from the first word between the parties' processes to everybody's signature.
    """

    sums: Mapping[str, tuple[int, ...]]
    results: tuple[Any, ...]
    closing: Closing
    seconds: float


def take_part(
    process: PartyProcess,
    specification: AnalysisSpecification,
    schema: Schema,
    count: Callable[[], Mapping[str, Integers]],
) -> Answer:
    """The answer to `specification`, the same at every party. Raises `Ended`, which names a party.

    `count`: this party's statistics, with its noise in them unless the order is an exact one. It is called once, after all
    parties have agreed on order and specification, so that nothing is spent on an analysis that does not begin.
    """
    begun = time.perf_counter()
    process.ready()
    values = count()
    sums = {
        one.name: tuple(process.sum(Tensor(0, one.name, one.of.cells), values[one.name]).tolist())
        for one in specification.asked(schema)
    }
    closing = process.finish()
    return Answer(sums, specification.results(schema, sums), closing, time.perf_counter() - begun)
