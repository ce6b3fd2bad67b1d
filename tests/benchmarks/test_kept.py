"""Runs that are kept: made once, gone on with, tried again with a longer limit, marked as what they are."""

import json
import math
import sys
from pathlib import Path

import pandas as pd
import pytest

from scripts.benchmarks.peers import kept
from scripts.benchmarks.peers.environment import Peer
from scripts.benchmarks.peers.kept import is_kept, key_of, remembered, run

TABLE = pd.DataFrame({"age": [40, -1, 60], "sex": [0, 1, 1]})
COPYING = """
import json, shutil, sys
task = json.loads(open(sys.argv[1]).read())
shutil.copy(task["table"], task["out"])
print("a library says something")
print(json.dumps({"fit_s": 1.5, "note": "as it came"}))
"""
BURNING = "while True: pass"
FAILING = "raise SystemExit(3)"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(kept, "python_of", lambda _: Path(sys.executable))
    return tmp_path


def peer(folder: Path, program: str) -> Peer:
    """A library whose program is this text."""
    path = folder / "peer.py"
    path.write_text(program)
    return Peer("some", str(path), (), ("some==1",), "MIT")


def test_work_is_done_once_for_a_task_whatever_the_order_of_its_parts() -> None:
    done: list[int] = []

    def work() -> int:
        done.append(1)
        return len(done)

    assert not is_kept({"a": 1, "b": 2})
    assert remembered({"a": 1, "b": 2}, work) == (1, False)
    assert remembered({"b": 2, "a": 1}, work) == (1, True)
    assert is_kept({"b": 2, "a": 1}) and key_of({"a": 1}) != key_of({"a": 2})
    assert remembered({"a": 1}, work) == (2, False)


def test_work_that_fails_is_not_kept_and_tried_again() -> None:
    assert remembered({"a": 1}, lambda: None) == (None, False)
    assert remembered({"a": 1}, lambda: 7) == (7, False)


def test_a_peers_table_comes_back_coded_and_is_marked_as_kept_the_second_time(folder: Path) -> None:
    copying = peer(folder, COPYING)
    first = run(copying, TABLE, {"method": "copy"}, 60, math.inf)
    again = run(copying, TABLE, {"method": "copy"}, 60, math.inf)
    assert first.table is not None and again.table is not None
    assert first.table.to_numpy().tolist() == again.table.to_numpy().tolist() == TABLE.to_numpy().tolist()
    assert (first.kept, again.kept) == (False, True)
    assert (first.processor_s, first.note) == (again.processor_s, again.note) == (1.5, "as it came")
    other = run(copying, TABLE.iloc[:2], {"method": "copy"}, 60, math.inf)
    assert not other.kept


def test_a_peer_that_is_not_done_within_its_limit_is_kept_as_such_and_tried_again_with_a_longer_one(
    folder: Path,
) -> None:
    burning = peer(folder, BURNING)
    found = run(burning, TABLE, {}, 1, math.inf)
    assert found.table is None and "not done after" in found.note and not found.kept
    again = run(burning, TABLE, {}, 1, math.inf)
    assert again.table is None and again.kept and again.processor_s == found.processor_s
    longer = run(peer(folder, COPYING), TABLE, {}, 60, math.inf)
    assert longer.table is not None and not longer.kept


def test_without_time_nothing_is_started_and_what_fails_is_not_kept(folder: Path) -> None:
    assert "no time left" in run(peer(folder, COPYING), TABLE, {}, 60, 10).note
    assert run(peer(folder, FAILING), TABLE, {}, 60, math.inf).note == "ended with 3"
    assert run(peer(folder, COPYING), TABLE, {}, 60, math.inf).kept is False
    assert not [path for path in (folder / "kept").iterdir() if path.name.endswith((".in.csv", ".task.json", ".part"))]


def test_what_is_kept_says_what_it_was_a_run_of(folder: Path) -> None:
    remembered({"a": [1]}, lambda: {"x": 0.5})
    (path,) = (folder / "kept").iterdir()
    assert json.loads(path.read_text()) == {"task": {"a": [1]}, "value": {"x": 0.5}}
