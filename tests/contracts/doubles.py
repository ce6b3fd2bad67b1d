"""Contracts that only tests need, compiled once for each text of their sources."""

import json
import os
from functools import cache
from typing import Any

from scripts.benchmarks.evm import Compiled
from scripts.compiling import compiler, packages
from scripts.compiling.sources import CONTRACTS, collect, digest

_CACHE = CONTRACTS / "cache"


def double(name: str) -> Compiled:
    """A contract of contracts/test-doubles, by its name."""
    entry = _compiled()[name]
    return Compiled(entry["abi"], bytes.fromhex(entry["bytecode"]))


@cache
def _compiled() -> Any:
    packages.install()
    names = {path.relative_to(CONTRACTS.parent).as_posix() for path in (CONTRACTS / "test-doubles").glob("*.sol")}
    sources = collect(names)
    kept = _CACHE / f"{digest({**sources, 'settings': json.dumps(compiler.SETTINGS)})}.json"
    if not kept.exists():
        files = compiler.compile_sources(sources, names)["contracts"]
        entries = {
            name: {"abi": contract["abi"], "bytecode": contract["evm"]["bytecode"]["object"]}
            for contracts in files.values()
            for name, contract in contracts.items()
        }
        _CACHE.mkdir(exist_ok=True)
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(entries))
        written.replace(kept)
    return json.loads(kept.read_text())
