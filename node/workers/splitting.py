"""The twin of a split table as a joint order's work: what a party hands in, and rows and report from what is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.answers import stages_of
from marketplace.certificate.certificate import Mechanism
from marketplace.certificate.twins import digest_of
from marketplace.protocol import analysis_sums
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Side
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.protocol.split import SPELLING
from node.evaluation import picture
from node.evaluation.report import Promise
from node.evaluation.split_report import split_report
from node.mpc.persons import placed
from node.synthesis.generator import CodedTable
from node.twin.marking import marks
from node.twin.pooled import NAME
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from node.workers.job import MARKS, JointJob
from node.workers.mechanism import noisy_counts
from node.workers.task import Written, shares_of
from node.workers.twinning import FILES, never, quiet, write_files

WORDS = "noisy counts of persons whom both sides know, opened as products of secret buckets, and a graphical model fitted to them"

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SplitTask:
    """A `task.Task`: see there. `identifiers`: of the person of each line of the table that is counted, one to one.

    `key`: 32 bytes that the parties' processes alone have agreed on.
    """

    job: JointJob
    twin: VerticalTwin
    side: Side
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, job: JointJob, specification: Specification, split: Split, schema: Schema) -> "SplitTask":
        """The work that `job` asks for at the side that declares `schema`, before it knows anybody. Raises as
        `VerticalTwin.check`."""
        twin = VerticalTwin(specification, job.rho_micro, split, job.threshold, at=job.rows_in_pool)
        twin.check()
        return cls(job, twin, Side.LEFT if schema == split.left else Side.RIGHT)

    def asked(self, opened: Opened) -> tuple[Asked, ...]:
        return self.twin.asked(self.twin.split.joined, opened)

    def shares(self, opened: Opened) -> tuple[Share, ...]:
        return self.twin.shares(opened)

    def count(self, table: CodedTable, opened: Opened) -> Mapping[str, Integers]:
        """This party's marks, flat, as `MARKS`, and nothing of each statistic, where its noise comes.

        Who has an identifier without anything in it is in no bucket.
        """
        spelt = [SPELLING.of(one) for one in self.identifiers]
        named = table.take(np.flatnonzero([one != "" for one in spelt]))
        places = placed([one for one in spelt if one], self.key, self.twin.split.buckets)
        found = marks(self.twin, self.side, named, places, opened)
        return {MARKS: found.ravel(), **{one.name: np.zeros(one.of.cells, np.int64) for one in self.asked(opened)}}

    def write(self, folder: Path, opened: Opened) -> Written:
        schema, table = self.twin.split.joined, self.twin.table(opened, quiet, never)
        image = picture.draw(table, schema, noisy_counts(self.twin.measured(opened), schema))
        write_files(folder, table, schema, image, self._report(opened, image), opened)
        return Written(FILES)

    def mechanism(self, opened: Opened) -> Mechanism:
        name, _, version = NAME.partition("/")
        said = (digest_of(analysis_sums.encode(opened)), ("buckets", str(self.twin.split.buckets)))
        spelt = ("spelling", SPELLING.value)
        return Mechanism(name, version, tuple(sorted((*said, spelt))), stages_of(shares_of(self, opened)), ())

    def _report(self, opened: Opened, image: bytes) -> bytes:
        job, twin = self.job, self.twin
        setting = Setting(Lane.CROSSING, job.parties, job.threshold, None, job.unit)
        promise = Promise(WORDS, twin.rho_micro, 0, job.own.delta_atto)
        return split_report(
            job.own.order, setting, promise, twin.split, twin.specification, image, shares_of(self, opened)
        )
