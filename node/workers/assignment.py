"""What a worker finds in an order's folder: the job and the documents that say what is to be made."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.protocol.description import Description
from marketplace.protocol.result import sheets
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.evaluation.report import Promise, Subject
from node.evaluation.words import order_words
from node.files import disk
from node.spending import UNCHARGED, Spending, spending_of
from node.synthesis.generators import GENERATORS, serving
from node.workers.job import Job, Name


@dataclass(frozen=True)
class Assignment:
    """A job, the specification and the description that it is done by, and how its rho is to be spent."""

    job: Job
    specification: Specification
    description: Description
    spending: Spending

    @classmethod
    def read(cls, folder: Path) -> "Assignment":
        """The assignment in an order's folder. Raises as the documents and the disk do."""
        with disk():
            job = Job.decode((folder / Name.JOB).read_bytes())
            specification = Specification.decode((folder / Name.SPECIFICATION).read_bytes())
            description = Description.decode((folder / Name.DESCRIPTION).read_bytes())
        return cls(job, specification, description, UNCHARGED if job.is_exact else spending_of(job.rho_micro))

    @property
    def schema(self) -> Schema:
        """The schema of the records and of the result."""
        return self.description.schema

    @property
    def noise_context(self) -> bytes:
        """What the noise is bound to, besides its key: order, the dataset's commitment, the specification."""
        return self.job.order + self.job.commitment + sha256(self.specification.encode()).digest()

    @property
    def subject(self) -> Subject:
        """What the reports are about."""
        return Subject(
            title=self.description.title,
            provider=self.job.provider,
            order=self.job.order.hex(),
            unit=self.schema.unit,
            rows=self.specification.rows,
            columns=len(self.schema.columns),
            rows_declared=self.description.rows_declared,
            files=tuple(sheet.file for sheet in sheets(self.schema)) if self.schema.is_linked else (),
            words=order_words(self.schema, self.specification),
            thresholds=self.specification.thresholds,
        )

    @property
    def promise(self) -> Promise:
        """The privacy that the reports state."""
        return Promise(
            mechanism=GENERATORS[serving(self.specification.generator, self.schema)].words,
            rho_generate_micro=self.spending.generate_micro,
            rho_evaluate_micro=self.spending.evaluate_micro,
            delta_atto=self.job.delta_atto,
        )
