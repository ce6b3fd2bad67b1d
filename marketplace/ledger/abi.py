"""Our values as the contract's structs and back. One table per struct serves calldata, answers, events and EIP-712."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar

from eth_abi.abi import default_codec
from eth_abi.exceptions import DecodingError

from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.protocol.offer import Consent, Guarantee, Head, Kind, Member
from marketplace.protocol.order import Complaint, Delivery, Means, Order, Payment, Standing
from marketplace.protocol.permit import PermitStanding
from marketplace.protocol.states import OrderState, Reason
from marketplace.protocol.unit import PrivacyUnit

Value = TypeVar("Value")
Row = tuple[Any, ...]


def encode(types: Iterable[str], values: Iterable[Any]) -> bytes:
    """Values in the ledger's encoding. The values have been checked by `check` or come from `Struct.row`."""
    return bytes(default_codec.encode(list(types), list(values)))


def decode(types: Iterable[str], data: bytes) -> Row:
    """The values that `data` encodes, addresses in lower case. Raises `Corrupt` if the bytes are something else."""
    types = list(types)
    try:
        return default_codec.decode(types, data)
    except (DecodingError, ValueError, OverflowError):
        raise Corrupt(
            f"expected {len(types)} values from the contract, got {len(data)} bytes that are something else; "
            "check that the address is a marketplace's"
        ) from None


def check(name: str, kind: str, value: Any) -> Any:
    """`value`, if the contract's type `kind` can hold it. Raises `Invalid`, naming the field, if not."""
    if kind.startswith("uint"):
        bits = int(kind.removeprefix("uint"))
        if not 0 <= value < 1 << bits:
            raise Invalid(f"expected {name} between 0 and 2^{bits} - 1, got {value}; give a smaller amount or time")
        return int(value)
    if kind == "bytes32[]":
        return tuple(check(f"{name}[{place}]", "bytes32", item) for place, item in enumerate(value))
    if kind == "bytes32" and len(value) != 32:
        raise Invalid(f"expected 32 bytes for {name}, got {len(value)}")
    return checksummed(value) if kind == "address" else value


EnumMember = TypeVar("EnumMember", bound=IntEnum)


def member(enum: type[EnumMember], number: int) -> EnumMember:
    """The member of `enum` that the contract means by `number`. Raises `Corrupt` if there is none."""
    try:
        return enum(number)
    except ValueError:
        raise Corrupt(f"expected a {enum.__name__} that this program knows, got number {number}; update it") from None


@dataclass(frozen=True)
class Field:
    """One field of a struct: the contract's name and type, our attribute, and the enum that it counts through."""

    name: str
    kind: str
    attribute: str
    enum: type[IntEnum] | None = None

    def read(self, value: Any) -> Any:
        """Our value of a decoded one: an address in mixed case, a member of the enum, or what it is."""
        if self.enum is not None:
            return member(self.enum, value)
        return checksummed(value) if self.kind == "address" else value


@dataclass(frozen=True)
class Struct(Generic[Value]):
    """A struct of the contract and the class that stands for it here. Only one of fixed size has an EIP-712 encoding."""

    name: str
    ours: type[Value]
    fields: tuple[Field, ...]

    @property
    def abi(self) -> str:
        """The struct's type in the ABI."""
        return f"({','.join(field.kind for field in self.fields)})"

    def eip712(self, *before: str) -> str:
        """The struct's type in EIP-712, with the fields `before` in front of its own."""
        own = (f"{field.kind} {field.name}" for field in self.fields)
        return f"{self.name}({','.join((*before, *own))})"

    def row(self, value: Value) -> Row:
        """The fields of `value` in the contract's order. Raises `Invalid` where one does not fit."""
        return tuple(check(field.name, field.kind, getattr(value, field.attribute)) for field in self.fields)

    def words(self, value: Value) -> bytes:
        """The fields of `value`, 32 bytes each, as EIP-712 hashes them. Raises `Invalid` where one does not fit."""
        return encode((field.kind for field in self.fields), self.row(value))

    def value(self, row: Sequence[Any]) -> Value:
        """The value of a decoded struct. Raises `Corrupt` for a member of an enum that this program does not know."""
        pairs = zip(self.fields, row, strict=True)
        return self.ours(**{field.attribute: field.read(item) for field, item in pairs})


