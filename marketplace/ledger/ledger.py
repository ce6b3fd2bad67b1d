"""The ledger as the rest of the product sees it: one port, and the values that it gives back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marketplace.ledger.calls import Call, Calls
from marketplace.ledger.chain import Block
from marketplace.ledger.ids import Domain
from marketplace.ledger.signer import Signer
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Consent, Head, Member, Offer
from marketplace.protocol.order import Complaint, Delivery, Order, Origin, Payment, Standing
from marketplace.protocol.permit import Grant, PermitStanding
from marketplace.protocol.states import DeclineReason


@dataclass(frozen=True)
class Prepared:
    """A signed transaction that has not been handed in. Keep it before sending: it can be sent again, and pays once."""

    raw: bytes = field(repr=False)
    hash: bytes
    function: str


@dataclass(frozen=True)
class Receipt:
    """A transaction that did what it should: its hash, the gas it used, its block, that block's time, the function."""

    transaction: bytes
    gas: int
    block: int
    at_s: int
    function: str


@dataclass(frozen=True)
class DatasetStanding:
    """What the ledger keeps of a dataset. All zero for one that was never registered."""

    provider: Address
    total_micro: int
    used_micro: int
    exact_total: int
    exact_used: int
    version: int
    epoch: int


@dataclass(frozen=True)
class OfferStanding:
    """What the ledger keeps of an offer. All zero for one that was never published."""

    published: bool
    retired: bool
    open: int
    accrued_units: int


