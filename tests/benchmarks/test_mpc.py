"""The benchmark of joint analyses: wires that delay, sums that are right, pools that hold all records, plots of each part."""

import math
import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import FAR_MS, MEETING_WAITS
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.unit import PrivacyUnit
from scripts.benchmarks import mpc_closed, mpc_plot, mpc_regressions, mpc_sums, mpc_twin, mpc_unit
from scripts.benchmarks.entrants import Setting
from scripts.benchmarks.mpc_delay import Delays
from scripts.benchmarks.mpc_peer import run_stock
from scripts.benchmarks.mpc_runs import RELEASED
from scripts.benchmarks.mpc_twin import Pool
from scripts.benchmarks.peers import kept
from scripts.benchmarks.tables import Table
from tests.benchmarks.processes import runs
from tests.synthesis.examples import FEW, rows_of

RECORDS = Table("few", FEW, pd.DataFrame(rows_of(FEW, 600), columns=list(FEW.names)))


def test_a_wire_holds_every_byte_for_its_delay_and_loses_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Delays(0.2) as delays:
        port = delays.towards(listener.getsockname()[1])
        near = socket.create_connection(("127.0.0.1", port))
        far, _ = listener.accept()
        begun = time.monotonic()
        near.sendall(b"x" * 200_000)
        near.shutdown(socket.SHUT_WR)
        first, came = far.recv(1), time.monotonic()
        rest = b"".join(iter(lambda: far.recv(65_536), b""))
        assert came - begun >= 0.2 and len(first + rest) == 200_000
        begun = time.monotonic()
        far.sendall(b"y")
        assert near.recv(1) == b"y" and time.monotonic() - begun >= 0.2


def test_without_a_delay_there_is_no_wire_between() -> None:
    with Delays(0.0) as delays:
        assert delays.towards(4_321) == 4_321


def test_a_sum_of_four_parties_is_measured_and_a_delay_shows() -> None:
    here, far = mpc_sums.measure(100, 4), mpc_sums.measure(100, 4, delay_ms=100)
    assert (here.parties, here.cells, here.delay_ms) == (4, 100, 0)
    assert far.seconds >= 0.2 and far.meeting_s >= 0.2 and here.seconds > 0
    assert here.moved_mb == pytest.approx(3 * 2 * 100 * 8 / 1e6, rel=0.5)


@pytest.mark.parametrize(
    ("name", "predictors", "apart"),
    [("logistic", 20, 1e-4), ("cox", 20, 1e-4), ("closed logistic of 5", 5, 1e-2), ("closed cox of 5", 5, 1e-2)],
)
def test_a_regression_of_three_parties_is_measured_and_is_that_of_the_pooled_records(
    name: str, predictors: int, apart: float
) -> None:
    found = mpc_regressions.measure(name, tries=1)
    assert (found.rows, found.predictors, found.rounds) == (10_000, predictors, 8)
    assert found.apart < apart
    assert found.processor_s > 0 and found.seconds > 0 and 0 < found.moved_mb < 10


def test_an_analysis_of_the_closed_lane_is_measured_beside_its_quote_and_a_delay_shows() -> None:
    here, far = (mpc_closed.measure("table with chi-square", delay) for delay in (0, FAR_MS))
    assert here.waits == here.quoted_waits == far.waits == far.quoted_waits > 20
    assert here.moved_mb == pytest.approx(here.quoted_mb, rel=0.1)
    assert far.seconds > (far.waits - MEETING_WAITS) * FAR_MS / 1000 and far.quoted_s > here.quoted_s
    assert here.processor_s > 0


def test_every_record_is_dealt_to_one_hospital() -> None:
    pool = Pool.dealt(RECORDS, 3, 1)
    assert sorted(pd.concat(pool.parts).index) == list(range(600))
    assert pool.twin.rows_in_pool == 1
    assert Pool(RECORDS, pool.parts, 1, 30_000, PrivacyUnit.PERSON).twin.rows_in_pool == 3


def test_sums_of_one_process_are_those_of_real_parties_and_make_rows_of_the_schema() -> None:
    pool = Pool.dealt(RECORDS, 3, 1)
    made = pool.rows(pool.opened(1))
    assert list(made.columns) == list(FEW.names) and len(made) == 600

    class Alike:
        def distance(self, rows: pd.DataFrame) -> float:
            return float(np.mean(rows.to_numpy() != made.to_numpy()))

    found = mpc_twin._between_processes(pool, Alike(), 1)  # type: ignore[arg-type]
    assert found["distance"] == 0.0 and "3 rounds" in found["note"]


