"""Settings of one role: one TOML file, overridden by `AGORA_*`, made into a frozen value at the edge."""

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.errors import Invalid


@dataclass(frozen=True)
class Connection:
    """Which ledger and which store a role talks to.

    `rpc`: URL of an EVM node. `contract`: the marketplace's address. `chain_id`: the chain it must be on; None takes any.
    `store`: address of a content store (`content.address`); None for none. `confirmations`: how many blocks must follow
    before an event counts. `from_block`: where the contract's events begin.
    """

    rpc: str | None = None
    contract: str | None = None
    chain_id: int | None = None
    store: str | None = None
    confirmations: int = 0
    from_block: int = 0


_WHOLE = ("chain_id", "confirmations", "from_block")
_TEXT = ("rpc", "contract", "store")
_MOST_DIGITS = 20


def read_connection(path: Path, environment: Mapping[str, str], beside: Collection[str] = ()) -> Connection:
    """The connection that the TOML file at `path` sets, if it is there, overridden by `AGORA_RPC`, `AGORA_CONTRACT`,
    `AGORA_CHAIN_ID`, `AGORA_STORE`, `AGORA_CONFIRMATIONS` and `AGORA_FROM_BLOCK`.

    `beside`: further names in the file, which the role reads by itself.
    Raises `Invalid` for a file that is no TOML, an unknown name, or a value of the wrong kind; values are not shown.
    """
    values: dict[str, object] = dict(read_table(path))
    for name in (*_TEXT, *_WHOLE):
        if (given := environment.get(f"AGORA_{name.upper()}")) is not None:
            values[name] = _whole(name, given) if name in _WHOLE else given
    unknown = sorted(set(values) - set(_TEXT) - set(_WHOLE) - set(beside))
    if unknown:
        raise Invalid(f"expected only known settings in {path.name}, got {', '.join(unknown)}; remove them")
    texts = {name: text_or_none(name, values.get(name)) for name in _TEXT}
    whole = {name: _whole(name, values[name]) for name in _WHOLE if name in values}
    return Connection(
        rpc=texts["rpc"],
        contract=texts["contract"],
        store=texts["store"],
        chain_id=whole.get("chain_id"),
        confirmations=whole.get("confirmations", 0),
        from_block=whole.get("from_block", 0),
    )


def read_table(path: Path) -> Mapping[str, object]:
    """The names and values of a TOML file; nothing if it is not there. Raises `Invalid` if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise Invalid(f"expected settings in TOML in {path.name}, could not read them; mend the file") from None


def write_connection(connection: Connection) -> str:
    """The TOML text from which `read_connection` gives `connection` back."""
    lines = []
    for name in (*_TEXT, *_WHOLE):
        value = getattr(connection, name)
        if value is not None:
            lines.append(f"{name} = {_quoted(value) if name in _TEXT else value}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string. JSON's is one too, but for the one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def text_or_none(name: str, value: object) -> str | None:
    """The text of a setting, if it is set. Raises `Invalid`, naming it, if it is no text."""
    if value is not None and not isinstance(value, str):
        raise Invalid(f"expected text for the setting {name}; put it into quotes")
    return value


def _whole(name: str, value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise Invalid(f"expected a whole number of 0 or more for the setting {name}")
    return int(text)
