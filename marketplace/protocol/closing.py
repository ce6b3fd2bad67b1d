"""What is opened in the closed lane: of an exact analysis whose smallest cell is above 1, and of a linkage count with noise.

Pure decisions, the same for buyer, nodes and auditor.

Sums stay shared between the parties; each statistic has an `Opening` that says what may be opened of its sum. An opening
that shows nothing shuts the order: everything after it stays closed. So one analysis stands in such an order, since what
one leaves closed must not follow from another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.analysis import AnalysisSpecification, Asked
from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_lane import SMALLEST_CELL
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS, Opened, Statistic, Variances
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.closing_cells import CLOSED, Coarser, closed_table, coarser
from marketplace.protocol.closing_fits import digits, fit_schedule, fitted, terms
from marketplace.protocol.closing_groups import RANKS, closed_ranks, closed_variants
from marketplace.protocol.closing_hazards import fitted_hazards, hazard_schedule
from marketplace.protocol.closing_opening import LARGEST_SHARE, How, Opening
from marketplace.protocol.schema import Schema

LARGEST_CELLS, LARGEST_POINTS, LARGEST_VARIANTS, SMALLEST_GRID = 1_024, 512, 1_000, 16
CLOSABLE = (
    Count
    | Histogram
    | Contingency
    | Mean
    | Quantile
    | Survival
    | Welch
    | MannWhitney
    | Proportions
    | AlleleFrequencies
    | CaseControl
    | LinearRegression
    | LogisticRegression
    | CoxRegression
)
"""The analyses of which something can be told while small cells stay closed."""
HAZARDS = {"first": How.HAZARD_FIRST, "step": How.HAZARD_STEP, "fit": How.HAZARD_FIT}


@dataclass(frozen=True)
class ClosedDistribution:
    """Rows in each bin of a column, and without a value, None where a cell stays closed. `texts`: as in `Distribution`."""

    texts: tuple[tuple[str, str], ...]
    counts: tuple[int | None, ...]
    missing: int | None


@dataclass(frozen=True)
class ClosedSpecification:
    """An order's question as its parties answer it in the closed lane; asked, counted and hashed as it stands.

    `smallest_cell`: 10 or more of an exact order, None of a linkage count, which has noise. Raises `Invalid` for several
    analyses, and for one that cannot be closed.
    """

    specification: AnalysisSpecification
    smallest_cell: int | None

    def __post_init__(self) -> None:
        if self.specification.links and self.smallest_cell is None:
            return
        if self.smallest_cell is None or not SMALLEST_CELL <= self.smallest_cell <= LARGEST_PARTY_ROWS:
            raise Invalid(
                f"expected a smallest cell of {SMALLEST_CELL} to {LARGEST_PARTY_ROWS}, got {self.smallest_cell}; ask again"
            )
        if len(self.specification.analyses) != 1:
            raise Invalid(
                "expected one analysis in an exact order, since closed cells may follow from several; ask singly"
            )
        if not isinstance(self.specification.analyses[0], CLOSABLE):
            raise Invalid(
                "expected an analysis of which something can be told while small cells stay closed, got another; ask with noise"
            )

    def encode(self) -> bytes:
        """The specification's own bytes, whose SHA-256 the order names."""
        return self.specification.encode()

    def schedule(self, schema: Schema) -> tuple[tuple[Asked, ...], ...]:
        """What parties hand in and open in each round. Raises `Invalid` as the specification does, and where an opening does
        not fit `schema`."""
        self.openings(schema)
        return self._schedule(schema)

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]:
        """What they do next, where `opened` is of all earlier rounds; nothing at the end. Raises as `schedule` does."""
        return (*self.schedule(schema), ())[len(opened)]

    def openings(self, schema: Schema) -> dict[str, Opening]:
        """What may be opened of each statistic, by the names of `asked`. Numbers count rows, so that the fewest that may be
        seen are those of as many persons with all their rows at one provider.

        Raises `Invalid` for a table or time grid that is too large to be closed cell by cell, and for moments of a column
        with so few values that they would give its counts away.
        """
        analysis = self.specification.analyses[0]
        statistics = {one.name: one.of for asked in self._schedule(schema) for one in asked}
        if isinstance(analysis, Linkage):
            least = 2 if analysis.known_to is KnownTo.TWO else analysis.parties
            return {
                name: Opening(How.LINKED, (one.hidden, one.cells), least, LARGEST_SHARE)
                for name, one in statistics.items()
            }
        assert self.smallest_cell is not None
        least_rows, found = self.smallest_cell * schema.rows_per_person, {}
        for name, statistic in statistics.items():
            how, shape, least = _way(analysis, schema, statistic, least_rows)
            found[name] = Opening(how, shape or (1, statistic.cells), least, statistic.bound * LARGEST_PARTY_ROWS)
        return found

    def results(self, schema: Schema, opened: Opened, noise: Sequence[Variances] = ()) -> tuple[Any, ...]:
        """The answer, in a tuple of one: that of the sums lane where nothing stayed closed, else one with None for what did,
        and None where all did. Curves are those of the time grid that was left. Raises `Corrupt` as the specification does.
        """
        analysis, schedule = self.specification.analyses[0], self._schedule(schema)
        if isinstance(analysis, Linkage):
            return self.specification.results(schema, opened, noise)
        sizes = [{one.name: one.of.cells for one in asked} for asked in schedule]
        if sizes != [{name: len(sums) for name, sums in each.items()} for each in opened]:
            raise Corrupt("expected what the order's questions open, got other numbers; run it again")
        parts = [{name.removeprefix("0/"): sums for name, sums in each.items()} for each in opened]
        shown = next(iter(parts[0].values()))
        if all(one == CLOSED for one in shown):
            return (None,)
        match analysis:
            case Survival():
                return (_curves(analysis, schema, shown),)
            case MannWhitney():
                return (closed_ranks(analysis, shown),)
            case AlleleFrequencies() | CaseControl():
                return (closed_variants(analysis, shown),)
            case LinearRegression() | LogisticRegression():
                return (fitted(analysis, schema, parts),)
            case CoxRegression():
                supported = CLOSED not in parts[1]["support"]
                return (fitted_hazards(analysis, schema, parts) if supported else None,)
            case Contingency() if CLOSED in shown:
                return (closed_table(_table(shown, schedule), coarser_of(shown, schedule), parts[1]["merged"]),)
            case Histogram() if CLOSED in shown:
                return (_distribution(analysis, schema, shown),)
        return self.specification.results(schema, opened[: len(self.specification.schedule(schema))])

    def _schedule(self, schema: Schema) -> tuple[tuple[Asked, ...], ...]:
        plain, analysis = self.specification.schedule(schema), self.specification.analyses[0]
        match analysis:
            case Contingency():
                merged = Statistic("merged", plain[0][0].of.shape, 1, 1)
                return (*plain, (Asked("0/merged", 0, merged),))
            case MannWhitney():
                ranks = Statistic("ranks", (RANKS,), 1, 1, hidden=plain[0][0].of.cells)
                return ((Asked("0/ranks", 0, ranks),),)
            case LinearRegression() | LogisticRegression():
                return tuple((Asked(f"0/{one.name}", 0, one),) for one in fit_schedule(analysis, schema))
            case CoxRegression():
                return tuple((Asked(f"0/{one.name}", 0, one),) for one in hazard_schedule(analysis, schema))
        return plain


