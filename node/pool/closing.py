"""How a joint analysis ended well at this party, as a file of its order's folder: everybody's signed transcript."""

from dataclasses import dataclass

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from node.mpc.joint import Answer

NOUN, VERSION = "joint-closing", 1


@dataclass(frozen=True)
class JointClosing:
    """`transcript`: 32 bytes; `signatures`: everybody's under it, in order. `milliseconds`, `moved_bytes`: of this party."""

    transcript: bytes
    signatures: tuple[bytes, ...]
    milliseconds: int
    moved_bytes: int

    @classmethod
    def decode(cls, data: bytes) -> "JointClosing":
        """The closing in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            signatures = tuple(map(bytes.fromhex, fields.list_of_text("signatures")))
            numbers = (fields.whole(name) for name in ("milliseconds", "moved_bytes"))
            return cls(fields.bytes32("transcript"), signatures, *numbers)
        except (Invalid, ValueError):
            raise Corrupt("expected the end of a joint analysis, got other parts; see to the order's folder") from None


def encode_closing(answer: Answer) -> bytes:
    """The canonical bytes for an answer."""
    transcript = answer.closing.transcript
    return canonical.encode(
        {
            "format": canonical.format_name(NOUN, VERSION),
            "transcript": transcript.digest.hex(),
            "signatures": [signature.hex() for signature in transcript.signatures],
            "milliseconds": round(1_000 * answer.seconds),
            "moved_bytes": answer.closing.moved_bytes,
        }
    )
