"""The twin of a table whose columns lie at different parties: the pooled twin's rounds, opened as crossings.

It is asked round by round what is crossed next, which follows from schemas, wishes, rho and what was opened before, as for the
twin of pooled records, scores at last. All rho goes into what is opened; sensitivities stand at `protocol.crossing.reach_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_noise import Share, reach
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Crossing, reach_of
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.summed import Scored
from node.synthesis.generator import Cancelled, Progress
from node.synthesis.measurements import Measurements
from node.twin.pooled import PooledTwin
from node.twin.rounds import Round
from node.twin.split import Split

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class VerticalTwin:
    """One order's twin of a split table. `specification`: of the joined columns. `threshold`: as in `PooledTwin`.

    `at`: at how many parties the rows lie whose person the promise is of: all, unless the offer says that a person is at one of
    each side, or that it is of a person's rows at one provider.
    """

    specification: Specification
    rho_micro: int
    split: Split
    threshold: int
    at: int

    @cached_property
    def pooled(self) -> PooledTwin:
        """The rounds, their noise and their rows, as of a pool in which a person moves as much."""
        parties, moves = len(self.split.sides), reach_of(self.at)
        return PooledTwin(self.specification, self.rho_micro, moves, parties, self.threshold)

    def check(self) -> None:
        """Raises as `PooledTwin.check`, of the joined columns, and `Invalid` for a person at parties that there are not."""
        if not 1 <= self.at <= len(self.split.sides):
            raise Invalid(f"expected rows of a person at 1 to {len(self.split.sides)} parties, got {self.at}")
        self.pooled.check(self.split.joined)

    def encode(self) -> bytes:
        """The specification's canonical bytes, whose hash the parties agree on."""
        return self.specification.encode()

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]:
        """Every statistic that is opened next: as `PooledTwin.asked`. `schema`: the joined one."""
        return self.pooled.asked(schema, opened)

    def crossing(self, opened: Opened = ()) -> Crossing | None:
        """What is opened after the sums of all earlier rounds; None where all is. Raises `Invalid` for more than can be."""
        step = self.next_round(opened)
        if step is None:
            return None
        return self.split.crossing(step, max(reach(share.sigma2, 1, share.cells) for share in self.shares(opened)))

    def next_round(self, opened: Opened) -> Round | None:
        """What is opened after `opened`, as `PooledTwin.next_round`."""
        return self.pooled.next_round(self.split.joined, opened)

    def shares(self, opened: Opened = ()) -> tuple[Share, ...]:
        """The noise that each party adds in the next round, and its price: as `PooledTwin.shares`."""
        return self.pooled.shares(self.split.joined, opened)

    def named(self, opened: Opened, found: Integers) -> Mapping[str, tuple[int, ...]]:
        """What a crossing opened after `opened`, by the names of its statistics."""
        step = self.next_round(opened)
        assert step is not None
        ends = np.cumsum([one.of.cells for one in step.asked])
        parts = np.split(self.split.layout(step).counted(found), ends[:-1])
        return {one.name: tuple(part.tolist()) for one, part in zip(step.asked, parts, strict=True)}

    def measured(self, opened: Opened) -> Measurements:
        """What all rounds together measured: as `PooledTwin.measured`."""
        return self.pooled.measured(self.split.joined, opened)

    def scored(self, opened: Opened, table: pd.DataFrame) -> Scored:
        """The scores of a coded table, beside those persons who stand alone in their buckets: as `PooledTwin.scored`."""
        return self.pooled.scored(self.split.joined, opened, table, self.split.coincidences)

    def table(self, opened: Opened, progress: Progress, cancelled: Cancelled) -> pa.Table:
        """The coded synthetic table of the joined columns: as `PooledTwin.table`."""
        return self.pooled.table(self.split.joined, opened, progress, cancelled)
