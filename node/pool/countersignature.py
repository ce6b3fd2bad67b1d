"""A member's signature under a delivery that its pool's lead is about to record, and why it is refused."""

from dataclasses import dataclass, field, replace

from marketplace.certificate.agreement import disagreements
from marketplace.certificate.fields import Fields
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import delivery_document, delivery_of
from marketplace.certificate.twins import DIGEST
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ids import Domain
from marketplace.protocol import canonical
from marketplace.protocol.account import Account
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Delivery
from marketplace.protocol.states import OrderState
from node.outcome import Outcome
from node.pool.closing import JointClosing
from node.pool.consent import own_places, signature_of
from node.pool.joint import JointCommission

VERB = "countersign"
DRAFT_NOUN, NOUN, VERSION = "delivery-draft", "countersignature", 1


@dataclass(frozen=True)
class DeliveryDraft:
    """A delivery on a pooled order before its lead records it, as the other members are shown it.

    `salts`: the secret behind the salts of the result's chunks, 32 bytes, by which a member finds the same plain root from
    its own answer. It tells nothing to who has the answer, and the buyer does not see it.
    """

    domain: Domain
    order: OrderId
    delivery: Delivery
    salts: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "format": canonical.format_name(DRAFT_NOUN, VERSION),
                "chain_id": self.domain.chain_id,
                "contract": self.domain.contract,
                "order": self.order.hex(),
                "delivery": delivery_document(self.delivery),
                "salts": self.salts.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "DeliveryDraft":
        """The draft in `data`. Raises `Corrupt` where the bytes are none."""
        parts = Fields(canonical.decode(data, DRAFT_NOUN, VERSION))
        try:
            domain = Domain(parts.whole("chain_id"), checksummed(parts.text("contract")))
            delivery = delivery_of(parts.inner("delivery"))
            draft = cls(domain, OrderId(parts.bytes32("order")), delivery, parts.bytes32("salts"))
        except Invalid:
            raise Corrupt("expected the parts of a drafted delivery, got others; ask the lead for it again") from None
        if draft.encode() != data:
            raise Corrupt("expected the parts of a drafted delivery and no more; ask the lead for it again")
        return draft


@dataclass(frozen=True)
class Countersignature:
    """The signature of `member` under the delivery of this hash on this order."""

    order: OrderId
    delivery: bytes
    member: Address
    signature: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "order": self.order.hex(),
                "delivery": self.delivery.hex(),
                "member": self.member,
                "signature": self.signature.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Countersignature":
        """The signature in `data`, which is not checked. Raises `Corrupt` where the bytes are none."""
        parts = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            order, delivery = OrderId(parts.bytes32("order")), parts.bytes32("delivery")
            signed = cls(order, delivery, checksummed(parts.text("member")), signature_of(parts))
        except (Invalid, ValueError):
            raise Corrupt("expected the parts of a countersignature, got others; ask its member again") from None
        if signed.encode() != data:
            raise Corrupt("expected the parts of a countersignature and no more; ask its member again")
        return signed


@dataclass(frozen=True)
class Presented:
    """Everything that the decision about a countersignature depends on.

    `manifest`: the one that the delivery names. `made`: the order as this member reads it. `outcome`, `closing`: how it ended
    at this member.
    """

    draft: DeliveryDraft
    manifest: Manifest
    domain: Domain
    member: Address
    account: Account
    made: JointCommission
    outcome: Outcome
    closing: JointClosing


def objection_to_delivery(presented: Presented, now_s: int) -> str | None:
    """Why the member does not sign the delivery, whatever its result is, in words for its provider; None if it may. Once it
    may, the lead has signed what is presented, and the result has the length that was declared."""
    draft, account, certificate = presented.draft, presented.account, presented.manifest.certificate
    order = account.orders.get(draft.order)
    if draft.domain != presented.domain or order is None:
        return "the ledger has no such order"
    offer = account.offer_of(order)
    places = own_places(offer, presented.member)
    if not places or offer.head.lead == presented.member:
        return "it is not for you to sign: you are no member, or its lead"
    if order.state is not OrderState.PLACED or now_s > order.deadline_s:
        return f"its order is {order.state.word}, or its time is over"
    faults = disagreements(
        presented.manifest,
        account=account,
        order=replace(order, delivery=draft.delivery),
        domain=presented.domain,
        description=presented.made.own.description,
        specification=presented.made.specification,
    )
    if faults:
        return f"its certificate does not agree: {faults[0]}"
    if certificate.joint is None or certificate.provider != offer.head.lead:
        return "its certificate is not its lead's for all members"
    return _objection_to_part(presented, places[0])


def _objection_to_part(presented: Presented, place: int) -> str | None:
    """Why what the certificate says of this member, and of what was made, is not what this member knows."""
    certificate, outcome, closing = presented.manifest.certificate, presented.outcome, presented.closing
    joint, made = certificate.joint, presented.made
    assert joint is not None
    own = joint.parties[place]
    if joint.transcript != closing.transcript or tuple(one.signature for one in joint.parties) != closing.signatures:
        return "it names another transcript than you have signed"
    if (own.register, own.noise_commitment) != (outcome.register, outcome.noise_commitment):
        return "what it says of you is not what you have said"
    if certificate.mechanism != outcome.mechanism:
        return "it names another mechanism than the one that you have taken part in"
    if (certificate.curves, certificate.attacks) != (outcome.curves, None):
        return "it has curves or figures of attacks that you have not"
    if (joint.lane, joint.threshold) != (made.lane.value, made.threshold):
        return "its lane or its threshold is not the specification's"
    if joint.split != made.halves:
        return "what it says of the sides is not what the members declare"
    if certificate.count != made.capacity:
        return "its result has not the length that was declared"
    return None


def objection_to_result(presented: Presented, plain_root: bytes) -> str | None:
    """Why the member does not sign for the result. `plain_root`: of its own answer, with the draft's salts."""
    certificate, outcome = presented.manifest.certificate, presented.outcome
    if differs(presented, plain_root):
        return None if DIGEST in dict(outcome.mechanism.parameters) else "its result is not the answer that you have"
    return None if certificate.scores == outcome.scores else "its scores are not those of its rows"


def differs(presented: Presented, plain_root: bytes) -> bool:
    """Whether the result is not, byte for byte, the one that this member has made.

    An answer must not: it follows from the sums by whole numbers and rounded ones. Synthetic rows may, in places: they are
    drawn from a model that is fitted in floating point, whose last digits depend on the processor. What is exact everywhere,
    the sums, stands in the mechanism by its hash, which every member compares with that of its own.
    """
    return plain_root != presented.draft.delivery.plain_root
