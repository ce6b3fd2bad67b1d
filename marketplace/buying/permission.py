"""Which permit a buyer buys with: a pure choice among those on the ledger."""

from marketplace.errors import Invalid, Refused
from marketplace.protocol.account import Account, PermitView
from marketplace.protocol.identity import NOBODY, Address, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.purpose import purpose_codes, purpose_text


def permit_for(account: Account, offer: Offer, buyer: Address, named: PermitId | None, now_s: int) -> PermitView | None:
    """The permit that `buyer` buys `offer` with: the one that it names, or else the only one that fits. None where the
    offer names no authority.

    Raises `Invalid` for a permit that is none, or where the buyer must choose; `Refused` where none fits.
    """
    if offer.head.authority == NOBODY:
        if named is not None:
            raise Invalid("expected no permit for an offer without an authority; leave it out")
        return None
    if named is not None:
        return _named(account, offer, buyer, named, now_s)
    fitting = [permit for permit in account.permits.values() if not why_not(permit, offer, buyer, now_s)]
    if not fitting:
        purposes = ", ".join(purpose_text(code) for code in purpose_codes(offer.head.purposes))
        raise Refused(
            f"expected a live permit of {offer.head.authority} for this offer or all of its datasets, for {purposes}; "
            "you hold none that fits, ask the authority"
        )
    if len(fitting) > 1:
        ids = ", ".join(permit.id.hex() for permit in fitting)
        raise Invalid(f"expected a choice, you hold {len(fitting)} permits that fit: {ids}; name one with --permit")
    return fitting[0]


def why_not(permit: PermitView, offer: Offer, buyer: Address, now_s: int) -> str:
    """Why `buyer` cannot buy `offer` with a permit at `now_s`, in words; nothing if it can.

    A permit must live through the window in which the key is published, or no delivery could be accepted with it.
    """
    head = offer.head
    if permit.authority != head.authority:
        return f"it is {permit.authority}'s, the offer asks for one of {head.authority}"
    if permit.grant.holder != buyer:
        return f"its holder is {permit.grant.holder}"
    if not permit.serves(head, buyer):
        return f"it is for {purpose_text(permit.grant.purpose)}, which the offer does not allow"
    if not permit.covers(offer):
        return "it is neither for this offer nor for all of its datasets"
    if not permit.live(now_s):
        return "it was revoked" if permit.revoked_at_s else "its term has ended or not begun"
    if permit.to_s < now_s + head.reveal_window_s:
        return "its term ends before a key could be published"
    return ""


def _named(account: Account, offer: Offer, buyer: Address, named: PermitId, now_s: int) -> PermitView:
    if named not in account.permits:
        raise Invalid(f"expected the id of a permit, got {named.hex()[:16]}...; `agora permit list` shows them")
    permit = account.permits[named]
    fault = why_not(permit, offer, buyer, now_s)
    if fault:
        raise Refused(f"expected a permit that fits, {named.hex()[:16]}... does not: {fault}; name another")
    return permit
