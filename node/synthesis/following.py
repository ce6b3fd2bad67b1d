"""The measuring half of private visits: what is released of one strand's rows and of how they follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod, sqrt

import numpy as np

from marketplace.errors import Corrupt, Refused
from marketplace.protocol.schema import Column
from node.nesting import Strand
from node.noise.stream import NoiseStream
from node.synthesis import structure
from node.synthesis.budget import LEAST_MICRO_PER_STAGE, POWER, divided
from node.synthesis.cells import Codes, cell_count, widths
from node.synthesis.columns import CellCounter, Columns, NoisyMarginal, columns_of
from node.synthesis.drawing import draw_bins
from node.synthesis.estimation import estimate
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.measurements import Choice, Histogram, spent_rho_micro
from node.synthesis.records import BinnedRecords, Counts, Records
from node.synthesis.release import chosen_marginal, noisy_histogram
from node.synthesis.structure import Marginal
from node.synthesis.transitions import Followed, Layout, gap_column, gap_schema, rows_schema, transition_columns

CELLS_PERCENT = 25
CHOICES_PERCENT = 5
EXTRAS_PER_TARGET = 2
ROUNDS = 2
MODEL_ROWS = 50_000
SEARCH_ITERATIONS = 150
TARGET_CELLS = 20_000


@dataclass(frozen=True)
class StrandBudget:
    """Micro-rho of a strand's stages. `cells_micro`: by column and level, the gap last. `choices_micro`: for all choices."""

    rho_micro: int
    cells_micro: tuple[tuple[int, ...], ...]
    choices_micro: int


