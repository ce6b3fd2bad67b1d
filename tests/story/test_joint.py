"""The act of several hospitals on a file of one's own, and what a program that holds all records says beside it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from scripts.story.folder import EXACT, NOISY
from scripts.story.joint import LARGEST_DIFFERENCE
from scripts.story.options import Split, Wishes
from scripts.story.oracle import Curves, LogRankTest, largest_difference, pooled_curves
from scripts.story.split import read_split
from tests.story.joint import check_joint, check_survival
from tests.story.running import run, write_csv

PUBLIC = Wishes(grid=Decimal("0.5"), public=True, drops_missing_site=True)
HEADER = ["clinic", "years", "dead", "arm"]


def rows(count: int) -> list[list[object]]:
    """Patients of eleven clinics in three arms, one of whom never has an event; a few cells are missing."""
    choices, made = Random(11), list[list[object]]()
    for number in range(count):
        arm = choices.choice(["new & old", "old", "none"])
        years = "" if number % 50 == 7 else f"{choices.expovariate(0.2):.3f}"
        dead = 0 if arm == "none" else choices.randrange(2)
        made.append([f"clinic {number % 11}" if number % 40 else "", years, dead, arm])
    return made


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tmp_path_factory.mktemp("split") / "mine.csv", [HEADER, *rows(400)])


def test_a_file_of_ones_own_is_dealt_asked_and_answered_as_the_pooled_records_are(table: Path) -> None:
    folder = table.parent
    columns = ("--split", "clinic", "--duration", "years", "--event", "dead", "--group", "arm")
    ran = run(
        "--data", "mine.csv", *columns, "--public", "--missing-site", "drop", "--grid", "0.5", "--json", cwd=folder
    )
    assert ran.code == 0, ran.err
    shown = ran.json()
    assert set(shown) == {"analysis", "analysis_dp", "audit", "seconds"}
    check_joint(shown["analysis"], folder / "agora-demo" / EXACT, parties=3)
    check_joint(shown["analysis_dp"], folder / "agora-demo" / NOISY, parties=3)
    assert shown["audit"]["passed"]
    frame = pd.read_csv(table).dropna()
    check_survival(shown["analysis"], frame["years"], frame["dead"] == 1, frame["arm"], 0.5)
    for words in (
        "clinic: 11 sites, dealt to 3 hospitals by falling size",
        "10 without a site left out",
        "dead: 1 is the event, 0 is censored",
        "rows lack one of the three",
        "lifelines, which holds all records, says the same",
    ):
        assert words in ran.err
    assert "private" not in "".join(str(part) for name, part in shown["analysis"].items() if name != "order")


def test_the_oracle_is_lifelines_on_the_moved_times(table: Path) -> None:
    hospitals = read_split(Split(table, "clinic", "years", "dead", "arm", PUBLIC))
    found = pooled_curves(hospitals, hospitals.question.grid)
    frame = pd.read_csv(table).dropna()
    shown = {
        "result": {
            name: [{**vars(point), "time": float(point.time)} for point in points]
            for name, points in found.groups.items()
        },
        "logrank": vars(found.test),
    }
    check_survival(shown, frame["years"], frame["dead"] == 1, frame["arm"], 0.5)


def test_another_answer_than_the_oracles_differs(table: Path) -> None:
    hospitals = read_split(Split(table, "clinic", "years", "dead", "arm", PUBLIC))
    oracle = pooled_curves(hospitals, hospitals.question.grid)
    assert largest_difference(oracle, oracle) == 0
    name, points = next(iter(oracle.groups.items()))
    lower = (replace(points[0], survival=points[0].survival - 0.01), *points[1:])
    fewer = (replace(points[0], at_risk=points[0].at_risk - 1), *points[1:])
    assert largest_difference(Curves({**oracle.groups, name: lower}, oracle.test), oracle) > LARGEST_DIFFERENCE
    assert largest_difference(Curves({**oracle.groups, name: fewer}, oracle.test), oracle) == float("inf")
    moved = LogRankTest(oracle.test.statistic + 0.01, oracle.test.p)
    assert largest_difference(Curves(oracle.groups, moved), oracle) > LARGEST_DIFFERENCE


@pytest.mark.slow
def test_what_nobody_declares_public_is_told_of_ten_persons_or_more(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", [HEADER, *rows(1_500)])
    columns = ("--split", "clinic", "--duration", "years", "--event", "dead", "--group", "arm")
    ran = run("--data", "mine.csv", *columns, "--missing-site", "drop", "--grid", "2", "--json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    shown = ran.json()["analysis"]
    check_joint(shown, tmp_path / "agora-demo" / EXACT, parties=3)
    assert (shown["lane"], shown["guarantee"]) == ("closed", "exact, no cell below 10")
    assert len(shown["grid"]) < len(ran.json()["analysis_dp"]["grid"])
    for points in shown["result"].values():
        assert all(point["at_risk"] >= 10 for point in points)
        assert all(point["events"] == 0 or point["events"] >= 10 for point in points)
    assert "lifelines, which holds all records, says the same" in ran.err
