"""A purchase that its buyer has signed and anybody may hand in, as one file: `agora/purchase/1`.

Order and payment are both signed, and the order names the specification by its hash. So whoever hands the file in can
change nothing that the buyer chose: not the offer and with it the price, not the buyer, not the specification, not the time.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ids import Domain, order_id
from marketplace.protocol import canonical
from marketplace.protocol.identity import OfferId, OrderId
from marketplace.protocol.order import Means, Order, Payment
from marketplace.protocol.specified import Specified, read_specified

NOUN, VERSION = "purchase", 1
LARGEST_BYTES = 2**18
LARGEST_SIGNATURE_BYTES = 4_096
MEANS = {Means.APPROVAL: "approval", Means.SIGNED_APPROVAL: "signed approval", Means.AUTHORIZATION: "authorization"}


@dataclass(frozen=True)
class SignedPurchase:
    """`domain`: the marketplace that it is for. `signature`: the buyer's, over the order. `payment`: signed too."""

    domain: Domain
    specification: Specified
    order: Order
    signature: bytes = field(repr=False)
    payment: Payment = field(repr=False)

    @property
    def id(self) -> OrderId:
        """The id that the order has once it is placed."""
        return order_id(self.domain, self.order)

    def encode(self) -> bytes:
        """The canonical bytes. Offer and specification's hash are not in them: they follow from the specification."""
        payment = self.payment
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "chain_id": self.domain.chain_id,
                "contract": self.domain.contract,
                "specification": canonical.parse(self.specification.encode()),
                "order": {
                    "buyer": self.order.buyer,
                    "versions": self.order.versions.to_bytes(32).hex(),
                    "permit": self.order.permit.hex(),
                    "place_by_s": self.order.place_by_s,
                },
                "signature": self.signature.hex(),
                "payment": {
                    "means": MEANS[payment.means],
                    "deadline_s": payment.deadline_s,
                    "signature": (payment.r + payment.s + bytes([payment.v])).hex(),
                },
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "SignedPurchase":
        """The purchase in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            purchase = _purchase(fields)
        except (Invalid, ValueError):
            raise Corrupt("expected the parts of a signed purchase, got others; ask its buyer for it again") from None
        if purchase.encode() != data:
            raise Corrupt("expected the parts of a signed purchase and no more; ask its buyer for it again")
        return purchase


def _purchase(fields: Fields) -> SignedPurchase:
    wishes = read_specified(canonical.encode(fields.mapping("specification")))
    return SignedPurchase(
        Domain(fields.whole("chain_id"), checksummed(fields.text("contract"))),
        wishes,
        _order(fields.inner("order"), wishes),
        _signature(fields.text("signature")),
        _payment(fields.inner("payment")),
    )


def _order(fields: Fields, wishes: Specified) -> Order:
    return Order(
        offer=OfferId(wishes.offer),
        buyer=checksummed(fields.text("buyer")),
        specification=sha256(wishes.encode()).digest(),
        versions=int.from_bytes(fields.bytes32("versions")),
        place_by_s=fields.whole("place_by_s"),
        permit=fields.bytes32("permit"),
    )


def _payment(fields: Fields) -> Payment:
    means = {word: means for means, word in MEANS.items()}.get(fields.text("means"))
    if means is None:
        raise Invalid("expected a known means of payment")
    signature = fields.some_bytes("signature", 65)
    return Payment(means, fields.whole("deadline_s"), signature[64], signature[:32], signature[32:64])


def _signature(text: str) -> bytes:
    signature = bytes.fromhex(text)
    if not 1 <= len(signature) <= LARGEST_SIGNATURE_BYTES:
        raise Invalid(f"expected a signature of 1 to {LARGEST_SIGNATURE_BYTES} bytes")
    return signature
