"""What may be opened of an exact analysis: nothing that is closed follows from what is opened, nor from totals."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, mannwhitneyu

from marketplace.errors import Invalid
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_comparisons import MannWhitney, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Distribution, Histogram, Rows, Table
from marketplace.protocol.analysis_cox import BEYOND, CoxRegression
from marketplace.protocol.analysis_lane import Lane, lane_of
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Moments, Variance
from marketplace.protocol.analysis_newton import DEPENDENT, UNSETTLED
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.closing import ClosedDistribution, ClosedSpecification
from marketplace.protocol.closing_cells import CLOSED, ClosedTable, coarser, shown_cells, taken_together
from marketplace.protocol.closing_groups import closed_ranks, copies_only, tie_bits
from marketplace.protocol.closing_hazards import ClosedHazards, hazard_digits
from marketplace.protocol.closing_opening import How, Opening
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES

K = 10
SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("score", Decimal(0), Decimal(4), Decimal(1), True),
        Category("outcome", ("alive", "dead"), False),
        Category("arm", ("a", "b", "c"), True),
        Category("site", tuple(f"site {n}" for n in range(600)), False),
    ),
    None,
    1,
)
MEDIAN = Quantile("days", (Decimal("0.5"),))


def asking(*analyses: Analysis) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def closed(analysis: Analysis) -> ClosedSpecification:
    return ClosedSpecification(asking(analysis), K)


@pytest.mark.parametrize(
    ("guarantee", "cell", "lane"),
    [
        (Guarantee.DIFFERENTIALLY_PRIVATE, 1, Lane.SUMS),
        (Guarantee.EXACT, 1, Lane.SUMS),
        (Guarantee.EXACT, 10, Lane.CLOSED),
        (Guarantee.EXACT, 50, Lane.CLOSED),
    ],
)
def test_what_is_exact_and_not_public_is_closed(guarantee: Guarantee, cell: int, lane: Lane) -> None:
    assert lane_of(guarantee, cell) is replace(asking(Count()), smallest_cell=cell).lane(guarantee) is lane


@pytest.mark.parametrize("cell", [-1, 0, 2, 9])
def test_a_smallest_cell_below_ten_is_for_public_data_alone(cell: int) -> None:
    with pytest.raises(Invalid, match="smallest cell of 10 or more"):
        lane_of(Guarantee.EXACT, cell)
    with pytest.raises(Invalid, match="smallest cell of 10 to"):
        ClosedSpecification(asking(Count()), cell)


def test_a_smallest_cell_that_no_party_has_rows_for_is_refused() -> None:
    with pytest.raises(Invalid, match="smallest cell of 10 to 16777216"):
        ClosedSpecification(asking(Count()), 2**24 + 1)


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    count = st.one_of(st.integers(0, K - 1), st.integers(K, 40), st.integers(K, 40))
    return [[draw(count) for _ in range(columns)] for _ in range(rows)]


def totals(table: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    return [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]


def shown(table: Sequence[Sequence[int]]) -> tuple[tuple[bool, ...], ...]:
    return shown_cells([[count >= K for count in row] for row in table])


@given(tables())
def test_each_small_cell_has_k_more_in_a_table_that_looks_the_same(table: list[list[int]]) -> None:
    open_cells = shown(table)
    places = [(r, c) for r, row in enumerate(table) for c, _ in enumerate(row)]
    if not any(any(row) for row in open_cells):
        return
    for row, column in ((r, c) for r, c in places if table[r][c] < K):
        assert not open_cells[row][column]
        others = []
        for r, c in ((r, c) for r, c in places if r != row and c != column):
            other = [list(one) for one in table]
            for at, move in (((row, column), K), ((r, c), K), ((row, c), -K), ((r, column), -K)):
                other[at[0]][at[1]] += move
            same = all(other[x][y] == table[x][y] for x, y in places if open_cells[x][y])
            others.append(same and min(map(min, other)) >= 0 and totals(other) == totals(table))
        assert any(others)


@given(tables())
def test_each_small_cell_has_k_more_in_a_table_with_the_same_coarser_table(table: list[list[int]]) -> None:
    open_cells = shown(table)
    way = coarser(open_cells)
    if way is None or not any(map(any, open_cells)):
        return
    assert len(way.rows) == len(table) or len(way.columns) == len(table[0])
    merged = taken_together(table, way)
    assert min(map(min, merged)) >= K
    rows, columns = range(len(table)), range(len(table[0]))
    for row, column in ((r, c) for r in rows for c in columns if table[r][c] < K):
        others = []
        for r, c in ((r, c) for r in rows for c in columns if r != row and c != column):
            other = [list(one) for one in table]
            for at, move in (((row, column), K), ((r, c), K), ((row, c), -K), ((r, column), -K)):
                other[at[0]][at[1]] += move
            same = all(other[x][y] == table[x][y] for x in rows for y in columns if open_cells[x][y])
            same = same and totals(other) == totals(table) and taken_together(other, way) == merged
            others.append(same and min(map(min, other)) >= 0)
        assert any(others)


def test_columns_are_taken_together_or_rows_whichever_leaves_more_to_test() -> None:
    wide = coarser([[False, False, True, True], [False, False, True, True], [True, True, True, True]])
    assert wide is not None and (wide.rows, wide.columns) == (((0,), (1,), (2,)), ((0, 1), (2,), (3,)))
    tall = coarser([[False, False, True], [False, False, True], [True, True, True], [True, True, True]])
    assert tall is not None and (tall.rows, tall.columns, tall.freedom) == (((0, 1), (2,), (3,)), ((0,), (1,), (2,)), 4)
    assert coarser([[True, True], [True, True]]) is None
    assert coarser([[False, False], [False, False]]) is None


@st.composite
def genotypes(draw: st.DrawFn) -> list[list[int]]:
    count = st.one_of(st.integers(0, K - 1), st.integers(K, 60))
    return [[draw(count) for _ in range(3)] for _ in range(draw(st.integers(1, 2)))]


@given(genotypes())
def test_rows_and_copies_of_a_variant_leave_each_small_genotype_k_to_spare(groups: list[list[int]]) -> None:
    reaching = [[count >= K for count in group] for group in groups]
    if not copies_only(reaching, [group[1] >= 2 * K for group in groups]):
        return
    for place, group in enumerate(groups):
        for genotype in (genotype for genotype, count in enumerate(group) if count < K):
            other = [list(one) for one in groups]
            for at, sign in [(place, 1), *((n, -1) for n in range(len(groups)) if n != place)]:
                other[at] = [other[at][0] + sign * K, other[at][1] - sign * 2 * K, other[at][2] + sign * K]
            assert min(map(min, other)) >= 0 and other[place][genotype] >= K
            seen = [[(sum(one), one[1] + 2 * one[2]) for one in each] for each in (groups, other)]
            assert seen[0] == seen[1]
            if len(groups) == 2:
                assert [sum(each) for each in zip(*other, strict=True)] == [
                    sum(each) for each in zip(*groups, strict=True)
                ]


def test_a_variant_is_closed_where_a_small_genotype_has_nothing_to_spare() -> None:
    many, few, rare = [True] * 3, [True, True, False], [True, False, False]
    assert copies_only([many], [False]) and copies_only([few], [True])
    assert not copies_only([few], [False]) and not copies_only([rare], [False])
    assert copies_only([many, few], [False, True]) and not copies_only([few, few], [True, True])


def test_ranks_follow_from_u_and_ties_as_scipy_has_them() -> None:
    drawn = np.random.default_rng(5)
    first, second = drawn.integers(0, 16, 400), drawn.integers(1, 16, 300)
    asked = MannWhitney("days", "outcome", "alive", "dead", 16)
    twice = int(sum(2 * (second < one).sum() + (second == one).sum() for one in first))
    ties = int(sum(int(count) ** 3 for count in np.bincount(np.concatenate([first, second]))))
    found = closed_ranks(asked, (400, 300, twice, ties >> tie_bits(700)))
    true = mannwhitneyu(first, second, method="asymptotic", use_continuity=False)
    assert found.values is not None and found.values[0] == pytest.approx(true.statistic / 400 / 300)
    assert found.p == pytest.approx(true.pvalue, rel=1e-4)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_in_a_line_the_total_leaves_each_small_cell_k_to_spare(line: list[int]) -> None:
    (open_cells,) = shown([line])
    assert tuple(row[0] for row in shown([[count] for count in line])) == open_cells
    hidden = [count for count, is_open in zip(line, open_cells, strict=True) if not is_open]
    assert all(count >= K for count, is_open in zip(line, open_cells, strict=True) if is_open)
    if min(line) >= K:
        assert not hidden
    elif len(hidden) < len(line):
        assert sum(hidden) >= K + sum(count for count in line if count < K)


def test_a_table_without_small_cells_is_shown_whole_and_one_that_cannot_be_kept_is_closed_whole() -> None:
    assert shown([[10, 20], [30, 40]]) == ((True, True), (True, True))
    assert shown([[3, 20], [4, 40]]) == ((False, False), (False, False))
    assert shown([[3, 20, 20], [30, 40, 50], [30, 40, 50]]) == (
        (False, False, True),
        (False, False, True),
        (True, True, True),
    )


def test_one_analysis_stands_in_an_exact_order() -> None:
    with pytest.raises(Invalid, match="expected one analysis"):
        ClosedSpecification(asking(Count(), Count()), K)


def test_a_linkage_count_is_not_answered_exactly() -> None:
    with pytest.raises(Invalid, match="ask with noise"):
        closed(Linkage(3, 4096, KnownTo.TWO))


def test_a_cox_regression_opens_where_intervals_end_what_supports_it_and_steps() -> None:
    asked = CoxRegression("days", "outcome", "dead", (Decimal(500), Decimal(1000)), ("score", "arm"), 4, doublings=6)
    two = replace(SCHEMA, columns=(*SCHEMA.columns[:3], Category("arm", ("a", "b"), True)))
    opened = closed(asked).openings(two)
    assert opened["0/intervals"] == Opening(How.INTERVALS, (1, 3), K, 2**24)
    assert opened["0/support"] == Opening(How.SUPPORTED, (2 * (5 + 2), 2), K + 2, 2**24)
    handed = 2 + 3 * (1 + 2 + 3) + 2 + 4
    steps = {"first": (How.HAZARD_FIRST, 4), "step": (How.HAZARD_STEP, 2), "fit": (How.HAZARD_FIT, 5)}
    for name, (how, cells) in steps.items():
        assert opened[f"0/{name}"] == Opening(how, (handed, cells), 6, 2**58)
    assert [each[0].of.name for each in closed(asked).schedule(two)] == [
        "intervals", "support", "first", "step", "step", "fit"
    ]  # fmt: skip


def test_a_cox_regression_of_which_an_opening_stayed_closed_tells_no_coefficient() -> None:
    asked = CoxRegression("days", "outcome", "dead", (Decimal(500), Decimal(1000)), ("score",), 2)
    shut, ends, counts = [CLOSED], {"0/intervals": [0, 1]}, {"0/support": [30, 20]}
    steps = ({"0/first": [128, -8]}, {"0/fit": [0, 900, 0]})

    def answer(*opened: dict[str, list[int]]) -> ClosedHazards | None:
        found: ClosedHazards | None = closed(asked).results(SCHEMA, opened)[0]
        return found

    assert answer({"0/intervals": 2 * shut}, {"0/support": 2 * shut}, *steps) is None
    assert answer(ends, {"0/support": 2 * shut}, {"0/first": 2 * shut}, {"0/fit": 3 * shut}) is None
    found = answer(ends, counts, *steps)
    assert found is not None and found.terms is not None and found.intervals == (Decimal(1000),)
    assert (found.rows, found.events, found.terms[0].name) == (50, 20, "score")
    for reason, first, last in (
        (DEPENDENT, 2 * shut, 3 * shut),
        (DEPENDENT, [128, -8], 3 * shut),
        (DEPENDENT, [128, -8], [0, 0, 0]),
        (BEYOND, [128, -8], [*(2 * shut), 1]),
        (UNSETTLED, [128, -8], [2000, 900, 0]),
    ):
        none = answer(ends, counts, {"0/first": first}, {"0/fit": last})
        assert none == ClosedHazards(50, 20, None, reason, (Decimal(1000),))


def test_hazards_are_handed_in_as_finely_as_sums_have_room_for() -> None:
    for doublings, rows in product(range(1, 13), (20, 10_000, 2**24, 2**28)):
        digits, party = hazard_digits(doublings, rows), min(rows, 2**24)
        assert digits >= 22 and party * 2 ** (digits + doublings) <= 2**58
        assert digits + rows.bit_length() + doublings <= 64


def test_a_fit_is_told_where_k_rows_and_as_many_as_there_are_terms_lie_outside_each_bin_and_in_each_pair() -> None:
    opened = closed(LogisticRegression("outcome", "dead", ("days", "score"), 3)).openings(SCHEMA)
    assert opened["0/support"] == Opening(How.SUPPORTED, (2 * (16 + 5), 2), K + 3, 2**24)
    assert [opened[name].shape for name in ("0/step", "0/fit")] == [(3 + 6 + 1 + 3, 3), (3 + 6 + 1 + 3, 6)]
    assert opened["0/step"].least == 20
    columns = (*SCHEMA.columns[:3], Category("sex", ("f", "m"), False), Category("smokes", ("no", "yes"), False))
    paired = closed(LogisticRegression("outcome", "dead", ("sex", "smokes"), 3)).openings(
        replace(SCHEMA, columns=columns)
    )
    assert paired["0/support"].shape == (2 * (2 + 2 + 4), 2)


@pytest.mark.parametrize(
    ("analysis", "reason"),
    [
        (Mean("score"), "ask for its histogram"),
        (Variance("score"), "ask for its histogram"),
        (Contingency("site", "arm"), "at most 1024 cells"),
        (Welch("score", "outcome", "alive", "dead"), "16 values or more"),
        (MannWhitney("days", "outcome", "alive", "dead", 15), "16 values or more"),
        (MannWhitney("days", "outcome", "alive", "dead", 600), "at most 1024 cells"),
        (
            CoxRegression("days", "outcome", "dead", tuple(map(Decimal, range(1, 514))), ("score",)),
            "at most 512 points",
        ),
        (Survival("days", "outcome", "dead", tuple(map(Decimal, range(1, 514)))), "at most 512 points"),
    ],
)
def test_what_would_tell_too_much_or_take_too_long_is_refused(analysis: Analysis, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        closed(analysis).asked(SCHEMA)


def test_openings_state_the_largest_number_of_a_party() -> None:
    opened = closed(Mean("days")).openings(SCHEMA)
    assert [one.how for one in opened.values()] == [How.CELLS, How.WHOLE]
    assert opened["0/present"].least == K
    assert [one.most for one in opened.values()] == [2**24, 1000 * 2**24]


@pytest.mark.parametrize(
    "analysis",
    [
        Count(),
        Histogram("arm", 3),
        Contingency("outcome", "arm"),
        Mean("days"),
        Survival("days", "outcome", "dead", (Decimal(100),)),
    ],
)
def test_a_cell_reaches_k_persons_however_many_rows_each_has(analysis: Analysis) -> None:
    visits = replace(SCHEMA, person="patient", rows_per_person=3)
    assert next(iter(closed(analysis).openings(visits).values())).least == 3 * K
    median = closed(Quantile("days", (Decimal("0.5"),)))
    assert median.openings(visits)["0/present"].least == 6 * K


@pytest.mark.parametrize(("levels", "least"), [(("0.5",), 20), (("0.05", "0.5"), 200), (("0.25", "0.5", "0.75"), 40)])
def test_between_the_levels_of_quantiles_lie_k_rows_or_none_is_told(levels: tuple[str, ...], least: int) -> None:
    analysis = Quantile("days", tuple(map(Decimal, levels)))
    assert closed(analysis).openings(SCHEMA)["0/present"].least == least


def test_answers_say_none_for_what_stays_closed() -> None:
    count = closed(Count())
    assert count.results(SCHEMA, ({"0/rows": (12,)},)) == (Rows(12),)
    assert count.results(SCHEMA, ({"0/rows": (CLOSED,)},)) == (None,)
    histogram = closed(Histogram("arm", 3))
    assert histogram.results(SCHEMA, ({"0/bins": (40, CLOSED, 15, CLOSED)},)) == (
        ClosedDistribution((("a", "a"), ("b", "b"), ("c", "c")), (40, None, 15), None),
    )
    assert isinstance(histogram.results(SCHEMA, ({"0/bins": (40, 20, 15, 10)},))[0], Distribution)
    table = closed(Contingency("outcome", "arm"))
    (found,) = table.results(
        SCHEMA, ({"0/cells": (CLOSED, CLOSED, 30, CLOSED, CLOSED, 40)}, {"0/merged": (50, 30, 20, 40, 0, 0)})
    )
    true = chi2_contingency([[50, 30], [20, 40]], correction=False)
    assert found == ClosedTable(
        ((None, None, 30), (None, None, 40)),
        ((0,), (1,)),
        ((0, 1), (2,)),
        ((50, 30), (20, 40)),
        found.statistic,
        1,
        found.p,
    )
    assert (found.statistic, found.freedom, found.p) == (pytest.approx(true.statistic), 1, pytest.approx(true.pvalue))
    whole = {"0/cells": (11, 12, 13, 14, 15, 16)}, {"0/merged": (0,) * 6}
    assert isinstance(table.results(SCHEMA, whole)[0], Table)
    mean = closed(Mean("days"))
    assert mean.results(SCHEMA, ({"0/present": (CLOSED,), "0/sum": (CLOSED,)},)) == (None,)
    assert mean.results(SCHEMA, ({"0/present": (10,), "0/sum": (-10_000,)},)) == (Moments(10, 0.0),)


def test_curves_are_those_of_the_points_that_are_left() -> None:
    grid = tuple(map(Decimal, (10, 20, 30)))
    asked = Survival("days", "outcome", "dead", grid, "outcome")
    asked = replace(asked, by="arm")
    gone, whole = (CLOSED, CLOSED), (0, 0)
    leaving = [gone, (10, 20), whole, (30, 0)] * 2 + [gone, whole, whole, (0, 0)]
    flat = tuple(number for pair in leaving for number in pair)
    (found,) = closed(asked).results(SCHEMA, ({"0/leaving": flat},))
    coarser = replace(asked, grid=grid[1:])
    true = tuple(number for pair in [(10, 20), whole, (30, 0)] * 2 + [whole] * 3 for number in pair)
    assert found == coarser.result(SCHEMA, {"leaving": true})
    assert closed(asked).results(SCHEMA, ({"0/leaving": (CLOSED,) * 24},)) == (None,)
