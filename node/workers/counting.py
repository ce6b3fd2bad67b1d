"""Counting for a joint order: the one draw of an order at this party, its noise, and the files of the result."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Corrupt, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol import result
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import PUBLIC_CELL, SMALLEST_CELL
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.description import Description
from marketplace.protocol.exactness import ExactQuestion
from marketplace.protocol.schema import Schema
from marketplace.protocol.specified import Specified, read_specified
from node.environment import this_environment
from node.files import disk, whole_file, write_whole
from node.mpc.counting import meeting
from node.mpc.noise import add
from node.nesting import main_codes
from node.noise.stream import NoiseStream
from node.outcome import NOISE_COMMITMENT_TAG, Outcome
from node.twin.split import Split
from node.vault.bounding import Tags
from node.vault.draw import Draw
from node.vault.vault import Vault
from node.workers.analysing import AnalysisTask
from node.workers.job import MARKS, JointJob, Name
from node.workers.linkage import LinkageTask
from node.workers.splitting import SplitTask
from node.workers.task import Task
from node.workers.twinning import TwinTask

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Counter:
    """One party's part of one order: opened once, asked round by round, finished once. `is_exact`: whether it was drawn
    against an allowance, and so promises nothing."""

    folder: Path
    task: Task
    draw: Draw
    noise: NoiseStream
    is_exact: bool

    @classmethod
    def open(
        cls, folder: Path, job: JointJob, storage_key: bytes, roster_key: bytes = b"", agreed: bytes = b""
    ) -> "Counter":
        """Opens the records for the documents in `folder`, against the whole rho, durably, before anything is counted.

        `roster_key` and `agreed`: where persons are matched, what opens their identifiers, and what the parties' processes
        alone know of this attempt.
        Raises `Refused` where this order has drawn before: what came of it is lost, and nothing is drawn again. Raises as
        the vault does, before the draw where identifiers are not as they were kept.
        """
        with disk():
            specified = (folder / Name.SPECIFICATION).read_bytes()
            described = (folder / Name.DESCRIPTION).read_bytes()
        specification, schema = read_specified(specified), Description.decode(described).schema
        task = _task(folder, job, specification, schema)
        draw, identifiers = _draw(job, specification, schema, storage_key, roster_key, _matches(task))
        if isinstance(task, SplitTask):
            task = replace(task, identifiers=identifiers, key=agreed)
        elif isinstance(specification, AnalysisSpecification) and specification.links:
            task = LinkageTask(job, specification, schema, identifiers, agreed)
        context = job.own.order + job.own.commitment + sha256(specified).digest()
        return cls(folder, task, draw, NoiseStream(draw.noise_key, context), job.own.is_exact)

    def count(self, opened: Opened) -> Mapping[str, Integers]:
        """This party's whole numbers of the round after `opened`, with its noise in them unless the order is exact; of a split
        table its marks and, apart from them, its noise."""
        counts = self.task.count(self.draw.rows, opened)
        if self.is_exact:
            return counts
        noisy = add(counts, self.task.shares(opened), self.noise, len(opened))
        return {MARKS: counts[MARKS], **noisy} if isinstance(self.task, SplitTask) else noisy

    def finish(self, opened: Opened) -> None:
        """Writes the files of the answer, and last of all the outcome."""
        written = self.task.write(self.folder, opened)
        with whole_file(self.folder / Name.RESULT) as out:
            result.pack({name: self.folder / name for name in written.names}, out, written.names)
        outcome = Outcome(
            mechanism=self.task.mechanism(opened),
            scores=written.scores,
            curves=written.curves,
            register=self.draw.register,
            noise_commitment=sha256(NOISE_COMMITMENT_TAG + self.draw.noise_key).digest(),
            environment=this_environment(),
        )
        write_whole(self.folder / Name.OUTCOME, outcome.encode())


def _task(folder: Path, job: JointJob, specification: Specified, schema: Schema) -> Task:
    """What the documents in `folder` ask for, before it knows anybody's identifier."""
    if isinstance(specification, AnalysisSpecification):
        return AnalysisTask(job, specification, schema)
    path = folder / Name.SPLIT
    with disk():
        split = Split.decode(path.read_bytes()) if path.exists() else None
    return SplitTask.of(job, specification, split, schema) if split else TwinTask.of(job, specification, schema)


def _matches(task: Task) -> bool:
    """Whether it is told from identifiers."""
    return isinstance(task, SplitTask) or (isinstance(task, AnalysisTask) and task.specification.links)


def _draw(
    job: JointJob, specification: Specified, schema: Schema, storage_key: bytes, roster_key: bytes, matches: bool
) -> tuple[Draw, tuple[str, ...]]:
    """The order's draw, and of each of its lines the person's identifier where persons are matched; else none."""
    own, roster = job.own, None
    with Vault(own.vault, SecretBox(storage_key)) as vault:
        held = vault.describe(own.dataset, own.version)
        if held.commitment != own.commitment or held.schema != schema:
            raise Corrupt(
                "expected the records that the dataset's version commits to, the vault holds others; revise it"
            )
        if matches:
            roster = vault.roster(own.order, own.dataset, own.version, SecretBox(roster_key))
        if own.is_exact:
            draw = vault.draw_exact(own.order, own.dataset, own.version)
            if not draw.resumed and isinstance(specification, AnalysisSpecification):
                cohort, cell = _cohort(draw, specification, schema), specification.smallest_cell or SMALLEST_CELL
                question = None if cell == PUBLIC_CELL else ExactQuestion.of(specification, own.commitment)
                vault.enter_cohort(own.order, own.dataset, cohort, cell, question)
        else:
            draw = vault.draw(own.order, own.dataset, own.version, own.rho_micro)
    if draw.resumed:
        raise Refused(
            "expected an order that has not drawn before; its first count was lost, and nothing is drawn again"
        )
    return draw, roster.of(draw) if roster else ()


def _cohort(draw: Draw, specification: AnalysisSpecification, schema: Schema) -> Tags:
    """Who is asked about. Rows of a linked schema's draw are persons, and all of them count as asked about."""
    if schema.is_linked:
        return draw.identities
    found: Tags = draw.identities[meeting(specification, schema, main_codes([draw.rows], schema))]
    return found
