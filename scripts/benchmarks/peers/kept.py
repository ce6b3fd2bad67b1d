"""Runs of peers and of ours, each kept once per machine under what it was a run of."""

import hashlib
import json
import math
import os
import resource
import signal
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

    `processor_s`: of the fit and the drawing of rows. `wall_s`: of the whole program. `kept`: whether it is from an
    earlier time.
    """

    table: pd.DataFrame | None
    processor_s: float
    wall_s: float
    note: str
    kept: bool


def key_of(task: Mapping[str, Any]) -> str:
    """The name under which a run is kept: a hash of all that defines it."""
    return hashlib.sha256(json.dumps(task, sort_keys=True).encode()).hexdigest()[:24]


def is_kept(task: Mapping[str, Any]) -> bool:
    """Whether a value is kept for `task`."""
    return (KEPT / f"{key_of(task)}.json").exists()


def remembered(task: Mapping[str, Any], work: Callable[[], Any]) -> tuple[Any, bool]:
    """The JSON value that `work` gives for `task`, and whether it was kept from an earlier time. None, which stands for work
    that failed, is not kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{key_of(task)}.json"
    if path.exists():
        return json.loads(path.read_text())["value"], True
    value = work()
    if value is not None:
        _write(path, json.dumps({"task": task, "value": value}))
    return value, False


def run(peer: Peer, table: pd.DataFrame, task: Mapping[str, Any], limit_s: float, seconds_left: float) -> Run:
    """The peer's answer to `task` on the coded `table`, within `limit_s` of one processor; nothing is started without time.

    `seconds_left`: on the clock. A run that does not finish is kept as such, and tried again with a longer limit.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    data = table.to_csv(index=False)
    key = key_of({**task, "peer": [peer.name, *peer.packages], "table": hashlib.sha256(data.encode()).hexdigest()})
    outcome, made = KEPT / f"{key}.json", KEPT / f"{key}.csv"
    if outcome.exists():
        found = json.loads(outcome.read_text())
        if found["finished"]:
            return Run(_read(made, table), found["processor_s"], found["wall_s"], found["note"], True)
        if found["limit_s"] >= limit_s:
            return Run(None, found["processor_s"], found["wall_s"], _unfinished(found), True)
    if seconds_left < limit_s / 4:
        return Run(None, 0.0, 0.0, "not started: no time left; run with --full", False)
    python = python_of(peer)
    if python is None:
        return Run(None, 0.0, 0.0, "its environment could not be installed", False)
    source, wishes = KEPT / f"{key}.in.csv", KEPT / f"{key}.task.json"
    source.write_text(pd.DataFrame(table).astype("Int64").where(table >= 0).to_csv(index=False))
    wishes.write_text(json.dumps({**task, "table": str(source), "out": str(made)}))
    command = [str(python), str(Path(__file__).parent / peer.program), str(wishes)]
    start_s, before_s = time.monotonic(), _children_s()
    try:
        done = subprocess.run(
            ["prlimit", f"--cpu={math.ceil(limit_s)}", *command], capture_output=True, text=True, check=False,
            timeout=None if math.isinf(seconds_left) else seconds_left, env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        returned = done.returncode
    except subprocess.TimeoutExpired:
        return Run(
            None, _children_s() - before_s, time.monotonic() - start_s, "stopped: no time left; run with --full", False
        )
    finally:
        source.unlink()
        wishes.unlink()
    wall_s = time.monotonic() - start_s
    if returned in (-signal.SIGXCPU, -signal.SIGKILL):
        found = {"finished": False, "limit_s": limit_s, "processor_s": _children_s() - before_s, "wall_s": wall_s}
        _write(outcome, json.dumps(found))
        return Run(None, found["processor_s"], wall_s, _unfinished(found), False)
    if returned:
        return Run(None, 0.0, wall_s, f"ended with {returned}", False)
    said = json.loads(done.stdout.strip().splitlines()[-1])
    found = {"finished": True, "processor_s": said["fit_s"], "wall_s": wall_s, "note": said.get("note", "")}
    _write(outcome, json.dumps(found))
    return Run(_read(made, table), said["fit_s"], wall_s, found["note"], False)


def _unfinished(found: Mapping[str, float]) -> str:
    return f"not done after {found['processor_s']:.0f} s of the processor, {found['wall_s']:.0f} s on the clock"


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(path: Path, like: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(path)[list(like.columns)].fillna(-1).astype("int64")


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
