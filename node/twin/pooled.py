"""The twin of pooled records as the members' nodes make it: what is summed round by round, its price, and rows from the sums.

It stands where an `AnalysisSpecification` stands for `node.mpc.joint.take_part`. What is asked follows from schema, wishes,
rho and the sums of earlier rounds, and their number from the schema alone; so what it costs is known before records are
opened, and whatever was chosen was chosen from numbers that were paid for.
"""

from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from math import comb, sqrt

import pandas as pd
import pyarrow as pa

from marketplace.errors import Corrupt
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_noise import Share, share_of
from marketplace.protocol.analysis_parties import check_parties
from marketplace.protocol.analysis_statistic import Opened, Sums
from marketplace.protocol.pool import TWIN_GENERATOR, check_twin
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.summed import Scored, Scoring
from node.synthesis import structure
from node.synthesis.budget import (
    EXTRA_PERCENT,
    EXTRAS_PER_COLUMN,
    WANTED_WEIGHT,
    cells_micro,
    check_enough,
    marginals_of,
    measures_all,
)
from node.synthesis.cells import widths
from node.synthesis.columns import Columns, Released, levels_of
from node.synthesis.generator import Cancelled, Progress
from node.synthesis.measurements import Histogram, Measurements
from node.synthesis.rows import check_wishes, rows_from
from node.synthesis.sketch import chosen_marginals, sketch_of
from node.synthesis.structure import Marginal
from node.twin.rounds import LEAST_MICRO, CellRound, MarginalRound, Round, RowRound, ScoreRound, SketchRound, priced
from node.twin.scoring import least_micro, score_round
from node.twin.summed import summed

NAME = f"{TWIN_GENERATOR}/1"
CELLS_PERCENT, SKETCH_PERCENT = 25, 10
"""Of the rho for rows."""
SCORES_PERCENT = 10
"""Of all rho: twice what the scores of one provider's records take, since noise is in every count and not in one number."""
WIDE_NOISE_SHARE = 0.06
"""Of the rows: how much mean noise a marginal of more than two columns may have to be measured in place of pairs."""


