"""What the tables of the benchmarks say: means, intervals, what was kept, whether a goal was reached."""

import json
import math

import numpy as np
import pytest
import scipy.stats

from scripts.benchmarks.lines import Line, as_table, verdict

LINE = Line("prostate", "ours", "L1-3way", (0.05, 0.06, 0.04), 1.25, 2.5, False, "at most 0.06: reached")


@pytest.mark.parametrize("count", [2, 3, 5, 10, 11, 20, 60])
def test_an_interval_is_students_whatever_the_number_of_seeds(count: int) -> None:
    values = tuple(np.random.default_rng(count).normal(1, 0.1, count).tolist())
    line = Line("", "", "", values)
    low, high = scipy.stats.t.interval(0.95, count - 1, np.mean(values), scipy.stats.sem(values))
    assert (line.mean - line.reach, line.mean + line.reach) == pytest.approx((low, high), rel=1e-9)


def test_one_seed_has_no_interval_and_none_no_value() -> None:
    assert Line("", "", "", (0.25,)).reach == 0 and Line("", "", "", (0.25,)).shown == "0.250"
    assert Line("", "", "", ()).shown == "–"


def test_a_row_marks_what_is_kept_and_has_as_many_cells_as_heads() -> None:
    fresh, kept = LINE.row(), Line(**{**vars(LINE), "kept": True}).row()
    assert "| 1.2 | 2.5 |" in fresh and "| 1.2* | 2.5* |" in kept
    heads, rule, *rows = as_table([LINE, LINE]).splitlines()
    assert len(rows) == 2 and {line.count("|") for line in (heads, rule, *rows)} == {10}


def test_a_goal_is_reached_at_its_very_value() -> None:
    assert verdict(0.06, (0.06, 0.05)) == "at most 0.06: reached; at most 0.05: missed"
    assert verdict(math.inf, ()) == ""


def test_a_line_is_read_from_its_document() -> None:
    assert Line.of_document(json.loads(json.dumps(LINE.document()))) == LINE
