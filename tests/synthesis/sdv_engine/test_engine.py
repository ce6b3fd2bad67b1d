"""SDV as an engine: what it refuses without the library, how its process is treated, and the library itself."""

import importlib.util
import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.constraints import Condition
from node.synthesis.generator import Stopped
from node.synthesis.generators import GENERATORS, generator_of
from node.synthesis.sdv_engine.engine import LICENCE, PROGRAM, SdvCopula, SdvEngine, SdvModel
from scripts.benchmarks.peers.environment import SDV, python_of
from tests.synthesis.examples import FEW, KEY, ignore, never, rows_of, specification, stream, table_of

NAMES = ("sdv-copula", "sdv-ctgan", "sdv-tvae")
TABLE = table_of(FEW, rows_of(FEW, 300))

STANDING_IN = f"""#!{sys.executable}
import json, os, random, sys
request = json.load(sys.stdin)
random.seed(request["seed"])
open(os.environ["SEEN"], "a").write(json.dumps(sorted(request)) + str(request.get("rows", "")) + chr(10))
sizes = {{"sex": 2, "grade": 4, "arm": 3}}
if request["verb"] == "fit":
    print(json.dumps({{"model": "bW9kZWw="}}))
else:
    codes = {{name: [random.randrange(-1, size) for _ in range(request["rows"])] for name, size in sizes.items()}}
    print(json.dumps({{"codes": codes}}))
"""


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a program that stands in for the interpreter with SDV, and gives its path."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))

    def write(text: str) -> Path:
        path = tmp_path / "python"
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


def engine(python: Path) -> SdvEngine:
    return SdvCopula(python)


def fitted(python: Path) -> SdvModel:
    return engine(python).measure(TABLE, FEW, specification(), 0, stream(), ignore, never)


@pytest.mark.parametrize("name", NAMES)
def test_sdv_is_exact_marked_with_its_licence_and_refused_where_it_is_not_installed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    entry = GENERATORS[name]
    assert entry.exact and entry.licence == LICENCE == "BUSL-1.1" and LICENCE in entry.words
    with pytest.raises(Refused, match="expected the library sdv in this node's environment"):
        generator_of(name).check(FEW, specification(), 0)


def test_a_model_has_no_stage_and_survives_the_journal(standing_in: Callable[[str], Path]) -> None:
    python = standing_in(STANDING_IN)
    model = fitted(python)
    assert model == SdvModel("sdv-copula/1", b"model")
    assert (model.stages, model.histograms) == ((), ())
    assert dict(model.parameters)["licence"] == "BUSL-1.1"
    assert engine(python).decode(model.encode()) == model
    for wrong in (b"{}", SdvModel("sdv-tvae/1", b"").encode(), model.encode().replace(b"bW9", b"***")):
        with pytest.raises(Corrupt):
            engine(python).decode(wrong)


def test_rows_that_break_a_promise_are_left_out_and_drawn_anew(
    standing_in: Callable[[str], Path], tmp_path: Path
) -> None:
    python = standing_in(STANDING_IN)
    only = (Condition("arm", values=("b",)), Condition("grade", lower=Decimal(3), upper=Decimal(4)))
    table = engine(python).synthesise(fitted(python), FEW, 80, KEY, ignore, never, only)
    assert table.num_rows == 80
    assert set(table.column("arm").to_pylist()) == {1} and set(table.column("grade").to_pylist()) == {2, 3}
    assert table.column("sex").null_count == 0
    assert len((tmp_path / "seen").read_text().splitlines()) >= 3
    assert table.equals(engine(python).synthesise(fitted(python), FEW, 80, KEY, ignore, never, only))


def test_a_condition_that_no_row_of_the_model_meets_ends(standing_in: Callable[[str], Path]) -> None:
    python = standing_in(STANDING_IN.replace("random.randrange(-1, size)", "0"))
    with pytest.raises(Invalid, match="too few do; ask for less"):
        engine(python).synthesise(fitted(python), FEW, 5, KEY, ignore, never, (Condition("arm", values=("c",)),))


def test_a_process_that_fails_is_a_refusal_without_its_words(standing_in: Callable[[str], Path]) -> None:
    python = standing_in(f"#!{sys.executable}\nimport sys\nsys.exit('records: 1 2 3')\n")
    with pytest.raises(Refused, match="it failed; ask for another generator") as refused:
        fitted(python)
    assert "records" not in str(refused.value)


def test_a_request_longer_than_a_pipe_reaches_a_process_that_reads_late(standing_in: Callable[[str], Path]) -> None:
    python = standing_in(STANDING_IN.replace("request = ", "import time; time.sleep(1); request = "))
    many = table_of(FEW, rows_of(FEW, 20_000))
    assert engine(python).measure(many, FEW, specification(), 0, stream(), ignore, never).model == b"model"


def test_a_process_is_ended_when_the_work_is_cancelled(standing_in: Callable[[str], Path], tmp_path: Path) -> None:
    python = standing_in(
        f"#!{sys.executable}\nimport os, time\nopen(os.environ['SEEN'], 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    )
    seen = tmp_path / "seen"
    with pytest.raises(Stopped):
        engine(python).measure(TABLE, FEW, specification(), 0, stream(), ignore, lambda: bool(_text(seen)))
    with pytest.raises(ProcessLookupError):
        os.kill(int(_text(seen)), 0)


def test_the_process_ends_with_the_one_that_asked_though_its_input_stays_open() -> None:
    starting = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, {str(PROGRAM)!r}, str(os.getpid())])
print(child.pid, flush=True)
child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", starting], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None and asking.stdin is not None
        pid = int(asking.stdout.readline())
        beside = os.pidfd_open(pid)
        try:
            os.kill(asking.pid, signal.SIGKILL)
            ended, _, _ = select.select([beside], [], [], 30)
        finally:
            os.close(beside)
    assert ended


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_library_itself_makes_rows_of_the_schema(name: str) -> None:
    python = python_of(SDV)
    assert python is not None, "expected SDV's own environment; see scripts/benchmarks/peers"
    made = type(generator_of(name))(python.absolute(), None if name == "sdv-copula" else 2)
    start_s = time.monotonic()
    model = made.measure(TABLE, FEW, specification(), 0, stream(), ignore, never)
    only = (Condition("sex", values=("male",)),)
    table = made.synthesise(made.decode(model.encode()), FEW, 50, KEY, ignore, never, only)
    assert table.num_rows == 50 and set(table.column("sex").to_pylist()) == {1}
    codes = np.array(table.column("arm").to_pylist())
    assert codes.min() >= 0 and codes.max() < 3
    assert table.equals(made.synthesise(model, FEW, 50, KEY, ignore, never, only))
    assert time.monotonic() - start_s < 600
    assert json.loads(model.encode())["generator"] == made.name
