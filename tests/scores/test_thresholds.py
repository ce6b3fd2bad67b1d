import pytest

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.threshold import Threshold
from marketplace.scores.score import Score
from marketplace.scores.thresholds import Judgement, judge

SCORES = (Score("l1_1way", "0.100000", "0.010000", "0.900000", "0.050000"),)


@pytest.mark.parametrize(("at_most", "met"), [("0.1", True), ("0.099999", False), ("0.100001", True), ("2", True)])
def test_a_threshold_is_met_by_a_released_value_that_does_not_exceed_it(at_most: str, met: bool) -> None:
    threshold = Threshold("l1_1way", at_most)
    assert judge((threshold,), SCORES) == (Judgement(threshold, met),)


def test_a_score_that_was_not_released_meets_nothing() -> None:
    assert [judged.met for judged in judge((Threshold("subgroup_2", "9"),), SCORES)] == [False]


@pytest.mark.parametrize("at_most", ["", "-1", "1e-3", "0.1234567", "10", "nan", ".1"])
def test_a_threshold_is_a_plain_decimal(at_most: str) -> None:
    with pytest.raises(Invalid, match="decimal from 0 to 9"):
        Threshold("l1_1way", at_most)


def test_a_threshold_names_a_score() -> None:
    with pytest.raises(Invalid, match="small letters"):
        Threshold("L1 1way", "0.1")


def test_a_judgement_comes_back_and_other_parts_are_corrupt() -> None:
    judgement = Judgement(Threshold("l1_1way", "0.1"), True)
    assert Judgement.of_document(judgement.document()) == judgement
    for wrong in ({"met": 1}, {"at_most": "x"}, {"score": 3}, {"more": 1}):
        with pytest.raises(Corrupt):
            Judgement.of_document(judgement.document() | wrong)
