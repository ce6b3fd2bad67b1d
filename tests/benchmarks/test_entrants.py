"""Who is compared with whom: our lines over seeds, gone on with where they ended, and the bounds beside them."""

import math
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketplace.protocol.schema import Category, Number, Schema
from scripts.benchmarks import entrants
from scripts.benchmarks.entrants import Entry, Setting, bounds, code, others_of_ours, ours, shuffle
from scripts.benchmarks.peers import kept
from scripts.benchmarks.tables import Table

SCHEMA = Schema(
    (Number("age", Decimal(0), Decimal(9), Decimal(1), True), Category("sex", ("female", "male"), False)), None, 1
)
ROWS = pd.DataFrame({"age": [3, -1, 5, 7] * 5, "sex": [0, 1, 1, 0] * 5})
TABLE = Table("some", SCHEMA, ROWS)


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds with which tables were made, by a generator that takes no time."""
    seeds: list[int] = []

    def twin(rows: pd.DataFrame, *arguments: object) -> tuple[pd.DataFrame, float]:
        seeds.append(int(str(arguments[2])))
        return rows, 0.0

    monkeypatch.setattr(kept, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(entrants, "timed_twin", twin)
    return seeds


def setting(seeds: int, left_s: float = math.inf) -> Setting:
    return Setting(seeds, Path(), time.monotonic() + left_s, 60)


ENTRY = Entry("some", TABLE, 1_000, lambda seed: lambda _: {"distance": 0.1 * seed}, {"distance": (0.2, 0.05)})


def test_a_second_start_goes_on_where_the_first_ended_and_only_what_is_all_old_is_marked(made: list[int]) -> None:
    (first,) = ours(setting(3), ENTRY)
    assert (first.values, first.kept, made) == ((0.0, 0.1, 0.2), False, [0, 1, 2])
    (more,) = ours(setting(5), ENTRY)
    assert (len(more.values), more.kept, made) == (5, False, [0, 1, 2, 3, 4])
    (again,) = ours(setting(5), ENTRY)
    assert (again.kept, len(made)) == (True, 5)
    assert again.target == "at most 0.2: reached; at most 0.05: missed"


def test_where_time_is_up_two_seeds_are_made_and_the_kept_ones_count(made: list[int]) -> None:
    (short,) = ours(setting(10, -1), ENTRY)
    assert (short.values, made) == ((0.0, 0.1), [0, 1])
    ours(setting(4), ENTRY)
    (kept_too,) = ours(setting(10, -1), ENTRY)
    assert (len(kept_too.values), len(made)) == (4, 4)


def test_other_rows_rho_part_or_generator_are_other_runs(made: list[int]) -> None:
    fewer = replace(ENTRY, training=lambda _: ROWS.iloc[:10])
    for entry in (ENTRY, replace(ENTRY, rho_micro=7), replace(ENTRY, part="other"), fewer):
        ours(setting(1), entry)
    assert made == [0] * 4
    assert code("private-marginals") != code("neural")


def test_a_reason_stands_beside_a_goal_that_is_missed_alone() -> None:
    reasons = {"distance": "few records"}
    (missed,) = ours(setting(2), replace(ENTRY, goals={"distance": (0.01,)}, reasons=reasons))
    (reached,) = ours(setting(2), replace(ENTRY, goals={"distance": (0.9,)}, reasons=reasons))
    assert (missed.note, reached.note) == ("few records", "")


def test_the_floor_keeps_each_column_and_the_ceiling_draws_whole_rows() -> None:
    seen: list[pd.DataFrame] = []

    def judge(made: pd.DataFrame) -> dict[str, float]:
        seen.append(made)
        return {"distance": 1.0}

    assert [line.who.split(":")[0] for line in bounds("some", ROWS, judge)] == ["floor", "ceiling"]
    floor, ceiling = seen
    assert {name: sorted(floor[name]) for name in floor} == {name: sorted(ROWS[name]) for name in ROWS}
    assert set(map(tuple, ceiling.to_numpy().tolist())) <= set(map(tuple, ROWS.to_numpy().tolist()))
    assert not shuffle(ROWS, np.random.default_rng(0)).equals(ROWS)


def test_other_generators_of_ours_are_told_by_their_promise_and_no_library_needs_a_licence() -> None:
    assert others_of_ours(private=True) == ["neural"]
    assert others_of_ours(private=False) == ["neural-exact"]
    assert set(others_of_ours(private=None)) == {"neural", "neural-exact"}
