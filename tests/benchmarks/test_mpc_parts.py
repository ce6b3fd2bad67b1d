"""Parts of the benchmark of joint analyses within a time: what is written when, what is named, and what a second start does."""

import json
import math
import time
from pathlib import Path

import pytest

from scripts.benchmarks.mpc_parts import Parts
from tests.benchmarks.processes import runs

PART = """
import json, subprocess, sys, time
from pathlib import Path
name, folder = sys.argv[1], Path(sys.argv[-1])
(folder / "begun").open("a").write(name + "\\n")
if name == "slow":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / "child").write_text(str(child.pid))
    time.sleep(600)
if name == "broken":
    sys.exit(3)
print(json.dumps({name: sys.argv[3:5]}))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "standing_in.py").write_text(PART)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def parts(folder: Path, *names: str, left_s: float = math.inf, going_on: tuple[str, ...] = ()) -> Parts:
    until_s = time.monotonic() + min(left_s, 600.0)
    return Parts("standing_in", names, going_on, (str(folder),), until_s, folder)


def begun(folder: Path) -> list[str]:
    return (folder / "begun").read_text().split()


def test_each_part_is_written_as_soon_as_it_has_ended_and_gets_its_share_of_what_is_left(folder: Path) -> None:
    found = parts(folder, "one", "two").found()
    name, (option, minutes) = next(found)
    assert (name, option) == ("one", "--minutes") and 2.0 < float(minutes) <= 4.0
    assert json.loads((folder / "mpc-one.json").read_text())["figures"] == [option, minutes]
    assert begun(folder) == ["one"]
    name, (_, minutes) = next(found)
    assert name == "two" and 5.0 < float(minutes) <= 8.0


def test_a_second_start_goes_on_behind_what_is_written_unless_its_options_differ(folder: Path) -> None:
    first = dict(parts(folder, "one", "two", going_on=("two",)).found())
    again = dict(parts(folder, "one", "two", "three", going_on=("two",)).found())
    assert again["one"] == first["one"] and begun(folder) == ["one", "two", "two", "three"]
    (folder / "mpc-one.json").write_text(json.dumps({"options": [], "figures": "others"}))
    assert dict(parts(folder, "one").found())["one"] != "others"


def test_a_part_that_does_not_end_in_time_is_ended_with_what_it_started_and_none_begins_after_it(folder: Path) -> None:
    assert dict(parts(folder, "slow", "late", left_s=10.0).found()) == {"slow": None, "late": None}
    assert begun(folder) == ["slow"] and not list(folder.glob("*.json"))
    child = (folder / "child").read_text()
    until_s = time.monotonic() + 120
    while runs(child):
        assert time.monotonic() < until_s


def test_a_part_that_fails_is_not_passed_over(folder: Path) -> None:
    with pytest.raises(SystemExit, match="expected the part broken to end well, it ended with 3"):
        list(parts(folder, "broken", "one").found())
    assert begun(folder) == ["broken"]
