"""What an order costs, and that other orders do not change it."""

import pytest

from scripts.benchmarks.gas import CEILINGS, HONEST_PATH, Report, above, measure


@pytest.fixture(scope="module")
def report() -> Report:
    return measure()


@pytest.mark.parametrize("step", CEILINGS)
def test_a_step_stays_below_its_ceiling(report: Report, step: str) -> None:
    assert step not in above(report)


def test_the_first_complaint_stays_below_the_ceiling_too(report: Report) -> None:
    assert report.first["complain"] <= CEILINGS["complain"]


def test_a_thousand_open_or_past_orders_do_not_change_what_an_order_costs(report: Report) -> None:
    for beside in (report.open, report.past):
        assert all(abs(beside[step] - report.repeat[step]) <= 100 for step in (*HONEST_PATH, "complain"))


def test_settling_costs_the_same_for_one_and_for_sixteen_members(report: Report) -> None:
    assert abs(report.repeat["settle, 16 members"] - report.repeat["settle"]) <= 500


def test_nothing_is_measured_that_has_no_name_in_the_ceilings(report: Report) -> None:
    assert set(CEILINGS) <= set(report.first) | set(report.repeat)
