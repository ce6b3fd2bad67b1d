"""The measuring half of private marginals: one pass over the stages of a budget, each drawn and paid for once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod, sqrt

import numpy as np

from marketplace.protocol.schema import Schema
from node.noise.stream import NoiseStream
from node.synthesis import structure
from node.synthesis.budget import POWER, Budget, divided
from node.synthesis.cells import Codes, Floats, nearest
from node.synthesis.columns import Columns, columns_of
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.measurements import Choice, Histogram, spent_rho_micro
from node.synthesis.records import BinnedRecords, Counts, Records
from node.synthesis.release import chosen_marginal, noisy_histogram
from node.synthesis.structure import Marginal


@dataclass
class Measuring:
    """One order's draw, in progress: what was released so far, in the order in which it was drawn."""

    schema: Schema
    records: Records
    budget: Budget
    noise: NoiseStream
    progress: Progress
    cancelled: Cancelled
    choices: list[Choice] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)

    def run(self, workload: Sequence[Marginal]) -> None:
        """Draws every stage. `workload`: the marginals that are measured in any case. Raises `Stopped` if cancelled."""
        columns = columns_of(self.schema, self._count_cells)
        binned = self.records.binned(columns.cells, columns.bins)
        if self.budget.joint_width:
            marginals = list(combinations(range(len(columns.bins)), self.budget.joint_width))
        else:
            forest = self._grow_forest(columns, binned, list(workload))
            measured = self._measure(binned, forest, self.budget.forest_micro)
            marginals = self._choose_extras(columns, binned, measured) or forest
        self._measure(binned, marginals, self.budget.rho_micro - spent_rho_micro(self.stages))

    @property
    def stages(self) -> tuple[Choice | Histogram, ...]:
        """Every stage drawn so far."""
        return (*self.choices, *self.histograms)

    def _count_cells(self, place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        column = self.schema.columns[place]
        self._report(f"counting {column.name}")
        counts = self.records.in_cells(place, starts, ends, with_missing=level == 0 and column.missing)
        rho_micro = self.budget.cells_micro[place][level]
        return self._release(f"cells/{place}/{level}", (place,), counts, rho_micro)

    def _grow_forest(self, columns: Columns, binned: BinnedRecords, marginals: list[Marginal]) -> list[Marginal]:
        """The marginals with pairs added, one by one, until all columns are connected."""
        total = columns.total
        expected: dict[Marginal, Floats] = {
            pair: np.outer(columns.bins[pair[0]].masses, columns.bins[pair[1]].masses).ravel() / total
            for pair in combinations(range(len(columns.bins)), 2)
        }
        scores = self._scores(binned, expected, self.budget.forest_micro, len(marginals) + len(self.budget.tree_micro))
        for rho_micro in self.budget.tree_micro:
            candidates = structure.connecting_pairs(len(columns.bins), marginals)
            marginals = [*marginals, self._choose(candidates, scores, rho_micro)]
        return marginals

    def _choose_extras(
        self, columns: Columns, binned: BinnedRecords, measured: dict[Marginal, Floats]
    ) -> list[Marginal]:
        """Pairs that the forest explains worst. Two columns that a measured marginal holds are no candidates."""
        if not self.budget.extra_micro:
            return []
        masses = [bins.masses for bins in columns.bins]
        edges = _pairs_of(measured, columns)
        expected: dict[Marginal, Floats] = {
            (first, other): joint.ravel()
            for first in range(len(masses))
            for other, joint in structure.implied(masses, edges, first).items()
            if other > first
        }
        scores = self._scores(binned, expected, self.budget.extras_micro, len(self.budget.extra_micro))
        chosen: list[Marginal] = []
        for rho_micro in self.budget.extra_micro:
            candidates = structure.extra_pairs(columns.sizes, [*measured, *chosen])
            if not candidates:
                break
            chosen.append(self._choose(candidates, scores, rho_micro))
        return chosen

    def _scores(
        self, binned: BinnedRecords, expected: dict[Marginal, Floats], rho_micro: int, stages: int
    ) -> dict[Marginal, int]:
        """How much measuring each pair at an even share of `rho_micro` would tell, in rows. Sensitivity: `bound`."""
        stddev = binned.bound * sqrt(stages * 1e6 / (2 * rho_micro))
        scores = {}
        for pair, rows in expected.items():
            distance = binned.distance(pair, np.rint(rows).astype(np.int64))
            scores[pair] = distance - structure.expected_noise(len(rows), stddev)
        return scores

    def _choose(self, candidates: list[Marginal], scores: dict[Marginal, int], rho_micro: int) -> Marginal:
        choice, marginal = chosen_marginal(
            self.noise,
            f"choice/{len(self.choices)}",
            self.schema.names,
            candidates,
            [scores[pair] for pair in candidates],
            self.records.bound,
            rho_micro,
        )
        self.choices.append(choice)
        return marginal

    def _measure(self, binned: BinnedRecords, marginals: list[Marginal], rho_micro: int) -> dict[Marginal, Floats]:
        """The noisy counts of each marginal, for `rho_micro` together."""
        weights = [float(prod(binned.sizes[column] for column in marginal)) ** POWER for marginal in marginals]
        measured: dict[Marginal, Floats] = {}
        for marginal, part in zip(marginals, divided(rho_micro, weights), strict=True):
            self._report("measuring marginals")
            stage = f"marginal/{sum(histogram.stage.startswith('marginal/') for histogram in self.histograms)}"
            histogram = self._release(stage, marginal, binned.marginal(marginal), part)
            measured[marginal] = np.array(histogram.counts, np.float64)
        return measured

    def _release(self, stage: str, places: Marginal, counts: Counts, rho_micro: int) -> Histogram:
        names = tuple(self.schema.names[place] for place in places)
        histogram = noisy_histogram(self.noise, stage, names, counts, self.records.bound, rho_micro)
        self.histograms.append(histogram)
        return histogram

    def _report(self, text: str) -> None:
        stop_if(self.cancelled)
        self.progress(text, spent_rho_micro(self.stages) / self.budget.rho_micro)


def _pairs_of(measured: dict[Marginal, Floats], columns: Columns) -> dict[Marginal, Floats]:
    """The estimated rows of every pair within the measured marginals, shape (bins, bins), from noisy counts."""
    pairs: dict[Marginal, Floats] = {}
    for marginal, counts in measured.items():
        table = nearest(counts, columns.total).reshape([columns.sizes[column] for column in marginal])
        for pair in combinations(range(len(marginal)), 2):
            rest = tuple(axis for axis in range(len(marginal)) if axis not in pair)
            pairs[marginal[pair[0]], marginal[pair[1]]] = np.asarray(table.sum(axis=rest))
    return pairs
