"""A marketplace with one provider and one buyer on an EVM in this process, driven by calldata alone."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from scripts.benchmarks.chunk import lone_proof
from scripts.benchmarks.evm import Compiled, Deployed, Evm, Outcome, product

NOBODY = "0x" + "00" * 20
NONE = bytes(32)
EURO = 1_000_000
HOUR_S = 3_600
DAY_S = 86_400
KEY = keccak(text="key")
LEVELS = 15
COUNT = 2**LEVELS - 1
WRONG, ROOT = lone_proof(
    index=12_345,
    plain_hash=keccak(text="anything"),
    cipher=b"".join(keccak(text=f"cipher {part}") for part in range(32)),
    levels=LEVELS,
)

_MARKETPLACE = product("Marketplace")
Head = _MARKETPLACE.struct("Head")
Member = _MARKETPLACE.struct("Member")
Order = _MARKETPLACE.struct("Order")
Delivery = _MARKETPLACE.struct("Delivery")
Complaint = _MARKETPLACE.struct("Complaint")


def key_hash(key: bytes) -> bytes:
    """What a delivery commits to instead of its key."""
    return sha256(b"\x03" + key).digest()


@dataclass(frozen=True)
class Terms:
    """An offer in calldata."""

    head: Any
    members: list[Any]
    members_hash: bytes
    offer: bytes


@dataclass
class Market:
    """The contracts, three accounts with money, and a dataset of the provider."""

    evm: Evm = field(default_factory=Evm)
    rules_of: Compiled = field(default_factory=lambda: product("Marketplace"))

    def __post_init__(self) -> None:
        _, self.provider, self.buyer, self.stranger = self.evm.accounts[:4]
        self.rules = self.evm.deploy(self.rules_of)
        self.euro = self.evm.deploy(product("TestEuro"))
        self.rules_of.errors.update(self.euro.contract.errors)  # what a token refuses passes through
        for account in (self.provider, self.buyer, self.stranger):
            self.fund(self.euro, account)

    @property
    def domain(self) -> dict[str, Any]:
        """The contract's EIP-712 domain."""
        parts = {"chainId": self.evm.chain_id, "verifyingContract": self.rules.address}
        return {"name": "Agora Health", "version": "1", **parts}

    def fund(self, token: Deployed, account: str) -> None:
        """A million for `account`, all of it approved."""
        token.send(account, "mint", account, 1_000_000 * EURO)
        token.send(account, "approve", self.rules.address, 1_000_000 * EURO)

    def register(self, total: int = 1_000_000, salt: bytes = NONE, sender: str = "") -> bytes:
        """A dataset, by its id."""
        parts = (salt, keccak(text="commitment"), keccak(text="description"), total)
        dataset: bytes = self.rules.send(sender or self.provider, "register", *parts).value
        return dataset

    def head(self, **changes: Any) -> Any:
        """An offer's head as most are here, with changes."""
        usual = Head(
            lead=self.provider,
            kind=0,
            guarantee=0,
            token=self.euro.address,
            cost=400 * EURO,
            margin=100 * EURO,
            delta=10**13,
            deliverWindow=DAY_S,
            acceptWindow=2 * DAY_S,
            revealWindow=6 * HOUR_S,
            challengeWindow=3 * DAY_S,
            ruleWindow=0,
            licenceSeconds=365 * DAY_S,
            computeFeeBps=500,
            bond=50 * EURO,
            contestDeposit=0,
            maxOpen=10_000,
            terms=keccak(text="terms"),
            purposes=0,
            authority=NOBODY,
            arbiter=NOBODY,
            stock=NONE,
            validUntil=self.evm.now_s + 365 * DAY_S,
        )
        return usual._replace(**changes)

    def member(self, dataset: bytes, **changes: Any) -> Any:
        """The only member of an offer, with changes."""
        return Member(dataset=dataset, provider=self.provider, shareBps=10_000, rhoMicro=100)._replace(**changes)

    def terms(self, head: Any, members: list[Any]) -> Terms:
        """An offer, published or not."""
        members_hash = self.rules.ask("hashMembers", members)
        return Terms(head, members, members_hash, self.rules.ask("offerId", head, members_hash))

    def publish(self, head: Any, members: list[Any]) -> Terms:
        """An offer on the ledger."""
        self.rules.send(head.lead, "publish", head, members)
        return self.terms(head, members)

    def stake(self, amount: int) -> Outcome:
        """Pay into the provider's credit."""
        return self.rules.send(self.provider, "stake", self.euro.address, amount)

    def credit(self, account: str) -> int:
        """What an account may withdraw in euro."""
        return int(self.rules.ask("getCredit", self.euro.address, account))

    def order(self, terms: Terms, number: int = 0, **changes: Any) -> Any:
        """The buyer's order with this number, with changes."""
        usual = Order(
            offer=terms.offer,
            buyer=self.buyer,
            specification=keccak(text=f"specification {number}"),
            versions=1,
            permit=NONE,
            placeBy=self.evm.now_s + DAY_S,
        )
        return usual._replace(**changes)

    def life(self, terms: Terms, number: int = 0, **changes: Any) -> "Life":
        """The buyer's order with this number, not placed yet."""
        return Life(self, terms, self.order(terms, number, **changes))


