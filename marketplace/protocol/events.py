"""What the ledger has recorded, as typed values. The truth of the marketplace is the sequence of these."""

from dataclasses import dataclass

from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.states import Reason


@dataclass(frozen=True, order=True)
class Position:
    """Where an event stands: block number, index of the log in it, the transaction's hash, the block's time in seconds."""

    block: int
    index: int
    transaction: bytes
    at_s: int


@dataclass(frozen=True)
class DatasetRegistered:
    position: Position
    dataset: DatasetId
    provider: Address
    salt: bytes
    commitment: bytes
    description: bytes
    total_micro: int


@dataclass(frozen=True)
class DatasetRevised:
    position: Position
    dataset: DatasetId
    version: int
    commitment: bytes
    description: bytes


@dataclass(frozen=True)
class OfferPublished:
    position: Position
    offer: Offer


@dataclass(frozen=True)
class OfferRetired:
    position: Position
    offer: OfferId
    by: Address


@dataclass(frozen=True)
class Staked:
    position: Position
    token: Address
    account: Address
    amount_units: int


@dataclass(frozen=True)
class OrderPlaced:
    position: Position
    id: OrderId
    order: Order
    deadline_s: int


@dataclass(frozen=True)
class OrderDelivered:
    position: Position
    id: OrderId
    hash: DeliveryHash
    delivery: Delivery
    deadline_s: int


@dataclass(frozen=True)
class OrderAccepted:
    position: Position
    id: OrderId
    hash: DeliveryHash
    deadline_s: int


@dataclass(frozen=True)
class OrderRevealed:
    """`key` is public from here on; it opens only what the buyer alone can unseal."""

    position: Position
    id: OrderId
    key: bytes
    deadline_s: int


@dataclass(frozen=True)
class OrderSettled:
    position: Position
    id: OrderId
    reason: Reason


@dataclass(frozen=True)
class OrderRefunded:
    position: Position
    id: OrderId
    reason: Reason


@dataclass(frozen=True)
class OrderForfeited:
    position: Position
    id: OrderId
    reason: Reason


@dataclass(frozen=True)
class RhoReleased:
    position: Position
    id: OrderId
    dataset: DatasetId
    rho_micro: int


@dataclass(frozen=True)
class CreditWithdrawn:
    position: Position
    token: Address
    account: Address
    amount_units: int


@dataclass(frozen=True)
class PayoutWithdrawn:
    position: Position
    offer: OfferId
    member: int
    provider: Address
    amount_units: int


Event = (
    DatasetRegistered
    | DatasetRevised
    | OfferPublished
    | OfferRetired
    | Staked
    | OrderPlaced
    | OrderDelivered
    | OrderAccepted
    | OrderRevealed
    | OrderSettled
    | OrderRefunded
    | OrderForfeited
    | RhoReleased
    | CreditWithdrawn
    | PayoutWithdrawn
)
