"""Every error of the contracts as one class of the error tree and one line for a person."""

from datetime import UTC, datetime
from typing import Any

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused
from marketplace.ledger import artifact
from marketplace.ledger.abi import decode, member
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.chain import Revert
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.states import OrderState, Reason

_PANIC = bytes.fromhex("4e487b71")
MESSAGE = bytes.fromhex("08c379a0")
_LAST_SECOND = 253_402_300_799

REFUSALS: dict[str, tuple[type[MarketplaceError], str]] = {
    # what an offer, a delivery or an amount may be
    "NotServed": (Invalid, "expected {field} to be zero, got something else; this contract does not serve it yet"),
    "OutOfRange": (Invalid, "expected {field} between {least} and {most}, got {given}; change it"),
    "SharesNotWhole": (Invalid, "expected shares that sum to 10000 basis points, got {sumBps}; change them"),
    "TokenWithoutCode": (Invalid, "expected a token at {token}, got an address without code; check the address"),
    # datasets
    "DatasetExists": (Refused, "expected a new salt, got that of dataset {dataset}; choose another salt"),
    "UnknownDataset": (Refused, "expected a registered dataset, got {dataset}; register it first"),
    "NotTheProvider": (Refused, "expected the provider of dataset {dataset}, got {caller}; use the provider's key"),
    "WrongVersion": (
        Refused,
        "expected version {current} of dataset {dataset}, got version {named}; read its description again and order anew",
    ),
    "BudgetExceeded": (
        Refused,
        "expected at most {left} micro-rho, which dataset {dataset} has left, got an order for {asked}; "
        "ask for an offer that takes less",
    ),
    # offers
    "NotTheLead": (Refused, "expected the offer's lead {lead}, got {caller}; use the lead's key"),
    "OfferExists": (Refused, "expected a new offer, got {offer}, which is published already; change its terms"),
    "UnknownOffer": (Refused, "expected a published offer, got {offer}; check the offer's id"),
    "OfferIsRetired": (Refused, "expected an offer that is on sale, got {offer}, which is retired; choose another"),
    "OfferExpired": (
        Refused,
        "expected an order by {validUntil:time}, got one after it; choose another offer than {offer}",
    ),
    "WrongOffer": (Invalid, "expected the terms of offer {named}, got those of {given}; read the offer again"),
    "TooManyOpen": (
        Refused,
        "expected fewer than {maxOpen} open orders under offer {offer}, got as many; try again when one has ended",
    ),
    "UnknownMember": (Invalid, "expected a member of offer {offer}, got number {member}; members count from 0"),
    # orders
    "NotTheBuyer": (Refused, "expected the order's buyer {buyer}, got {caller}; use the buyer's key"),
    "OrderExists": (Refused, "expected a new order, got {order}, which is placed already; make a new specification"),
    "PlacedTooLate": (Refused, "expected order {order} to be placed by {placeBy:time}; place it with a later limit"),
    "WrongState": (Refused, "expected order {order} to be {expected:state}, it is {state:state}; read it again"),
    "TooLate": (Refused, "expected this step of order {order} by {deadline:time}; the deadline has passed"),
    "TooEarly": (Refused, "expected this step of order {order} after {deadline:time}; wait until then"),
    "WrongDelivery": (
        Corrupt,
        "expected delivery {recorded}, which the ledger has for order {order}, got {given}; fetch the delivery again",
    ),
    "WrongKey": (
        Corrupt,
        "expected the key of order {order} that hashes to {keyHash}, got another; look for the right one",
    ),
    "WrongSignature": (Corrupt, "expected a signature of {signer}, got another; ask the signer again"),
    "ChunkNotCommitted": (
        Corrupt,
        "expected chunk {index} as the delivery of order {order} commits to it, got other bytes; fetch the delivery again",
    ),
    "ChunkIsRight": (
        Refused,
        "expected a wrong chunk, the key of order {order} opens chunk {index} to its committed hash; complain of another",
    ),
    "NotReleasable": (
        Refused,
        "expected order {order} to be refunded before its delivery, it is {state:state} ({reason:reason}); "
        "its rho stays spent",
    ),
    "AlreadyReleased": (
        Refused,
        "expected rho that is still held, got that of member {member} of order {order}; it is free",
    ),
    # money
    "InsufficientCredit": (
        Refused,
        "expected a credit of {asked:euro} for {account}, got {credit:euro}; stake the difference in token {token}",
    ),
    "InexactTransfer": (
        Refused,
        "expected {expected:euro} to arrive, got {received:euro}; token {token} takes a part and cannot be used here",
    ),
    "NothingToWithdraw": (Refused, "expected something to withdraw, got nothing; wait until more has accrued"),
    "SafeERC20FailedOperation": (
        Refused,
        "expected token {token} to move the amount, it did not; check balance and approval",
    ),
    "ERC20InsufficientBalance": (
        Refused,
        "expected a balance of {needed:euro} at {sender}, got {balance:euro}; get more of the token first",
    ),
    "ERC20InsufficientAllowance": (
        Refused,
        "expected an approval of {needed:euro} for {spender}, got {allowance:euro}; approve the amount first",
    ),
    "ERC20InvalidApprover": (Invalid, "expected an account that can approve, got {approver}; check the address"),
    "ERC20InvalidReceiver": (Invalid, "expected an account that can receive, got {receiver}; check the address"),
    "ERC20InvalidSender": (Invalid, "expected an account that can send, got {sender}; check the address"),
    "ERC20InvalidSpender": (Invalid, "expected an account that can spend, got {spender}; check the address"),
    # payments by signature
    "ERC2612ExpiredSignature": (Refused, "expected a permit used by {deadline:time}, got it later; sign a new one"),
    "ERC2612InvalidSigner": (Corrupt, "expected a permit signed by {owner}, got one by {signer}; sign it again"),
    "ERC3009InvalidAuthorizationTime": (
        Refused,
        "expected an authorization used after {validAfter:time} and before {validBefore:time}; sign a new one",
    ),
    "ERC3009InvalidSignature": (Corrupt, "expected an authorization signed by its payer, got another; sign it again"),
    "ERC3009UsedAuthorization": (
        Refused,
        "expected a fresh authorization of {authorizer}, got {nonce}, used already; sign anew",
    ),
    "InvalidAccountNonce": (
        Refused,
        "expected a permit with number {currentNonce} of {account}, got another; sign it again",
    ),
    "ECDSAInvalidSignature": (Corrupt, "expected a signature, got bytes that no account can have made; sign again"),
    "ECDSAInvalidSignatureLength": (Corrupt, "expected a signature of 65 bytes, got {length}; sign again"),
    "ECDSAInvalidSignatureS": (Corrupt, "expected a signature with the lower s, got {s}; sign again"),
    # what the contracts guard against and no call of this program should meet
    "ReentrancyGuardReentrantCall": (
        Refused,
        "expected no call from within another, got one; the token cannot be used here",
    ),
    "SafeCastOverflowedUintDowncast": (
        Invalid,
        "expected a number of at most {bits} bits, got {value}; give a smaller one",
    ),
    "InvalidShortString": (
        Refused,
        "expected a short text in the contract, got another; report the contract's address",
    ),
    "StringTooLong": (Refused, "expected a text of at most 31 bytes in the contract; report the contract's address"),
}


