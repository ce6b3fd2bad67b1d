"""The checks that must hold for an honest generator and fail for a faulty one; each answers yes or no.

Errors of the statistical ones are 1e-3, and fixed keys make them the same on every run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from marketplace.protocol.schema import Schema
from node.noise.selection import choices
from node.noise.stream import Stage
from node.synthesis import measuring, release
from node.synthesis.columns import columns_of, total_of
from node.synthesis.measurements import Choice, Histogram, Measurements
from node.synthesis.records import Counts, Records
from node.synthesis.replay import Replay
from tests.noise.goodness import NORMAL_QUANTILE, as_close_as_paid, power_of_closeness
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


@dataclass(frozen=True)
class Neighbours:
    """One count of a stage on two neighbours, each far from the other by the stage's whole sensitivity."""

    histogram: Histogram
    here: int
    there: int

    def drawn(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`DRAWS` draws of the stage's mechanism on each."""
        one, other = (
            release.noisy_histogram(
                stream(), f"{self.histogram.stage} {side}", self.histogram.columns, np.full(DRAWS, count, np.int64),
                self.histogram.sensitivity, self.histogram.rho_micro,
            )
            for side, count in enumerate((self.here, self.there))
        )  # fmt: skip
        return np.array(one.counts), np.array(other.counts)

    def is_as_paid(self) -> bool:
        """Whether the draws lose no more privacy than was paid, by an event's shares, and no less, by their likelihoods."""
        one, other = self.drawn()
        middle = (self.here + self.there) / 2
        return (
            as_close_as_paid(one > middle, other > middle, self.histogram.rho_micro)
            and loss_is_as_paid(self.histogram, self.here, self.there, one)
            and loss_is_as_paid(self.histogram, self.there, self.here, other)
        )

    def power(self, weakness: float) -> float:
        """How surely the event's shares alone give away noise of which a standard deviation is divided by `weakness`."""
        reach = weakness * abs(self.here - self.there) / 2 / self.histogram.stddev
        share = NormalDist().cdf(reach)
        return power_of_closeness(share, 1 - share, self.histogram.rho_micro, DRAWS)


def neighbours_of(schema: Schema, rows: Sequence[ROW], layout: Measurements, kind: str) -> list[Neighbours]:
    """The stages of `layout` whose name begins with `kind`, on `rows` without and with a person who has rows alike."""
    person = [rows[0]] * schema.rows_per_person
    without, with_person = true_counts(schema, rows, layout), true_counts(schema, [*rows, *person], layout)
    found = []
    for histogram, there, here in zip(layout.histograms, without, with_person, strict=True):
        cell = int(np.argmax(here - there))
        if histogram.stage.startswith(kind) and here[cell] - there[cell] == histogram.sensitivity:
            found.append(Neighbours(histogram, int(here[cell]), int(there[cell])))
    return found


def total_is_as_paid(schema: Schema, layout: Measurements) -> bool:
    """Whether the noisy number of rows has the variance that it should have, and loses no more privacy than that allows.

    It follows from the first counts of every column, which are charged; so it costs nothing, and loses less than they.
    """
    first = [histogram for histogram in layout.histograms if histogram.stage.endswith("/0")]
    bound, variance = schema.rows_per_person, 1 / sum(1 / (one.sigma2 * len(one.counts)) for one in first)
    rho_micro = math.ceil(1_000_000 * bound**2 / (2 * variance))
    drawn = []
    for side, rows in enumerate((300 + bound, 300)):
        totals = np.zeros(DRAWS)
        for place, one in enumerate(first):
            counts = np.zeros((DRAWS, len(one.counts)), np.int64)
            counts[:, 0] = rows
            noisy = release.noisy_histogram(
                stream(side), f"total {place}", one.columns, counts.ravel(), bound, one.rho_micro
            )
            totals += np.array(noisy.counts).reshape(counts.shape) @ _weights_in_total(first, place)
        drawn.append(totals)
    middle = 300 + bound / 2
    fits = abs(drawn[0].var() / float(variance) - 1) < NORMAL_QUANTILE * math.sqrt(2 / DRAWS)
    paid = rho_micro <= sum(one.rho_micro for one in first)
    return bool(fits and paid and as_close_as_paid(drawn[0] > middle, drawn[1] > middle, rho_micro))


def _weights_in_total(first: Sequence[Histogram], place: int) -> NDArray[np.float64]:
    """How much each count of one of the first histograms adds to the number of rows, which is linear in them."""
    many, weights = 10**6, []
    for cell in range(len(first[place].counts)):
        counts = [[0] * len(one.counts) for one in first]
        counts[place][cell] = many
        alone = [replace(one, counts=tuple(row)) for one, row in zip(first, counts, strict=True)]
        weights.append(total_of(alone) / many)
    return np.array(weights)


def choice_is_as_paid(stage: Stage, epsilon: Fraction, rho_micro: int) -> bool:
    """Whether `DRAWS` draws of a choice at `epsilon` on two neighbours are as alike as `rho_micro` promises.

    Two candidates are ahead by turns, and one person has moved the one up and the other down by the whole sensitivity.
    """
    one, other = (choices(stage, scores, 2, epsilon, DRAWS) == 0 for scores in CROSSED)
    return as_close_as_paid(one, other, rho_micro)


CROSSED = ([32, 30, -400], [30, 32, -400])


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
    replay = Replay(layout.histograms, schema)
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

    seen: list[list[tuple[list[int], list[int]]]] = []

    def noting(*asked):  # type: ignore[no-untyped-def]
        found = columns_of(*asked)
        seen.append([(c.starts.tolist(), b.of_cell.tolist()) for c, b in zip(found.cells, found.bins, strict=True)])
        return found

    patch.setattr(measuring, "noisy_histogram", deaf_histogram)
    patch.setattr(measuring, "chosen_marginal", deaf_choice)
    patch.setattr(measuring, "columns_of", noting)
    same = measured(schema, one).encode() == measured(schema, other).encode()
    return same and seen[0] == seen[1]
