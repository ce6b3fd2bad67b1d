"""How a buyer pays without sending anything: whichever signature the token takes. Sources: EIP-2612, EIP-3009."""

from dataclasses import dataclass

from marketplace.errors import Refused
from marketplace.ledger.chain import Chain
from marketplace.ledger.signatures import sign_approval, sign_authorization
from marketplace.ledger.signer import Signer
from marketplace.ledger.tokens import allowance_units, approval_nonce, takes_authorization, token_domain
from marketplace.ledger.wallets import is_wallet
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Means, Payment


@dataclass(frozen=True)
class Debt:
    """What is to be paid: `amount_units` to `payee` for the order of this id, which is placed by the second `place_by_s`."""

    payee: Address
    amount_units: int
    order: OrderId
    place_by_s: int


def sign_payment(chain: Chain, by: Signer, token: Address, debt: Debt) -> Payment:
    """How `by` pays `debt` in `token`, which may be anything: by a transfer for this order alone where the token takes one
    (EIP-3009), else by an approval (EIP-2612), else by the approval that stands. Both take the signature of a key alone, so a
    wallet that is a contract pays by the approval that stands.

    Raises `Refused` where the token takes no signature of `by` and no approval covers the amount.
    """
    if debt.amount_units == 0:
        return Payment(Means.APPROVAL)
    domain = None if is_wallet(chain, by.address) else token_domain(chain, token)
    nonce = approval_nonce(chain, token, by.address)
    if domain is not None and takes_authorization(chain, token, by.address, debt.order):
        return sign_authorization(by, domain, debt.payee, debt.amount_units, debt.order, debt.place_by_s + 1)
    if domain is not None and nonce is not None:
        return sign_approval(by, domain, debt.payee, debt.amount_units, nonce, debt.place_by_s)
    if allowance_units(chain, token, by.address, debt.payee) < debt.amount_units:
        raise Refused(
            f"expected a token that takes payments by signature, {token} takes none of {by.address}, and no approval "
            "covers the price; approve the price, or place the order yourself"
        )
    return Payment(Means.APPROVAL)
