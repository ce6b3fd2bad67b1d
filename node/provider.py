"""What a provider does by hand: list a dataset, revise it, publish an offer, take its earnings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Invalid, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import DatasetView
from marketplace.protocol.description import Description, round_rows
from marketplace.protocol.epoch import EpochReason
from marketplace.protocol.identity import Address, DatasetId, OfferId
from marketplace.protocol.offer import Consent, Member, Offer
from marketplace.protocol.rho import delta_of, epsilon_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.terms import Terms
from node.accesslog import DayLog
from node.conditions import Conditions
from node.pool.consent import own_places
from node.resale import Resale, stock_terms
from node.roster_keys import RosterKeys, fresh_key
from node.spending import spending_of
from node.stockroom import Stockroom
from node.synthesis.visits import check_rho
from node.vault.access import day_of
from node.vault.register import Snapshot
from node.vault.vault import NO_TABLES, Vault

WHOLE_BPS = 10_000


@dataclass(frozen=True)
class Words:
    """What a description says in words."""

    title: str
    summary: str
    provenance: str


@dataclass(frozen=True)
class Listed:
    """A dataset that was just listed: its id, what the vault holds of it (provider only), the description, the receipt."""

    dataset: DatasetId
    snapshot: Snapshot
    description: Description
    receipt: Receipt


@dataclass(frozen=True)
class Published:
    """An offer that was just published, with the transactions that it took: `approve` and `stake` first where needed."""

    offer: Offer
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class Provider:
    """One provider at its own node. Every method raises as ledger, store and vault do.

    `stock`: results that may be sold again. `open_vault` opens the vault. `roster_keys`: under which identifiers are kept.
    """

    ledger: Ledger
    follower: Follower
    signer: Signer
    store: ContentStore
    stock: Stockroom
    open_vault: Callable[[], Vault]
    roster_keys: RosterKeys

    def list_dataset(
        self,
        path: Path,
        schema: Schema,
        words: Words,
        total_micro: int,
        *,
        rows_declared: int,
        further: Mapping[str, Path] = NO_TABLES,
        keep_identifiers: bool = False,
    ) -> Listed:
        """Takes records into the vault and registers the dataset. Description first, ledger last.

        `rows_declared`: the public number of rows, the provider's word and no measurement; rounded to two digits here.
        `further`: where the records of each further table are, by its name. `keep_identifiers`: whether what stands in the
        person column is kept, sealed, so that persons can be matched with those of other providers.
        """
        spending_of(total_micro)
        description = Description(words.title, words.summary, words.provenance, schema, round_rows(rows_declared))
        key = fresh_key() if keep_identifiers else None
        snapshot = self.open_vault().take_in(path, schema, further=further, identifiers=_box(key))
        self._keep_key(snapshot.dataset, key)
        digest = put_bytes(self.store, description.encode()).digest
        self.open_vault().account.raise_total(snapshot.dataset, total_micro)
        dataset, receipt = self.ledger.register(self.signer, snapshot.dataset, snapshot.commitment, digest, total_micro)
        return Listed(dataset, snapshot, description, receipt)

    def revise_dataset(
        self,
        dataset: DatasetId,
        path: Path,
        schema: Schema,
        words: Words,
        *,
        rows_declared: int,
        further: Mapping[str, Path] = NO_TABLES,
        keep_identifiers: bool = False,
    ) -> Listed:
        """Puts new records under the same budget as the dataset's next version. Identifiers of the last one are forgotten;
        those of this one are kept only if it is said again."""
        view = self._dataset(dataset)
        description = Description(words.title, words.summary, words.provenance, schema, round_rows(rows_declared))
        key = fresh_key() if keep_identifiers else None
        snapshot = self.open_vault().revise(view.salt, path, schema, further=further, identifiers=_box(key))
        self._keep_key(snapshot.dataset, key)
        digest = put_bytes(self.store, description.encode()).digest
        receipt = self.ledger.revise(self.signer, dataset, snapshot.commitment, digest)
        return Listed(dataset, snapshot, description, receipt)

    def open_epoch(self, dataset: DatasetId, total_micro: int, allowance: int, words: str) -> Receipt:
        """Opens the dataset's next epoch with a total that can only be raised, and a new allowance of exact orders.

        `words`: why, for all to read. Reason first, then the vault's own account, ledger last. Raises `Invalid` or `Refused`
        before anything changes where the ledger would not take it.
        """
        view = self._dataset(dataset)
        reason = EpochReason(dataset, total_micro, allowance, words).encode()
        digest = sha256(reason).digest()
        call = self.ledger.calls.open_epoch(dataset, total_micro, allowance, digest)
        self.ledger.prepare(self.signer, call)  # asks first
        put_bytes(self.store, reason)
        account = self.open_vault().account
        account.raise_total(view.salt, total_micro)
        account.set_allowance(view.salt, view.exact_used + allowance)
        return self.ledger.open_epoch(self.signer, dataset, total_micro, allowance, digest)

    def publish(self, listed: DatasetId, description: Description, conditions: Conditions, *, now_s: int) -> Published:
        """Publishes an offer on one dataset, and stakes what the free credit lacks for one bond.

        Raises `Refused` if the dataset's budget or allowance does not pay for one order, or an order's rho not for its
        result.
        """
        delta_atto = largest_delta_atto(description.rows_declared)
        rho_micro = self._price_micro(self._dataset(listed), description, conditions.epsilon, delta_of(delta_atto))
        terms = Terms(f"Licence terms: {description.title}", conditions.licence_days)
        digest = put_bytes(self.store, terms.encode()).digest
        head = conditions.head(self.signer.address, digest, delta_atto, now_s)
        member = Member(listed, self.signer.address, WHOLE_BPS, rho_micro)
        self.ledger.prepare(self.signer, self.ledger.calls.publish(head, [member]))  # asks, before money moves
        receipts = self._cover(head.token, head.bond_units)
        offer, receipt = self.ledger.publish(self.signer, head, [member])
        return Published(offer, (*receipts, receipt))

    def _price_micro(self, view: DatasetView, description: Description, epsilon: float | None, delta: float) -> int:
        """What one order takes of the budget: 0 for an exact one. Raises as `publish`."""
        if epsilon is None:
            if view.exact_left < 1:
                raise Refused(
                    "expected an allowance of exact orders, the dataset has none left; open an epoch with one"
                )
            return 0
        rho_micro = largest_rho_micro(epsilon, delta)
        check_rho(description.schema, spending_of(rho_micro).generate_micro)
        left = view.total_micro - view.used_micro
        if rho_micro > left:
            raise Refused(
                f"expected a budget of {rho_micro} micro-rho for one order, the dataset has {left} left "
                f"(epsilon {epsilon_of(left, delta):.3f}); offer a smaller epsilon"
            )
        return rho_micro

    def publish_pool(self, offer: Offer, consents: Sequence[Consent]) -> Published:
        """Publishes an offer that others have consented to, and stakes what the free credit lacks for one bond."""
        self.ledger.prepare(self.signer, self.ledger.calls.publish(offer.head, offer.members, consents))  # asks first
        receipts = self._cover(offer.head.token, offer.head.bond_units)
        published, receipt = self.ledger.publish(self.signer, offer.head, offer.members, consents)
        return Published(published, (*receipts, receipt))

    def retire(self, offer: OfferId) -> Receipt:
        """Ends an offer for further orders, as any of its members may. Raises `Invalid` for one that is none, `Refused` if
        this provider is no member."""
        view = self.follower.catch_up().offers.get(offer)
        if view is None:
            raise Invalid("expected the id of a published offer, the ledger has none of this id; copy it again")
        places = own_places(view.offer, self.signer.address)
        if not places:
            raise Refused("expected an offer that you are a member of, it is others'; only they retire it")
        return self.ledger.retire(self.signer, view.offer, places[0])

    def sell_again(self, resale: Resale, *, now_s: int) -> Published:
        """Publishes an offer that sells an earlier result as it is, and stakes what the free credit lacks for one bond.

        No record is opened and no rho is spent. Raises as `stock_terms`, and `Refused` if this node keeps the result no
        longer.
        """
        terms = stock_terms(self.follower.catch_up(), self.signer.address, resale, now_s)
        if not self.stock.has(resale.order):
            raise Refused("expected a result that this node keeps, it has deleted it; sell a later one")
        call = self.ledger.calls.publish_stock(terms.head, terms.members, terms.origin)
        self.ledger.prepare(self.signer, call)  # asks, before money moves
        receipts = self._cover(terms.head.token, terms.head.bond_units)
        offer, receipt = self.ledger.publish_stock(self.signer, terms.head, terms.members, terms.origin)
        return Published(offer, (*receipts, receipt))

    def anchor(self, day: int, now_s: int) -> tuple[DayLog, Receipt]:
        """Anchors the access log of a day, counted from 1970-01-01 UTC. Raises `Invalid` for one that is not over."""
        if day >= day_of(now_s):
            raise Invalid("expected a day that is over, more may be written down about this one; anchor it later")
        log = DayLog(self.open_vault().access.day(day))
        return log, self.ledger.anchor(self.signer, day, log.root())

    def stake(self, token: Address, amount_units: int) -> tuple[Receipt, ...]:
        """Adds to the free credit, which bonds are taken from. Raises `Refused` if the balance does not cover it."""
        if amount_units < 1:
            raise Invalid("expected an amount above 0 to stake; give one such as 100.00")
        return self._pay_in(token, amount_units)

    def note_opt_outs(self, dataset: DatasetId, persons: Sequence[str], *, out: bool, now_s: int) -> int:
        """Leaves these persons out of every order of `dataset` drawn from now on, or takes them in again.

        Nothing about them goes onto the ledger. Returns how many were noted. Raises as `Vault.note_opt_outs`.
        """
        return self.open_vault().note_opt_outs(self._dataset(dataset).salt, persons, out=out, at_s=now_s)

    def withdraw(self) -> tuple[Receipt, ...]:
        """Withdraws the payouts of all own offers. Free credit stays, as it is what bonds are taken from."""
        receipts = []
        for view in self.follower.catch_up().offers.values():
            for index, member in enumerate(view.offer.members):
                if member.provider == self.signer.address and view.owed_units(index) > 0:
                    receipts.append(self.ledger.withdraw_payout(self.signer, view.offer, index))
        return tuple(receipts)

    def withdraw_stake(self) -> tuple[Receipt, ...]:
        """Withdraws all free credit in the tokens of own offers. Nobody can order from them until more is staked."""
        heads = (view.offer.head for view in self.follower.catch_up().offers.values())
        receipts = []
        for token in dict.fromkeys(head.token for head in heads if head.lead == self.signer.address):
            free_units = self.ledger.credit_units(token, self.signer.address)
            if free_units > 0:
                receipts.append(self.ledger.withdraw_credit(self.signer, token, free_units))
        return tuple(receipts)

    def forget_identifiers(self, dataset: DatasetId) -> None:
        """Destroys the key to the identifiers that are kept of the dataset, and deletes them. Its persons are matched with
        those of others no more, unless a later version keeps identifiers again."""
        name = self._dataset(dataset).salt
        self.open_vault().forget_identifiers(name)
        self.roster_keys.destroy(name)

    def _keep_key(self, dataset: bytes, key: bytes | None) -> None:
        if key is None:
            self.roster_keys.destroy(dataset)
        else:
            self.roster_keys.keep(dataset, key)

    def _cover(self, token: Address, bond_units: int) -> tuple[Receipt, ...]:
        """Makes sure that the free credit covers one bond. Raises `Refused` if the balance does not."""
        missing = bond_units - self.ledger.credit_units(token, self.signer.address)
        return self._pay_in(token, missing) if missing > 0 else ()

    def _pay_in(self, token: Address, amount_units: int) -> tuple[Receipt, ...]:
        if self.ledger.balance_units(token, self.signer.address) < amount_units:
            raise Refused("expected a balance that covers the bond; pay in or offer a smaller bond")
        receipts = []
        if self.ledger.allowance_units(token, self.signer.address) < amount_units:
            receipts.append(self.ledger.approve(self.signer, token, amount_units))
        return (*receipts, self.ledger.stake(self.signer, token, amount_units))

    def _dataset(self, dataset: DatasetId) -> DatasetView:
        account = self.follower.catch_up()
        if dataset not in account.datasets:
            raise Invalid(f"expected a registered dataset, got {dataset.hex()[:16]}...; list it first")
        return account.datasets[dataset]


def _box(key: bytes | None) -> SecretBox | None:
    return SecretBox(key) if key is not None else None
