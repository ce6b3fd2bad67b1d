"""What a provider does by hand: list a dataset, revise it, publish an offer, take its earnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Invalid, Refused
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import DatasetView
from marketplace.protocol.description import Description, round_rows
from marketplace.protocol.identity import Address, DatasetId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.rho import delta_of, epsilon_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from marketplace.protocol.terms import Terms
from node.spending import spending_of
from node.synthesis.budget import budget_of
from node.vault.register import Snapshot
from node.vault.vault import Vault

DAY_S = 86_400
WHOLE_BPS = 10_000


@dataclass(frozen=True)
class Words:
    """What a description says in words."""

    title: str
    summary: str
    provenance: str


@dataclass(frozen=True)
class Conditions:
    """What a provider decides about an offer. Amounts in token units, windows in seconds.

    `epsilon`: the most that one order may reveal; the offer takes the largest whole micro-rho that keeps to it.
    """

    token: Address
    epsilon: float
    cost_units: int
    margin_units: int
    bond_units: int
    deliver_window_s: int = DAY_S
    accept_window_s: int = 7 * DAY_S
    reveal_window_s: int = DAY_S
    challenge_window_s: int = 3 * DAY_S
    licence_days: int = 365
    compute_fee_bps: int = 500
    max_open: int = 8
    valid_days: int = 180


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
    """One provider at its own node. Every method raises as ledger, store and vault do."""

    ledger: Ledger
    follower: Follower
    signer: Signer
    store: ContentStore
    vault: Vault

    def list_dataset(self, path: Path, schema: Schema, words: Words, total_micro: int, *, rows_declared: int) -> Listed:
        """Takes records into the vault and registers the dataset. Description first, ledger last.

        `rows_declared`: the public number of rows, the provider's word and no measurement; rounded to two digits here.
        """
        spending_of(total_micro)
        description = Description(words.title, words.summary, words.provenance, schema, round_rows(rows_declared))
        snapshot = self.vault.take_in(path, schema)
        digest = put_bytes(self.store, description.encode()).digest
        self.vault.account.raise_total(snapshot.dataset, total_micro)
        dataset, receipt = self.ledger.register(self.signer, snapshot.dataset, snapshot.commitment, digest, total_micro)
        return Listed(dataset, snapshot, description, receipt)

    def revise_dataset(
        self, dataset: DatasetId, path: Path, schema: Schema, words: Words, *, rows_declared: int
    ) -> Listed:
        """Puts new records under the same budget as the dataset's next version."""
        view = self._dataset(dataset)
        description = Description(words.title, words.summary, words.provenance, schema, round_rows(rows_declared))
        snapshot = self.vault.revise(view.salt, path, schema)
        digest = put_bytes(self.store, description.encode()).digest
        receipt = self.ledger.revise(self.signer, dataset, snapshot.commitment, digest)
        return Listed(dataset, snapshot, description, receipt)

    def publish(self, listed: DatasetId, description: Description, conditions: Conditions, *, now_s: int) -> Published:
        """Publishes an offer on one dataset, and stakes what the free credit lacks for one bond.

        Raises `Refused` if the dataset's budget does not pay for one order, or an order's rho not for its result.
        """
        delta_atto = largest_delta_atto(description.rows_declared)
        rho_micro = largest_rho_micro(conditions.epsilon, delta_of(delta_atto))
        budget_of(description.schema, Workload(), spending_of(rho_micro).generate_micro)
        view = self._dataset(listed)
        if rho_micro > view.total_micro - view.used_micro:
            left = view.total_micro - view.used_micro
            raise Refused(
                f"expected a budget of {rho_micro} micro-rho for one order, the dataset has {left} left "
                f"(epsilon {epsilon_of(left, delta_of(delta_atto)):.3f}); offer a smaller epsilon"
            )
        terms = Terms(f"Licence terms: {description.title}", conditions.licence_days)
        digest = put_bytes(self.store, terms.encode()).digest
        head = self._head(conditions, digest, delta_atto, now_s)
        member = Member(listed, self.signer.address, WHOLE_BPS, rho_micro)
        self.ledger.prepare(self.signer, self.ledger.calls.publish(head, [member]))  # asks, before money moves
        receipts = self._stake(conditions)
        offer, receipt = self.ledger.publish(self.signer, head, [member])
        return Published(offer, (*receipts, receipt))

    def note_opt_outs(self, dataset: DatasetId, persons: Sequence[str], *, out: bool, now_s: int) -> int:
        """Leaves these persons out of every order of `dataset` drawn from now on, or takes them in again.

        Nothing about them goes onto the ledger. Returns how many were noted. Raises as `Vault.note_opt_outs`.
        """
        return self.vault.note_opt_outs(self._dataset(dataset).salt, persons, out=out, at_s=now_s)

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

    def _head(self, conditions: Conditions, terms: bytes, delta_atto: int, now_s: int) -> Head:
        return Head(
            lead=self.signer.address,
            kind=Kind.SYNTHETIC,
            guarantee=Guarantee.DIFFERENTIALLY_PRIVATE,
            token=conditions.token,
            cost_units=conditions.cost_units,
            margin_units=conditions.margin_units,
            delta_atto=delta_atto,
            deliver_window_s=conditions.deliver_window_s,
            accept_window_s=conditions.accept_window_s,
            reveal_window_s=conditions.reveal_window_s,
            challenge_window_s=conditions.challenge_window_s,
            rule_window_s=0,
            licence_s=conditions.licence_days * DAY_S,
            compute_fee_bps=conditions.compute_fee_bps,
            bond_units=conditions.bond_units,
            contest_deposit_units=0,
            max_open=conditions.max_open,
            terms=terms,
            valid_until_s=now_s + conditions.valid_days * DAY_S,
        )

    def _stake(self, conditions: Conditions) -> tuple[Receipt, ...]:
        """Makes sure that the free credit covers one bond. Raises `Refused` if the balance does not."""
        token, bond = conditions.token, conditions.bond_units
        missing = bond - self.ledger.credit_units(token, self.signer.address)
        if missing <= 0:
            return ()
        if self.ledger.balance_units(token, self.signer.address) < missing:
            raise Refused("expected a balance that covers the bond; pay in or offer a smaller bond")
        receipts = []
        if self.ledger.allowance_units(token, self.signer.address) < missing:
            receipts.append(self.ledger.approve(self.signer, token, missing))
        return (*receipts, self.ledger.stake(self.signer, token, missing))

    def _dataset(self, dataset: DatasetId) -> DatasetView:
        account = self.follower.catch_up()
        if dataset not in account.datasets:
            raise Invalid(f"expected a registered dataset, got {dataset.hex()[:16]}...; list it first")
        return account.datasets[dataset]
