"""What the ledger has recorded, as typed values. The truth of the marketplace is the sequence of these."""

from dataclasses import dataclass

from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason, Reason


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
    exact_total: int


@dataclass(frozen=True)
class DatasetRevised:
    position: Position
    dataset: DatasetId
    version: int
    commitment: bytes
    description: bytes


@dataclass(frozen=True)
class EpochOpened:
    """`exact_total` counts from the registration: what was used before, and this epoch's allowance."""

    position: Position
    dataset: DatasetId
    epoch: int
    total_micro: int
    exact_total: int
    reason: bytes


@dataclass(frozen=True)
class OfferPublished:
    position: Position
    offer: Offer


@dataclass(frozen=True)
class StockOffered:
    """`origin` is the earlier order whose delivery the offer sells again."""

    position: Position
    offer: OfferId
    origin: OrderId


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


@dataclass(frozen=True)
class OrderDelivered:
    position: Position
    id: OrderId
    hash: DeliveryHash
    delivery: Delivery


@dataclass(frozen=True)
class OrderAccepted:
    position: Position
    id: OrderId


@dataclass(frozen=True)
class OrderRevealed:
    """`key` is public from here on; it opens only what the buyer alone can unseal."""

    position: Position
    id: OrderId
    key: bytes


@dataclass(frozen=True)
class OrderDeclined:
    """Comes right before the `OrderRefunded` of a declined order."""

    position: Position
    id: OrderId
    why: DeclineReason


@dataclass(frozen=True)
class OrderContested:
    """`grounds` is the SHA-256 of the document that says what is wrong."""

    position: Position
    id: OrderId
    grounds: bytes


@dataclass(frozen=True)
class OrderRuled:
    """Comes right before the `OrderSettled` or `OrderRefunded` of a ruled order. Both are the providers' side's shares."""

    position: Position
    id: OrderId
    price_bps: int
    bond_bps: int


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
class ExactReleased:
    position: Position
    id: OrderId
    dataset: DatasetId


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


@dataclass(frozen=True)
class PermitGranted:
    position: Position
    permit: PermitId
    authority: Address
    grant: Grant


@dataclass(frozen=True)
class PermitExtended:
    position: Position
    permit: PermitId
    to_s: int
    document: bytes


@dataclass(frozen=True)
class PermitRevoked:
    position: Position
    permit: PermitId
    document: bytes


@dataclass(frozen=True)
class ProviderDescribed:
    """`descriptor` and `certificate` are SHA-256 digests of the descriptor and of the node's TLS certificate in DER."""

    position: Position
    provider: Address
    descriptor: bytes
    certificate: bytes


@dataclass(frozen=True)
class RootAnchored:
    """`day` counts from 1970-01-01 UTC."""

    position: Position
    provider: Address
    day: int
    root: bytes


@dataclass(frozen=True)
class UserNamed:
    position: Position
    order: OrderId
    user: Address


Event = (
    DatasetRegistered
    | DatasetRevised
    | EpochOpened
    | OfferPublished
    | StockOffered
    | OfferRetired
    | Staked
    | OrderPlaced
    | OrderDelivered
    | OrderAccepted
    | OrderRevealed
    | OrderDeclined
    | OrderContested
    | OrderRuled
    | OrderSettled
    | OrderRefunded
    | OrderForfeited
    | RhoReleased
    | ExactReleased
    | CreditWithdrawn
    | PayoutWithdrawn
    | PermitGranted
    | PermitExtended
    | PermitRevoked
    | ProviderDescribed
    | RootAnchored
    | UserNamed
)
