"""Analyses as a joint order's work: what is counted for them, and the files of the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.answers import stages_of
from marketplace.certificate.certificate import Mechanism
from marketplace.protocol import analysis_answer, analysis_sums, result
from marketplace.protocol.analysis import AnalysisSpecification, Asked
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import Share, shares, variances
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.pool import Answered, answered_as
from marketplace.protocol.schema import Schema
from marketplace.protocol.specified import ANALYSIS_FILES
from node.evaluation.joint_report import joint_report
from node.evaluation.report import Promise
from node.files import write_whole
from node.mpc.counting import count
from node.nesting import main_codes
from node.synthesis.generator import CodedTable
from node.workers.job import JointJob
from node.workers.task import Written

MECHANISM_VERSION = "1"
MECHANISMS = {
    Lane.SUMS: ("masked-sums", "sums of whole numbers over all parties, under masks that cancel"),
    Lane.CLOSED: ("closed-sums", "sums that stay shared between the parties, of which large enough cells are opened"),
}
"""The name and the words for what is done in each lane."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class AnalysisTask:
    """A `task.Task`: see there."""

    job: JointJob
    specification: AnalysisSpecification
    schema: Schema

    @cached_property
    def parts(self) -> tuple[tuple[Share, ...], ...]:
        """The noise of each round and its price; none where the order is exact."""
        job, schedule = self.job, self.specification.schedule(self.schema)
        if job.own.is_exact:
            return ()
        return shares(schedule, job.rho_micro, job.rows_in_pool, job.parties, job.threshold)

    @cached_property
    def questions(self) -> Answered:
        """What the parties ask each other."""
        return answered_as(self.specification, self.guarantee)

    @property
    def guarantee(self) -> Guarantee:
        """What the order promises."""
        return Guarantee.EXACT if self.job.own.is_exact else Guarantee.DIFFERENTIALLY_PRIVATE

    def asked(self, opened: Opened) -> tuple[Asked, ...]:
        return self.questions.asked(self.schema, opened)

    def shares(self, opened: Opened) -> tuple[Share, ...]:
        return self.parts[len(opened)] if self.parts else ()

    def count(self, table: CodedTable, opened: Opened) -> Mapping[str, Integers]:
        codes = main_codes([table], self.schema)
        return count(self.questions, self.schema, len(codes[self.schema.names[0]]), codes, opened)

    def write(self, folder: Path, opened: Opened) -> Written:
        noise = variances(self.parts, self.job.parties)
        results = self.questions.results(self.schema, opened, noise)
        files = {
            analysis_answer.ANSWERS: analysis_answer.encode(self.specification, self.guarantee, results),
            analysis_sums.SUMS: analysis_sums.encode(opened),
            result.REPORT: self._report(results),
        }
        for name in ANALYSIS_FILES:
            write_whole(folder / name, files[name])
        return Written(ANALYSIS_FILES)

    def mechanism(self, opened: Opened) -> Mechanism:
        name, _ = MECHANISMS[self.specification.lane(self.guarantee)]
        return Mechanism(name, MECHANISM_VERSION, (), stages_of(self.parts), ())

    def _report(self, results: Sequence[Any]) -> bytes:
        job, asked = self.job, self.specification
        lane = asked.lane(self.guarantee)
        setting = Setting(lane, job.parties, job.threshold, asked.smallest_cell, job.unit)
        rho_micro = 0 if job.own.is_exact else job.rho_micro
        promise = Promise(MECHANISMS[lane][1], rho_micro, 0, job.own.delta_atto)
        return joint_report(job.own.order, setting, promise, self.schema, self.specification, results, self.parts)