def refusal(data: bytes) -> MarketplaceError:
    """What to raise for a call that a contract undid, giving `data` as its reason. Its `Revert` belongs into the cause."""
    entry = artifact.load().errors.get(data[:4])
    if entry is not None and entry.name in REFUSALS:
        kind, text = REFUSALS[entry.name]
        values = decode((item.type for item in entry.inputs), data[4:])
        shown = {item.name: _Shown(item.type, value) for item, value in zip(entry.inputs, values, strict=True)}
        return kind(text.format_map(shown))
    if data[:4] == _PANIC:
        (code,) = decode(["uint256"], data[4:])
        return Refused(
            f"expected the contract to go on, it stopped with panic 0x{code:02x}; report the contract's address"
        )
    if data[:4] == MESSAGE:
        (text,) = decode(["string"], data[4:])
        return Refused(f"expected the contract to agree, it said {text[:200]!r}; check what you asked for")
    return Refused(
        "expected the contract to agree, it refused "
        + (f"with the unknown error 0x{data[:4].hex()}" if data else "without a reason")
        + "; check the contract's address and this program's version"
    )


def error_name(error: MarketplaceError) -> str | None:
    """The contract's name for what `error` reports; None if it does not come from one of the contracts' errors."""
    cause = error.__cause__
    entry = artifact.load().errors.get(cause.data[:4]) if isinstance(cause, Revert) else None
    return entry.name if entry else None


class _Shown:
    """One argument of an error, which a text can show as it is, or as `euro`, `time`, `state` or `reason`."""

    def __init__(self, kind: str, value: Any) -> None:
        self._kind = kind
        self._value = value

    def __format__(self, form: str) -> str:
        match form:
            case "euro":
                return euro_text(self._value)
            case "time":
                moment = datetime.fromtimestamp(min(self._value, _LAST_SECOND), UTC)
                return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
            case "state":
                return member(OrderState, self._value).word
            case "reason":
                return member(Reason, self._value).name.lower().replace("_", " ")
        if self._kind == "bytes32":
            return f"0x{self._value.hex()}"
        return checksummed(self._value) if self._kind == "address" else str(self._value)
