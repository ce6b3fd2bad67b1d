import numpy as np
import pandas as pd
import pytest

from marketplace.errors import Invalid
from node.evaluation.attack import LARGEST_GROUP, attack, auc, true_positives
from tests.evaluation.tables import SCHEMA, records


def test_the_area_is_the_chance_of_a_pair_in_order_with_ties_as_halves() -> None:
    random = np.random.default_rng(1)
    inside, outside = random.integers(0, 9, 50).astype(float), random.integers(0, 7, 40).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a in inside for b in outside]
    assert auc(inside, outside) == pytest.approx(np.mean(pairs))
    assert auc(inside, inside) == 0.5


def test_true_positives_keep_false_positives_at_one_in_a_hundred_even_with_ties() -> None:
    outside = np.arange(200.0)
    assert true_positives(np.array([197.0, 197.5, 198.0, 500.0]), outside) == 0.75
    assert true_positives(np.ones(100), np.ones(100)) == 0.0
    random = np.random.default_rng(2)
    assert true_positives(random.random(100_000), random.random(100_000)) == pytest.approx(0.01, abs=0.002)


def test_a_table_that_holds_half_of_the_training_records_is_caught_halfway() -> None:
    training, holdout = records(1_000, 1), records(1_000, 2)
    made = pd.concat([training.iloc[:500], records(500, 3)])
    found = attack(training, holdout, made, SCHEMA, 4)
    assert 0.65 < found.auc.value < 0.85
    assert found.auc.low < found.auc.value < found.auc.high
    assert 0.3 < found.true_positives.value < 0.55


def test_at_most_a_thousand_records_of_each_kind_are_attacked() -> None:
    assert attack(records(2_500, 1), records(2_500, 2), records(300, 3), SCHEMA, 4).records == LARGEST_GROUP


def test_a_column_that_is_all_missing_does_no_harm() -> None:
    tables = [records(200, seed).assign(age=np.int32(-1)) for seed in (1, 2, 3)]
    found = attack(*tables, SCHEMA, 4)
    assert 0.3 < found.auc.value < 0.7


def test_too_small_a_holdout_is_refused() -> None:
    with pytest.raises(Invalid, match="holdout of 40"):
        attack(records(100, 1), records(39, 2), records(100, 3), SCHEMA, 4)
