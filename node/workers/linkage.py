"""A linkage count as a joint order's work: it is told from identifiers, where other analyses are from codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis_statistic import Opened
from node.mpc.counting import meeting
from node.mpc.persons import in_buckets
from node.nesting import main_codes, main_lines
from node.synthesis.generator import CodedTable
from node.workers.analysing import AnalysisTask

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LinkageTask(AnalysisTask):
    """A `task.Task`: see there. `identifiers`: of the person of each line of the table that is counted, one to one.

    `key`: 32 bytes that the parties' processes alone have agreed on.
    """

    identifiers: tuple[str, ...] = field(repr=False)
    key: bytes = field(repr=False)

    def count(self, table: CodedTable, opened: Opened) -> Mapping[str, Integers]:
        rows = meeting(self.specification, self.schema, main_codes([table], self.schema))
        lines = np.unique(main_lines(table, self.schema)[rows])
        return in_buckets(self.specification, self.schema, (self.identifiers[line] for line in lines), self.key)
