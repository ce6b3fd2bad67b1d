"""Running the demo: as a process of its own, or in this one where it is refused early."""

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from typer.testing import CliRunner

from scripts.story.__main__ import app
from tests.commands import market as commands
from tests.commands.market import environment

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ran(commands.Ran):
    """How the demo ended and what it said."""

    def error(self) -> str:
        """The one line that says what went wrong, and the last."""
        line = super().error()
        assert line == self.err.splitlines()[-1]
        return line


def run(*arguments: str, cwd: Path, timeout_s: float = 1_800) -> Ran:
    """`scripts/demo` without its set-up, started in `cwd`."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.story", *arguments],
        cwd=ROOT,
        env=environment({"AGORA_DEMO_FOLDER": str(cwd), "TMPDIR": str(cwd)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def call(*arguments: str, cwd: Path) -> Ran:
    """The same in this process, for what ends before anything runs for long."""
    result = CliRunner(env={"AGORA_DEMO_FOLDER": str(cwd)}).invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A CSV file of these rows, header first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def good_rows(count: int = 300) -> list[list[object]]:
    """A header and rows that can be sold as they are."""
    choices = Random(7)
    rows: list[list[object]] = [["sex", "age", "ward", "score"]]
    for _ in range(count):
        score = choices.randrange(10) if choices.random() > 0.1 else ""
        rows.append([choices.choice("fm"), choices.randrange(90), choices.choice(["a", "b", "c"]), score])
    return rows