def strand_budget(strand: Strand, gap: Column, wished: int, rho_micro: int) -> StrandBudget:
    """The division of `rho_micro`, where so many marginals are `wished`. Raises `Refused` if it cannot pay for every stage."""
    columns = (*strand.schema.columns, gap)
    levels = [len(widths(column)) for column in columns]
    stages = sum(levels) + (1 + EXTRAS_PER_TARGET) * len(columns) + wished
    least = -(-LEAST_MICRO_PER_STAGE * stages * 100 // CHOICES_PERCENT)
    if rho_micro < least:
        raise Refused(
            f"expected a rho of at least {least} millionths for the rows of {strand.name!r}, got {rho_micro}; buy from an "
            "offer of more rho"
        )
    weights = [float(cell_count(column)) ** POWER for column in columns]
    parts = iter(
        divided(
            rho_micro * CELLS_PERCENT // 100,
            [weight for weight, n in zip(weights, levels, strict=True) for _ in range(n)],
        )
    )
    cells = tuple(tuple(next(parts) for _ in range(n)) for n in levels)
    return StrandBudget(rho_micro, cells, rho_micro * CHOICES_PERCENT // 100)


def prefix_of(strand: Strand) -> str:
    """What the names of a strand's stages begin with."""
    return f"rows/{strand.name}"


@dataclass
class Following:
    """One strand's part of a draw, in progress. `persons`: cells and bins of `layout.person_names`, released before.

    `wished`: marginals to measure in any case, as far as one model holds them, which released numbers tell.
    """

    followed: Followed
    persons: Columns
    wished: Sequence[Marginal]
    budget: StrandBudget
    noise: NoiseStream
    progress: Progress
    cancelled: Cancelled
    choices: list[Choice] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)
    measured: list[NoisyMarginal] = field(default_factory=list)

    def run(self) -> None:
        """Draws every stage and spends all of the budget. Raises `Stopped` if cancelled."""
        columns = strand_columns(self._layout, self.persons, self._count_rows, self._count_gaps)
        binned = self.followed.binned(columns)
        last: list[Marginal] = list(self._layout.own_pairs)
        for marginal in self.wished:
            if marginal not in last and _fits(self._layout, columns.sizes, [*last, marginal]):
                last.append(marginal)
        prices = self._prices(columns, len(last))
        left = self.budget.rho_micro - spent_rho_micro(self.stages) - sum(prices)
        share = left // max(1, len(last) + len(prices))
        for turn in range(ROUNDS):
            part = prices[len(prices) * turn // ROUNDS : len(prices) * (turn + 1) // ROUNDS]
            if part:
                self._measure(columns, binned, last, share * len(last))
                last = self._choose(columns, binned, part) or last
        self._measure(columns, binned, last, self.budget.rho_micro - spent_rho_micro(self.stages))

    @property
    def stages(self) -> tuple[Choice | Histogram, ...]:
        """Every stage drawn so far."""
        return (*self.choices, *self.histograms)

    @property
    def _layout(self) -> Layout:
        return self.followed.layout

    @property
    def _bound(self) -> int:
        """How many transitions a person has at most."""
        return self._layout.strand.schema.rows_per_person - 1

    def _prices(self, columns: Columns, forced: int) -> tuple[int, ...]:
        """What each choice of a further marginal may cost, by released numbers alone: one at least where none is forced."""
        candidates = _candidates(self._layout)
        cells = sum(columns.sizes[left] * columns.sizes[right] for left, right in candidates) / len(candidates)
        rest_micro = self.budget.rho_micro * (100 - CELLS_PERCENT - CHOICES_PERCENT) // 100
        worth = structure.worthwhile(cells, self._stddev(rest_micro), columns.total) - forced
        most = min(EXTRAS_PER_TARGET * len(self._layout.targets), len(candidates))
        count = min(most, max(worth, 0 if forced else 1))
        return divided(self.budget.choices_micro, [1.0] * count) if count else ()

    def _choose(self, columns: Columns, binned: BinnedRecords, prices: Sequence[int]) -> list[Marginal]:
        """One pair for each price among those that the model of what was measured so far explains worst."""
        held = [marginal.columns for marginal in self.measured]
        free = [pair for pair in _candidates(self._layout) if pair not in held]
        model = estimate(columns, self.measured, (), self._fitting, self.cancelled, SEARCH_ITERATIONS)
        noise = self.noise.part(f"{self._prefix}/model/{len(self.measured)}")
        drawn = draw_bins(model.steps(), MODEL_ROWS, noise, self.cancelled)
        made = BinnedRecords(tuple(drawn[place] for place in range(len(columns.sizes))), columns.sizes, 1)
        rest_micro = self.budget.rho_micro - spent_rho_micro(self.stages)
        stddev = self._stddev(rest_micro // max(1, len(prices)))
        scores = {}
        for pair in free:
            expected = np.rint(made.marginal(pair) * (columns.total / MODEL_ROWS)).astype(np.int64)
            distance = int(np.abs(binned.marginal(pair) - expected).sum())
            scores[pair] = distance - structure.expected_noise(len(expected), stddev)
        chosen: list[Marginal] = []
        for rho_micro in prices:
            left = [pair for pair in free if pair not in chosen]
            found = chosen_marginal(
                self.noise,
                f"{self._prefix}/choice/{len(self.choices)}",
                self._layout.names,
                left,
                [scores[pair] for pair in left],
                self._bound,
                rho_micro,
                lambda pair: _fits(self._layout, columns.sizes, [*held, *chosen, pair]),
            )
            if found is None:
                break
            self.choices.append(found[0])
            chosen.append(found[1])
        return chosen

    def _measure(self, columns: Columns, binned: BinnedRecords, marginals: Sequence[Marginal], rho_micro: int) -> None:
        weights = [float(prod(columns.sizes[column] for column in marginal)) ** POWER for marginal in marginals]
        for marginal, part in zip(marginals, divided(rho_micro, weights) if weights else (), strict=True):
            names = tuple(self._layout.names[column] for column in marginal)
            stage = f"{self._prefix}/marginal/{len(self.measured)}"
            histogram = self._release(stage, names, binned.marginal(marginal), self._bound, part)
            self.measured.append(NoisyMarginal(marginal, np.array(histogram.counts, np.float64), histogram.stddev))

    def _count_rows(self, place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        column, records = self._layout.strand.schema.columns[place], self.followed.whole
        return self._count(f"cells/{place}/{level}", column, records, place, level, starts, ends)

    def _count_gaps(self, place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        gap = gap_column(self._layout.strand)
        assert gap is not None
        return self._count(f"gap/{place}/{level}", gap, self.followed.gaps, place, level, starts, ends)

    def _count(
        self, stage: str, column: Column, records: Records, place: int, level: int, starts: Codes, ends: Codes
    ) -> Histogram:
        counts = records.in_cells(place, starts, ends, with_missing=level == 0 and column.missing)
        which = len(self.budget.cells_micro) - 1 if stage.startswith("gap/") else place
        rho_micro = self.budget.cells_micro[which][level]
        return self._release(f"{self._prefix}/{stage}", (column.name,), counts, records.bound, rho_micro)

    def _release(self, stage: str, names: tuple[str, ...], counts: Counts, bound: int, rho_micro: int) -> Histogram:
        stop_if(self.cancelled)
        self.progress(f"measuring {self._layout.strand.name}", spent_rho_micro(self.stages) / self.budget.rho_micro)
        histogram = noisy_histogram(self.noise, stage, names, counts, bound, rho_micro)
        self.histograms.append(histogram)
        return histogram

    def _stddev(self, rho_micro: int) -> float:
        return self._bound * sqrt(1e6 / (2 * max(1, rho_micro)))

    @property
    def _prefix(self) -> str:
        return prefix_of(self._layout.strand)

    def _fitting(self, text: str, _: float) -> None:
        self.progress(f"{text} of {self._layout.strand.name}", spent_rho_micro(self.stages) / self.budget.rho_micro)


def strand_columns(layout: Layout, persons: Columns, rows: CellCounter, gaps: CellCounter) -> Columns:
    """The columns of a strand's transitions, from what `rows` and `gaps` answer alone."""
    gap = gap_column(layout.strand)
    if gap is None:
        raise ValueError("expected a strand in which a row can follow another")
    whole = columns_of(rows_schema(layout.strand), rows)
    return transition_columns(layout, persons, whole, columns_of(gap_schema(layout.strand, gap), gaps))


def recalled(histograms: Sequence[Histogram], prefix: str, columns: Sequence[Column]) -> CellCounter:
    """Answers for cells what the measurements hold under `prefix`, and nothing else. Raises `Corrupt` where they do not."""
    found = {histogram.stage: histogram for histogram in histograms}

    def answer(place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        histogram = found.get(f"{prefix}/{place}/{level}")
        expected = len(starts) + (level == 0 and columns[place].missing)
        if histogram is None or histogram.columns != (columns[place].name,) or len(histogram.counts) != expected:
            raise Corrupt(
                f"expected measurements of column {columns[place].name!r} under this schema; use the schema they were made with"
            )
        return histogram

    return answer


def _candidates(layout: Layout) -> list[Marginal]:
    """The pairs that tell something of what is drawn, but for each column's own."""
    pairs = combinations(range(len(layout.names)), 2)
    return [pair for pair in pairs if pair[1] in layout.targets and pair not in layout.own_pairs]


def _fits(layout: Layout, sizes: Sequence[int], marginals: Sequence[Marginal]) -> bool:
    """Whether a model of these marginals is small enough to be fitted, and its targets to be drawn row by row."""
    first = layout.targets[0]
    drawn = [tuple(column - first for column in one if column >= first) for one in marginals]
    small = structure.junction_cells(sizes[first:], [one for one in drawn if one]) <= TARGET_CELLS
    return small and structure.junction_cells(sizes, marginals) <= structure.JUNCTION_CELLS
