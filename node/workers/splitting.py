"""The twin of a split table as a joint order's work: what a party hands in, and rows and report from what is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.certificate import Mechanism
from marketplace.certificate.twins import COINCIDENCES
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
from node.evaluation.codes import frame_of
from node.evaluation.curve_picture import draw_curves
from node.evaluation.pooled_report import Shown
from node.evaluation.report import Promise
from node.evaluation.split_report import split_report
from node.mpc.persons import placed
from node.synthesis.generator import CodedTable
from node.twin.marking import marks
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from node.workers.job import MARKS, JointJob
from node.workers.mechanism import noisy_counts
from node.workers.task import Written, shares_of
from node.workers.twinning import FILES, never, quiet, twin_mechanism, write_files

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
        scored = self.twin.scored(opened, frame_of(table, schema))
        image = picture.draw(table, schema, noisy_counts(self.twin.measured(opened), schema))
        drawn = draw_curves(table, schema, self.twin.specification, scored.curves, scored.rows)
        write_files(folder, table, schema, image, self._report(opened, Shown(scored, image, drawn)), opened)
        return Written(FILES, scored.scores, scored.curves)

    def mechanism(self, opened: Opened) -> Mechanism:
        split = self.twin.split
        met = (COINCIDENCES, str(split.coincidences))
        said = (("buckets", str(split.buckets)), met, ("spelling", SPELLING.value))
        return twin_mechanism(opened, shares_of(self, opened), self.twin.pooled.scoring(split.joined, opened), said)

    def _report(self, opened: Opened, shown: Shown) -> bytes:
        job, twin = self.job, self.twin
        setting = Setting(Lane.CROSSING, job.parties, job.threshold, None, job.unit)
        promise = Promise(WORDS, twin.pooled.generate_micro, twin.pooled.evaluate_micro, job.own.delta_atto)
        shares = shares_of(self, opened)
        return split_report(job.own.order, setting, promise, twin.split, twin.specification, shown, shares)
