import numpy as np
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.specification import Workload
from node.evaluation.exact import copies, evaluate_exactly
from node.evaluation.provider import ProviderScores
from tests.evaluation.tables import SCHEMA, arrow, records, shuffled

TRAINING, HOLDOUT, FRESH = records(1_500, 1), records(2_000, 2), records(1_500, 3)


def exactly(made: object, seed: int = 7) -> ProviderScores:
    return evaluate_exactly(arrow(TRAINING), arrow(HOLDOUT), arrow(made), SCHEMA, Workload(), seed)


def test_a_copy_of_the_training_table_scores_nothing_but_copies_and_attack_catch_it() -> None:
    found = exactly(TRAINING)
    assert all(score.training == 0 for score in found.scores)
    assert all(score.holdout == score.real_on_holdout for score in found.scores)
    assert found.copies.training.value == found.copies.synthetic.value == 1
    assert found.copies.holdout.high < 0.05
    assert found.attack.auc.low > 0.9
    assert found.attack.true_positives.low > 0.2


def test_new_records_of_the_same_source_score_like_the_holdout_and_are_not_caught() -> None:
    found = exactly(FRESH)
    assert found.copies.training.low <= found.copies.holdout.high
    assert found.attack.auc.low < 0.5 < found.attack.auc.high
    assert found.attack.true_positives.low < 0.02
    assert (found.training_rows, found.holdout_rows, found.attack.records) == (1_500, 2_000, 1_000)


def test_a_shuffled_table_scores_at_the_floor() -> None:
    found = exactly(shuffled(TRAINING, 5))
    for score in found.scores[1:3]:
        width = score.floor.high - score.floor.low
        assert abs(score.training - score.floor.value) < 4 * width
        assert score.ceiling.high < score.floor.low


def test_a_bootstrap_scores_at_the_ceiling() -> None:
    found = exactly(TRAINING.iloc[np.random.default_rng(8).integers(0, 1_500, 1_500)])
    for score in found.scores[:3]:
        width = score.ceiling.high - score.ceiling.low
        assert abs(score.training - score.ceiling.value) < 4 * width


def test_the_seed_fixes_everything_and_another_changes_what_is_drawn() -> None:
    def drawn(found: ProviderScores) -> tuple[float, ...]:
        return (found.attack.auc.value, found.scores[2].floor.value, found.scores[2].ceiling.low)

    assert drawn(exactly(FRESH)) == drawn(exactly(FRESH))
    assert exactly(FRESH) == exactly(FRESH)
    assert all(a != b for a, b in zip(drawn(exactly(FRESH)), drawn(exactly(FRESH, 8)), strict=True))


def test_provider_scores_do_not_print_their_values() -> None:
    found = exactly(FRESH)
    parts = (found, found.scores, found.scores[0], found.copies, found.copies.training, found.attack)
    for printed in (text for part in parts for text in (repr(part), str(part), f"{part}")):
        assert "provider only" in printed
        assert not any(letter.isdigit() for letter in printed)


def test_a_pair_of_identical_tables_is_all_copies_with_honest_intervals() -> None:
    found = copies(TRAINING, HOLDOUT, HOLDOUT)
    assert found.holdout.value == found.holdout.high == 1
    assert 0.98 < found.holdout.low < 1


@pytest.mark.parametrize(("training", "holdout", "made"), [(0, 500, 9), (9, 39, 9), (9, 500, 0)])
def test_too_few_records_are_refused(training: int, holdout: int, made: int) -> None:
    tables = (arrow(table.iloc[:rows]) for table, rows in ((TRAINING, training), (HOLDOUT, holdout), (FRESH, made)))
    with pytest.raises(Invalid, match="holdout of 40"):
        evaluate_exactly(*tables, SCHEMA, Workload(), 1)
