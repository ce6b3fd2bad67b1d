"""The compiler at its pinned version, with the settings that every build of the contracts uses."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import solcx
import solcx.install

from scripts.compiling import packages
from scripts.compiling.sources import CONTRACTS

SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": True,
}

_NPM_BUILD = Path(__file__).with_name("solc.cjs")


def version() -> str:
    """The pinned version, as contracts/package.json says it."""
    pinned: str = json.loads((CONTRACTS / "package.json").read_text())["dependencies"]["solc"]
    return pinned


def compile_sources(sources: Mapping[str, str], wanted: Collection[str]) -> dict[str, Any]:
    """The compiler's answer for `sources`, with code for the files `wanted`, with the syntax tree of all.

    Prints warnings. Raises `SolcError` where the sources do not compile.
    """
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"]
    selection = {name: {"": ["ast"], **({"*": outputs} if name in wanted else {})} for name in sources}
    task = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": selection},
    }
    answer: dict[str, Any] = solcx.compile_standard(task, solc_binary=executable())
    for problem in answer.get("errors", []):
        print(problem["formattedMessage"], file=sys.stderr)
    return answer


@cache
def executable() -> Path:
    """A compiler of the pinned version: a native one that py-solc-x has installed, or else the npm build.

    Raises `RuntimeError` if it answers with another version.
    """
    pinned = version()
    if any(str(installed) == pinned for installed in solcx.get_installed_solc_versions()):
        return solcx.install.get_executable(pinned)
    packages.install()
    answer = subprocess.run([_NPM_BUILD, "--version"], check=True, capture_output=True, text=True).stdout
    if f"Version: {pinned}+" not in answer:
        raise RuntimeError(f"expected the compiler {pinned}, got {answer.strip()!r}; remove contracts/node_modules")
    return _NPM_BUILD
