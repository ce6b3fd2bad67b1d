"""A marketplace with providers, a buyer, an authority and an arbiter on an EVM in this process, by calldata alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from scripts.benchmarks import typed
from scripts.benchmarks.evm import Compiled, Deployed, Evm, Outcome, product

NOBODY = "0x" + "00" * 20
NONE = bytes(32)
EURO = 1_000_000
HOUR_S = 3_600
DAY_S = 86_400
PURPOSE = 3
WHOLE_BPS = 10_000

_MARKETPLACE = product("Marketplace")
Head = _MARKETPLACE.struct("Head")
Member = _MARKETPLACE.struct("Member")
Order = _MARKETPLACE.struct("Order")
Consent = _MARKETPLACE.struct("Consent")
Origin = _MARKETPLACE.struct("Origin")


@dataclass(frozen=True)
class Terms:
    """An offer in calldata."""

    head: Any
    members: list[Any]
    members_hash: bytes
    offer: bytes

    @property
    def price(self) -> int:
        """What one order costs."""
        return int(self.head.cost + self.head.margin)


@dataclass
class Market:
    """The contracts, and accounts with money: `provider` leads, `others` are fifteen further providers."""

    evm: Evm = field(default_factory=Evm)
    rules_of: Compiled = field(default_factory=lambda: product("Marketplace"))

    def __post_init__(self) -> None:
        _, self.provider, self.buyer, self.stranger, self.authority, self.arbiter, *others = self.evm.accounts
        self.others = others[:15]
        self.owners: dict[str, str] = {}
        self._wallets: dict[str, Deployed] = {}
        self.rules = self.evm.deploy(self.rules_of)
        self.euro = self.evm.deploy(product("TestEuro"))
        self.permits, self.providers, self.licences = (
            Deployed(self.evm, product(name), self.rules.ask(name.lower()))
            for name in ("Permits", "Providers", "Licences")
        )
        for passing in (self.euro, self.permits):  # what these refuse passes through
            self.rules_of.errors.update(passing.contract.errors)
        self.licences.contract.errors.update(self.rules_of.errors)
        for account in (self.provider, self.buyer, self.stranger):
            self.fund(self.euro, account)

    @property
    def domain(self) -> dict[str, Any]:
        """The marketplace's EIP-712 domain."""
        return {"name": "Agora Health", "version": "1", **self._parts(self.rules)}

    @property
    def euro_domain(self) -> dict[str, Any]:
        """The test euro's EIP-712 domain."""
        return {"name": "Test Euro", "version": "1", **self._parts(self.euro)}

    def _parts(self, contract: Deployed) -> dict[str, Any]:
        return {"chainId": self.evm.chain_id, "verifyingContract": contract.address}

    # ------------------------------------------------------------------------------------------------------- accounts

    def wallet(self, of: Compiled, owner: str) -> str:
        """A wallet with this owner: `act` sends as it, `sign` signs for it."""
        made = self.evm.deploy(of, owner)
        self.owners[made.address], self._wallets[made.address] = owner, made
        return made.address

    def act(self, account: str, contract: Deployed, function: str, *arguments: Any) -> Outcome:
        """Send as an account, which may be a wallet."""
        if account not in self.owners:
            return contract.send(account, function, *arguments)
        data = contract.contract.call(function, arguments)
        wallet = self._wallets[account]
        wallet.contract.errors.update(contract.contract.errors)
        return wallet.send(self.owners[account], "run", contract.address, data)

    def sign(self, account: str, primary: str, value: dict[str, Any], **domain: Any) -> bytes:
        """An account's signature over typed data, perhaps in another domain."""
        key = self.evm.keys[self.owners.get(account, account)]
        return typed.sign(key, {**self.domain, **domain}, primary, value)

    def fund(self, token: Deployed, account: str) -> None:
        """A million for `account`, all of it approved."""
        token.send(self.stranger, "mint", account, 1_000_000 * EURO)
        self.act(account, token, "approve", self.rules.address, 1_000_000 * EURO)

    # --------------------------------------------------------------------------------------------- datasets and offers

    def register(self, total: int = 1_000_000, salt: bytes = NONE, sender: str = "", allowance: int = 0) -> bytes:
        """A dataset, by its id."""
        sender = sender or self.provider
        parts = (salt, keccak(text="commitment"), keccak(text="description"), total, allowance)
        self.act(sender, self.rules, "register", *parts)
        dataset: bytes = self.rules.ask("datasetId", sender, salt)
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
            unit=0,
            validUntil=self.evm.now_s + 365 * DAY_S,
        )
        return usual._replace(**changes)

    def arbitrated(self, **changes: Any) -> Any:
        """A head with an arbiter, with changes."""
        usual = {"arbiter": self.arbiter, "ruleWindow": 5 * DAY_S, "contestDeposit": 20 * EURO}
        return self.head(**{**usual, **changes})

    def permitted(self, **changes: Any) -> Any:
        """A head with an authority, with changes."""
        return self.head(**{"authority": self.authority, "purposes": 1 << PURPOSE, **changes})

    def member(self, dataset: bytes, **changes: Any) -> Any:
        """The only member of an offer, with changes."""
        return Member(dataset=dataset, provider=self.provider, shareBps=WHOLE_BPS, rhoMicro=100)._replace(**changes)

    def pool(self, *providers: str, total: int = 1_000_000, salt: bytes = NONE, **changes: Any) -> list[Any]:
        """A member for each time that a provider is named, with a new dataset, in the order that the contract asks for;
        equal shares, the rest the first's."""
        share = WHOLE_BPS // len(providers)
        members = []
        for number, provider in enumerate(providers):
            dataset = self.register(total, keccak(salt + bytes([number])), provider)
            members.append(self.member(dataset, provider=provider, shareBps=share, **changes))
        members.sort(key=lambda member: bytes(member.dataset))
        rest = WHOLE_BPS - share * len(members)
        return [members[0]._replace(shareBps=share + rest), *members[1:]]

    def terms(self, head: Any, members: list[Any]) -> Terms:
        """An offer, published or not."""
        members_hash = self.rules.ask("hashMembers", members)
        return Terms(head, members, members_hash, self.rules.ask("offerId", head, members_hash))

    def consent(self, head: Any, members: Sequence[Any], signer: str, until: int = 0, **domain: Any) -> Any:
        """A provider's consent, good for a day if not said otherwise."""
        until = until or self.evm.now_s + DAY_S
        offer = {"head": head._asdict(), "members": [member._asdict() for member in members]}
        return Consent(until, self.sign(signer, "Consent", {"offer": offer, "until": until}, **domain))

    def consents(self, head: Any, members: Sequence[Any]) -> list[Any]:
        """The consents of all providers but the lead."""
        signers = [member.provider for member in members if member.provider != head.lead]
        return [self.consent(head, members, signer) for signer in signers]

    def publish(self, head: Any, members: list[Any]) -> Terms:
        """An offer on the ledger."""
        self.act(head.lead, self.rules, "publish", head, members, self.consents(head, members))
        return self.terms(head, members)

    def origin(self, terms: Terms, order: Any, delivery: Any) -> Any:
        """An earlier order, to be stock."""
        return Origin(terms.head, terms.members, order, delivery)

    def publish_stock(self, head: Any, members: list[Any], origin: Any) -> Terms:
        """An offer of stock on the ledger."""
        self.act(head.lead, self.rules, "publishStock", head, members, self.consents(head, members), origin)
        return self.terms(head, members)

    # ------------------------------------------------------------------------------------------------ money and permits

    def stake(self, amount: int) -> Outcome:
        """Pay into the provider's credit."""
        return self.rules.send(self.provider, "stake", self.euro.address, amount)

    def credit(self, account: str) -> int:
        """What an account may withdraw in euro."""
        return int(self.rules.ask("getCredit", self.euro.address, account))

    def grant(self, *subjects: bytes, sender: str = "", **changes: Any) -> bytes:
        """A permit of the authority for the buyer, from now on for a year, by its id; with changes."""
        now_s = self.evm.now_s
        usual: dict[str, Any] = {"holder": self.buyer, "purpose": PURPOSE, "start": now_s, "to": now_s + 365 * DAY_S}
        parts = {**usual, "document": keccak(text="decision"), **changes}
        permit: bytes = self.permits.send(sender or self.authority, "grant", *parts.values(), list(subjects)).value
        return permit

    def revoke(self, permit: bytes) -> Outcome:
        """The authority ends a permit."""
        return self.permits.send(self.authority, "revoke", permit, keccak(text="revocation"))

    def order(self, terms: Terms, number: int = 0, **changes: Any) -> Any:
        """The buyer's order with this number, for version 1 of every dataset, with changes."""
        usual = Order(
            offer=terms.offer,
            buyer=self.buyer,
            specification=keccak(text=f"specification {number}"),
            versions=sum(1 << 16 * index for index in range(len(terms.members))) if terms.head.stock == NONE else 0,
            permit=NONE,
            placeBy=self.evm.now_s + DAY_S,
        )
        return usual._replace(**changes)
