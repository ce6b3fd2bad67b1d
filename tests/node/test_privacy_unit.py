"""Somebody is added at one provider, at some and at every one: what sums move by, and what that costs, under either unit."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from marketplace.protocol.analysis_noise import Share, rho_micro_of_sum
from marketplace.protocol.unit import PrivacyUnit
from node.mpc.counting import count
from node.workers.analysing import AnalysisTask
from tests.node.examples import SCHEMA
from tests.node.test_joint_admission import QUESTIONS, RHO_MICRO, application

PARTIES = 3


def parts_of(unit: PrivacyUnit) -> tuple[Share, ...]:
    """Each party's noise in an order of an offer with this unit, as the process that counts is told."""
    made = application(unit=unit).commission
    return AnalysisTask(made.job(Path("/nowhere")), QUESTIONS, made.schema).shares(())


def most_moved(providers: int) -> dict[str, int]:
    """The squared distance by which the sums move at most, where somebody has all the rows it may at so many providers."""
    most: dict[str, int] = {}
    ends = [(0, column.size // 2, column.size - 1) for column in SCHEMA.columns]
    for row in product(*ends):
        codes = {
            name: np.full(SCHEMA.rows_per_person, code, np.int64) for name, code in zip(SCHEMA.names, row, strict=True)
        }
        for name, counts in count(QUESTIONS, SCHEMA, SCHEMA.rows_per_person, codes).items():
            most[name] = max(most.get(name, 0), int(((providers * counts) ** 2).sum()))
    return most


def lost_micro(parts: tuple[Share, ...], providers: int) -> int:
    """What that costs, over all statistics."""
    moved = most_moved(providers)
    return sum(rho_micro_of_sum(moved[part.name], part.sigma2, part.honest, part.cells) for part in parts)


@pytest.mark.parametrize(
    ("unit", "providers"),
    [(PrivacyUnit.PERSON, PARTIES), (PrivacyUnit.PERSON_AT_PROVIDER, 1)],
    ids=["person", "at one"],
)
def test_a_unit_moves_every_statistic_by_what_it_is_charged_for_and_no_more(unit: PrivacyUnit, providers: int) -> None:
    moved = most_moved(providers)
    for part in parts_of(unit):
        assert moved[part.name] <= part.sensitivity_squared
    assert any(moved[part.name] == part.sensitivity_squared for part in parts_of(unit))


@pytest.mark.parametrize("providers", [1, 2, 3])
def test_one_person_everywhere_is_covered_by_the_datasets_that_it_is_in(providers: int) -> None:
    assert lost_micro(parts_of(PrivacyUnit.PERSON), providers) <= providers * RHO_MICRO


@pytest.mark.parametrize("providers", [1, 2, 3])
def test_one_person_at_one_provider_is_covered_by_that_dataset_and_at_several_by_the_square_of_their_number(
    providers: int,
) -> None:
    parts = parts_of(PrivacyUnit.PERSON_AT_PROVIDER)
    assert lost_micro(parts, 1) <= RHO_MICRO
    assert lost_micro(parts, providers) <= providers**2 * RHO_MICRO
    if providers > 1:
        assert lost_micro(parts, providers) > providers * RHO_MICRO // 2
