"""What the ledger says of a delivery whose key is revealed, kept beside an opened result so that it can be checked offline."""

from dataclasses import dataclass
from typing import Any

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.order import Delivery

NOUN, VERSION = "opening", 1


@dataclass(frozen=True)
class Opening:
    """A delivery and its revealed key (32 bytes), both public on the ledger."""

    delivery: Delivery
    key: bytes

    def encode(self) -> bytes:
        """The canonical bytes."""
        parts = delivery_document(self.delivery)
        return canonical.encode({"format": canonical.format_name(NOUN, VERSION), "key": self.key.hex(), **parts})

    @classmethod
    def decode(cls, data: bytes) -> "Opening":
        """The opening in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            delivery = delivery_of(fields)
            opening = cls(delivery, fields.bytes32("key"))
        except Invalid:
            raise Corrupt("expected a delivery and its key, got other parts; fetch the order again") from None
        if opening.encode() != data:
            raise Corrupt("expected a delivery and its key and no more; fetch the order again")
        return opening


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """A delivery's parts as values for canonical JSON."""
    return {name: part.hex() if isinstance(part, bytes) else part for name, part in vars(delivery).items()}


def delivery_of(fields: Fields) -> Delivery:
    """The delivery in `fields`. Raises `Invalid` where a part is missing or of another kind."""
    return Delivery(
        commitment_root=fields.bytes32("commitment_root"),
        plain_root=fields.bytes32("plain_root"),
        key_hash=fields.bytes32("key_hash"),
        object=fields.bytes32("object"),
        manifest=fields.bytes32("manifest"),
        count=fields.whole("count"),
        object_codec=fields.whole("object_codec"),
    )
