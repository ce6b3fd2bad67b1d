"""Counting for a joint analysis: the one draw of an order at this party, its noise, and the files of the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.certificate.answers import stages_of
from marketplace.certificate.certificate import Mechanism
from marketplace.errors import Corrupt, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol import analysis_answer, analysis_sums, result
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import SMALLEST_CELL, Lane
from marketplace.protocol.analysis_noise import Share, shares, variances
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.description import Description
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.pool import answered_as
from marketplace.protocol.schema import Schema
from marketplace.protocol.specified import read_specified
from node.environment import this_environment
from node.evaluation.joint_report import joint_report
from node.evaluation.report import Promise
from node.files import disk, whole_file, write_whole
from node.mpc.counting import count, meeting
from node.mpc.noise import add
from node.nesting import main_codes
from node.noise.stream import NoiseStream
from node.outcome import NOISE_COMMITMENT_TAG, Outcome
from node.vault.bounding import Tags
from node.vault.draw import Draw
from node.vault.vault import Vault
from node.workers.job import JointJob, Name

MECHANISM_VERSION = "1"
MECHANISMS = {
    Lane.SUMS: ("masked-sums", "sums of whole numbers over all parties, under masks that cancel"),
    Lane.CLOSED: ("closed-sums", "sums that stay shared between the parties, of which large enough cells are opened"),
}
"""The name and the words for what is done in each lane."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Counter:
    """One party's part of one order: opened once, asked round by round, finished once.

    `parts`: the noise of each round and its price; none where the order is exact.
    """

    folder: Path
    job: JointJob
    specification: AnalysisSpecification
    schema: Schema
    draw: Draw
    noise: NoiseStream
    parts: tuple[tuple[Share, ...], ...]

    @classmethod
    def open(cls, folder: Path, job: JointJob, storage_key: bytes) -> "Counter":
        """Opens the records for the documents in `folder`, against the whole rho, durably, before anything is counted.

        Raises `Refused` where this order has drawn before: what came of it is lost, and nothing is drawn again. Raises as
        the vault does.
        """
        with disk():
            specified = (folder / Name.SPECIFICATION).read_bytes()
            described = (folder / Name.DESCRIPTION).read_bytes()
        specification, schema = read_specified(specified), Description.decode(described).schema
        if not isinstance(specification, AnalysisSpecification):
            raise Corrupt("expected an analysis to count for, got other wishes; see to the order's folder")
        schedule, own = specification.schedule(schema), job.own
        parts = () if own.is_exact else shares(schedule, job.rho_micro, job.rows_in_pool, job.parties, job.threshold)
        draw = _draw(job, specification, schema, storage_key)
        context = own.order + own.commitment + sha256(specified).digest()
        return cls(folder, job, specification, schema, draw, NoiseStream(draw.noise_key, context), parts)

    @property
    def guarantee(self) -> Guarantee:
        """What the order promises."""
        return Guarantee.EXACT if self.job.own.is_exact else Guarantee.DIFFERENTIALLY_PRIVATE

    def count(self, opened: Opened) -> Mapping[str, Integers]:
        """This party's whole numbers of the round after `opened`, with its noise in them unless the order is exact."""
        codes = main_codes([self.draw.training, self.draw.holdout], self.schema)
        counts = count(self.specification, self.schema, len(codes[self.schema.names[0]]), codes, opened)
        return add(counts, self.parts[len(opened)], self.noise, len(opened)) if self.parts else counts

    def finish(self, opened: Opened) -> None:
        """Writes the files of the answer, which are the same at every party, and last of all the outcome."""
        questions, noise = answered_as(self.specification, self.guarantee), variances(self.parts, self.job.parties)
        results = questions.results(self.schema, opened, noise)
        files = {
            analysis_answer.ANSWERS: analysis_answer.encode(self.specification, self.guarantee, results),
            analysis_sums.SUMS: analysis_sums.encode(opened),
            result.REPORT: self._report(results),
        }
        for name, data in files.items():
            write_whole(self.folder / name, data)
        with whole_file(self.folder / Name.RESULT) as out:
            result.pack({name: self.folder / name for name in files}, out, tuple(files))
        outcome = Outcome(
            mechanism=self._mechanism(),
            scores=(),
            curves=(),
            register=self.draw.register,
            noise_commitment=sha256(NOISE_COMMITMENT_TAG + self.draw.noise_key).digest(),
            environment=this_environment(),
        )
        write_whole(self.folder / Name.OUTCOME, outcome.encode())

    def _report(self, results: Sequence[Any]) -> bytes:
        job, asked = self.job, self.specification
        lane = asked.lane(self.guarantee)
        setting = Setting(lane, job.parties, job.threshold, asked.smallest_cell)
        rho_micro = 0 if job.own.is_exact else job.rho_micro
        promise = Promise(MECHANISMS[lane][1], rho_micro, 0, job.own.delta_atto)
        return joint_report(job.own.order, setting, promise, self.schema, self.specification, results, self.parts)

    def _mechanism(self) -> Mechanism:
        name, _ = MECHANISMS[self.specification.lane(self.guarantee)]
        return Mechanism(name, MECHANISM_VERSION, (), stages_of(self.parts), ())


def _draw(job: JointJob, specification: AnalysisSpecification, schema: Schema, storage_key: bytes) -> Draw:
    own = job.own
    with Vault(own.vault, SecretBox(storage_key)) as vault:
        held = vault.describe(own.dataset, own.version)
        if held.commitment != own.commitment or held.schema != schema:
            raise Corrupt(
                "expected the records that the dataset's version commits to, the vault holds others; revise it"
            )
        if own.is_exact:
            draw = vault.draw_exact(own.order, own.dataset, own.version)
            if not draw.resumed:
                cohort = _cohort(draw, specification, schema)
                vault.enter_cohort(own.order, own.dataset, cohort, specification.smallest_cell or SMALLEST_CELL)
        else:
            draw = vault.draw(own.order, own.dataset, own.version, own.rho_micro)
    if draw.resumed:
        raise Refused(
            "expected an order that has not drawn before; its first count was lost, and nothing is drawn again"
        )
    return draw


def _cohort(draw: Draw, specification: AnalysisSpecification, schema: Schema) -> Tags:
    """Who is asked about. Rows of a linked schema's draw are persons, and all of them count as asked about."""
    if schema.is_linked:
        return draw.identities
    found: Tags = draw.identities[meeting(specification, schema, main_codes([draw.training, draw.holdout], schema))]
    return found
