"""The twin of pooled records as a joint order's work: what is counted for it, and rows, picture and report from the sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.answers import stages_of
from marketplace.certificate.certificate import Mechanism
from marketplace.certificate.twins import digest_of, groups_of
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.summed import Scoring
from node.evaluation import picture
from node.evaluation.codes import frame_of
from node.evaluation.curve_picture import draw_curves
from node.evaluation.pooled_report import Shown, pooled_report
from node.evaluation.report import Promise
from node.files import whole_file, write_whole
from node.synthesis.generator import CodedTable
from node.twin.counting import count
from node.twin.pooled import NAME, PooledTwin
from node.vault import csv_text
from node.workers.job import JointJob
from node.workers.mechanism import noisy_counts
from node.workers.task import Written, shares_of

WORDS = "noisy counts summed over all providers, under masks that cancel, and a graphical model fitted to the sums"
FILES = (*result.NAMES, analysis_sums.SUMS)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class TwinTask:
    """A `task.Task`: see there. No records are held out: rows and scores are both of all that there are."""

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

    def write(self, folder: Path, opened: Opened) -> Written:
        measured = self.twin.measured(self.schema, opened)
        table = self.twin.table(self.schema, opened, quiet, never)
        scored = self.twin.scored(self.schema, opened, frame_of(table, self.schema))
        image = picture.draw(table, self.schema, noisy_counts(measured, self.schema))
        drawn = draw_curves(table, self.schema, self.twin.specification, scored.curves, scored.rows)
        write_files(folder, table, self.schema, image, self._report(opened, Shown(scored, image, drawn)), opened)
        return Written(FILES, scored.scores, scored.curves)

    def mechanism(self, opened: Opened) -> Mechanism:
        return twin_mechanism(opened, shares_of(self, opened), self.twin.scoring(self.schema, opened))

    def _report(self, opened: Opened, shown: Shown) -> bytes:
        job, twin = self.job, self.twin
        setting = Setting(Lane.SUMS, job.parties, job.threshold, None, job.unit)
        promise = Promise(WORDS, twin.generate_micro, twin.evaluate_micro, job.own.delta_atto)
        shares = shares_of(self, opened)
        return pooled_report(job.own.order, setting, promise, self.schema, twin.specification, shown, shares)


def twin_mechanism(
    opened: Opened, rounds: Sequence[Sequence[Share]], scoring: Scoring, parameters: Sequence[tuple[str, str]] = ()
) -> Mechanism:
    """What a certificate says of how a twin was made: its stages, of which the last of `rounds` are for scores, and its sums,
    the groups of `scoring` and further `parameters`."""
    name, _, version = NAME.partition("/")
    said = (digest_of(analysis_sums.encode(opened)), *groups_of(scoring), *parameters)
    stages = stages_of(rounds)
    rows = len(stages) - len(rounds[-1])
    return Mechanism(name, version, tuple(sorted(said)), stages[:rows], stages[rows:])


def write_files(folder: Path, table: CodedTable, schema: Schema, image: bytes, report: bytes, opened: Opened) -> None:
    """Writes the files of a twin's result: its coded `table` as CSV, picture, report, and what was opened."""
    with whole_file(folder / result.TABLE) as out:
        for piece in csv_text.chunks(table, schema):
            out.write(piece)
    write_whole(folder / result.PICTURE, image)
    write_whole(folder / result.REPORT, report)
    write_whole(folder / analysis_sums.SUMS, analysis_sums.encode(opened))


def quiet(text: str, share: float) -> None:
    """Nobody watches."""


def never() -> bool:
    """Work in a child is cancelled by ending the child."""
    return False
