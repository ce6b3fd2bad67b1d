"""What a member says to its pool's lead once it has the answer: its public part of the certificate."""

from dataclasses import dataclass

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import OrderId

VERB = "statement"
REQUEST_NOUN, NOUN, VERSION = "statement-request", "statement", 1


def encode_request(order: OrderId) -> bytes:
    """What a lead asks about an order. All of the answer will be public, so nobody need sign it."""
    return canonical.encode({"format": canonical.format_name(REQUEST_NOUN, VERSION), "order": order.hex()})


def decode_request(data: bytes) -> OrderId:
    """The order in `data`. Raises `Invalid` where the bytes are no request."""
    try:
        return OrderId(Fields(canonical.decode(data, REQUEST_NOUN, VERSION)).bytes32("order"))
    except Corrupt as error:
        raise Invalid(str(error)) from None


@dataclass(frozen=True)
class Statement:
    """One member's word on an order: the transcript that it has signed, its opt-out register's commitment as it was
    applied, its noise key's commitment. 32 bytes each."""

    order: OrderId
    transcript: bytes
    register: bytes
    noise_commitment: bytes

    def encode(self) -> bytes:
        """The canonical bytes."""
        parts = {name: part.hex() for name, part in vars(self).items()}
        return canonical.encode({"format": canonical.format_name(NOUN, VERSION), **parts})

    @classmethod
    def decode(cls, data: bytes) -> "Statement":
        """The statement in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            parts = (fields.bytes32(name) for name in ("transcript", "register", "noise_commitment"))
            statement = cls(OrderId(fields.bytes32("order")), *parts)
        except Invalid:
            raise Corrupt("expected the parts of a member's statement, got others; ask its provider") from None
        if statement.encode() != data:
            raise Corrupt("expected the parts of a member's statement and no more; ask its provider")
        return statement
