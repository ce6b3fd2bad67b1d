"""What the account says about each thing: datasets, offers, orders, permits, providers. All of it from events."""

from dataclasses import dataclass, field

from marketplace.protocol.events import Position
from marketplace.protocol.identity import NOTHING, Address, DatasetId, OrderId, PermitId
from marketplace.protocol.offer import Head, Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.permit import Grant
from marketplace.protocol.settlement import Ruling, owed_units
from marketplace.protocol.states import DeclineReason, OrderState, Reason


@dataclass(frozen=True)
class Version:
    """One version of a dataset: commitment to the records and digest of the description."""

    commitment: bytes
    description: bytes
    position: Position


@dataclass(frozen=True)
class Epoch:
    """One epoch of a dataset: its total and allowance from here on. `reason`: digest of the document that says why.

    `exact_total` counts from the registration, as `exact_used` does. The first epoch has no reason.
    """

    total_micro: int
    exact_total: int
    reason: bytes
    position: Position


@dataclass(frozen=True)
class DatasetView:
    """A dataset and what orders have taken of it. `versions[0]` is version 1, `epochs[0]` is epoch 1."""

    id: DatasetId
    provider: Address
    salt: bytes
    versions: tuple[Version, ...]
    epochs: tuple[Epoch, ...]
    used_micro: int = 0
    exact_used: int = 0

    @property
    def total_micro(self) -> int:
        """What it may reveal in all, in micro-rho."""
        return self.epochs[-1].total_micro

    @property
    def exact_total(self) -> int:
        """How many exact orders it may have served by the end of this epoch."""
        return self.epochs[-1].exact_total

    @property
    def left_micro(self) -> int:
        """What it may still reveal, in micro-rho."""
        return self.total_micro - self.used_micro

    @property
    def exact_left(self) -> int:
        """How many exact orders it may still serve in this epoch."""
        return self.exact_total - self.exact_used


@dataclass(frozen=True)
class OfferView:
    """A published offer, how many of its orders are open, what it has earned and what its members have withdrawn.

    `origin`: the order whose delivery it sells again, where it sells stock.
    """

    offer: Offer
    position: Position
    retired: bool = False
    open: int = 0
    accrued_units: int = 0
    withdrawn_units: tuple[int, ...] = (0,)
    origin: OrderId | None = None

    def earned_units(self, index: int) -> int:
        """What member `index` has earned in all: the floor of its share."""
        return owed_units(self.accrued_units, self.offer.members[index].share_bps, 0)

    def owed_units(self, index: int) -> int:
        """What member `index` may withdraw now."""
        return self.earned_units(index) - self.withdrawn_units[index]


@dataclass(frozen=True)
class Step:
    """One move of an order."""

    state: OrderState
    reason: Reason
    position: Position


@dataclass(frozen=True)
class LicenceUser:
    """Somebody whom the buyer named beside it, and since when."""

    who: Address
    named_at_s: int


@dataclass(frozen=True)
class OrderView:
    """An order, the steps of its life, its deadline (0 once it has ended), its delivery, its key, what was released.

    `declined`: why its provider turned it down. `grounds`: digest of what its buyer said when it called the arbiter.
    `users`: those named for its licence beside the buyer.
    """

    id: OrderId
    order: Order
    life: tuple[Step, ...]
    deadline_s: int
    delivery: Delivery | None = None
    delivery_hash: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    released: frozenset[DatasetId] = frozenset()
    declined: DeclineReason | None = None
    grounds: bytes | None = None
    ruling: Ruling | None = None
    users: tuple[LicenceUser, ...] = ()

    @property
    def state(self) -> OrderState:
        """Where the order stands."""
        return self.life[-1].state

    @property
    def reason(self) -> Reason:
        """Why it is there."""
        return self.life[-1].reason

    @property
    def placed_at_s(self) -> int:
        """When it was placed."""
        return self.life[0].position.at_s

    @property
    def revealed_at_s(self) -> int:
        """When its key was published; 0 before."""
        step = self.at(OrderState.REVEALED)
        return step.position.at_s if step else 0

    def at(self, state: OrderState) -> Step | None:
        """The step that led into `state`, if the order was ever there."""
        return next((step for step in self.life if step.state is state), None)


@dataclass(frozen=True)
class PermitView:
    """A permit as it stands. `to_s`: the last second of its term, moved once at most; `revoked_at_s`: 0 while it stands.

    `documents`: the digests of the authority's decisions, the grant's first.
    """

    id: PermitId
    authority: Address
    grant: Grant
    position: Position
    to_s: int
    extended: bool = False
    revoked_at_s: int = 0
    documents: tuple[bytes, ...] = ()

    def live(self, at_s: int) -> bool:
        """Whether it was live at `at_s`, or will be, as far as is known now."""
        revoked = self.revoked_at_s != 0 and self.revoked_at_s <= at_s
        return self.grant.from_s <= at_s <= self.to_s and not revoked

    def covers(self, offer: Offer) -> bool:
        """Whether it is for this offer or for every one of its datasets."""
        subjects = self.grant.subjects
        return offer.id in subjects or all(member.dataset in subjects for member in offer.members)

    def serves(self, head: Head, buyer: Address) -> bool:
        """Whether it is of the offer's authority for this buyer, with a purpose that the offer allows."""
        named = (self.authority, self.grant.holder) == (head.authority, buyer)
        return named and head.purposes >> self.grant.purpose & 1 == 1


@dataclass(frozen=True)
class Descriptor:
    """What a provider said about its node: digests of the descriptor and of the TLS certificate; zeros for none."""

    descriptor: bytes
    certificate: bytes
    position: Position

    @property
    def gone(self) -> bool:
        """Whether it says that there is no node any more."""
        return self.descriptor == NOTHING


@dataclass(frozen=True)
class Anchor:
    """A root of a provider's own records for a day, counted from 1970-01-01 UTC."""

    day: int
    root: bytes
    position: Position


@dataclass(frozen=True)
class ProviderView:
    """All that an account has said about itself as a provider, in order. The newest descriptor counts."""

    provider: Address
    descriptors: tuple[Descriptor, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    @property
    def descriptor(self) -> Descriptor | None:
        """Where its node answers; None if it never said, or no longer does."""
        return next((one for one in self.descriptors[-1:] if not one.gone), None)
