"""How a buyer pays without sending anything: whichever signature the token takes. Sources: EIP-2612, EIP-3009."""

from dataclasses import dataclass
from typing import Any

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger.abi import Row
from marketplace.ledger.artifact import Compiled
from marketplace.ledger.calls import answer, call
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain
from marketplace.ledger.signatures import sign_approval, sign_authorization
from marketplace.ledger.signer import Signer
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Means, Payment

VERSIONS = ("1", "2")
"""What tokens put into their domains as a version. Few of them tell it."""


@dataclass(frozen=True)
class Debt:
    """What is to be paid: `amount_units` to `payee` for the order of this id, which is placed by the second `place_by_s`."""

    payee: Address
    amount_units: int
    order: OrderId
    place_by_s: int


@dataclass(frozen=True)
class SignableToken:
    """A token at `address` that may be anything: what it does not answer as the standards say, it does not have.

    `compiled`: the interface of a token that has everything.
    """

    chain: Chain
    compiled: Compiled
    address: Address

    def sign(self, by: Signer, debt: Debt) -> Payment:
        """How `by` pays `debt`: by a transfer for this order alone where the token takes one (EIP-3009), else by an approval
        (EIP-2612), else by the approval that stands.

        Raises `Refused` where the token takes no signature and no approval covers the amount.
        """
        if debt.amount_units == 0:
            return Payment(Means.APPROVAL)
        domain = self._domain()
        if domain is not None and self._answer("authorizationState", by.address, debt.order) is not None:
            return sign_authorization(by, domain, debt.payee, debt.amount_units, debt.order, debt.place_by_s + 1)
        number = self._answer("nonces", by.address)
        if domain is not None and number is not None:
            return sign_approval(by, domain, debt.payee, debt.amount_units, number[0], debt.place_by_s)
        standing = self._answer("allowance", by.address, debt.payee)
        if standing is None or standing[0] < debt.amount_units:
            raise Refused(
                f"expected a token that takes payments by signature, {self.address} takes none, and no approval covers "
                "the price; approve the price, or place the order yourself"
            )
        return Payment(Means.APPROVAL)

    def _domain(self) -> Domain | None:
        """The token's domain, if it is made of its own chain and address: so that no token can have anything signed that
        another one would take."""
        name, told = self._answer("name"), self._answer("DOMAIN_SEPARATOR")
        if name is None or told is None:
            return None
        known = (Domain(self.chain.chain_id, self.address, name[0], version) for version in VERSIONS)
        return next((domain for domain in known if domain.separator == told[0]), None)

    def _answer(self, function: str, *values: Any) -> Row | None:
        question = call(self.address, self.compiled, function, *values)
        try:
            return answer(self.compiled, function, self.chain.call(self.address, question.data))
        except (Revert, Corrupt, Invalid):
            return None
