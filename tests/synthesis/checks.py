"""The checks that must hold for an honest generator and fail for a faulty one; each answers yes or no.

Errors of the statistical ones are 1e-3, and fixed keys make them the same on every run.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from marketplace.protocol.schema import Schema
from node.synthesis import measuring, release
from node.synthesis.columns import columns_of
from node.synthesis.marginals import _Replay
from node.synthesis.measurements import Choice, Histogram, Measurements
from node.synthesis.records import Counts, Records
from tests.noise.goodness import NORMAL_QUANTILE
from tests.synthesis.examples import BROAD, ROW, measured, rows_of, stream, table_of

DRAWS = 20_000


def loss_is_as_paid(histogram: Histogram, here: int, there: int, drawn: NDArray[np.int64]) -> bool:
    """Whether the privacy loss of released counts is that of the noise that was paid for.

    `drawn`: the count released of a cell that holds `here`, many times; a neighbour's cell holds `there`. The loss
    log P(drawn | here) / P(drawn | there) must have mean d^2 / (2 sigma2) and variance d^2 / sigma2, d = here - there.
    """
    moved, sigma2 = here - there, float(histogram.sigma2)
    loss = ((drawn - there) ** 2 - (drawn - here) ** 2) / (2 * sigma2)
    mean, variance = moved**2 / (2 * sigma2), moved**2 / sigma2
    mean_fits = abs(loss.mean() - mean) < NORMAL_QUANTILE * math.sqrt(variance / len(drawn))
    return bool(mean_fits and abs(loss.var() / variance - 1) < NORMAL_QUANTILE * math.sqrt(2 / len(drawn)))


def stages_draw_what_they_pay(template: Measurements, bound: int) -> bool:
    """For every histogram of `template`: `DRAWS` draws of its mechanism on each of two fixed neighbours."""
    for number, histogram in enumerate(template.histograms):
        here, there = 40 + bound, 40
        for side, (count, other) in enumerate(((here, there), (there, here))):
            counts = np.full(DRAWS, count, np.int64)
            drawn = release.noisy_histogram(stream(number), f"side {side}", ("a",), counts, bound, histogram.rho_micro)
            if not loss_is_as_paid(histogram, count, other, np.array(drawn.counts)):
                return False
    return True


def noise_is_as_paid() -> bool:
    """Whether whole runs of the generator leave noise of the variance they state, for cells and marginals alike."""
    schema, rows = BROAD, rows_of(BROAD, 6_000)
    pools: dict[str, list[NDArray[np.float64]]] = {"cells": [], "marginal": []}
    for number in range(20):
        measurements = measured(schema, rows, number, rho_micro=300_000)
        for histogram, true in zip(measurements.histograms, true_counts(schema, rows, measurements), strict=True):
            noise = (np.array(histogram.counts) - true) / math.sqrt(histogram.sigma2)
            pools[histogram.stage.split("/")[0]].append(noise)
    fits = []
    for pool in pools.values():
        noise = np.concatenate(pool)
        if len(noise) < DRAWS:
            raise ValueError(f"expected {DRAWS} draws, got {len(noise)}")
        fits.append(abs((noise**2).mean() - 1) < NORMAL_QUANTILE * math.sqrt(2 / len(noise)))
        fits.append(abs(noise.mean()) < NORMAL_QUANTILE / math.sqrt(len(noise)))
    return all(fits)


def true_counts(schema: Schema, rows: Sequence[ROW], layout: Measurements) -> list[Counts]:
    """What each histogram of `layout` would hold for these rows without noise, under the cells and bins of `layout`."""
    records = Records.of_table(table_of(schema, rows), schema)
    replay = _Replay(layout, schema)
    found: dict[str, Counts] = {}

    def ask(place: int, level: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Histogram:
        missing = level == 0 and schema.columns[place].missing
        found[f"cells/{place}/{level}"] = records.in_cells(place, starts, ends, with_missing=missing)
        return replay.count_cells(place, level, starts, ends)

    columns = columns_of(schema, ask)
    binned = records.binned(columns.cells, columns.bins)
    for histogram in layout.histograms:
        if histogram.stage.startswith("marginal/"):
            found[histogram.stage] = binned.marginal([schema.names.index(name) for name in histogram.columns])
    return [found[histogram.stage] for histogram in layout.histograms]


def sensitivities_hold(
    schema: Schema, rows: Sequence[ROW], person: Sequence[ROW], layout: Measurements | None = None
) -> bool:
    """Whether adding `person` moves every histogram by no more, in L2, than the sensitivity it was charged for.

    `layout`: what was measured of `rows`; by default it is measured here.
    """
    layout = layout or measured(schema, rows)
    with_person = true_counts(schema, [*rows, *person], layout)
    without = true_counts(schema, rows, layout)
    return all(
        int(((one - other) ** 2).sum()) <= histogram.sensitivity**2
        for histogram, one, other in zip(layout.histograms, with_person, without, strict=True)
    )


def charge_covers_cost(stages: Sequence[Choice | Histogram], rho_micro: int) -> bool:
    """Whether the stages, priced anew from sensitivity and noise alone, cost exactly what was given, none less."""
    total = 0
    for stage in stages:
        squared = Fraction(stage.sensitivity) ** 2
        true = stage.epsilon**2 / 8 if isinstance(stage, Choice) else squared / (2 * stage.sigma2)
        if not 0 <= stage.rho_micro - 1_000_000 * true < 1:
            return False
        total += stage.rho_micro
    return total == rho_micro


def records_reach_nothing_else(
    schema: Schema, one: Sequence[ROW], other: Sequence[ROW], patch: pytest.MonkeyPatch
) -> bool:
    """Whether two quite different tables give the same measurements once the two mechanisms ignore what they are fed.

    Then all that the records do to a result, they do through the mechanisms: no bound, bin, total or choice is theirs.
    """
    honest_histogram, honest_choice = measuring.noisy_histogram, measuring.chosen_marginal

    def deaf_histogram(noise, stage, columns, counts, bound, rho_micro):  # type: ignore[no-untyped-def]
        return honest_histogram(noise, stage, columns, np.arange(len(counts)) % 50 + 20, bound, rho_micro)

    def deaf_choice(noise, stage, names, candidates, scores, *others):  # type: ignore[no-untyped-def]
        return honest_choice(noise, stage, names, candidates, [0] * len(scores), *others)

    patch.setattr(measuring, "noisy_histogram", deaf_histogram)
    patch.setattr(measuring, "chosen_marginal", deaf_choice)
    return measured(schema, one).encode() == measured(schema, other).encode()