@dataclass(frozen=True)
class PooledTwin:
    """One order's twin of a pool's records.

    `rho_micro`: of all that is opened. `rows_in_pool`: the most rows of the offer's privacy unit in the sums. `parties`,
    `threshold`: as in `mpc.noise.shares`.
    """

    specification: Specification
    rho_micro: int
    rows_in_pool: int
    parties: int
    threshold: int

    def check(self, schema: Schema) -> None:
        """Raises `Invalid` for a wish that cannot be met, `Refused` where the rho cannot pay for every stage, or for too few
        parties: told from public facts alone."""
        check_twin(self.specification, schema)
        check_wishes(schema, self.specification)
        self._check_rho(schema)
        check_parties(self.parties, self.threshold)

    def encode(self) -> bytes:
        """The specification's canonical bytes, whose hash the parties agree on."""
        return self.specification.encode()

    @property
    def evaluate_micro(self) -> int:
        """What the scores may cost of the rho."""
        return self.rho_micro * SCORES_PERCENT // 100

    @property
    def generate_micro(self) -> int:
        """What the rows may cost of the rho."""
        return self.rho_micro - self.evaluate_micro

    def rounds(self, schema: Schema) -> int:
        """How many times parties sum, for scores at last: by the declaration alone."""
        return levels_of(schema) + (2 if measures_all(schema) else 3)

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]:
        """Every statistic that parties sum next, where `opened` are the sums of all earlier rounds; none at the end."""
        found = self.next_round(schema, opened)
        return () if found is None else found.asked

    def shares(self, schema: Schema, opened: Opened = ()) -> tuple[Share, ...]:
        """The noise that each party adds to the next round's statistics, in the order of `asked`.

        Over all rounds they cost at most `rho_micro`, whatever was opened.
        """
        found = self.next_round(schema, opened)
        return () if found is None else self._shares(found)

    def measured(self, schema: Schema, opened: Opened) -> Measurements:
        """What all rounds but the scores' measured, the same at every party. Raises `Corrupt` for the sums of something else."""
        if len(opened) != self.rounds(schema):
            raise Corrupt(
                f"expected the sums of {self.rounds(schema)} rounds, got those of {len(opened)}; run it again"
            )
        found: list[Histogram] = []
        for number, sums in enumerate(opened[:-1]):
            found += self._histograms(schema, self.next_round(schema, opened[:number]), sums)
        return Measurements(NAME, (), tuple(found))

    def scoring(self, schema: Schema, opened: Opened) -> Scoring:
        """What the scores are computed from. `opened`: the sums of all rounds but, perhaps, that of scores."""
        step = self.next_round(schema, opened[: self.rounds(schema) - 1])
        assert isinstance(step, ScoreRound)
        return step.scoring

    def scored(self, schema: Schema, opened: Opened, table: pd.DataFrame, coincidences: int = 0) -> Scored:
        """The scores of a coded table: post-processing. `coincidences`: as in `Scoring.scored`, which says what it raises."""
        shares = self.shares(schema, opened[:-1])
        variances = {share.name: self.parties * share.sigma2 for share in shares}
        return self.scoring(schema, opened).scored(opened[-1], variances, table, coincidences)

    def table(self, schema: Schema, opened: Opened, progress: Progress, cancelled: Cancelled) -> pa.Table:
        """The coded synthetic table: post-processing of the sums, with a seed that follows from them.

        The same at every party on a machine alike. Raises `Corrupt`, `Stopped` when cancelled.
        """
        measured = self.measured(schema, opened)
        seed, asked = sha256(measured.encode()).digest(), self.specification
        return rows_from(NAME, measured.histograms, schema, asked.rows, seed, progress, cancelled, asked.only)

    def next_round(self, schema: Schema, opened: Opened) -> Round | None:
        """What is summed after `opened`; None where all is."""
        released, prices = Released(schema), self._cell_prices(schema)
        for level in range(levels_of(schema)):
            questions = released.questions
            step = CellRound(questions, tuple(prices[one.place][level] for one in questions))
            if len(opened) == level:
                return step
            released = released.answered(self._histograms(schema, step, opened[level]))
        columns, left = released.columns, opened[levels_of(schema) :]
        if len(opened) >= self.rounds(schema):
            return None
        if len(opened) == self.rounds(schema) - 1:
            return score_round(schema, self.specification, columns, self.evaluate_micro, self._stddev)
        rest = self.generate_micro - sum(map(sum, prices))
        return (
            self._of_one_width(columns, rest)
            if measures_all(schema)
            else self._after_cells(schema, columns, left, rest)
        )

    def _of_one_width(self, columns: Columns, rho_micro: int) -> MarginalRound:
        width = structure.joint_width(columns.sizes, self._stddev(rho_micro), columns.total, WIDE_NOISE_SHARE)
        return priced(columns, list(combinations(range(len(columns.sizes)), width)), (), rho_micro)

    def _after_cells(self, schema: Schema, columns: Columns, left: Opened, rest: int) -> Round:
        """The sketch of all pairs, and then what was chosen by it."""
        price = self.generate_micro * SKETCH_PERCENT // 100
        pairs = len(columns.sizes) * (len(columns.sizes) - 1) // 2
        sketch = sketch_of(schema, columns, self._stddev(price) * sqrt(pairs))
        step = SketchRound(sketch, (price,))
        if not left:
            return step
        last = rest - price
        wanted = self._wanted(schema, columns, last)
        (share,) = self._shares(step)
        noise = sqrt(self.parties * share.sigma2)
        extras = self._stddev(last * EXTRA_PERCENT // 100)
        chosen = chosen_marginals(sketch, left[0]["sketch"], noise, wanted, self._stddev(last), extras)
        return priced(columns, chosen, wanted, last)

    def _wanted(self, schema: Schema, columns: Columns, rho_micro: int) -> list[Marginal]:
        """The workload's marginals as they are measured."""
        workload, count = marginals_of(schema, self.specification.workload), len(columns.sizes)
        others = len(structure.components(count, workload)) - 1 + EXTRAS_PER_COLUMN * count
        stddev = self._stddev(rho_micro) * sqrt(len(workload) + others / WANTED_WEIGHT)
        return structure.affordable(columns.sizes, columns.total, workload, stddev)

    def _histograms(self, schema: Schema, step: Round | None, sums: Sums) -> list[Histogram]:
        """The sums of a round as noisy counts, each with its noise and its price."""
        assert step is not None and not isinstance(step, ScoreRound)
        found: list[Histogram] = []
        for one, share, names in zip(step.asked, self._shares(step), _names(schema, step), strict=True):
            counts = tuple(sums.get(one.name, ()))
            if len(counts) != one.of.cells:
                raise Corrupt(f"expected {one.of.cells} sums of {one.name}, got {len(counts)}; run it again")
            found.append(summed(one.name, names, share, counts, self.parties))
        return found

    def _shares(self, step: Round) -> tuple[Share, ...]:
        return tuple(
            share_of(one, price, self.rows_in_pool, self.parties, self.threshold)
            for one, price in zip(step.asked, step.prices, strict=True)
        )

    def _stddev(self, rho_micro: int) -> float:
        """The noise of one summed count of a statistic of which a row moves one cell, paid with `rho_micro`, in rows."""
        honest = self.parties - self.threshold
        return self.rows_in_pool * sqrt(self.parties / honest * 1e6 / (2 * max(1, rho_micro)))

    def _cell_prices(self, schema: Schema) -> tuple[tuple[int, ...], ...]:
        """Micro-rho of each column's cells, by level, each at least `LEAST_MICRO`."""
        levels = sum(len(widths(column)) for column in schema.columns)
        rho_micro = self.generate_micro * CELLS_PERCENT // 100 - levels * (LEAST_MICRO - 1)
        return tuple(
            tuple(part + LEAST_MICRO - 1 for part in parts)
            for parts in cells_micro(schema, self.specification.workload, rho_micro)
        )

    def _check_rho(self, schema: Schema) -> None:
        """Raises `Refused` where some stage of some order of rounds could not be paid."""
        count, wanted = len(schema.columns), marginals_of(schema, self.specification.workload)
        levels = sum(len(widths(column)) for column in schema.columns)
        if measures_all(schema):
            most, percent = max(comb(count, width) for width in range(1, count + 1)), 100 - CELLS_PERCENT
        else:
            trees = len(structure.components(count, wanted)) - 1
            most = sum(comb(len(marginal), 2) for marginal in wanted) + trees + EXTRAS_PER_COLUMN * count
            percent = 100 - CELLS_PERCENT - SKETCH_PERCENT
        least = max(-(-100 * LEAST_MICRO * n // part) for n, part in ((levels, CELLS_PERCENT), (most, percent)))
        least = max(least, -(-100 * LEAST_MICRO // SKETCH_PERCENT))
        scores = least_micro(schema, self.specification)
        least = max(-(-100 * least // (100 - SCORES_PERCENT)), -(-100 * scores // SCORES_PERCENT))
        check_enough(self.rho_micro, least, count)


def _names(schema: Schema, step: RowRound) -> list[tuple[str, ...]]:
    """Whose cells each of a round's statistics are."""
    names = schema.names
    match step:
        case CellRound(questions=questions):
            return [(names[one.place],) for one in questions]
        case SketchRound():
            return [names]
        case MarginalRound(marginals=marginals):
            return [tuple(names[place] for place in marginal) for marginal in marginals]
