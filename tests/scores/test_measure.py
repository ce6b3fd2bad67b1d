import math
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.cells import Bins
from marketplace.scores.measure import LARGEST_SETS, Measure, column_sets, measures

SCHEMA = Schema(
    (
        Category("a", ("x", "y", "z"), missing=False),
        Category("b", ("x", "y"), missing=True),
        Number("c", Decimal(0), Decimal(3), Decimal(1), missing=True),
    ),
    None,
    1,
)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 1), st.integers(-1, 3)), min_size=1, max_size=30)


def frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, np.int32).reshape(-1, 3), columns=list(SCHEMA.names))


def plain(left: pd.DataFrame, right: pd.DataFrame, marginals: list[tuple[str, ...]]) -> float:
    total = 0.0
    for marginal in marginals:
        a = left.value_counts(list(marginal), normalize=True)
        b = right.value_counts(list(marginal), normalize=True)
        total += float(a.sub(b, fill_value=0).abs().sum())
    return total / len(marginals)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_distances_are_those_of_the_definition(
    left: list[tuple[int, int, int]], right: list[tuple[int, int, int]]
) -> None:
    a, b = frame(left), frame(right)
    bins = Bins(SCHEMA, (None, None, (0, 1, 2)))
    for ways in (1, 2, 3):
        measure = column_sets(SCHEMA.names, ways, b"")
        distance = measure.distance(bins.cut(a), bins.cut(b))
        assert math.isclose(float(distance), plain(a, b, list(measure.marginals)), abs_tol=1e-12)
        assert 0 <= distance <= measure.largest
    missing = next(each for each in measures(SCHEMA, Workload(), b"") if each.missing)
    expected = np.mean([abs(float((a[name] < 0).mean()) - float((b[name] < 0).mean())) for name in ("b", "c")])
    assert math.isclose(float(missing.distance(bins.cut(a), bins.cut(b))), expected, abs_tol=1e-12)


@settings(deadline=None)
@given(ROWS, ROWS, ROWS)
def test_distances_of_several_tables_are_those_of_each(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]], base: list[tuple[int, int, int]]
) -> None:
    bins = Bins.of(frame(base), SCHEMA)
    one, two, table = (bins.cut(frame(rows)) for rows in (first, second, base))
    for measure in measures(SCHEMA, Workload((("a", "c"),)), b""):
        assert measure.distances([one, two], table) == [measure.distance(one, table), measure.distance(table, two)]
        assert measure.distance(table, table) == 0


def test_tables_with_nothing_in_common_are_two_apart() -> None:
    bins = Bins.of(frame([(0, 0, 0)]), SCHEMA)
    measure = Measure("workload", (("a",), ("a", "b")))
    assert measure.distance(bins.cut(frame([(0, 0, 0)])), bins.cut(frame([(1, 1, 0)]))) == Fraction(2)


def test_a_measure_is_left_out_where_it_makes_no_sense() -> None:
    narrow = Schema((Category("a", ("x", "y"), missing=False),), None, 1)
    assert [measure.name for measure in measures(narrow, Workload(), b"")] == ["l1_1way"]
    wanted = measures(SCHEMA, Workload((("c", "a"),)), b"")
    assert [measure.name for measure in wanted] == ["l1_1way", "l1_2way", "l1_3way", "missingness", "workload"]
    assert wanted[3].marginals == (("b",), ("c",))
    assert wanted[4].marginals == (("c", "a"),)


def test_few_sets_are_all_taken() -> None:
    names = tuple(f"c{index}" for index in range(14))
    measure = column_sets(names, 3, b"any")
    assert measure.name == "l1_3way"
    assert measure.marginals == tuple(combinations(names, 3))
    assert len(measure.marginals) == 364


def test_too_many_sets_are_sampled_by_the_seed_and_the_name_says_so() -> None:
    names = tuple(f"c{index}" for index in range(100))
    measure = column_sets(names, 3, b"seed")
    assert measure.name == "l1_3way_1000_of_161700"
    assert len(set(measure.marginals)) == LARGEST_SETS
    assert set(measure.marginals) <= set(combinations(names, 3))
    assert measure == column_sets(names, 3, b"seed")
    assert measure != column_sets(names, 3, b"other")
    used = {name for marginal in measure.marginals for name in marginal}
    assert len(used) == 100
