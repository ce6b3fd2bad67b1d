"""The compiled contracts as this package needs them: creation code, interface and the hash of the sources."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any

from web3 import Web3

from marketplace.errors import Corrupt

FORMAT = "agora/artifact/1"


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name, its type with every struct spelled out, as in `(bytes32,address)[]`, its fields' names."""

    name: str
    type: str
    indexed: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function of a contract. `selector`: the 4 bytes that its calldata begins with."""

    name: str
    selector: bytes
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]


@dataclass(frozen=True)
class Entry:
    """An event or an error. `key`: the 32 bytes of an event's first topic, or the 4 bytes that an error begins with."""

    name: str
    key: bytes
    inputs: tuple[Parameter, ...]


@dataclass(frozen=True)
class Compiled:
    """One compiled contract: creation code, functions by name, events by topic, errors by selector.

    Of several functions of one name, it has the one with the most parameters.
    """

    creation: bytes = field(repr=False)
    functions: Mapping[str, Function] = field(repr=False)
    events: Mapping[bytes, Entry] = field(repr=False)
    errors: Mapping[bytes, Entry] = field(repr=False)


@dataclass(frozen=True)
class Artifact:
    """All contracts. `source_hash`: SHA-256 of their sources. `enums`: the members of every enum, in order."""

    marketplace: Compiled
    permits: Compiled
    providers: Compiled
    licences: Compiled
    checks: Compiled
    euro: Compiled
    source_hash: bytes
    enums: Mapping[str, tuple[str, ...]]

    @cached_property
    def errors(self) -> Mapping[bytes, Entry]:
        """The errors of all contracts by selector."""
        contracts = (self.euro, self.licences, self.providers, self.permits, self.checks, self.marketplace)
        return {key: entry for contract in contracts for key, entry in contract.errors.items()}


@cache
def load() -> Artifact:
    """The artifact that comes with this package. Raises `Corrupt` if it is of another format."""
    document = json.loads(resources.files(__package__).joinpath("artifact.json").read_text())
    if document.get("format") != FORMAT:
        raise Corrupt(f"expected an artifact {FORMAT}, got {document.get('format')!r}; install this program again")
    contracts = {name: _compiled(contract) for name, contract in document["contracts"].items()}
    return Artifact(
        marketplace=contracts["Marketplace"],
        permits=contracts["Permits"],
        providers=contracts["Providers"],
        licences=contracts["Licences"],
        checks=contracts["Checks"],
        euro=contracts["TestEuro"],
        source_hash=bytes.fromhex(document["sources"]["sha256"]),
        enums={name: tuple(members) for name, members in document["enums"].items()},
    )


def _compiled(contract: Mapping[str, Any]) -> Compiled:
    functions: dict[str, Function] = {}
    events, errors = {}, {}
    for item in contract["abi"]:
        inputs = _parameters(item["inputs"])
        match item["type"]:
            case "function":
                selector = _hash(item["name"], inputs)[:4]
                known = functions.get(item["name"])
                if known is None or len(known.inputs) < len(inputs):
                    functions[item["name"]] = Function(item["name"], selector, inputs, _parameters(item["outputs"]))
            case "event":
                topic = _hash(item["name"], inputs)
                events[topic] = Entry(item["name"], topic, inputs)
            case "error":
                selector = _hash(item["name"], inputs)[:4]
                errors[selector] = Entry(item["name"], selector, inputs)
    return Compiled(bytes.fromhex(contract["bytecode"].removeprefix("0x")), functions, events, errors)


def _parameters(items: Sequence[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name=item["name"],
            type=_type(item),
            indexed=item.get("indexed", False),
            parts=tuple(part["name"] for part in item.get("components", ())),
        )
        for item in items
    )


def _type(item: Mapping[str, Any]) -> str:
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def _hash(name: str, inputs: Sequence[Parameter]) -> bytes:
    return bytes(Web3.keccak(text=f"{name}({','.join(parameter.type for parameter in inputs)})"))
