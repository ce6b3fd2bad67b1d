"""One party's whole part in a joint analysis: agree, then count and sum round by round."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.schema import Schema
from node.mpc.masks import Batch, Tensor
from node.mpc.running import Closing, PartyProcess

Integers = NDArray[np.int64]


class Questions(Protocol):
    """What parties answer together round by round, such as an `AnalysisSpecification`: see there."""

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]: ...
    def encode(self) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    """What everybody learns, and from which all results follow: each round's sums by name, flat.

    `seconds`: from the first word between the parties' processes to everybody's signature.
    """

    opened: tuple[Mapping[str, tuple[int, ...]], ...]
    closing: Closing
    seconds: float


def take_part(
    process: PartyProcess,
    specification: Questions,
    schema: Schema,
    count: Callable[[Opened], Mapping[str, Integers]],
    agree: Callable[[bytes], None] = lambda _: None,
) -> Answer:
    """The sums that `specification` asks for, the same at every party. Raises `Ended`, which names a party.

    `count`: this party's statistics of the next round, told from the sums of all rounds before, with its noise in them
    unless the order is an exact one. It is called once for each round, after all parties have agreed on order and
    specification, so that nothing is spent on an analysis that does not begin. `agree`: told, before anything is counted, what
    the parties alone know (`PartyProcess.ready`).
    """
    begun = time.perf_counter()
    agree(process.ready())
    opened: tuple[Mapping[str, tuple[int, ...]], ...] = ()
    while asked := specification.asked(schema, opened):
        values = count(opened)
        batch = Batch(tuple(Tensor(len(opened), one.name, one.of.inputs) for one in asked))
        sums = process.sum(batch, [values[one.name] for one in asked])
        shown = {one.name: tuple(summed[one.of.hidden :].tolist()) for one, summed in zip(asked, sums, strict=True)}
        opened = (*opened, shown)
    closing = process.finish()
    return Answer(opened, closing, time.perf_counter() - begun)
