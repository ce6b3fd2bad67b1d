"""`scripts/bench`: which benchmarks there are, how they are named, and what a failure does."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks import __main__ as bench

ROOT = Path(__file__).parents[2]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[tuple[str, list[str]]]:
    """Which benchmarks these words start, each with its options."""
    started: list[tuple[str, list[str]]] = []

    def told(name: str, options: list[str], kept: bool) -> str:
        started.append((name, options))
        assert kept is ("--json" in options)
        return "{}"

    monkeypatch.setattr(sys, "argv", ["bench", *words])
    monkeypatch.setattr(bench, "run", told)
    bench.main()
    return started


def test_all_are_run_in_turn_and_one_takes_options_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name, _ in run(monkeypatch)] == list(bench.NAMES)
    assert run(monkeypatch, "gas", "audit", "--json") == [("gas", ["--json"]), ("audit", ["--json"])]
    assert run(monkeypatch, "synthesis", "--full", "lung") == [("synthesis", ["--full", "lung"])]
    assert run(monkeypatch, "mpc", "linkage", "--json") == [("mpc", ["linkage", "--json"])]


@pytest.mark.parametrize("words", [("speed",), ("gas", "audit", "--full")])
def test_an_unknown_name_or_options_for_several_end_it(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="expected names among gas"):
        run(monkeypatch, *words)


def test_each_has_a_module_and_a_failure_is_not_passed_over() -> None:
    with pytest.raises(SystemExit, match="expected the benchmark attacks to end well"):
        bench.run("attacks", ["--no-such-option"], kept=True)


def test_lines_are_there_as_soon_as_they_are_printed(tmp_path: Path) -> None:
    """Though only a pipe reads them, and the benchmark goes on until it is ended."""
    (tmp_path / "scripts" / "benchmarks").mkdir(parents=True)
    (tmp_path / "scripts" / "benchmarks" / "slow.py").write_text("import time; print('first'); time.sleep(600)")
    begun = "from scripts.benchmarks.__main__ import run; run('slow', [], kept=False)"
    own = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(
        [sys.executable, "-c", begun], stdout=subprocess.PIPE, env={**os.environ, **own}, start_new_session=True
    ) as running:
        try:
            assert select.select([running.stdout], [], [], 300.0)[0]
        finally:
            os.killpg(running.pid, signal.SIGKILL)
