"""Grounds: what a buyer says is wrong with a result when it calls the arbiter. Public, named on the ledger by its hash."""

from dataclasses import dataclass

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import DeliveryHash, OrderId
from marketplace.protocol.prose import check_prose

NOUN, VERSION = "grounds", 1
LONGEST_BECAUSE = 4_000


@dataclass(frozen=True)
class Grounds:
    """`because`: what is wrong with the delivery of `order`, in words that everybody can read for ever.

    `evidence`: SHA-256 of the file that the buyer gives to the arbiter alone; None where there is none.
    """

    order: OrderId
    delivery: DeliveryHash
    because: str
    evidence: bytes | None = None

    def __post_init__(self) -> None:
        hashes = (self.order, self.delivery, *(() if self.evidence is None else (self.evidence,)))
        if any(len(each) != 32 for each in hashes):
            raise Invalid("expected hashes of 32 bytes in grounds; copy them again")
        check_prose(self.because, "grounds", LONGEST_BECAUSE)

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the ledger names."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "order": self.order.hex(),
                "delivery": self.delivery.hex(),
                "because": self.because,
                "evidence": None if self.evidence is None else self.evidence.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Grounds":
        """The grounds in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            evidence = document["evidence"]
            grounds = cls(
                OrderId(bytes.fromhex(document["order"])),
                DeliveryHash(bytes.fromhex(document["delivery"])),
                document["because"],
                None if evidence is None else bytes.fromhex(evidence),
            )
        except (KeyError, TypeError, ValueError, Invalid):
            raise Corrupt("expected the parts of grounds, got others; ask who made them") from None
        if grounds.encode() != data:
            raise Corrupt("expected the parts of grounds and no more; ask who made them")
        return grounds