@dataclass
class Life:
    """One order and the steps that it may take, each by whom it is for."""

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
    def _common(self) -> tuple[Any, ...]:
        return self.terms.head, self.terms.members_hash, self.order

    def place(self, sender: str = "") -> Outcome:
        parts = (self.terms.head, self.terms.members, self.order)
        return self.market.rules.send(sender or self.market.buyer, "place", *parts)

    def decline(self, sender: str = "") -> Outcome:
        return self.market.rules.send(sender or self.market.provider, "decline", *self._common)

    def deliver(self, sender: str = "") -> Outcome:
        parts = (self.terms.head, self.terms.members, self.order, self.made)
        return self.market.rules.send(sender or self.market.provider, "deliver", *parts)

    def accept(self, sender: str = "", digest: bytes = b"") -> Outcome:
        return self.market.rules.send(sender or self.market.buyer, "accept", *self._common, digest or self.digest)

    def accept_for(self, signature: bytes, digest: bytes = b"") -> Outcome:
        parts = (*self._common, digest or self.digest, signature)
        return self.market.rules.send(self.market.stranger, "acceptFor", *parts)

    def reject(self, sender: str = "", digest: bytes = b"") -> Outcome:
        return self.market.rules.send(sender or self.market.buyer, "reject", *self._common, digest or self.digest)

    def reveal(self, sender: str = "", key: bytes = KEY, made: Any = None) -> Outcome:
        parts = (*self._common, made or self.made, key)
        return self.market.rules.send(sender or self.market.provider, "reveal", *parts)

    def settle(self, sender: str = "") -> Outcome:
        return self.market.rules.send(sender or self.market.buyer, "settle", *self._common)

    def refund(self, sender: str = "") -> Outcome:
        return self.market.rules.send(sender or self.market.stranger, "refund", *self._common)

    def forfeit(self, sender: str = "") -> Outcome:
        return self.market.rules.send(sender or self.market.stranger, "forfeit", *self._common)

    def complain(self, sender: str = "", about: Any = None, made: Any = None) -> Outcome:
        parts = (*self._common, made or self.made, about or complaint())
        return self.market.rules.send(sender or self.market.buyer, "complain", *parts)

    def release(self, sender: str = "", index: int = 0) -> Outcome:
        parts = (self.terms.head, self.terms.members, self.order, index)
        return self.market.rules.send(sender or self.market.provider, "release", *parts)

    def is_licensed(self, who: str, time_s: int) -> bool:
        return bool(self.market.rules.ask("isLicensed", *self._common, who, time_s))

    def withdraw_payout(self, sender: str = "", index: int = 0) -> Outcome:
        parts = (self.terms.head, self.terms.members, index)
        return self.market.rules.send(sender or self.market.stranger, "withdrawPayout", *parts)

    def sign_acceptance(self, account: str, digest: bytes = b"", **domain: Any) -> bytes:
        """An account's signature over `Acceptance(order, delivery)`, perhaps in another domain."""
        fields = {"Acceptance": [{"name": "order", "type": "bytes32"}, {"name": "delivery", "type": "bytes32"}]}
        values = {"order": self.id, "delivery": digest or self.digest}
        message = encode_typed_data({**self.market.domain, **domain}, fields, values)
        return bytes(Account.sign_message(message, self.market.evm.keys[account]).signature)


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
