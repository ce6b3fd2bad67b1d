"""A copy of the contracts and their tests in which the code of one contract with a fault at a time is looked at.

The copy compiles by the legacy pipeline without the optimizer: a fault needs seconds instead of a minute, and what a
contract does is the same. The tests know the contracts by their interfaces and deploy them by name, so a fault changes
the code that is deployed and nothing else is compiled again.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.compiling import compiler
from scripts.compiling.sources import CONTRACTS, PACKAGES, ROOT
from scripts.faulting.fault import Fault, Outcome, Verdict
from scripts.faulting.faulty import DEPLOYED, Compiler

FUZZ_RUNS = 32
"""How often a test with random arguments is tried; the seed is fixed, so that an outcome can be kept."""

FOLDERS = ("test", "test-doubles")
LEFT_OUT = ("test/campaign", "test-doubles/OpenBooks.sol")
SETTINGS = """\
[profile.default]
src = "."
test = "test"
script = "test"
libs = ["node_modules"]
remappings = ["@openzeppelin/=node_modules/@openzeppelin/"]
auto_detect_remappings = false
skip = ["node_modules/**"]
out = "out"
cache_path = "cache"
offline = true
evm_version = "%s"
optimizer = false
code_size_limit = 1000000
bytecode_hash = "none"
cbor_metadata = false

[lint]
lint_on_build = false
"""


@dataclass(frozen=True)
class Workbench:
    """A folder of its own for one fault at a time. What was compiled there before and has not changed is kept."""

    folder: Path

    def lay_out(self) -> None:
        """Bring the copy to what the contracts and tests are now. Code that an interrupted trial has left is forgotten."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in DEPLOYED:
            shutil.rmtree(self.folder / "out" / Path(name).name, ignore_errors=True)
        wanted = dict(_copied())
        for path in [
            *self.folder.glob("*.sol"),
            *(path for name in FOLDERS for path in self.folder.glob(f"{name}/**/*.sol")),
        ]:
            if path.relative_to(self.folder).as_posix() not in wanted:
                path.unlink()
        for name, text in wanted.items():
            _write(self.folder / name, text)
        _write(self.folder / "foundry.toml", SETTINGS % compiler.SETTINGS["evmVersion"])
        if not (self.folder / "node_modules").is_symlink():
            (self.folder / "node_modules").symlink_to(PACKAGES)

    def clear(self) -> None:
        """Forget the copy and all that was compiled of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def failures(self, tests: Iterable[str]) -> list[str]:
        """The names of the tests in these files that fail here as it is.

        Raises `ValueError` where a file has no tests or what is here does not compile.
        """
        paths = [f"test/{name}.t.sol" for name in tests]
        command: list[str | Path] = [ROOT / "scripts" / "forge", "test", "--root", self.folder, "--json"]
        command += ["--match-path", f"{{{','.join(paths)}}}", "--fuzz-runs", str(FUZZ_RUNS), "--fuzz-seed", "1"]
        environment = {**os.environ, "FOUNDRY_SOLC": str(compiler.executable()), "FOUNDRY_PROFILE": "default"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if not done.stdout.startswith("{"):
            raise ValueError(f"expected results from forge, got {_end(done.stdout)} {_end(done.stderr)}")
        answer = json.loads(done.stdout)
        missing = [path for path in paths if not any(suite.split(":")[0] == path for suite in answer)]
        if missing:
            raise ValueError(f"expected tests in {', '.join(missing)}, found none")
        return [name for suite in answer.values() for name in _failing(suite)]

    def attempt(self, fault: Fault, compiler: Compiler) -> Outcome:
        """See whether its tests notice a fault. What is here is compiled; it is as before when this returns."""
        try:
            with self._deploying(compiler.code(fault)):
                caught = self.failures(fault.tests)
        except ValueError as problem:
            return Outcome(Verdict.NOT_TRIED, str(problem))
        return Outcome(Verdict.CAUGHT if caught else Verdict.SURVIVED, ", ".join(sorted(caught)))

    @contextmanager
    def _deploying(self, codes: Mapping[str, str]) -> Iterator[None]:
        """The tests deploy other code, by file and contract."""
        paths = {self.folder / "out" / f"{name.replace(':', '/')}.json": code for name, code in codes.items()}
        sound = {path: path.read_text() for path in paths}
        try:
            for path, code in paths.items():
                compiled = json.loads(sound[path])
                compiled["bytecode"]["object"] = f"0x{code}"
                path.write_text(json.dumps(compiled))
            yield
        finally:
            for path, text in sound.items():
                path.write_text(text)


def _copied() -> Iterable[tuple[str, str]]:
    paths = [*CONTRACTS.glob("*.sol"), *(path for name in FOLDERS for path in CONTRACTS.glob(f"{name}/**/*.sol"))]
    for path in paths:
        name = path.relative_to(CONTRACTS).as_posix()
        if not name.startswith(LEFT_OUT):
            yield name, path.read_text()


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _failing(suite: dict[str, Any]) -> Iterable[str]:
    return (name.split("(")[0] for name, result in suite["test_results"].items() if result["status"] == "Failure")


def _end(text: str) -> str:
    return " ".join(text.split())[-600:]
