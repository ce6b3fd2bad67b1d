"""What a provider does not answer without noise, each with its reason."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.errors import Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.constraints import Condition
from marketplace.protocol.exactness import ExactQuestion, check_cohort, check_exact, check_question
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
RECORDS, REVISED = b"c" * 32, b"d" * 32


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


def test_a_question_looks_at_the_columns_of_its_analyses_and_of_its_conditions() -> None:
    found = ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 5),)), RECORDS)
    assert found.columns == {"sex", "cost"}
    assert found.digest == ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 5),), only=()), RECORDS).digest
    assert found.digest != ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 4),)), RECORDS).digest


def test_a_closed_cell_follows_from_a_table_over_all_and_one_over_the_men_so_the_second_is_refused() -> None:
    everybody = {"female": (12, 30, 3), "male": (40, 50, 60)}
    over_all = [sum(cells) for cells in zip(*everybody.values(), strict=True)]
    over_men = everybody["male"]
    assert min(*over_all, *over_men) >= 10
    assert [a - b for a, b in zip(over_all, over_men, strict=True)] == [12, 30, 3]
    whole, men = (
        ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 3),), only=only), RECORDS) for only in ((), MEN)
    )
    with pytest.raises(Refused, match="closed cells could follow from both"):
        check_question(men, whole, differing=45, shared=150)


@pytest.mark.parametrize(("differing", "shared", "other"), [(0, 100, False), (100, 0, False), (0, 100, True)])
def test_the_same_question_again_other_persons_and_other_columns_are_not(
    differing: int, shared: int, other: bool
) -> None:
    bins = ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 3),), only=()), RECORDS)
    table = ExactQuestion.of(replace(ASKED, analyses=(Histogram("sex", 2),), only=()), RECORDS)
    check_question(table if other else bins, bins, differing, shared)


def test_the_same_question_over_the_same_persons_once_one_of_them_is_told_otherwise_is_refused() -> None:
    asked = replace(ASKED, analyses=(Histogram("cost", 3),), only=())
    before, after = [20, 30, 15], [20, 31, 14]
    assert min(*before, *after) >= 10
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 1, -1]
    with pytest.raises(Refused, match="closed cells could follow from both"):
        check_question(ExactQuestion.of(asked, REVISED), ExactQuestion.of(asked, RECORDS), 0, 65)


@pytest.mark.parametrize(
    "analysis", [Histogram("cost", 4), Contingency("cost", "sex"), Quantile("cost", (Decimal("0.5"),))]
)
def test_another_question_about_a_column_of_the_same_persons_is_refused(analysis: object) -> None:
    bins = ExactQuestion.of(replace(ASKED, analyses=(Histogram("cost", 3),), only=()), RECORDS)
    with pytest.raises(Refused, match="closed cells could follow from both"):
        check_question(ExactQuestion.of(replace(ASKED, analyses=(analysis,), only=()), RECORDS), bins, 0, 100)
