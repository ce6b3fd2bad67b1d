"""Outcomes that are known already, kept by the hash of all that they depend on."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from scripts.compiling import compiler
from scripts.compiling.sources import CONTRACTS, collect
from scripts.faulting.fault import Fault, Outcome, Verdict
from scripts.faulting.workbench import FUZZ_RUNS, LEFT_OUT, SETTINGS

PRODUCT = ("contracts/Marketplace.sol", "contracts/TestEuro.sol")


def key(fault: Fault) -> str:
    """The hash of the fault, of the product's sources, of the tests that can notice it and of what these are made with."""
    doubles = [path.relative_to(CONTRACTS).as_posix() for path in CONTRACTS.glob("test-doubles/*.sol")]
    used = [f"contracts/{name}" for name in doubles if name not in LEFT_OUT]
    tests = [f"contracts/test/{name}.t.sol" for name in fault.tests]
    sources = collect([*PRODUCT, *used, *tests])
    parts = [fault.file, fault.text, fault.replacement, *fault.tests, SETTINGS, str(FUZZ_RUNS), compiler.version()]
    return hashlib.sha256(json.dumps([parts, sources]).encode()).hexdigest()


@dataclass
class Memory:
    """A file of outcomes by key. Only faults that were caught are kept: any other outcome is looked at again."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def find(self, known: str) -> Outcome | None:
        """The outcome with this key, if it was kept."""
        words = self._read().get(known)
        return None if words is None else Outcome(Verdict.CAUGHT, words)

    def keep(self, known: str, outcome: Outcome) -> None:
        """Keep an outcome for later runs."""
        if outcome.verdict is not Verdict.CAUGHT:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            written = self.path.with_suffix(".fresh")
            written.write_text(json.dumps({**self._read(), known: outcome.words}, indent=1))
            written.replace(self.path)

    def _read(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        kept: dict[str, str] = json.loads(self.path.read_text())
        return kept
