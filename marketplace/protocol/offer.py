"""Offers: what is sold, by whom, on which terms. The fields are the contract's."""

from dataclasses import dataclass, field
from enum import IntEnum

from marketplace.protocol.identity import NOBODY, NOTHING, Address, DatasetId, OfferId
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.states import OrderState
from marketplace.protocol.unit import PrivacyUnit


class Kind(IntEnum):
    """What is sold."""

    SYNTHETIC = 0
    ANALYSIS = 1
    TRAIN = 2

    @property
    def words(self) -> str:
        """What is sold, for people."""
        return ("synthetic rows", "joint analyses", "visiting trains")[self]


class Guarantee(IntEnum):
    """What is promised about the records behind a result."""

    DIFFERENTIALLY_PRIVATE = 0
    EXACT = 1


@dataclass(frozen=True)
class Head:
    """The terms of an offer, the same for all of its members. Amounts are in the token's units, windows in seconds.

    `unit`: whom the promise protects where there are several members.
    """

    lead: Address
    kind: Kind
    guarantee: Guarantee
    token: Address
    cost_units: int
    margin_units: int
    delta_atto: int
    deliver_window_s: int
    accept_window_s: int
    reveal_window_s: int
    challenge_window_s: int
    rule_window_s: int
    licence_s: int
    compute_fee_bps: int
    bond_units: int
    contest_deposit_units: int
    max_open: int
    terms: bytes
    valid_until_s: int
    purposes: int = 0
    authority: Address = NOBODY
    arbiter: Address = NOBODY
    stock: bytes = NOTHING
    unit: PrivacyUnit = PrivacyUnit.PERSON

    @property
    def price_units(self) -> int:
        """What the buyer pays: cost and margin."""
        return self.cost_units + self.margin_units

    @property
    def compute_fee_units(self) -> int:
        """What a buyer who rejects a delivery or lets it lapse does not get back."""
        return self.price_units * self.compute_fee_bps // 10_000

    def window_s(self, state: OrderState) -> int | None:
        """How long an order in `state` has until its deadline; None where nothing is due."""
        windows = {
            OrderState.PLACED: self.deliver_window_s,
            OrderState.DELIVERED: self.accept_window_s,
            OrderState.ACCEPTED: self.reveal_window_s,
            OrderState.REVEALED: self.challenge_window_s,
            OrderState.CONTESTED: self.rule_window_s,
        }
        return windows.get(state)


@dataclass(frozen=True)
class Member:
    """One dataset behind an offer: its provider, its share in basis points, what one order takes of its budget."""

    dataset: DatasetId
    provider: Address
    share_bps: int
    rho_micro: int


@dataclass(frozen=True)
class Consent:
    """A provider's signed word that it is a member of an offer, good for publishing it up to `until_s`."""

    until_s: int
    signature: bytes = field(repr=False)


@dataclass(frozen=True)
class Offer:
    """A published offer with its id."""

    id: OfferId
    head: Head
    members: tuple[Member, ...] = field(repr=False)

    def epsilon(self, index: int = 0) -> float:
        """The epsilon that member `index`'s rho implies at the offer's delta."""
        return epsilon_of(self.members[index].rho_micro, delta_of(self.head.delta_atto))
