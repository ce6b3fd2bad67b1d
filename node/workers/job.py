"""One order's work, as the node hands it to the process that does it. The folder is the order's own."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.unit import PrivacyUnit

NOUN, JOINT_NOUN, VERSION = "job", "joint-job", 1
MARKS = "marks"
"""What a party of a split table hands in of its persons, bucket by bucket: it stays shared, and its noise stands apart."""


class Name(StrEnum):
    """The files in an order's folder."""

    JOB = "job.json"
    SPECIFICATION = "specification.json"
    DESCRIPTION = "description.json"
    SPLIT = "split.json"
    MEASUREMENTS = "measurements.json"
    OUTCOME = "outcome.json"
    PROVIDER_REPORT = "provider-report.html"
    PROVIDER_SCORES = "provider-scores.json"
    REVIEW = "provider-review.html"
    REVIEW_SCORES = "provider-review.json"
    PROVIDER_LINKS = "provider-links.json"
    FAILURE = "failure.txt"
    PROGRESS = "progress.txt"
    CRASHES = "crashes.txt"
    CLOSED = "closed"
    LOG = "log.txt"
    LOCK = "lock"
    RESULT = "result.tar"
    MANIFEST = "manifest.json"
    SEALED = "object.sealed"
    TRANSCRIPT = "transcript.json"


@dataclass(frozen=True)
class Job:
    """What to make, of what, and what it may spend. `vault`: the vault's folder. `dataset`: its name there, 32 bytes.

    An order that promises no privacy spends no rho and has no delta.
    """

    order: OrderId
    dataset: bytes
    version: int
    commitment: bytes
    rho_micro: int
    delta_atto: int
    provider: Address
    vault: Path

    @property
    def is_exact(self) -> bool:
        """Whether the order promises no privacy, and so takes of the allowance in place of rho."""
        return self.rho_micro == 0 and self.delta_atto == 0

    def encode(self) -> bytes:
        """The job's canonical bytes, kept in the order's folder."""
        return canonical.encode(self.document())

    def document(self) -> dict[str, Any]:
        """The job as a value for canonical JSON."""
        return {
            "format": canonical.format_name(NOUN, VERSION),
            "order": self.order.hex(),
            "dataset": self.dataset.hex(),
            "version": self.version,
            "commitment": self.commitment.hex(),
            "rho_micro": self.rho_micro,
            "delta_atto": self.delta_atto,
            "provider": self.provider,
            "vault": str(self.vault),
        }

    @classmethod
    def decode(cls, data: bytes) -> "Job":
        """The job in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            return cls(
                order=OrderId(fields.bytes32("order")),
                dataset=fields.bytes32("dataset"),
                version=fields.whole("version"),
                commitment=fields.bytes32("commitment"),
                rho_micro=fields.whole("rho_micro"),
                delta_atto=fields.whole("delta_atto"),
                provider=Address(fields.text("provider")),
                vault=Path(fields.text("vault")),
            )
        except Invalid:
            raise Corrupt("expected the parts of a job, got others; let the node start the work again") from None


@dataclass(frozen=True)
class JointJob:
    """What one of several parties counts for an order that they answer together.

    `own`: what it takes of its own dataset. `unit`: whom the offer protects; `rho_micro`: what all that is opened may cost it;
    `rows_in_pool`: the most rows that it has at all `parties`. `threshold`: how many dishonest ones the noise is sized against.
    """

    own: Job
    rho_micro: int
    rows_in_pool: int
    parties: int
    threshold: int
    unit: PrivacyUnit = PrivacyUnit.PERSON

    def encode(self) -> bytes:
        """The canonical bytes, which go through a pipe."""
        return canonical.encode(
            {
                "format": canonical.format_name(JOINT_NOUN, VERSION),
                "own": self.own.document(),
                "unit": self.unit.value,
                "rho_micro": self.rho_micro,
                "rows_in_pool": self.rows_in_pool,
                "parties": self.parties,
                "threshold": self.threshold,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "JointJob":
        """The job in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, JOINT_NOUN, VERSION))
        try:
            rho_micro, rows, parties, threshold, unit = (
                fields.whole(name) for name in ("rho_micro", "rows_in_pool", "parties", "threshold", "unit")
            )
            own = Job.decode(canonical.encode(fields.mapping("own")))
            return cls(own, rho_micro, rows, parties, threshold, PrivacyUnit(unit))
        except (Invalid, ValueError):
            raise Corrupt("expected the parts of a joint job, got others; let the node start the work again") from None
