"""Every error of the contracts as one class of the error tree and one line for a person."""

from datetime import UTC, datetime
from typing import Any

from marketplace.errors import MarketplaceError, Refused
from marketplace.ledger import artifact
from marketplace.ledger.abi import decode, member
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.chain import Revert
from marketplace.ledger.wording import WORDING
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.states import OrderState, Reason

_PANIC = bytes.fromhex("4e487b71")
MESSAGE = bytes.fromhex("08c379a0")
_LAST_SECOND = 253_402_300_799


def refusal(data: bytes) -> MarketplaceError:
    """What to raise for a call that a contract undid, giving `data` as its reason. Its `Revert` belongs into the cause."""
    entry = artifact.load().errors.get(data[:4])
    if entry is not None and entry.name in WORDING:
        kind, text = WORDING[entry.name]
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
    """One argument of an error, which a text can show as it is, or as `euro`, `time`, `state`, `reason` or `word`."""

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
            case "word":
                return " ".join(self._value.rstrip(b"\0").decode("ascii", "replace").split())
        if self._kind == "bytes32":
            return f"0x{self._value.hex()}"
        return checksummed(self._value) if self._kind == "address" else str(self._value)