class Ledger(Protocol):
    """One marketplace on one chain.

    `by` signs and pays the gas; one transaction at a time for each account. A change that the contract refuses raises
    `Invalid`, `Refused` or `Corrupt` before any gas is spent; `Unreachable` says that nobody answered. Amounts are in
    the token's units, rho is in micro-rho, times are in seconds.
    """

    @property
    def domain(self) -> Domain:
        """The chain and the contract, which every id and every signature names."""

    @property
    def calls(self) -> Calls:
        """The contract's functions as calls for `prepare`."""

    @property
    def source_hash(self) -> bytes:
        """SHA-256 of the sources of the contract that this program speaks to."""

    # ---------------------------------------------------------------------------------------------- sending in two steps

    def prepare(self, by: Signer, call: Call) -> Prepared:
        """Asks whether the contract would agree now, and signs. Nothing is sent."""

    def send(self, prepared: Prepared) -> Receipt:
        """Hands the transaction in and waits until it is in a block. Sending again gives the same receipt.

        Raises `Unreachable` if it is in no block in time, `Refused` if it no longer can be, and what the contract said
        if it was undone in its block.
        """

    def receipt(self, transaction: bytes) -> Receipt | None:
        """The receipt of the transaction of this hash; None while it is in no block. Raises as `send` does."""

    # ------------------------------------------------------------------------------------------------------------ changes

    def register(
        self, by: Signer, salt: bytes, commitment: bytes, description: bytes, total_micro: int, exact_total: int = 0
    ) -> tuple[DatasetId, Receipt]:
        """The provider registers a dataset with its budget and its first allowance of exact orders."""

    def revise(self, by: Signer, dataset: DatasetId, commitment: bytes, description: bytes) -> Receipt:
        """The provider puts the next version under the same budget."""

    def open_epoch(self, by: Signer, dataset: DatasetId, total_micro: int, allowance: int, reason: bytes) -> Receipt:
        """The provider raises the dataset's total and begins a new allowance of exact orders. `reason`: SHA-256."""

    def publish(
        self, by: Signer, head: Head, members: Sequence[Member], consents: Sequence[Consent] = ()
    ) -> tuple[Offer, Receipt]:
        """The lead publishes an offer, with one consent of each member that is another's, in their order."""

    def publish_stock(
        self, by: Signer, head: Head, members: Sequence[Member], origin: Origin, consents: Sequence[Consent] = ()
    ) -> tuple[Offer, Receipt]:
        """The lead publishes an offer that sells an earlier delivery again."""

    def retire(self, by: Signer, offer: Offer, index: int = 0) -> Receipt:
        """The provider of member `index` ends an offer for further orders."""

    def stake(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        """Pays an approved amount into the sender's credit."""

    def withdraw_credit(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        """Pays a part of the sender's credit out to it."""

    def withdraw_payout(self, by: Signer, offer: Offer, index: int = 0) -> Receipt:
        """Pays member `index` what the offer has earned for it. Anyone may send this."""

    def place(self, by: Signer, offer: Offer, order: Order) -> tuple[OrderId, Receipt]:
        """The buyer places an order, having approved the price."""

    def place_for(
        self, by: Signer, offer: Offer, order: Order, signature: bytes, payment: Payment
    ) -> tuple[OrderId, Receipt]:
        """Anyone hands in an order that its buyer has signed and pays for by `payment`."""

    def decline(self, by: Signer, offer: Offer, order: Order, why: DeclineReason = DeclineReason.UNSTATED) -> Receipt:
        """The lead turns a placed order down."""

    def deliver(
        self, by: Signer, offer: Offer, order: Order, delivery: Delivery, signatures: Sequence[bytes] = ()
    ) -> Receipt:
        """The lead commits to a sealed result, with one signature of each member that is another's, in their order."""

    def accept(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        """The buyer accepts the delivery of this hash."""

    def accept_for(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash, signature: bytes) -> Receipt:
        """Anyone hands in the buyer's signed acceptance."""

    def reject(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        """The buyer turns the delivery of this hash down."""

    def reveal(self, by: Signer, offer: Offer, order: Order, delivery: Delivery, key: bytes) -> Receipt:
        """The lead publishes the key of an accepted delivery."""

    def contest(self, by: Signer, offer: Offer, order: Order, grounds: bytes) -> Receipt:
        """The buyer calls the arbiter, having approved the deposit. `grounds`: SHA-256 of the document."""

    def rule(self, by: Signer, offer: Offer, order: Order, price_bps: int, bond_bps: int) -> Receipt:
        """The arbiter divides price and bond: the shares of the providers' side, in basis points."""

    def settle(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        """The buyer at once, or anyone after the challenge window, ends a revealed order; or anyone a contested one that
        was not ruled in time."""

    def refund(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        """Anyone ends an order whose delivery or acceptance did not come in time, or whose permit was revoked in time."""

    def forfeit(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        """Anyone ends an accepted order whose key did not come in time."""

    def complain(self, by: Signer, offer: Offer, order: Order, delivery: Delivery, complaint: Complaint) -> Receipt:
        """The buyer proves that a chunk of a revealed delivery is wrong: price and bond are its credit."""

    def release(self, by: Signer, offer: Offer, order: Order, index: int = 0) -> Receipt:
        """The provider of member `index` gives back what an order took that was refunded before delivery."""

    # ------------------------------------------------------------------------------------------------ permits, licences

    def grant(self, by: Signer, grant: Grant) -> tuple[PermitId, Receipt]:
        """The sender, as an authority, grants a permit."""

    def extend(self, by: Signer, permit: PermitId, to_s: int, document: bytes) -> Receipt:
        """The authority moves the end of its permit, once."""

    def revoke(self, by: Signer, permit: PermitId, document: bytes) -> Receipt:
        """The authority ends its permit for ever."""

    def describe(self, by: Signer, descriptor: bytes, certificate: bytes) -> Receipt:
        """The provider names its descriptor and its node's TLS certificate by their SHA-256."""

    def anchor(self, by: Signer, day: int, root: bytes) -> Receipt:
        """The provider anchors a root of 32 bytes for a day, counted from 1970-01-01 UTC."""

    def name_user(self, by: Signer, offer: Offer, order: Order, user: Address) -> Receipt:
        """The buyer names a further user of its order's licence."""

    def show_licence(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        """Anyone shows a live licence as a token in its buyer's wallet."""

    # ------------------------------------------------------------------------------------------------------- what stands

    def dataset(self, dataset: DatasetId) -> DatasetStanding:
        """Where a dataset stands."""

    def offer(self, offer: OfferId) -> OfferStanding:
        """Where an offer stands."""

    def order(self, order: OrderId) -> Standing:
        """Where an order stands."""

    def permit(self, permit: PermitId) -> PermitStanding:
        """Where a permit stands."""

    def permit_covers(self, permit: PermitId, subject: bytes) -> bool:
        """Whether a permit is for this offer or dataset."""

    def credit_units(self, token: Address, who: Address) -> int:
        """What `who` may withdraw, or lock as bonds."""

    def withdrawn_units(self, offer: OfferId, index: int = 0) -> int:
        """What member `index` has withdrawn."""

    def is_licensed(self, offer: Offer, order: Order, who: Address, at_s: int) -> bool:
        """Whether `who` holds the order's licence at `at_s`."""

    def signed_by(self, account: Address, struct: bytes, signature: bytes) -> bool:
        """Whether `account` signed the EIP-712 value whose hash is `struct` under the marketplace's domain.

        By the contract's rule: the account's key first, then its code, if it has any (ERC-1271).
        """

    def now_s(self) -> int:
        """The time of the latest block: what the contract would call now."""

    def head_block(self) -> int:
        """The number of the latest block."""

    def block(self, number: int) -> Block:
        """The block of this number. Raises `Refused` if there is none."""

    def events(self, first: int, last: int) -> Iterator[Event]:
        """What the contract recorded in blocks `first` to `last`. Raises `Refused` where that is too much at once."""

    # ------------------------------------------------------------------------------------------------------------- tokens

    def balance_units(self, token: Address, who: Address) -> int:
        """What `who` holds of a token."""

    def allowance_units(self, token: Address, owner: Address) -> int:
        """What the marketplace may still take from `owner`."""

    def approve(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        """Allows the marketplace to take up to this amount from the sender."""

    def sign_payment(self, by: Signer, token: Address, amount_units: int, order: OrderId, place_by_s: int) -> Payment:
        """How `by` pays the marketplace for an order that somebody else places by `place_by_s`. Nothing is sent.

        Raises `Refused` where the token takes no signature and no approval covers the amount.
        """

    def mint(self, by: Signer, token: Address, to: Address, amount_units: int) -> Receipt:
        """Makes test money, where `token` is the test euro. It is worth nothing."""

    def gas_balance_wei(self, who: Address) -> int:
        """What `who` can spend on gas."""

    def give_gas(self, by: Signer, to: Address, amount_wei: int) -> Receipt:
        """Sends ether for gas."""
