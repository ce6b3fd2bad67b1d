"""What the work on an order hands back to the node: only what may stand in a public certificate."""

from dataclasses import dataclass

from marketplace.certificate.certificate import Environment, Mechanism
from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.score import Score

NOUN, VERSION = "outcome", 1
NOISE_COMMITMENT_TAG = b"agora/noise-commitment/1"


@dataclass(frozen=True)
class Outcome:
    """How a result was made, its released scores, the released counts of its curves.

    `register`: commitment to the opt-out register that was applied. `noise_commitment`: hiding commitment to the noise key.
    Both have 32 bytes.
    """

    mechanism: Mechanism
    scores: tuple[Score, ...]
    curves: tuple[NoisyCurve, ...]
    register: bytes
    noise_commitment: bytes
    environment: Environment

    def encode(self) -> bytes:
        """The canonical bytes, kept in the order's folder."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "mechanism": self.mechanism.document(),
                "scores": [score.document() for score in self.scores],
                "curves": [curve.document() for curve in self.curves],
                "register": self.register.hex(),
                "noise_commitment": self.noise_commitment.hex(),
                "environment": self.environment.document(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Outcome":
        """The outcome in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            return cls(
                mechanism=Mechanism.of_fields(fields.inner("mechanism")),
                scores=tuple(Score.of_document(score) for score in fields.mappings("scores")),
                curves=tuple(NoisyCurve.of_document(curve) for curve in fields.mappings("curves")),
                register=fields.bytes32("register"),
                noise_commitment=fields.bytes32("noise_commitment"),
                environment=Environment.of_fields(fields.inner("environment")),
            )
        except Invalid:
            raise Corrupt("expected the parts of an outcome, got others; let the node start the work again") from None
