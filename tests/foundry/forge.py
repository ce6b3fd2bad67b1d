"""Forge's tests of the contracts, and what came of each."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "contracts" / "test"
FILES = sorted(path.relative_to(TESTS.parent).as_posix() for path in TESTS.rglob("*.t.sol"))


@dataclass(frozen=True)
class Outcome:
    """One test. `problem`: what went wrong and for which arguments or calls; empty where it passed."""

    file: str
    name: str
    problem: str


def run(*arguments: str, profile: str = "default") -> list[Outcome]:
    """Runs `forge test` with more arguments. Raises `AssertionError` where the tests do not compile."""
    done = subprocess.run(
        [ROOT / "scripts" / "forge", "test", "--json", *arguments],
        env={**os.environ, "FOUNDRY_PROFILE": profile},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), f"expected results from forge, got {done.stdout[-4_000:]}{done.stderr[-8_000:]}"
    return list(_outcomes(json.loads(done.stdout)))


def _outcomes(answer: dict[str, Any]) -> Iterator[Outcome]:
    for suite, results in answer.items():
        for name, result in results["test_results"].items():
            passed = result["status"] == "Success"
            found = json.dumps(result["counterexample"], indent=1) if result["counterexample"] else ""
            yield Outcome(suite.split(":")[0], name, "" if passed else f"{result['reason']}\n{found}")