def coarser_of(cells: Sequence[int], schedule: Sequence[Sequence[Asked]]) -> Coarser | None:
    """How a table of a contingency's `schedule`, of which `cells` were opened, is taken together: see `coarser`."""
    return coarser([[one is not None for one in row] for row in _table(cells, schedule)])


def _table(cells: Sequence[int], schedule: Sequence[Sequence[Asked]]) -> list[list[int | None]]:
    width = schedule[0][0].of.shape[1]
    counts = [None if one == CLOSED else one for one in cells]
    return [counts[start : start + width] for start in range(0, len(counts), width)]


def _distribution(asked: Histogram, schema: Schema, cells: Sequence[int]) -> ClosedDistribution:
    counts = tuple(None if one == CLOSED else one for one in cells)
    texts = asked.result(schema, {"bins": [0] * len(cells)}).texts
    return ClosedDistribution(texts, counts[: len(texts)], counts[-1] if schema.column(asked.column).missing else None)


def _way(analysis: object, schema: Schema, statistic: Statistic, cell: int) -> tuple[How, tuple[int, int] | None, int]:
    """How a statistic is opened, its shape where it is not a row of numbers, and the least that may be seen."""
    match analysis:
        case Survival():
            return How.CURVES, (len(analysis.groups(schema)), _points(analysis.grid) + 1), cell
        case CoxRegression() if statistic.name == "intervals":
            return How.INTERVALS, (1, _points(analysis.grid) + 1), cell
        case Quantile():
            return (How.SIGNS, None, 0) if statistic.name == "signs" else (How.CELLS, None, analysis.least_rows(cell))
        case Mean(column=column) | Welch(column=column):
            _check_values(column, schema.column(column).size, "moments")
            return (How.CELLS if statistic.name == "present" else How.WHOLE), None, cell
        case MannWhitney(column=column, bins=bins):
            _check_values(column, bins, "ranks")
            _small((2, bins))
            return How.RANKS, (statistic.hidden, statistic.cells), cell
        case AlleleFrequencies(variants=variants) | CaseControl(variants=variants):
            if len(variants) > LARGEST_VARIANTS:
                raise Invalid(
                    f"expected at most {LARGEST_VARIANTS} variants to close, got {len(variants)}; ask for fewer"
                )
            return How.GENOTYPES, (len(variants), statistic.cells // len(variants)), cell
        case LinearRegression() | LogisticRegression() if statistic.name == "support":
            return How.SUPPORTED, (statistic.hidden, statistic.cells), cell + terms(analysis)
        case CoxRegression(predictors=predictors) if statistic.name == "support":
            return How.SUPPORTED, (statistic.hidden, statistic.cells), cell + len(predictors)
        case CoxRegression(doublings=doublings):
            return HAZARDS[statistic.name], (statistic.hidden, statistic.cells), doublings
        case LinearRegression():
            return How.LEAST_SQUARES, (statistic.hidden, statistic.cells), digits(analysis)
        case LogisticRegression():
            return How.SOLVED, (statistic.hidden, statistic.cells), digits(analysis)
        case Contingency() | Proportions():
            return (How.WHOLE if statistic.name == "merged" else How.CELLS), _small(_sides(statistic)), cell
        case Histogram():
            return How.CELLS, _small((1, statistic.cells)), cell
    return How.CELLS, None, cell


def _points(grid: Sequence[Decimal]) -> int:
    if len(grid) > LARGEST_POINTS:
        raise Invalid(f"expected a time grid of at most {LARGEST_POINTS} points to close, got {len(grid)}; widen it")
    return len(grid)


def _check_values(column: str, values: int, what: str) -> None:
    if values < SMALLEST_GRID:
        raise Invalid(
            f"column {column!r}: expected {SMALLEST_GRID} values or more to tell its {what}, since those of fewer tell how "
            "many rows each has; ask for its histogram or a table"
        )


def _sides(statistic: Statistic) -> tuple[int, int]:
    rows, columns = statistic.shape
    return rows, columns


def _small(sides: tuple[int, int]) -> tuple[int, int]:
    if sides[0] * sides[1] > LARGEST_CELLS:
        raise Invalid(
            f"expected a table of at most {LARGEST_CELLS} cells to close, got {sides[0] * sides[1]}; ask for a coarser one"
        )
    return sides


def _curves(analysis: Survival, schema: Schema, shown: Sequence[int]) -> SurvivalCurves:
    """The curves on the points that are left of the grid."""
    width = len(analysis.grid) + 1
    left = [place for place in range(width) if shown[2 * place] != CLOSED]
    grid = tuple(analysis.grid[place] for place in left[:-1])
    places = [
        2 * (start + place) + side for start in range(0, len(shown) // 2, width) for place in left for side in (0, 1)
    ]
    coarser: Mapping[str, Sequence[int]] = {"leaving": [shown[place] for place in places]}
    return replace(analysis, grid=grid).result(schema, coarser)
