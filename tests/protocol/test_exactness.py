"""What a provider does not answer without noise, each with its reason."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.errors import Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.constraints import Condition
from marketplace.protocol.exactness import check_cohort, check_exact
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES

SCHEMA = Schema(
    (Category("sex", ("female", "male"), False), Number("cost", Decimal(0), Decimal(999_999), Decimal(1), False)),
    None,
    1,
)
MEN = (Condition("sex", values=("male",)),)
ASKED = AnalysisSpecification(
    b"\1" * 32,
    (Count(),),
    60,
    b"\2" * SEALING_KEY_BYTES,
    b"\3" * 32,
    only=MEN,
    smallest_cell=10,
)
FILTERS = ("sex is male",)


def test_conditions_come_from_the_fixed_list() -> None:
    check_exact(ASKED, SCHEMA, 10, FILTERS, "sex is male")
    check_exact(replace(ASKED, only=()), SCHEMA, 10, (), "")
    with pytest.raises(Refused, match="its fixed list"):
        check_exact(ASKED, SCHEMA, 10, FILTERS, "sex is female")
    with pytest.raises(Refused, match="its fixed list"):
        check_exact(ASKED, SCHEMA, 10, (), "sex is male")


def test_conditions_on_records_that_are_declared_public_are_free() -> None:
    check_exact(replace(ASKED, smallest_cell=1), SCHEMA, 1, (), "sex is female")


@pytest.mark.parametrize("cell", [None, 1, 10, 19])
def test_a_smaller_cell_than_the_providers_is_refused(cell: int | None) -> None:
    with pytest.raises(Refused, match="at least 20 persons"):
        check_exact(replace(ASKED, smallest_cell=cell), SCHEMA, 20, FILTERS, "sex is male")


def test_rounds_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(ASKED, analyses=(Quantile("cost", (Decimal("0.5"),)),))
    check_exact(long, SCHEMA, 10, FILTERS, "sex is male")
    monkeypatch.setattr("marketplace.protocol.exactness.MOST_ROUNDS", 19)
    with pytest.raises(Refused, match="at most 19 times in an order, not 20"):
        check_exact(long, SCHEMA, 10, FILTERS, "sex is male")


@pytest.mark.parametrize("differing", [1, 9])
def test_a_cohort_that_differs_by_few_is_refused(differing: int) -> None:
    with pytest.raises(Refused, match="differs from all earlier ones by more persons"):
        check_cohort(differing, 10)


@pytest.mark.parametrize("differing", [0, 10, 1000])
def test_the_same_cohort_or_one_that_differs_by_enough_is_not(differing: int) -> None:
    check_cohort(differing, 10)
    check_cohort(1, 1)
