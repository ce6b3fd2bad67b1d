"""The certificate: what was done to records for one order, signed by their provider.

Every number in it is public: declared before any record was opened, drawn by a charged mechanism, or computed from the
synthetic table alone.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from marketplace.certificate.attacks import PublicAttacks
from marketplace.certificate.fields import Fields
from marketplace.certificate.joint import Joint
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId
from marketplace.protocol.rho import MICRO
from marketplace.protocol.schema import Schema
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.score import Score
from marketplace.scores.thresholds import Judgement

NOUN, VERSION = "certificate", 1
PLAIN_FRACTION = re.compile(r"[0-9]{1,80}(/[1-9][0-9]{0,79})?", re.ASCII)

ASSUMPTIONS = (
    "Neighbouring datasets differ by all rows of one person.",
    "The noise comes from a key of 32 bytes that the operating system drew for this order and that nobody is shown; "
    "the guarantee is computational, as strong as the pseudorandom function that expands the key.",
    "The ledger proves what was charged. That the noise was added is the provider's signed word.",
)


NO_EPSILON = "none"
NO_PROMISE = (
    "This result carries no differential privacy: nothing bounds what it may reveal about one person.",
    "It was made under an authority's permit and took one of the dataset's allowance of exact orders.",
    "Where its stages name noise, that noise is no promise: no rho was charged for it.",
)


class StageKind(StrEnum):
    """How a stage is made private, and so what its parameter is and what it costs."""

    GAUSSIAN = "gaussian"
    EXPONENTIAL = "exponential"
    JOINT_GAUSSIAN = "joint gaussian"


@dataclass(frozen=True)
class Stage:
    """One private measurement: what it cost and how far one person can move it.

    `sensitivity` and `parameter` are exact fractions in text, such as `2` or `1681/4`. Gaussian: the L2 sensitivity and
    the variance of the discrete noise; costs sensitivity^2 / (2 parameter). Exponential: the sensitivity of the scores
    and the mechanism's epsilon; costs parameter^2 / 8. Joint Gaussian: the squared L2 sensitivity of sums over several
    parties, and the variance of what the parties that are counted on add to them together; costs sensitivity /
    (2 parameter), and what the sum of several discrete Gaussians costs beyond one, which is within the rounding up.
    Sources: Bun and Steinke 2016; Cesar and Rogers 2021; Kairouz, Liu and Steinke 2021.
    """

    name: str
    kind: StageKind
    rho_micro: int
    sensitivity: str
    parameter: str

    def cost_micro(self) -> int:
        """What the stage costs by its own figures, in micro-rho, rounded up.

        Raises `Invalid` if they are no fractions above zero.
        """
        if not (PLAIN_FRACTION.fullmatch(self.sensitivity) and PLAIN_FRACTION.fullmatch(self.parameter)):
            raise Invalid(f"expected fractions in the stage {self.name[:60]!r}")
        sensitivity, parameter = Fraction(self.sensitivity), Fraction(self.parameter)
        if sensitivity <= 0 or parameter <= 0:
            raise Invalid(f"expected sensitivity and parameter above zero in the stage {self.name[:60]!r}")
        match self.kind:
            case StageKind.GAUSSIAN:
                rho = sensitivity**2 / (2 * parameter)
            case StageKind.EXPONENTIAL:
                rho = parameter**2 / 8
            case StageKind.JOINT_GAUSSIAN:
                rho = sensitivity / (2 * parameter)
        return math.ceil(rho * MICRO)


@dataclass(frozen=True)
class Mechanism:
    """How the result was made: the generator's name, version and parameters, the stages that touched records."""

    name: str
    version: str
    parameters: tuple[tuple[str, str], ...]
    generate: tuple[Stage, ...]
    evaluate: tuple[Stage, ...]

    @property
    def rho_generate_micro(self) -> int:
        return sum(stage.rho_micro for stage in self.generate)

    @property
    def rho_evaluate_micro(self) -> int:
        return sum(stage.rho_micro for stage in self.evaluate)

    def document(self) -> dict[str, Any]:
        """The mechanism as a value for canonical JSON."""
        return {
            "name": self.name,
            "version": self.version,
            "parameters": dict(self.parameters),
            "generate": [_flat(stage) for stage in self.generate],
            "evaluate": [_flat(stage) for stage in self.evaluate],
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> "Mechanism":
        """The mechanism in `fields`. Raises `Invalid` where a part is missing or of another kind."""
        parameters: Mapping[str, str] = fields.texts("parameters")
        return cls(
            name=fields.text("name"),
            version=fields.text("version"),
            parameters=tuple(sorted(parameters.items())),
            generate=tuple(_stage_of(stage) for stage in fields.many("generate")),
            evaluate=tuple(_stage_of(stage) for stage in fields.many("evaluate")),
        )


@dataclass(frozen=True)
class Privacy:
    """The promise: unit and bound, what was charged, the (epsilon, delta) that it implies. `epsilon` is rounded up.

    An exact result promises nothing: rho and delta are 0, its epsilon is `NO_EPSILON`, its assumptions say `NO_PROMISE`.
    """

    unit: str
    rows_per_person: int
    rho_micro: int
    delta_atto: int
    epsilon: str
    assumptions: tuple[str, ...] = ASSUMPTIONS

    @property
    def is_exact(self) -> bool:
        """Whether nothing is promised: no rho was charged, and there is no delta."""
        return self.rho_micro == 0 and self.delta_atto == 0


@dataclass(frozen=True)
class Environment:
    """Where the draw can be replayed: hashes of code and dependencies (hex), the Python and the kind of machine."""

    code: str
    dependencies: str
    python: str
    machine: str

    def document(self) -> dict[str, Any]:
        """The environment as a value for canonical JSON."""
        return _flat(self)

    @classmethod
    def of_fields(cls, fields: Fields) -> "Environment":
        """The environment in `fields`. Raises `Invalid` where a part is missing or of another kind."""
        return cls(*(fields.text(name) for name in ("code", "dependencies", "python", "machine")))


@dataclass(frozen=True)
class Certificate:
    """One delivery's certificate. Digests, roots and commitments are 32 bytes.

    `register`: salted commitment to the opt-out register as it was applied. `noise_commitment`: hiding commitment to the
    noise key. `count`: chunks of the result. `rows`: synthetic rows. `curves`: the released counts of the workload's curves,
    in order. `thresholds`: the buyer's, and whether the released scores meet them. `attacks`: what attacks on public data
    reached against the generator's version; None where nobody has attacked it. `joint`: where several providers' nodes made
    the result together, all of them; provider, dataset, register and noise commitment are the offer's lead's then, and the
    rho is what all of them were charged together.
    """

    order: OrderId
    offer: OfferId
    provider: Address
    dataset: DatasetId
    version: int
    commitment: bytes
    description: bytes
    specification: bytes
    plain_root: bytes
    count: int
    rows: int
    register: bytes
    noise_commitment: bytes
    mechanism: Mechanism
    privacy: Privacy
    scores: tuple[Score, ...]
    environment: Environment
    curves: tuple[NoisyCurve, ...] = ()
    thresholds: tuple[Judgement, ...] = ()
    attacks: PublicAttacks | None = None
    joint: Joint | None = None

    def schema(self, described: Schema) -> Schema:
        """What the rows of the result have: as `Joint.schema`."""
        return self.joint.schema(described) if self.joint else described

    def document(self) -> dict[str, Any]:
        """The certificate as a value for canonical JSON; curves, thresholds and attacks stand in it where there are any."""
        document = {
            "format": canonical.format_name(NOUN, VERSION),
            "order": self.order.hex(),
            "offer": self.offer.hex(),
            "provider": self.provider,
            "dataset": self.dataset.hex(),
            "version": self.version,
            "commitment": self.commitment.hex(),
            "description": self.description.hex(),
            "specification": self.specification.hex(),
            "plain_root": self.plain_root.hex(),
            "count": self.count,
            "rows": self.rows,
            "register": self.register.hex(),
            "noise_commitment": self.noise_commitment.hex(),
            "mechanism": self.mechanism.document(),
            "privacy": {
                "unit": self.privacy.unit,
                "rows_per_person": self.privacy.rows_per_person,
                "rho_micro": self.privacy.rho_micro,
                "delta_atto": self.privacy.delta_atto,
                "epsilon": self.privacy.epsilon,
                "assumptions": list(self.privacy.assumptions),
            },
            "scores": [score.document() for score in self.scores],
            "environment": self.environment.document(),
        }
        if self.curves:
            document["curves"] = [curve.document() for curve in self.curves]
        if self.thresholds:
            document["thresholds"] = [judgement.document() for judgement in self.thresholds]
        if self.attacks is not None:
            document["attacks"] = self.attacks.document()
        if self.joint is not None:
            document["joint"] = self.joint.document()
        return document

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the provider signs together with the order."""
        return canonical.encode(self.document())

    @classmethod
    def decode(cls, data: bytes) -> "Certificate":
        """The certificate in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            certificate = _certificate_of(
                Fields({"curves": [], "thresholds": [], "attacks": None, "joint": None, **document})
            )
        except Invalid:
            raise Corrupt("expected the parts of a certificate, got others; ask who made it") from None
        if certificate.encode() != data:
            raise Corrupt("expected the parts of a certificate and no more; ask who made it")
        return certificate


def _flat(value: Stage | Environment) -> dict[str, Any]:
    return dict(vars(value))


def _certificate_of(fields: Fields) -> Certificate:
    return Certificate(
        order=OrderId(fields.bytes32("order")),
        offer=OfferId(fields.bytes32("offer")),
        provider=Address(fields.text("provider")),
        dataset=DatasetId(fields.bytes32("dataset")),
        version=fields.whole("version"),
        commitment=fields.bytes32("commitment"),
        description=fields.bytes32("description"),
        specification=fields.bytes32("specification"),
        plain_root=fields.bytes32("plain_root"),
        count=fields.whole("count"),
        rows=fields.whole("rows"),
        register=fields.bytes32("register"),
        noise_commitment=fields.bytes32("noise_commitment"),
        mechanism=Mechanism.of_fields(fields.inner("mechanism")),
        privacy=_privacy_of(fields.inner("privacy")),
        scores=tuple(Score.of_document(score) for score in fields.mappings("scores")),
        environment=Environment.of_fields(fields.inner("environment")),
        curves=tuple(NoisyCurve.of_document(curve) for curve in fields.mappings("curves")),
        thresholds=tuple(Judgement.of_document(judgement) for judgement in fields.mappings("thresholds")),
        attacks=PublicAttacks.of_document(found) if (found := fields.mapping_or_none("attacks")) is not None else None,
        joint=Joint.of_fields(Fields(made)) if (made := fields.mapping_or_none("joint")) is not None else None,
    )


def _stage_of(fields: Fields) -> Stage:
    kind = fields.text("kind")
    if kind not in list(StageKind):
        raise Invalid(f"expected a stage of kind {' or '.join(StageKind)}")
    return Stage(
        name=fields.text("name"),
        kind=StageKind(kind),
        rho_micro=fields.whole("rho_micro"),
        sensitivity=fields.text("sensitivity"),
        parameter=fields.text("parameter"),
    )


def _privacy_of(fields: Fields) -> Privacy:
    return Privacy(
        unit=fields.text("unit"),
        rows_per_person=fields.whole("rows_per_person"),
        rho_micro=fields.whole("rho_micro"),
        delta_atto=fields.whole("delta_atto"),
        epsilon=fields.text("epsilon"),
        assumptions=tuple(fields.list_of_text("assumptions")),
    )
