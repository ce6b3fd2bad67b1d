"""Faults planted one by one; each must be caught by a check that the honest generator passes in test_power."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from node.noise.gaussian import discrete_gaussian
from node.noise.selection import choices, epsilon_for
from node.noise.stream import Stage
from node.synthesis import cells, columns, measuring, release
from node.synthesis.measurements import Measurements
from node.synthesis.records import BinnedRecords, Records
from tests.noise.goodness import fits
from tests.synthesis import checks
from tests.synthesis.examples import WIDE, measured, rows_of
from tests.synthesis.test_power import exponential_weights

ROWS = rows_of(WIDE, 600)
FAR = [(2, 400, 0, code % 40) for code in range(37)]


def test_half_the_noise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    template = measured(WIDE, ROWS)
    monkeypatch.setattr(
        release, "discrete_gaussian", lambda stage, sigma2, size: discrete_gaussian(stage, sigma2 / 4, size)
    )
    assert not checks.stages_draw_what_they_pay(template, WIDE.rows_per_person)
    assert not checks.noise_is_as_paid()


def test_noise_a_tenth_too_small_in_one_kind_of_stage_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measuring.noisy_histogram

    def faulty(noise, stage, names, counts, bound, rho_micro):  # type: ignore[no-untyped-def]
        histogram = honest(noise, stage, names, counts, bound, rho_micro)
        shrunk = counts + np.rint((np.array(histogram.counts) - counts) * 0.9).astype(int)
        return replace(histogram, counts=tuple(shrunk.tolist())) if stage.startswith("marginal/") else histogram

    monkeypatch.setattr(measuring, "noisy_histogram", faulty)
    assert not checks.noise_is_as_paid()


def test_noise_that_is_left_out_of_zero_counts_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measuring.noisy_histogram

    def faulty(noise, stage, names, counts, bound, rho_micro):  # type: ignore[no-untyped-def]
        histogram = honest(noise, stage, names, counts, bound, rho_micro)
        kept = np.where(counts == 0, 0, np.array(histogram.counts))
        return replace(histogram, counts=tuple(kept.tolist()))

    monkeypatch.setattr(measuring, "noisy_histogram", faulty)
    assert not checks.noise_is_as_paid()


def test_a_choice_at_twice_the_epsilon_is_caught() -> None:
    epsilon, scores = epsilon_for(2_000), [30, 32, 10, -4]
    drawn = choices(Stage(bytes(32)), scores, 2, 2 * epsilon, checks.DRAWS)
    assert not fits(drawn.astype(np.int64), exponential_weights(scores, 2, epsilon))


def test_the_exact_number_of_rows_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    honest = Records.of_table.__func__  # type: ignore[attr-defined]

    def counting(cls: type[Records], table: pa.Table, schema: Schema) -> Records:
        seen.append(table.num_rows)
        return honest(cls, table, schema)  # type: ignore[no-any-return]

    monkeypatch.setattr(Records, "of_table", classmethod(counting))
    monkeypatch.setattr(columns, "total_of", lambda histograms: float(seen[-1]))
    assert not checks.records_reach_nothing_else(WIDE, ROWS, FAR, monkeypatch)


def test_bounds_taken_from_the_data_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    highest: list[int] = []
    honest = Records.of_table.__func__  # type: ignore[attr-defined]

    def looking(cls: type[Records], table: pa.Table, schema: Schema) -> Records:
        records = honest(cls, table, schema)
        highest.append(max(int(np.max(codes.drop_null().to_numpy())) for codes in records.columns))
        return records  # type: ignore[no-any-return]

    def narrowed(column):  # type: ignore[no-untyped-def]
        width = cells.widths(column)[0]
        starts = np.arange(0, min(column.size, highest[-1] + 1), width, dtype=np.int64)
        return starts, np.minimum(starts + width, column.size)

    monkeypatch.setattr(Records, "of_table", classmethod(looking))
    monkeypatch.setattr(columns, "first_cuts", narrowed)
    monkeypatch.setattr(cells, "first_cuts", narrowed)
    low = [(0, 100, 5, 20)] * 50
    assert not checks.records_reach_nothing_else(WIDE, low, FAR, monkeypatch)


def test_a_choice_of_the_best_score_without_noise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measuring.Measuring._choose

    def greedy(self, candidates, scores, *others):  # type: ignore[no-untyped-def]
        return honest(self, [max(candidates, key=lambda pair: scores[pair])], scores, *others)

    monkeypatch.setattr(measuring.Measuring, "_choose", greedy)
    assert not checks.records_reach_nothing_else(WIDE, ROWS, FAR, monkeypatch)


def test_a_person_bound_that_is_ignored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Records.of_table.__func__  # type: ignore[attr-defined]

    def one_row(cls: type[Records], table: pa.Table, schema: Schema) -> Records:
        return Records(honest(cls, table, schema).columns, bound=1)

    monkeypatch.setattr(Records, "of_table", classmethod(one_row))
    assert not checks.sensitivities_hold(WIDE, ROWS, [ROWS[0], ROWS[0]])


def test_a_histogram_that_counts_a_row_twice_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = BinnedRecords.marginal
    monkeypatch.setattr(BinnedRecords, "marginal", lambda self, places: 2 * honest(self, places))
    assert not checks.sensitivities_hold(WIDE, ROWS, [ROWS[0], ROWS[0]])


def test_a_price_rounded_down_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def floored(squared: int, sigma2: Fraction) -> int:
        return math.floor(1_000_000 * squared / (2 * sigma2))

    monkeypatch.setattr(
        release, "sigma2_for", lambda rho_micro, squared: Fraction(squared * 1_000_000, 2 * rho_micro + 1)
    )
    monkeypatch.setattr(release, "rho_micro_of_gaussian", floored)
    faulty = measured(WIDE, ROWS)
    assert not checks.charge_covers_cost(faulty.stages, 30_000)
    with pytest.raises(Corrupt, match="cost what its noise says"):
        Measurements.decode(faulty.encode())


def test_noise_used_for_two_stages_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measuring.noisy_histogram
    monkeypatch.setattr(measuring, "noisy_histogram", lambda noise, _, *others: honest(noise, "one for all", *others))
    with pytest.raises(ValueError, match="drawn once"):
        measured(WIDE, ROWS)
