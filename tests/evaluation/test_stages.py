import pytest

from marketplace.errors import Invalid, Refused
from marketplace.protocol.specification import Curve, Workload
from marketplace.protocol.threshold import Threshold
from node.evaluation.stages import check_scores, shares_of
from tests.evaluation.tables import SCHEMA, specification

CURVES = Workload((), (Curve("dose", "stage"), Curve("age", "stage", "ward")))


def test_the_shares_of_all_stages_sum_to_what_was_given_and_none_is_empty() -> None:
    shares = shares_of(SCHEMA, specification(CURVES, 10, "stage"), 1_000)
    assert sum(shares.values()) == 1_000
    assert min(shares.values()) >= 1
    assert list(shares)[-4:] == ["subgroup_rows", "subgroups", "curve_0", "curve_1"]


def test_an_order_without_subgroups_and_curves_spends_on_the_same_stages_as_ever() -> None:
    assert list(shares_of(SCHEMA, specification(), 21)) == ["rows", "l1_1way", "l1_2way", "l1_3way", "missingness"]


def test_a_rho_that_does_not_pay_for_the_scores_is_refused_before_records_are_opened() -> None:
    wishes = specification(CURVES, 10, "stage")
    check_scores(SCHEMA, wishes, 39)
    with pytest.raises(Refused, match="at least 39 micro-rho for the scores of this order, got 38"):
        check_scores(SCHEMA, wishes, 38)


@pytest.mark.parametrize("name", ["l1_1way", "missingness", "workload", "curve_1", "subgroup_3"])
def test_a_threshold_can_be_on_every_score_that_the_order_has(name: str) -> None:
    check_scores(SCHEMA, specification(CURVES, 10, "stage", Threshold(name, "0.1")), 100)


@pytest.mark.parametrize("name", ["rows", "curve_2", "subgroup_4", "subgroups", "l1_4way", "accuracy"])
def test_a_threshold_on_anything_else_is_invalid(name: str) -> None:
    with pytest.raises(Invalid, match="expected a threshold on one of the scores"):
        check_scores(SCHEMA, specification(CURVES, 10, "stage", Threshold(name, "0.1")), 100)
