"""Answers of the closed lane over three hospitals are those of the pooled records, as far as anything is told."""

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_noise import shares
from marketplace.protocol.analysis_quantile import Quantile, Quantiles
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.local import answer_here
from node.mpc.noise import add
from node.noise.stream import NoiseStream
from scripts.story.lung import LUNG, lung_cancer

GRID = tuple(Decimal(day) for day in range(30, 1101, 30))
LEVELS = (Decimal("0.1"), Decimal("0.5"), Decimal("0.75"))
HOSPITALS = lung_cancer()
POOLED = {name: np.concatenate([one[name] for one in HOSPITALS]) for name in HOSPITALS[0]}


def asking(analysis: Analysis) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, (analysis,), 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def answered(analysis: Analysis, folder: Path, cell: int = 10) -> Any:
    return answered_by(analysis, LUNG, HOSPITALS, folder, cell)


def answered_by(
    analysis: Analysis, schema: Schema, parts: Sequence[Mapping[str, np.ndarray]], folder: Path, cell: int = 10
) -> Any:
    asked = ClosedSpecification(asking(analysis), cell)
    rows = [len(next(iter(part.values()))) for part in parts]
    counts = [partial(count, asked, schema, n, part) for n, part in zip(rows, parts, strict=True)]
    answers = answer_here(asked, schema, secrets.token_bytes(32), counts, folder)
    assert all(one.opened == answers[0].opened for one in answers)
    return asked.results(schema, answers[0].opened)[0]


def test_survival_has_k_at_risk_and_k_or_none_that_leave_in_each_interval_and_is_true_there(tmp_path: Path) -> None:
    asked = Survival("time", "status", "2", GRID, "sex")
    found = answered(asked, tmp_path)
    assert isinstance(found, SurvivalCurves)
    assert found.log_rank is not None and found.log_rank.p is not None
    kept = tuple(step.time for step in found.curves[0].steps)
    assert 2 <= len(kept) < len(GRID) and set(kept) < set(GRID)
    coarser = asking(Survival("time", "status", "2", kept, "sex"))
    (true,) = coarser.results(LUNG, (count(coarser, LUNG, len(POOLED["sex"]), POOLED),))
    assert [curve.steps for curve in found.curves] == [curve.steps for curve in true.curves]
    for curve in found.curves:
        for step, after in zip(curve.steps, (*curve.steps[1:], None), strict=True):
            assert step.at_risk >= 10
            assert step.events == 0 or step.events >= 10
            gone = 0 if after is None else step.at_risk - step.events - after.at_risk
            assert gone == 0 or gone >= 10


def test_quantiles_are_numpys_and_only_where_enough_rows_lie_between_them(tmp_path: Path) -> None:
    found = answered(Quantile("time", LEVELS), tmp_path / "a", cell=20)
    true = np.quantile(POOLED["time"], [float(level) for level in LEVELS], method="inverted_cdf")
    assert found == Quantiles(len(POOLED["time"]), LEVELS, tuple(map(float, true)))
    assert answered(Quantile("time", LEVELS), tmp_path / "b", cell=23) is None


@pytest.mark.parametrize("seed", range(4))
def test_quantiles_of_the_sums_lane_are_numpys_without_noise(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    size, rows = int(drawn.integers(1, 300)), int(drawn.integers(1, 50))
    schema = Schema((Number("x", Decimal(-5), Decimal(size - 6), Decimal(1), True),), None, 1)
    codes = drawn.integers(-1, size, rows)
    levels = (Decimal("0.001"), Decimal("0.25"), Decimal("0.5"), Decimal("0.999"))
    asked, opened = asking(Quantile("x", levels)), ()
    while asked.asked(schema, opened):
        opened = (*opened, count(asked, schema, rows, {"x": codes}, opened))
    (found,) = asked.results(schema, opened)
    there = codes[codes >= 0] - 5
    true = np.quantile(there, [float(level) for level in levels], method="inverted_cdf") if len(there) else [None] * 4
    assert found.values == tuple(true) and found.rows == len(there)


def test_quantiles_with_noise_are_charged_for_every_step_and_lie_near_the_true_ones() -> None:
    asked = asking(Quantile("time", (Decimal("0.5"),)))
    parts = shares(asked.schedule(LUNG), 2_000_000, 3, 3, 1)
    assert len(parts) == (LUNG.column("time").size - 1).bit_length() == 11
    assert sum(part.rho_micro for one in parts for part in one) <= 2_000_000
    assert parts[3][0].sensitivity_squared == 9 * 1 and parts[0][1].sigma2 > Fraction(4)
    off = []
    for seed in range(40):
        opened: tuple[dict[str, np.ndarray], ...] = ()
        while asked.asked(LUNG, opened):
            sums = [
                add(
                    count(asked, LUNG, len(part["sex"]), part, opened),
                    parts[len(opened)],
                    NoiseStream(bytes([seed]) * 32, bytes([number])),
                    len(opened),
                )
                for number, part in enumerate(HOSPITALS)
            ]
            opened = (*opened, {name: sum(one[name] for one in sums) for name in sums[0]})
        (found,) = asked.results(LUNG, opened)
        off.append(abs(np.mean(POOLED["time"] <= found.values[0]) - 0.5))
    assert np.mean(off) < 0.1
    assert max(off) > 0


def test_no_person_moves_the_signs_further_than_stated() -> None:
    analysis = Quantile("time", LEVELS)
    asked = asking(analysis)
    (signs,) = (one.of for one in asked.schedule(LUNG)[1])
    opened = (count(asked, LUNG, len(POOLED["sex"]), POOLED),)
    assert signs.row_squared == 9**2 + 1 + 3**2
    for code in (0, 100, 1000):
        more = {name: np.append(column, code if name == "time" else 0) for name, column in POOLED.items()}
        one = count(asked, LUNG, len(more["sex"]), more, opened)["0/signs"]
        other = count(asked, LUNG, len(POOLED["sex"]), POOLED, opened)["0/signs"]
        assert 0 < ((one - other) ** 2).sum() <= signs.row_squared
