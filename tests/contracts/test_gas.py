"""What an order costs, and that other orders do not change it."""

import pytest

from scripts.benchmarks.gas import HONEST_PATH, Report, measure


@pytest.fixture(scope="module")
def report() -> Report:
    return measure(others=20)


CEILINGS = {
    "register": 110_000,
    "publish": 80_000,
    "place": 125_000,
    "deliver": 70_000,
    "accept": 41_000,
    "reveal": 48_000,
    "settle": 55_000,
    "complain": 130_000,
    "honest path": 320_000,
}


@pytest.mark.parametrize("step", CEILINGS)
def test_a_step_stays_below_its_ceiling(report: Report, step: str) -> None:
    assert report.repeat.get(step, report.first[step]) <= CEILINGS[step]


def test_the_first_complaint_stays_below_the_ceiling_too(report: Report) -> None:
    assert report.first["complain"] <= CEILINGS["complain"]


def test_the_first_order_stays_below_the_ceiling_too(report: Report) -> None:
    assert report.first["honest path"] <= 320_000


def test_other_open_orders_do_not_change_what_an_order_costs(report: Report) -> None:
    assert all(abs(report.crowded[step] - report.repeat[step]) <= 100 for step in (*HONEST_PATH, "complain"))


@pytest.mark.slow
def test_a_thousand_open_orders_do_not_change_what_an_order_costs() -> None:
    report = measure(others=1_000)
    assert all(abs(report.crowded[step] - report.repeat[step]) <= 100 for step in HONEST_PATH)
