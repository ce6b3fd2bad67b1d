"""One order on the market and the steps that it may take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from eth_utils.crypto import keccak

from scripts.benchmarks import typed
from scripts.benchmarks.chunk import lone_proof
from scripts.benchmarks.evm import Outcome, product
from scripts.benchmarks.market import NONE, Market, Terms

KEY = keccak(text="key")
GROUNDS = keccak(text="grounds")
LEVELS = 15
COUNT = 2**LEVELS - 1
WRONG, ROOT = lone_proof(
    index=12_345,
    plain_hash=keccak(text="anything"),
    cipher=b"".join(keccak(text=f"cipher {part}") for part in range(32)),
    levels=LEVELS,
)

_MARKETPLACE = product("Marketplace")
Delivery = _MARKETPLACE.struct("Delivery")
Complaint = _MARKETPLACE.struct("Complaint")
Payment = _MARKETPLACE.struct("Payment")

APPROVAL = Payment(means=0, deadline=0, v=0, r=NONE, s=NONE)


@dataclass
class Life:
    """One order and its steps, each by whom it is for unless a sender is named."""

    market: Market
    terms: Terms
    order: Any
    made: Any = field(default_factory=lambda: delivery())

    def __post_init__(self) -> None:
        self.id: bytes = self.market.rules.ask("orderId", self.order)
        self.digest: bytes = self.market.rules.ask("deliveryHash", self.id, self.made)

    @property
    def standing(self) -> Any:
        """What the ledger keeps of the order."""
        return self.market.rules.ask("getOrder", self.id)

    @property
    def _briefly(self) -> tuple[Any, ...]:
        return self.terms.head, self.terms.members_hash, self.order

    @property
    def _wholly(self) -> tuple[Any, ...]:
        return self.terms.head, self.terms.members, self.order

    def _send(self, account: str, function: str, *arguments: Any) -> Outcome:
        return self.market.act(account, self.market.rules, function, *arguments)

    # ------------------------------------------------------------------------------------------------------- placing

    def place(self, sender: str = "") -> Outcome:
        return self._send(sender or self.order.buyer, "place", *self._wholly)

    def place_for(self, payment: Any = APPROVAL, signature: bytes = b"", sender: str = "") -> Outcome:
        parts = (*self._wholly, signature or self.sign_order(), payment)
        return self._send(sender or self.market.stranger, "placeFor", *parts)

    def sign_order(self, account: str = "", **domain: Any) -> bytes:
        """The buyer's signature over the order, or somebody else's, perhaps in another domain."""
        return self.market.sign(account or self.order.buyer, "Order", self.order._asdict(), **domain)

    def approval(self, amount: int | None = None, nonce: int | None = None, **changes: Any) -> Any:
        """The buyer's signed approval of the price (EIP-2612), with changes to what is signed."""
        owner, until_s = self.order.buyer, self.market.evm.now_s + 60
        value = {
            "owner": owner,
            "spender": self.market.rules.address,
            "value": self.terms.price if amount is None else amount,
            "nonce": self.market.euro.ask("nonces", owner) if nonce is None else nonce,
            "deadline": until_s,
        }
        return self._payment(1, until_s, "Permit", {**value, **changes})

    def authorization(self, **changes: Any) -> Any:
        """The buyer's signed transfer of the price for this order (EIP-3009), with changes to what is signed."""
        until_s = self.market.evm.now_s + 60
        value = {
            "from": self.order.buyer,
            "to": self.market.rules.address,
            "value": self.terms.price,
            "validAfter": 0,
            "validBefore": until_s,
            "nonce": self.id,
        }
        return self._payment(2, until_s, "ReceiveWithAuthorization", {**value, **changes})

    def _payment(self, means: int, deadline_s: int, primary: str, value: dict[str, Any]) -> Any:
        key = self.market.evm.keys[self.market.owners.get(self.order.buyer, self.order.buyer)]
        signature = typed.sign(key, self.market.euro_domain, primary, value)
        return Payment(means, deadline_s, signature[64], signature[:32], signature[32:64])

    # ------------------------------------------------------------------------------------------------------ delivering

    def decline(self, sender: str = "", why: int = 0) -> Outcome:
        return self._send(sender or self.terms.head.lead, "decline", *self._briefly, why)

    def deliver(self, sender: str = "", signatures: Sequence[bytes] | None = None) -> Outcome:
        lead = self.terms.head.lead
        if signatures is None:
            signers = [member.provider for member in self.terms.members if member.provider != lead]
            signatures = [self.sign_delivery(signer) for signer in signers]
        return self._send(sender or lead, "deliver", *self._wholly, self.made, list(signatures))

    def sign_delivery(self, account: str, **domain: Any) -> bytes:
        """An account's signature over the delivery, perhaps in another domain."""
        return self.market.sign(account, "Delivery", {"order": self.id, **self.made._asdict()}, **domain)

    def accept(self, sender: str = "", digest: bytes = b"") -> Outcome:
        return self._send(sender or self.order.buyer, "accept", *self._briefly, digest or self.digest)

    def accept_for(self, signature: bytes, digest: bytes = b"") -> Outcome:
        return self._send(self.market.stranger, "acceptFor", *self._briefly, digest or self.digest, signature)

    def sign_acceptance(self, account: str, digest: bytes = b"", **domain: Any) -> bytes:
        """An account's signature over `Acceptance(order, delivery)`, perhaps in another domain."""
        return self.market.sign(account, "Acceptance", {"order": self.id, "delivery": digest or self.digest}, **domain)

    def reject(self, sender: str = "", digest: bytes = b"") -> Outcome:
        return self._send(sender or self.order.buyer, "reject", *self._briefly, digest or self.digest)

    def reveal(self, sender: str = "", key: bytes = KEY, made: Any = None) -> Outcome:
        return self._send(sender or self.terms.head.lead, "reveal", *self._briefly, made or self.made, key)

    # ---------------------------------------------------------------------------------------------------------- ending

    def contest(self, sender: str = "", grounds: bytes = GROUNDS) -> Outcome:
        return self._send(sender or self.order.buyer, "contest", *self._briefly, grounds)

    def rule(self, price_bps: int = 2_500, bond_bps: int = 10_000, sender: str = "") -> Outcome:
        return self._send(sender or self.terms.head.arbiter, "rule", *self._briefly, price_bps, bond_bps)

    def settle(self, sender: str = "") -> Outcome:
        return self._send(sender or self.order.buyer, "settle", *self._briefly)

    def refund(self, sender: str = "") -> Outcome:
        return self._send(sender or self.market.stranger, "refund", *self._briefly)

    def forfeit(self, sender: str = "") -> Outcome:
        return self._send(sender or self.market.stranger, "forfeit", *self._briefly)

    def complain(self, sender: str = "", about: Any = None, made: Any = None) -> Outcome:
        parts = (*self._briefly, made or self.made, about or complaint())
        return self._send(sender or self.order.buyer, "complain", *parts)

    def release(self, sender: str = "", index: int = 0) -> Outcome:
        return self._send(sender or self.terms.members[index].provider, "release", *self._wholly, index)

    def withdraw_payout(self, sender: str = "", index: int = 0) -> Outcome:
        parts = (self.terms.head, self.terms.members, index)
        return self._send(sender or self.market.stranger, "withdrawPayout", *parts)

    # --------------------------------------------------------------------------------------------------------- licence

    def is_licensed(self, who: str, time_s: int) -> bool:
        return bool(self.market.licences.ask("isLicensed", *self._briefly, who, time_s))

    def name_user(self, user: str, sender: str = "") -> Outcome:
        parts = (*self._briefly, user)
        return self.market.act(sender or self.order.buyer, self.market.licences, "nameUser", *parts)

    def show(self) -> Outcome:
        return self.market.licences.send(self.market.stranger, "show", *self._briefly)


def live(market: Market, terms: Terms, number: int = 0, **changes: Any) -> Life:
    """The buyer's order with this number, not placed yet."""
    return Life(market, terms, market.order(terms, number, **changes))


def key_hash(key: bytes) -> bytes:
    """What a delivery commits to instead of its key."""
    return sha256(b"\x03" + key).digest()


def delivery(**changes: Any) -> Any:
    """A delivery of 31 MiB whose key is `KEY`, one of whose chunks is wrong, with changes."""
    usual = Delivery(
        commitmentRoot=ROOT,
        plainRoot=keccak(text="plain root"),
        keyHash=key_hash(KEY),
        object=keccak(text="object"),
        manifest=keccak(text="manifest"),
        count=COUNT,
        objectCodec=0x70,
    )
    return usual._replace(**changes)


def complaint(**changes: Any) -> Any:
    """The proof of the wrong chunk in `delivery`, with changes."""
    usual = Complaint(key=KEY, index=WRONG.index, plainHash=WRONG.plain_hash, cipher=WRONG.cipher, path=WRONG.path)
    return usual._replace(**changes)
