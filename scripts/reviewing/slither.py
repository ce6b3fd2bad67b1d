"""Slither at its pinned version, in an environment of its own, on the sources as the compiler gets them."""

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.compiling import compiler, packages
from scripts.compiling.sources import PACKAGES, ROOT, collect
from scripts.reviewing.page import Finding

VERSIONS = {"slither-analyzer": "0.11.6", "crytic-compile": "0.4.2"}
WANTED = ("contracts/Marketplace.sol", "contracts/TestEuro.sol")
"""These and what they import are all of the product's contracts."""

_HOME = ROOT / ".tools" / "slither"
_BELOW = {"Informational", "Optimization"}
_OUTPUTS = ["abi", "devdoc", "userdoc", "evm.bytecode", "evm.deployedBytecode"]


def product() -> frozenset[Finding]:
    """What Slither finds above informational in the product's contracts; what lies in packages alone is left out."""
    packages.install()
    sources = collect(WANTED)
    return find({name.removeprefix("contracts/"): text for name, text in sources.items()})


def find(sources: Mapping[str, str]) -> frozenset[Finding]:
    """What Slither finds above informational in these sources.

    Raises `RuntimeError` where it does not come to an end, or the sources do not compile.
    """
    program = install()
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(sources, Path(folder))
        task, answer = Path(folder, "task.json"), Path(folder, "answer.json")
        task.write_text(json.dumps(_task(sources)))
        command: list[str | Path] = [program, "-m", "slither", task, "--compile-force-framework", "solc-json"]
        command += ["--solc", compiler.executable(), "--filter-paths", "node_modules", "--json", answer]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        told = json.loads(answer.read_text()) if answer.exists() else {"success": False}
    if not told["success"]:
        raise RuntimeError(f"expected Slither to look at all sources, it said:\n{done.stdout}{done.stderr}")
    return frozenset(_finding(entry) for entry in _entries(told) if entry["impact"] not in _BELOW)


def install() -> Path:
    """The interpreter of Slither's own environment, made on first use."""
    wanted = [f"{name}=={version}" for name, version in VERSIONS.items()]
    stamp, program = _HOME / "installed.json", _HOME / "bin" / "python"
    _HOME.parent.mkdir(exist_ok=True)
    with Path(f"{_HOME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or json.loads(stamp.read_text()) != wanted:
            print("slither: installing it into .tools/slither (once)", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", _HOME], check=True)
            pip: list[str | Path] = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *wanted], check=True, stdout=sys.stderr)
            stamp.write_text(json.dumps(wanted))
    return program


def _lay_out(sources: Mapping[str, str], folder: Path) -> None:
    """Our own sources as files, for Slither quotes them, and the packages beside them."""
    (folder / "node_modules").symlink_to(PACKAGES)
    for name, text in sources.items():
        if not name.startswith("@"):
            (folder / name).write_text(text)


def _task(sources: Mapping[str, str]) -> dict[str, Any]:
    """What the compiler is asked: syntax trees and unoptimised code, for Slither reads the former alone."""
    selection = {"*": {"*": _OUTPUTS, "": ["ast"]}}
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {"evmVersion": compiler.SETTINGS["evmVersion"], "outputSelection": selection},
    }


def _entries(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told["results"].get("detectors", [])
    return found


def _finding(entry: Mapping[str, Any]) -> Finding:
    return Finding(entry["check"], ".".join(_names(entry["elements"][0])))


def _names(element: Mapping[str, Any]) -> list[str]:
    """The names of what an element stands in, from the contract on, and its own."""
    owner = element.get("type_specific_fields", {}).get("parent")
    within = _names(owner) if owner and owner["type"] in ("contract", "function") else []
    return [*within, element["name"]]
