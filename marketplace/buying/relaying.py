"""Handing in what a buyer has signed. Whoever does it pays the gas, and can change nothing."""

from marketplace.buying.signed_purchase import SignedPurchase
from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Invalid
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account


def relay(ledger: Ledger, account: Account, store: ContentStore, by: Signer, purchase: SignedPurchase) -> Receipt:
    """Places the order of a signed purchase, after its specification is stored: bytes first, ledger last.

    Raises `Invalid` for a purchase at another marketplace or of an unknown offer, and as the ledger does, before any gas is
    spent: `Corrupt` where a signature is another's, `Refused` where it is too late or the order is placed already.
    """
    here, there = ledger.domain, purchase.domain
    if (here.chain_id, here.contract) != (there.chain_id, there.contract):
        raise Invalid(
            f"expected a purchase for {here.contract} on chain {here.chain_id}, got one for {there.contract} on chain "
            f"{there.chain_id}; hand it in there"
        )
    if purchase.order.offer not in account.offers:
        raise Invalid(
            "expected a purchase of a published offer, the ledger has no such offer; check chain and contract"
        )
    put_bytes(store, purchase.specification.encode())
    offer = account.offers[purchase.order.offer].offer
    _, receipt = ledger.place_for(by, offer, purchase.order, purchase.signature, purchase.payment)
    return receipt
