import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.cells import Bins, Cells
from marketplace.scores.measure import measures
from marketplace.scores.reference import EXACT_UP_TO, Reference, ceiling, expected_deviation, references, shuffle

SCHEMA = Schema(
    (
        Number("age", Decimal(0), Decimal(99), Decimal(1), missing=True),
        Category("group", tuple("abcdefghij"), missing=False),
        Category("twin", tuple("abcdefghij"), missing=False),
    ),
    None,
    1,
)


def table(rows: int = 2_000, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    group = np.minimum(random.geometric(0.4, rows) - 1, 9)
    age = np.where(random.random(rows) < 0.1, -1, np.clip(random.normal(40 + 5 * group, 12, rows), 0, 99))
    return pd.DataFrame({"age": age, "group": group, "twin": group}).astype(np.int32)


def binomial_deviation(part: int, whole: int, draws: int) -> float:
    chance = part / whole
    if chance in (0, 1):
        return 0.0

    def log_mass(k: int) -> float:
        ways = math.lgamma(draws + 1) - math.lgamma(k + 1) - math.lgamma(draws - k + 1)
        return ways + k * math.log(chance) + (draws - k) * math.log1p(-chance)

    return math.fsum(math.exp(log_mass(k)) * abs(k / draws - chance) for k in range(draws + 1))


@pytest.mark.parametrize("draws", [1, 2, 7, 100, 3_000])
@pytest.mark.parametrize("part", [0, 1, 2, 13, 130, 500, 871, 998, 999, 1000])
def test_the_expected_deviation_of_a_cell_is_the_binomials(part: int, draws: int) -> None:
    exact = binomial_deviation(part, 1000, draws)
    closed = expected_deviation(part, 1000, draws)
    likely = min(part, 1000 - part) * draws // 1000
    assert math.isclose(closed, exact, rel_tol=3e-3 if likely > EXACT_UP_TO else 1e-9, abs_tol=1e-12)


def test_the_large_cell_formula_is_worst_where_it_begins_and_there_off_by_less_than_three_in_a_thousand() -> None:
    draws = 200_000
    for part in (66, 70, 100, 1_000):
        p = part / draws
        exact_log = (
            math.log(2 * (part + 1) / draws)
            + math.lgamma(draws + 1) - math.lgamma(part + 2) - math.lgamma(draws - part)
            + (part + 1) * math.log(p) + (draws - part) * math.log1p(-p)
        )  # fmt: skip
        assert math.isclose(expected_deviation(part, draws, draws), math.exp(exact_log), rel_tol=3e-3)


def test_the_ceiling_is_what_drawing_rows_anew_scores() -> None:
    made = table()
    cut = Bins.of(made, SCHEMA).cut(made)
    random = np.random.default_rng(5)
    rows = 700
    draws = [random.integers(0, cut.rows, rows) for _ in range(200)]
    drawn = [Cells(cut.names, tuple(cells[some] for cells in cut.columns), cut.sizes) for some in draws]
    for measure in measures(SCHEMA, Workload((("age", "twin"),)), b""):
        simulated = np.array([float(distance) for distance in measure.distances(drawn, cut)])
        error = simulated.std() / math.sqrt(len(simulated))
        assert abs(float(ceiling(measure, cut, rows)) - simulated.mean()) < 4 * error


def test_the_floor_is_what_shuffled_columns_score() -> None:
    made = table()
    cut = Bins.of(made, SCHEMA).cut(made)
    by_name = {reference.name: reference for reference in references(made, SCHEMA, Workload(), b"s" * 32, 2_000)}
    random = np.random.default_rng(6)
    shuffles = [
        Cells(cut.names, tuple(random.permutation(cells) for cells in cut.columns), cut.sizes) for _ in range(50)
    ]
    for measure in measures(SCHEMA, Workload(), b"s" * 32):
        simulated = np.array([float(distance) for distance in measure.distances(shuffles, cut)])
        reach = 4 * simulated.std() / math.sqrt(3) + 1e-6
        assert abs(float(by_name[measure.name].floor) - simulated.mean()) <= reach
    assert by_name["l1_1way"].floor == by_name["missingness"].floor == "0.000000"
    assert float(by_name["l1_2way"].floor) > 0.3


def test_a_shuffle_keeps_every_column_and_differs_by_index() -> None:
    made = table(200)
    cut = Bins.of(made, SCHEMA).cut(made)
    first, second = shuffle(cut, b"x", 0), shuffle(cut, b"x", 1)
    for before, one, two in zip(cut.columns, first.columns, second.columns, strict=True):
        assert sorted(before.tolist()) == sorted(one.tolist()) == sorted(two.tolist())
        assert one.tolist() != two.tolist()


def test_the_published_vector_holds() -> None:
    rows = [(index * 7 % 50 - (index % 11 == 0), index % 4, index % 4) for index in range(60)]
    made = pd.DataFrame(np.array(rows, np.int32), columns=list(SCHEMA.names))
    assert references(made, SCHEMA, Workload((("age", "group"),)), bytes(32), 1_000) == VECTOR


def test_nothing_to_compare_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        references(table(), SCHEMA, Workload(), b"", 0)
    with pytest.raises(ValueError, match="at least 1"):
        references(table().iloc[:0], SCHEMA, Workload(), b"", 10)


VECTOR = (
    Reference("l1_1way", "0.000000", "0.062358"),
    Reference("l1_2way", "0.955556", "0.134958"),
    Reference("l1_3way", "1.500000", "0.180586"),
    Reference("missingness", "0.000000", "0.003236"),
    Reference("workload", "0.777778", "0.180586"),
)
