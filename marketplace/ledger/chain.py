"""A chain as the ledger needs it: the few questions that any EVM node answers, and the values it answers with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marketplace.protocol.events import Position
from marketplace.protocol.identity import NOBODY, Address


class Revert(Exception):
    """The EVM undid a call. `data` is what the contract gave as its reason: a selector and arguments, or nothing.

    It never leaves this package but as the cause of a `MarketplaceError`.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(f"reverted with {len(data)} bytes")
        self.data = data


@dataclass(frozen=True)
class Block:
    """A block: its number, its hash (32 bytes), its time in seconds."""

    number: int
    hash: bytes
    at_s: int


@dataclass(frozen=True)
class Fees:
    """What a transaction offers for one unit of gas, in wei: at most in all, and above the base fee."""

    most_wei: int
    tip_wei: int


@dataclass(frozen=True)
class Mined:
    """A transaction that is in a block. `created` is the contract it made, if it made one."""

    block: int
    gas: int
    succeeded: bool
    created: Address | None


@dataclass(frozen=True)
class Sent:
    """A transaction that the chain knows, in a block or waiting. `to` is None where it makes a contract."""

    sender: Address
    to: Address | None
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Log:
    """One entry that a contract wrote: where it stands, its contract, its topics (32 bytes each) and its data."""

    position: Position
    contract: Address
    topics: tuple[bytes, ...]
    data: bytes = field(repr=False)


class Chain(Protocol):
    """An EVM chain. Every method raises `Unreachable` where nobody answers and `Refused` where the node says no."""

    @property
    def chain_id(self) -> int:
        """The number by which signatures tell chains apart."""

    def head(self) -> Block:
        """The latest block."""

    def block(self, number: int) -> Block:
        """The block of this number. Raises `Refused` if there is none."""

    def code(self, address: Address) -> bytes:
        """The code that stands at `address`; empty if there is none."""

    def gas_balance_wei(self, address: Address) -> int:
        """What `address` can spend on gas."""

    def call(self, to: Address | None, data: bytes, sender: Address = NOBODY, block: int | None = None) -> bytes:
        """What `to` answers to `data`, changing nothing, as of `block` (None: the latest). Raises `Revert`."""

    def gas_limit(self, sender: Address, to: Address | None, data: bytes, value_wei: int) -> int:
        """A gas limit that suffices for this transaction now, with a margin. Raises `Revert`."""

    def fees(self) -> Fees:
        """What a transaction should offer now."""

    def nonce(self, sender: Address) -> int:
        """The number of the next transaction of `sender`, those that wait counted."""

    def broadcast(self, raw: bytes) -> None:
        """Hands a signed transaction in. Raises `Refused` if the node does not take it."""

    def mined(self, transaction: bytes) -> Mined | None:
        """How the transaction of this hash went; None while it is in no block."""

    def sent(self, transaction: bytes) -> Sent | None:
        """The transaction of this hash; None if the chain does not know it."""

    def logs(self, contracts: Sequence[Address], first: int, last: int) -> Sequence[Log]:
        """What these contracts wrote in blocks `first` to `last`, in order. Raises `Refused` where that is too much at
        once."""
