"""The measuring half of private marginals: one pass over the stages of a budget, each drawn and paid for once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt

import numpy as np

from marketplace.protocol.schema import Schema
from node.noise.stream import NoiseStream
from node.synthesis import structure
from node.synthesis.barriers import barriers_of
from node.synthesis.budget import WANTED_WEIGHT, Budget, divided, weights_of
from node.synthesis.cells import Codes, Floats
from node.synthesis.columns import Columns, NoisyMarginal, columns_of
from node.synthesis.drawing import draw_bins
from node.synthesis.estimation import estimate
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.measurements import Choice, Histogram, spent_rho_micro
from node.synthesis.records import BinnedRecords, Counts, Records
from node.synthesis.release import chosen_marginal, noisy_histogram
from node.synthesis.structure import Marginal

ROUNDS = 3
MODEL_ROWS = 100_000
SEARCH_ITERATIONS = 150


@dataclass
class Measuring:
    """One order's draw, in progress: what was released so far, in the order in which it was drawn.

    `wanted`: the workload's marginals as they are measured. `spent_micro`: what all of it cost.
    """

    schema: Schema
    records: Records
    budget: Budget
    noise: NoiseStream
    progress: Progress
    cancelled: Cancelled
    choices: list[Choice] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)
    measured: list[NoisyMarginal] = field(default_factory=list)
    wanted: list[Marginal] = field(default_factory=list)
    spent_micro: int = 0

    def run(self, workload: Sequence[Marginal]) -> None:
        """Draws every stage. `workload`: the marginals that are measured in any case. Raises `Stopped` if cancelled."""
        columns = columns_of(self.schema, self._count_cells)
        binned = self.records.binned(columns.cells, columns.bins)
        if self.budget.is_joint:
            width = structure.joint_width(columns.sizes, self._stddev(self.budget.extras_micro), columns.total)
            last = list(combinations(range(len(columns.bins)), width))
        else:
            shared = len(workload) + len(self.budget.tree_micro) / WANTED_WEIGHT
            stddev = self._stddev(self.budget.forest_micro) * sqrt(shared)
            wanted = self.wanted = structure.affordable(columns.sizes, columns.total, workload, stddev)
            forest = self._grow_forest(columns, binned, wanted)
            self._measure(columns, binned, forest, self.budget.forest_micro)
            last = self._add_extras(columns, binned, wanted) or forest
        self._measure(columns, binned, last, self.budget.rho_micro - spent_rho_micro(self.stages))

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
        expected: dict[Marginal, Floats] = {
            pair: np.outer(columns.bins[pair[0]].masses, columns.bins[pair[1]].masses).ravel() / columns.total
            for pair in combinations(range(len(columns.bins)), 2)
        }
        shared = WANTED_WEIGHT * len(marginals) + len(self.budget.tree_micro)
        scores = self._scores(binned, expected, self._stddev(self.budget.forest_micro) * sqrt(shared), marginals)
        for rho_micro in self.budget.tree_micro:
            candidates = structure.connecting_pairs(len(columns.bins), marginals)
            chosen = self._choose(candidates, scores, rho_micro, _every)
            marginals = [*marginals, chosen] if chosen else marginals
        return marginals

    def _add_extras(self, columns: Columns, binned: BinnedRecords, wanted: list[Marginal]) -> list[Marginal]:
        """Pairs that the model of what was measured so far explains worst, chosen in rounds and measured but the last's.

        How many there are follows from released numbers alone. Returns the last round's pairs, not yet measured.
        """
        sizes, budget = columns.sizes, self.budget
        free = structure.free_pairs(len(sizes), self._measured_marginals())
        if not free or not budget.most_extras:
            return []
        cells = sum(sizes[left] * sizes[right] for left, right in free) / len(free)
        worth = structure.worthwhile(cells, self._stddev(budget.extras_micro), columns.total)
        prices = divided(budget.extra_choices_micro, [1.0] * min(worth, budget.most_extras, len(free)))
        stddev = self._stddev(budget.extras_micro) * sqrt(len(prices))
        crowded: set[Marginal] = set()
        chosen: list[Marginal] = []
        for turn in range(ROUNDS):
            part = prices[len(prices) * turn // ROUNDS : len(prices) * (turn + 1) // ROUNDS]
            if not part:
                continue
            self._measure(columns, binned, chosen, budget.extras_micro * len(chosen) // len(prices))
            scores = self._scores(binned, self._modelled(columns), stddev, wanted)
            held = [*self._measured_marginals(), *(one.columns for one in barriers_of(self.schema, columns))]
            chosen = self._choose_extras(sizes, scores, part, held, crowded) or chosen
        return chosen

    def _choose_extras(
        self,
        sizes: Sequence[int],
        scores: dict[Marginal, int],
        prices: Sequence[int],
        held: list[Marginal],
        crowded: set[Marginal],
    ) -> list[Marginal]:
        """One pair for each price, as long as the junction tree of what the model holds can take them.

        `crowded`: those that it could not take.
        """
        measured = self._measured_marginals()
        chosen: list[Marginal] = []

        def is_small(pair: Marginal) -> bool:
            small = structure.junction_cells(sizes, [*held, *chosen, pair]) <= structure.JUNCTION_CELLS
            if not small:
                crowded.add(pair)
            return small

        for rho_micro in prices:
            free = [pair for pair in structure.free_pairs(len(sizes), [*measured, *chosen]) if pair not in crowded]
            pair = self._choose(free, scores, rho_micro, is_small)
            if pair is None:
                break
            chosen.append(pair)
        return chosen

    def _modelled(self, columns: Columns) -> dict[Marginal, Floats]:
        """Every pair as rows drawn from the model of what was measured so far have it, in rows of the records."""

        def fitting(text: str, _: float) -> None:
            self._report(text)

        barriers = barriers_of(self.schema, columns)
        model = estimate(columns, self.measured, barriers, fitting, self.cancelled, SEARCH_ITERATIONS)
        noise = self.noise.part(f"model/{len(self.histograms)}")
        drawn = draw_bins(model.steps(), MODEL_ROWS, noise, self.cancelled)
        table = BinnedRecords(tuple(drawn[place] for place in range(len(columns.bins))), columns.sizes, 1)
        return {pair: np.asarray(counts * (columns.total / MODEL_ROWS)) for pair, counts in table.pairs.items()}

    def _scores(
        self, binned: BinnedRecords, expected: dict[Marginal, Floats], stddev: float, workload: list[Marginal]
    ) -> dict[Marginal, int]:
        """How much measuring each pair with noise of `stddev` would tell, in rows. Sensitivity: `bound`.

        Where the workload names columns, a pair that touches none of them counts half: the floor of half a score moves
        by no more than the score.
        """
        wanted = {column for marginal in workload for column in marginal}
        scores = {}
        for pair, rows in expected.items():
            distance = binned.distance(pair, np.rint(rows).astype(np.int64))
            score = distance - structure.expected_noise(len(rows), stddev)
            scores[pair] = score // 2 if wanted and not wanted & set(pair) else score
        return scores

    def _choose(
        self,
        candidates: list[Marginal],
        scores: dict[Marginal, int],
        rho_micro: int,
        allowed: Callable[[Marginal], bool],
    ) -> Marginal | None:
        chosen = chosen_marginal(
            self.noise,
            f"choice/{len(self.choices)}",
            self.schema.names,
            candidates,
            [scores[pair] for pair in candidates],
            self.records.bound,
            rho_micro,
            allowed,
        )
        if chosen is None:
            return None
        choice, marginal = chosen
        self._report("choosing marginals")
        self.choices.append(choice)
        self.spent_micro += choice.rho_micro
        return marginal

    def _measure(self, columns: Columns, binned: BinnedRecords, marginals: Sequence[Marginal], rho_micro: int) -> None:
        """Releases the counts of each marginal, for `rho_micro` together; nothing where there is none."""
        weights = weights_of(columns.sizes, marginals, self.wanted)
        for marginal, part in zip(marginals, divided(rho_micro, weights) if weights else (), strict=True):
            self._report("measuring marginals")
            histogram = self._release(f"marginal/{len(self.measured)}", marginal, binned.marginal(marginal), part)
            self.measured.append(NoisyMarginal(marginal, np.array(histogram.counts, np.float64), histogram.stddev))

    def _measured_marginals(self) -> list[Marginal]:
        return [marginal.columns for marginal in self.measured]

    def _release(self, stage: str, places: Marginal, counts: Counts, rho_micro: int) -> Histogram:
        names = tuple(self.schema.names[place] for place in places)
        histogram = noisy_histogram(self.noise, stage, names, counts, self.records.bound, rho_micro)
        self.histograms.append(histogram)
        self.spent_micro += histogram.rho_micro
        return histogram

    def _stddev(self, rho_micro: int) -> float:
        """The noise of one count of a histogram that costs `rho_micro`, in rows."""
        return self.records.bound * sqrt(1e6 / (2 * max(1, rho_micro)))

    def _report(self, text: str) -> None:
        stop_if(self.cancelled)
        self.progress(text, self.spent_micro / self.budget.rho_micro)


def _every(_: Marginal) -> bool:
    return True
