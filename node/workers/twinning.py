"""The twin of pooled records as a joint order's work: what is counted for it, and rows, picture and report from the sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.answers import stages_of
from marketplace.certificate.certificate import Mechanism
from marketplace.certificate.twins import digest_of
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.evaluation import picture
from node.evaluation.pooled_report import pooled_report
from node.evaluation.report import Promise
from node.files import whole_file, write_whole
from node.synthesis.generator import CodedTable
from node.twin.counting import count
from node.twin.pooled import NAME, PooledTwin
from node.vault import csv_text
from node.workers.job import JointJob
from node.workers.mechanism import noisy_counts
from node.workers.task import shares_of

WORDS = "noisy counts summed over all providers, under masks that cancel, and a graphical model fitted to the sums"
FILES = (*result.NAMES, analysis_sums.SUMS)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class TwinTask:
    """A `task.Task`: see there. No records are held out, since no scores are released."""

    job: JointJob
    twin: PooledTwin
    schema: Schema

    @classmethod
    def of(cls, job: JointJob, specification: Specification, schema: Schema) -> "TwinTask":
        """The work that `job` asks for."""
        twin = PooledTwin(specification, job.rho_micro, job.rows_in_pool, job.parties, job.threshold)
        twin.check(schema)
        return cls(job, twin, schema)

    def asked(self, opened: Opened) -> tuple[Asked, ...]:
        return self.twin.asked(self.schema, opened)

    def shares(self, opened: Opened) -> tuple[Share, ...]:
        return self.twin.shares(self.schema, opened)

    def count(self, table: CodedTable, opened: Opened) -> Mapping[str, Integers]:
        return count(self.twin, self.schema, table, opened)

    def write(self, folder: Path, opened: Opened) -> tuple[str, ...]:
        measured = self.twin.measured(self.schema, opened)
        table = self.twin.table(self.schema, opened, _quiet, _never)
        image = picture.draw(table, self.schema, noisy_counts(measured, self.schema))
        with whole_file(folder / result.TABLE) as out:
            for piece in csv_text.chunks(table, self.schema):
                out.write(piece)
        write_whole(folder / result.PICTURE, image)
        write_whole(folder / result.REPORT, self._report(opened, image))
        write_whole(folder / analysis_sums.SUMS, analysis_sums.encode(opened))
        return FILES

    def mechanism(self, opened: Opened) -> Mechanism:
        measured = self.twin.measured(self.schema, opened)
        name, _, version = NAME.partition("/")
        parameters = dict((*measured.parameters, digest_of(analysis_sums.encode(opened))))
        return Mechanism(name, version, tuple(sorted(parameters.items())), stages_of(shares_of(self, opened)), ())

    def _report(self, opened: Opened, image: bytes) -> bytes:
        job = self.job
        setting = Setting(Lane.SUMS, job.parties, job.threshold, None, job.unit)
        promise = Promise(WORDS, job.rho_micro, 0, job.own.delta_atto)
        specification, shares = self.twin.specification, shares_of(self, opened)
        return pooled_report(job.own.order, setting, promise, self.schema, specification, image, shares)


def _quiet(text: str, share: float) -> None:
    """Nobody watches."""


def _never() -> bool:
    """Work in a child is cancelled by ending the child."""
    return False
