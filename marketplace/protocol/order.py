"""Orders and deliveries, as the contract's calldata has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from marketplace.errors import Invalid
from marketplace.protocol.identity import NOTHING, Address, DeliveryHash, OfferId
from marketplace.protocol.offer import Head, Member
from marketplace.protocol.states import OrderState, Reason

CODEC_RAW = 0x55
CODEC_DAG_PB = 0x70


def pack_versions(versions: Sequence[int]) -> int:
    """The versions of an offer's datasets as the one number that an order carries: member `i` in bits 16 i to 16 i + 15.

    Raises `Invalid` for more than 16 members or a version outside 1..65535.
    """
    if not 1 <= len(versions) <= 16 or not all(1 <= version <= 0xFFFF for version in versions):
        raise Invalid("expected 1 to 16 dataset versions between 1 and 65535")
    return sum(version << (16 * index) for index, version in enumerate(versions))


@dataclass(frozen=True)
class Order:
    """One purchase of an offer. `specification` is the SHA-256 of the specification's bytes."""

    offer: OfferId
    buyer: Address
    specification: bytes
    versions: int
    place_by_s: int
    permit: bytes = NOTHING

    def version(self, index: int = 0) -> int:
        """The version of member `index`'s dataset that the buyer means."""
        return (self.versions >> (16 * index)) & 0xFFFF


@dataclass(frozen=True)
class Delivery:
    """A provider's commitment to a sealed result: the two roots, the key's hash, digests of object and manifest."""

    commitment_root: bytes
    plain_root: bytes
    key_hash: bytes
    object: bytes
    manifest: bytes
    count: int
    object_codec: int


class Means(IntEnum):
    """How a relayed order is paid: by an approval given before, one signed for it (EIP-2612), or a transfer signed for it
    alone (EIP-3009)."""

    APPROVAL = 0
    SIGNED_APPROVAL = 1
    AUTHORIZATION = 2


@dataclass(frozen=True)
class Payment:
    """The signature that pays for a relayed order. `deadline_s`: the last second of a signed approval, or the second
    before which an authorization can be used."""

    means: Means
    deadline_s: int = 0
    v: int = 0
    r: bytes = field(default=NOTHING, repr=False)
    s: bytes = field(default=NOTHING, repr=False)


@dataclass(frozen=True)
class Origin:
    """The earlier order whose delivery becomes stock, with the offer that it was placed under."""

    head: Head
    members: tuple[Member, ...]
    order: Order
    delivery: Delivery


@dataclass(frozen=True)
class Complaint:
    """What proves a wrong byte: a chunk that a delivery commits to and that the revealed `key` does not open to its hash.

    `index`: its place. `plain_hash` (32 bytes) and `cipher` (1,024): the chunk as committed. `path`: its siblings in the
    commitment tree from the leaf upwards, 32 bytes each.
    """

    key: bytes
    index: int
    plain_hash: bytes
    cipher: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Standing:
    """What the ledger keeps of an order. `deadline_s` and `revealed_at_s` are 0 where there is none.

    `price_bps`, `bond_bps`: where an arbiter ruled, the providers' share of the price and the lead's of the bond.
    """

    state: OrderState
    reason: Reason
    deadline_s: int
    revealed_at_s: int
    released: int
    price_bps: int
    bond_bps: int
    delivery: DeliveryHash
