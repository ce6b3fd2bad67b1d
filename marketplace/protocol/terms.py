"""Licence terms: an ODRL policy that says what the buyer may do with a result, named by its hash in the offer."""

from dataclasses import dataclass

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical

NOUN, VERSION = "terms", 1
CONTEXT = (
    "http://www.w3.org/ns/odrl.jsonld",
    {"dpv": "https://w3id.org/dpv#", "duo": "http://purl.obolibrary.org/obo/DUO_"},
)
HEALTH_RESEARCH = "duo:0000006"
NO_REIDENTIFICATION = "dpv:ReIdentification"


@dataclass(frozen=True)
class Terms:
    """What a licence permits and for how long. `days` counts from the reveal of the key."""

    title: str
    days: int
    purpose: str = HEALTH_RESEARCH

    def __post_init__(self) -> None:
        if not isinstance(self.title, str) or not self.title.strip() or not isinstance(self.purpose, str):
            raise Invalid("expected licence terms with a title and a purpose in words")
        if self.days < 1:
            raise Invalid(f"expected licence terms for 1 day or more, got {self.days}")

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the offer names."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "@context": list(CONTEXT),
                "@type": "Offer",
                "title": self.title,
                "permission": [
                    {
                        "action": "use",
                        "constraint": [
                            {"leftOperand": "purpose", "operator": "isA", "rightOperand": self.purpose},
                            {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": f"P{self.days}D"},
                        ],
                    }
                ],
                "prohibition": [{"action": NO_REIDENTIFICATION}, {"action": "distribute"}, {"action": "transfer"}],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Terms":
        """The terms in `data`. Raises `Corrupt` where the bytes are none of ours."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            purpose, elapsed = document["permission"][0]["constraint"]
            terms = cls(document["title"], int(elapsed["rightOperand"][1:-1]), purpose["rightOperand"])
        except (KeyError, TypeError, ValueError, IndexError, Invalid):
            raise Corrupt("expected licence terms, got other parts; ask who made them") from None
        if terms.encode() != data:
            raise Corrupt("expected licence terms and no more; ask who made them")
        return terms
