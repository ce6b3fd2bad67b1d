"""Runs of peers and of ours, each kept once per machine under what it was a run of."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.benchmarks.peers.environment import FOLDER, Peer, python_of

KEPT = FOLDER / "kept"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Run:
    """One peer's run. `table`: what it made, codes with -1 for missing; None where there is none, and `note` says why.

    `kept`: whether it is from an earlier time.
    """

    table: pd.DataFrame | None
    seconds: float
    note: str
    kept: bool


def key_of(task: Mapping[str, Any]) -> str:
    """The name under which a run is kept: a hash of all that defines it."""
    return hashlib.sha256(json.dumps(task, sort_keys=True).encode()).hexdigest()[:24]


def remembered(task: Mapping[str, Any], work: Callable[[], Any]) -> tuple[Any, bool]:
    """The JSON value that `work` gives for `task`, and whether it was kept from an earlier time."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{key_of(task)}.json"
    if path.exists():
        return json.loads(path.read_text())["value"], True
    value = work()
    _write(path, json.dumps({"task": task, "value": value}))
    return value, False


def run(peer: Peer, table: pd.DataFrame, task: Mapping[str, Any], limit_s: float, seconds_left: float) -> Run:
    """The peer's answer to `task` on the coded `table`, at most `limit_s` long; nothing is started without time left.

    A run that does not finish is kept as such, and tried again with a longer limit.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    data = table.to_csv(index=False)
    key = key_of({**task, "peer": [peer.name, *peer.packages], "table": hashlib.sha256(data.encode()).hexdigest()})
    outcome, made = KEPT / f"{key}.json", KEPT / f"{key}.csv"
    if outcome.exists():
        found = json.loads(outcome.read_text())
        if found["finished"]:
            return Run(_read(made, table), found["seconds"], found["note"], True)
        if found["limit_s"] >= limit_s:
            return Run(None, found["limit_s"], f"not done after {found['limit_s']:.0f} s", True)
    if seconds_left < limit_s / 4:
        return Run(None, 0.0, "not started: no time left; run with --full", False)
    python = python_of(peer)
    if python is None:
        return Run(None, 0.0, "its environment could not be installed", False)
    limit_s = min(limit_s, seconds_left)
    source, wishes = KEPT / f"{key}.in.csv", KEPT / f"{key}.task.json"
    source.write_text(pd.DataFrame(table).astype("Int64").where(table >= 0).to_csv(index=False))
    wishes.write_text(json.dumps({**task, "table": str(source), "out": str(made)}))
    program = Path(__file__).parent / peer.program
    start_s = time.monotonic()
    try:
        done = subprocess.run(
            [str(python), str(program), str(wishes)],
            capture_output=True, text=True, check=False, timeout=limit_s, env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        _write(outcome, json.dumps({"finished": False, "limit_s": limit_s}))
        return Run(None, limit_s, f"not done after {limit_s:.0f} s", False)
    finally:
        source.unlink()
        wishes.unlink()
    if done.returncode:
        return Run(None, time.monotonic() - start_s, f"ended with {done.returncode}", False)
    said = json.loads(done.stdout.strip().splitlines()[-1])
    _write(outcome, json.dumps({"finished": True, "seconds": said["fit_s"], "note": said.get("note", "")}))
    return Run(_read(made, table), said["fit_s"], said.get("note", ""), False)


def _read(path: Path, like: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(path)[list(like.columns)].fillna(-1).astype("int64")


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
