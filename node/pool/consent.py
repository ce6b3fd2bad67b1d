"""A member's consent to a pooled offer: what it is asked, why it is refused, and the file that carries it."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ids import Domain
from marketplace.protocol import canonical, limits
from marketplace.protocol.account import Account
from marketplace.protocol.identity import Address, OfferId
from marketplace.protocol.offer import Consent, Offer
from marketplace.protocol.rho import largest_delta_atto
from node.admission import Holding, Rules, objection_to_terms
from node.pool.draft import OfferDraft

NOUN, VERSION = "consent", 1
LARGEST_BYTES = 2**14
LARGEST_SIGNATURE_BYTES = 4_096


@dataclass(frozen=True)
class Stake:
    """What a member has in an offer through one of its datasets: its place, what its vault holds of the dataset's newest
    version (None: nothing), and the rows that it declares in public."""

    index: int
    holding: Holding | None
    rows_declared: int


@dataclass(frozen=True)
class Asked:
    """Everything that the decision about a consent depends on. `stakes`: one for each of the member's own datasets."""

    draft: OfferDraft
    domain: Domain
    member: Address
    account: Account
    stakes: tuple[Stake, ...]


def own_places(offer: Offer, member: Address) -> tuple[int, ...]:
    """The places of `member` in an offer."""
    return tuple(index for index, each in enumerate(offer.members) if each.provider == member)


def objection_to_consent(asked: Asked, rules: Rules, until_s: int, now_s: int) -> str | None:
    """Why the member does not consent up to `until_s`, in words for its provider; None if it may."""
    draft, offer = asked.draft, asked.draft.offer
    if draft.domain != asked.domain:
        return "it is for another marketplace than this node's"
    if offer.head.lead == asked.member:
        return "you lead it, and a lead publishes its offer without a consent of its own"
    if not asked.stakes:
        return "no dataset in it is yours"
    if offer.id in asked.account.offers:
        return "it is published already"
    if not now_s < until_s <= offer.head.valid_until_s:
        return "its consent would have to end after now and by the end of the offer"
    fault = next(limits.faults(offer, now_s), None)
    if fault is not None:
        return f"the marketplace would not take it: {fault}"
    found = (_objection_to_stake(asked, rules, stake) for stake in asked.stakes)
    return next((words for words in found if words), None) or _objection_to_others(asked)


def _objection_to_stake(asked: Asked, rules: Rules, stake: Stake) -> str | None:
    offer, member = asked.draft.offer, asked.draft.offer.members[stake.index]
    dataset, name = asked.account.datasets.get(member.dataset), f"dataset {member.dataset.hex()[:16]}..."
    if dataset is None or dataset.provider != asked.member:
        return f"{name} is not registered as yours"
    if stake.holding is None:
        return f"this node does not hold version {len(dataset.versions)} of {name}"
    if stake.holding.commitment != dataset.versions[-1].commitment:
        return f"this node holds other records than {name} commits to"
    objection = objection_to_terms(offer, rules, stake.index)
    if objection is not None:
        return objection.words
    if offer.head.delta_atto > largest_delta_atto(stake.rows_declared):
        return f"its delta is too large for the {stake.rows_declared:,} rows of {name}"
    if member.rho_micro > min(dataset.left_micro, stake.holding.left_micro):
        return f"one order would take more than is left of the budget of {name}"
    return None


def _objection_to_others(asked: Asked) -> str | None:
    for member in asked.draft.offer.members:
        dataset = asked.account.datasets.get(member.dataset)
        if dataset is None or dataset.provider != member.provider:
            return f"dataset {member.dataset.hex()[:16]}... is not registered as its member's"
    return None


@dataclass(frozen=True)
class SignedConsent:
    """The consent of `member` to the offer of this id."""

    offer: OfferId
    member: Address
    consent: Consent

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "offer": self.offer.hex(),
                "member": self.member,
                "until_s": self.consent.until_s,
                "signature": self.consent.signature.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "SignedConsent":
        """The consent in `data`. Raises `Corrupt` where the bytes are none. The signature is not checked here."""
        parts = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            consent = Consent(parts.whole("until_s"), signature_of(parts))
            signed = cls(OfferId(parts.bytes32("offer")), checksummed(parts.text("member")), consent)
        except (Invalid, ValueError):
            raise Corrupt("expected the parts of a consent, got others; ask its member for it again") from None
        if signed.encode() != data:
            raise Corrupt("expected the parts of a consent and no more; ask its member for it again")
        return signed


def signature_of(parts: Fields) -> bytes:
    """The signature of a key or of an account's own code. Raises `Invalid` where there is none."""
    signature = bytes.fromhex(parts.text("signature"))
    if not 1 <= len(signature) <= LARGEST_SIGNATURE_BYTES:
        raise Invalid(f"expected a signature of 1 to {LARGEST_SIGNATURE_BYTES} bytes")
    return signature


def consents_of(draft: OfferDraft, signed: Sequence[SignedConsent], now_s: int) -> tuple[Consent, ...]:
    """The consents that `draft` is published with: one for each dataset of another than its lead, in their order.

    Raises `Invalid` where one is missing, is for another offer, or has expired. Whose signature it is the contract says,
    which may have to ask an account's own code.
    """
    offer, given = draft.offer, {each.member: each for each in signed}
    for each in signed:
        if each.offer != offer.id:
            raise Invalid(f"expected consents to this very offer, that of {each.member} is to another; ask again")
        if each.consent.until_s < now_s:
            raise Invalid(f"expected consents that still hold, that of {each.member} has expired; ask for another")
    needed = [member.provider for member in offer.members if member.provider != offer.head.lead]
    missing = [provider for provider in needed if provider not in given]
    if missing:
        raise Invalid(f"expected a consent of {missing[0]}, got none; ask it to run `agora-node consent`")
    return tuple(given[provider].consent for provider in needed)