HEAD = Struct(
    "Head",
    Head,
    (
        Field("lead", "address", "lead"),
        Field("kind", "uint8", "kind", Kind),
        Field("guarantee", "uint8", "guarantee", Guarantee),
        Field("token", "address", "token"),
        Field("cost", "uint128", "cost_units"),
        Field("margin", "uint128", "margin_units"),
        Field("delta", "uint64", "delta_atto"),
        Field("deliverWindow", "uint32", "deliver_window_s"),
        Field("acceptWindow", "uint32", "accept_window_s"),
        Field("revealWindow", "uint32", "reveal_window_s"),
        Field("challengeWindow", "uint32", "challenge_window_s"),
        Field("ruleWindow", "uint32", "rule_window_s"),
        Field("licenceSeconds", "uint64", "licence_s"),
        Field("computeFeeBps", "uint16", "compute_fee_bps"),
        Field("bond", "uint128", "bond_units"),
        Field("contestDeposit", "uint128", "contest_deposit_units"),
        Field("maxOpen", "uint32", "max_open"),
        Field("terms", "bytes32", "terms"),
        Field("purposes", "uint256", "purposes"),
        Field("authority", "address", "authority"),
        Field("arbiter", "address", "arbiter"),
        Field("stock", "bytes32", "stock"),
        Field("unit", "uint8", "unit", PrivacyUnit),
        Field("validUntil", "uint64", "valid_until_s"),
    ),
)

MEMBER = Struct(
    "Member",
    Member,
    (
        Field("dataset", "bytes32", "dataset"),
        Field("provider", "address", "provider"),
        Field("shareBps", "uint16", "share_bps"),
        Field("rhoMicro", "uint64", "rho_micro"),
    ),
)

ORDER = Struct(
    "Order",
    Order,
    (
        Field("offer", "bytes32", "offer"),
        Field("buyer", "address", "buyer"),
        Field("specification", "bytes32", "specification"),
        Field("versions", "uint256", "versions"),
        Field("permit", "bytes32", "permit"),
        Field("placeBy", "uint64", "place_by_s"),
    ),
)

DELIVERY = Struct(
    "Delivery",
    Delivery,
    (
        Field("commitmentRoot", "bytes32", "commitment_root"),
        Field("plainRoot", "bytes32", "plain_root"),
        Field("keyHash", "bytes32", "key_hash"),
        Field("object", "bytes32", "object"),
        Field("manifest", "bytes32", "manifest"),
        Field("count", "uint32", "count"),
        Field("objectCodec", "uint8", "object_codec"),
    ),
)

COMPLAINT = Struct(
    "Complaint",
    Complaint,
    (
        Field("key", "bytes32", "key"),
        Field("index", "uint32", "index"),
        Field("plainHash", "bytes32", "plain_hash"),
        Field("cipher", "bytes", "cipher"),
        Field("path", "bytes32[]", "path"),
    ),
)

STANDING = Struct(
    "Standing",
    Standing,
    (
        Field("state", "uint8", "state", OrderState),
        Field("reason", "uint8", "reason", Reason),
        Field("deadline", "uint40", "deadline_s"),
        Field("revealedAt", "uint40", "revealed_at_s"),
        Field("released", "uint16", "released"),
        Field("priceBps", "uint16", "price_bps"),
        Field("bondBps", "uint16", "bond_bps"),
        Field("delivery", "bytes32", "delivery"),
    ),
)

CONSENT = Struct(
    "Consent",
    Consent,
    (
        Field("until", "uint64", "until_s"),
        Field("signature", "bytes", "signature"),
    ),
)

PAYMENT = Struct(
    "Payment",
    Payment,
    (
        Field("means", "uint8", "means", Means),
        Field("deadline", "uint256", "deadline_s"),
        Field("v", "uint8", "v"),
        Field("r", "bytes32", "r"),
        Field("s", "bytes32", "s"),
    ),
)

PERMIT = Struct(
    "Permit",
    PermitStanding,
    (
        Field("authority", "address", "authority"),
        Field("holder", "address", "holder"),
        Field("purpose", "uint8", "purpose"),
        Field("extended", "bool", "extended"),
        Field("from", "uint40", "from_s"),
        Field("to", "uint40", "to_s"),
        Field("revokedAt", "uint40", "revoked_at_s"),
    ),
)