def test_no_run_begins_when_there_is_no_time_and_kept_ones_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT", tmp_path)
    monkeypatch.setattr(mpc_twin, "CASES", (("few", 3, 1, 2),))
    monkeypatch.setattr(mpc_twin, "load", lambda *_: RECORDS)
    late, early = (Setting(2, tmp_path, time.monotonic() + left, 0.0) for left in (-1.0, math.inf))
    floor, ceiling, *others = mpc_twin.lines(late)
    assert [line.who.split(":")[0] for line in (floor, ceiling)] == ["floor", "ceiling"]
    assert len(others) == 5 and {(line.values, line.note) for line in others} == {((), "not run: no time left")}
    monkeypatch.setattr(mpc_twin, "_between_processes", lambda pool, *_: {"distance": 0.5, "note": "two"})
    first = list(mpc_twin.lines(early))
    assert [line.values for line in mpc_twin.lines(late)] == [line.values for line in first]
    pooled, scored = first[2:4]
    assert pooled.who == "pooled twin" and pooled.values[0] == 0.5 and len(pooled.values) == 2 and pooled.note == "two"
    assert scored.who == "pooled twin" and scored.measure == RELEASED and len(scored.values) == 1
    assert "1 of 1 intervals hold it" in scored.note
    assert {line.who for line in first} > {"each hospital alone, mean", "central at 3/2 of the variance"}


def test_each_part_gets_a_picture(tmp_path: Path) -> None:
    def figures(**changes: object) -> dict[str, object]:
        return {"cells": 10, "parties": 3, "delay_ms": 0, "seconds": 0.1, "moved_mb": 0.2, **changes}

    lines = [
        {"part": "few", "who": "floor: shuffle", "values": (0.5,), "reach": 0.0},
        {"part": "few", "who": "ceiling: bootstrap", "values": (0.1,), "reach": 0.0},
        {"part": "few, 3 parties", "who": "pooled twin", "values": (0.2, 0.3), "reach": 0.1},
        {"part": "few, 3 parties", "who": "pooled twin", "measure": RELEASED, "values": (0.3,), "reach": 0.0},
        {"part": "few, 3 parties", "who": "each hospital alone, mean", "values": (0.4,), "reach": 0.0},
        {"part": "few, 8 parties", "who": "pooled twin", "values": (), "reach": 0.0},
    ]
    found = {
        "parties": [figures(), figures(parties=4)],
        "latency": [figures(), figures(delay_ms=50), figures(cells=100)],
        "twin": lines,
    }
    mpc_plot.plot(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"mpc-parties.png", "mpc-latency.png", "mpc-twin.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_the_weaker_unit_has_the_noise_of_one_hospitals_rows_and_what_it_is_worth_is_measured_alike() -> None:
    asked = AnalysisSpecification(
        bytes(32), (Survival("time", "status", "2", mpc_unit.GRIDS[0], "sex"),), 1, bytes(SEALING_KEY_BYTES), bytes(32)
    )
    (everywhere,), (once,) = (mpc_unit.noise_for(asked, 1.0, unit) for unit in PrivacyUnit)
    assert everywhere.sensitivity_squared == 9 * once.sensitivity_squared == 9
    assert abs(float(everywhere.sigma2 / once.sigma2) - 9) < 0.01
    wide, narrow = mpc_unit.measure((3.0,), mpc_unit.GRIDS[:1], keys=3)
    assert (wide.unit, narrow.unit, wide.points, wide.until) == ("person", "person-at-provider", 6, 540)
    assert wide.off > narrow.off
    assert wide.hidden > narrow.hidden


def test_a_peer_that_waits_for_ever_is_ended_with_all_of_its_parties(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As stock MPyC does when one of its parties is gone: what party 0 started goes on after it."""
    begun = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', CHILD]); time.sleep(600)"
    child = f"import os, time; open({str(tmp_path)!r} + '/' + str(os.getpid()), 'w'); time.sleep(600)"
    (tmp_path / "waiting.py").write_text(f"CHILD = {child!r}; {begun}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match="none of 3"):
        run_stock("waiting", 3, limit_s=5.0)
    children = [path.name for path in tmp_path.iterdir() if path.name.isdigit()]
    assert len(children) == 3
    until = time.monotonic() + 120
    while left := [child for child in children if runs(child)]:
        assert time.monotonic() < until, left


def test_a_peer_that_ends_says_what_it_found_and_has_other_ports_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ending.py").write_text("import json, sys; print(json.dumps(sys.argv[1:]))")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = [run_stock("ending", 3) for _ in range(2)]
    assert [words[0] for words in found] == ["-M3", "-M3"]
    once, again = (int(words[1].removeprefix("-B")) for words in found)
    assert abs(once - again) >= 3
