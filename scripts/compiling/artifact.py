"""The artifact: what the ledger's client knows of the contracts, made from their sources alone."""

import json
from typing import Any

from scripts.compiling import compiler, packages
from scripts.compiling.sources import ROOT, collect, digest

PATH = ROOT / "marketplace" / "ledger" / "artifact.json"

_NAMES = ("Marketplace", "Permits", "Providers", "Licences", "Checks", "TestEuro")
ENTRIES = {name: f"contracts/{name}.sol" for name in _NAMES}
_ENUMS = ("contracts/IBooks.sol", "contracts/IMarketplace.sol")


def build() -> str:
    """The artifact's text, the same on every machine."""
    packages.install()
    sources = collect(ENTRIES.values())
    answer = compiler.compile_sources(sources, set(ENTRIES.values()))
    return _text(
        {
            "format": "agora/artifact/1",
            "compiler": {"version": compiler.version(), "settings": compiler.SETTINGS},
            "sources": {"sha256": digest(sources), "paths": list(sources)},
            "enums": enums([answer["sources"][path]["ast"] for path in _ENUMS]),
            "contracts": {name: _contract(answer["contracts"][path][name]) for name, path in ENTRIES.items()},
        }
    )


def enums(node: Any) -> dict[str, list[str]]:
    """Members, in order, of every enum in a syntax tree, by the enum's name."""
    found: dict[str, list[str]] = {}
    if isinstance(node, dict):
        if node.get("nodeType") == "EnumDefinition":
            found[node["name"]] = [member["name"] for member in node["members"]]
        for child in node.values():
            found |= enums(child)
    elif isinstance(node, list):
        for child in node:
            found |= enums(child)
    return found


def _contract(compiled: dict[str, Any]) -> dict[str, Any]:
    code = compiled["evm"]
    return {
        "abi": compiled["abi"],
        "runtime_bytes": len(code["deployedBytecode"]["object"]) // 2,
        "bytecode": "0x" + code["bytecode"]["object"],
    }


def _text(artifact: dict[str, Any]) -> str:
    """JSON for reading and comparing: one line for each entry of an interface."""
    lines: list[str] = []
    _write(artifact, "", "", lines)
    return "\n".join(lines) + "\n"


def _write(value: Any, before: str, after: str, lines: list[str]) -> None:
    indent = before[: len(before) - len(before.lstrip())]
    is_entry = isinstance(value, dict) and "type" in value
    if not isinstance(value, dict | list) or not value or is_entry:
        lines.append(f"{before}{json.dumps(value)}{after}")
        return
    brackets = "{}" if isinstance(value, dict) else "[]"
    lines.append(f"{before}{brackets[0]}")
    pairs = [(f"{json.dumps(key)}: ", item) for key, item in value.items()] if isinstance(value, dict) else None
    items = pairs if pairs is not None else [("", item) for item in value]
    for position, (label, item) in enumerate(items):
        _write(item, f"{indent}  {label}", "," if position < len(items) - 1 else "", lines)
    lines.append(f"{indent}{brackets[1]}{after}")
