"""Two groups beside each other and genetic variants: what scipy and statsmodels find on the pooled records."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from marketplace.errors import Invalid
from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl, Variant
from marketplace.protocol.schema import Category, Number, Schema
from node.mpc.codes import Codes
from node.mpc.counting import count
from tests.mpc.pooled import pooled, specification

ROWS = 500
SCHEMA = Schema(
    (
        Number("level", Decimal("-3"), Decimal("9.5"), Decimal("0.25"), True),
        Category("arm", ("a", "b", "c"), True),
        Category("died", ("no", "yes"), True),
        Number("rs1", Decimal(0), Decimal(2), Decimal(1), True),
        Category("rs2", ("AA", "AG", "GG"), False),
    ),
    None,
    1,
)
VARIANTS = (Variant("rs1", "X", 12_345), Variant("rs2", "7", 2))
WELCH = Welch("level", "arm", "a", "c")
RANKS = MannWhitney("level", "arm", "c", "a", 17)
SHARES = Proportions("died", "arm", "b", "c", "yes")
FREQUENCIES, ASSOCIATION = AlleleFrequencies(VARIANTS), CaseControl("died", "yes", VARIANTS)
EVERY = (WELCH, RANKS, SHARES, FREQUENCIES, ASSOCIATION)


def records(seed: int) -> dict[str, Codes]:
    drawn = np.random.default_rng(seed)
    arm = drawn.integers(-1, 3, ROWS)
    died = drawn.integers(-1, 2, ROWS)
    return {
        "level": (drawn.integers(-1, 40, ROWS) + 3 * arm).clip(-1, 50),
        "arm": arm,
        "died": died,
        "rs1": drawn.binomial(2, 0.3 + 0.1 * died.clip(0, 1)) - (drawn.random(ROWS) < 0.1),
        "rs2": drawn.binomial(2, 0.1, ROWS),
    }


def answer(analysis: Any, codes: dict[str, Codes]) -> Any:
    return pooled(specification(analysis), SCHEMA, {name: column.clip(-1) for name, column in codes.items()})[0]


def levels(codes: dict[str, Codes], arm: int) -> np.ndarray:
    return -3 + codes["level"][(codes["level"] >= 0) & (codes["arm"] == arm)] / 4


@pytest.fixture(params=range(3))
def codes(request: pytest.FixtureRequest) -> dict[str, Codes]:
    made = records(request.param)
    return {name: column.clip(-1) for name, column in made.items()}


def test_a_welch_test_is_that_of_scipy(codes: dict[str, Codes]) -> None:
    first, second = levels(codes, 0), levels(codes, 2)
    found, expected = answer(WELCH, codes), stats.ttest_ind(first, second, equal_var=False)
    assert found.rows == (len(first), len(second))
    assert found.values == pytest.approx((first.mean(), second.mean()), rel=1e-12)
    assert (found.statistic, found.freedom) == pytest.approx((expected.statistic, expected.df), rel=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-8)
    assert found.difference == pytest.approx(found.error * found.statistic)


def test_a_test_of_ranks_is_that_of_scipy_where_rows_of_a_bin_are_tied(codes: dict[str, Codes]) -> None:
    starts = np.array(RANKS.starts(SCHEMA))
    first, second = (
        np.searchsorted(starts, codes["level"][(codes["level"] >= 0) & (codes["arm"] == arm)], side="right")
        for arm in (2, 0)
    )
    found = answer(RANKS, codes)
    expected = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=False)
    assert found.values[0] == pytest.approx(expected.statistic / len(first) / len(second), rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


def test_a_test_of_two_shares_is_that_of_statsmodels(codes: dict[str, Codes]) -> None:
    there = codes["died"] >= 0
    rows = [np.count_nonzero(there & (codes["arm"] == arm)) for arm in (1, 2)]
    events = [np.count_nonzero((codes["died"] == 1) & (codes["arm"] == arm)) for arm in (1, 2)]
    found, (statistic, p) = answer(SHARES, codes), proportions_ztest(events, rows)
    assert found.rows == tuple(rows)
    assert (found.statistic, found.p) == pytest.approx((statistic, p), rel=1e-9)
    assert found.difference == pytest.approx(events[0] / rows[0] - events[1] / rows[1], rel=1e-12)


def test_frequencies_are_those_of_the_pooled_records(codes: dict[str, Codes]) -> None:
    for found in answer(FREQUENCIES, codes):
        column = codes[found.variant.column]
        copies = column[column >= 0]
        assert (found.rows, found.frequency) == (len(copies), pytest.approx(copies.mean() / 2, rel=1e-12))
        assert found.error == pytest.approx(copies.std() / 2 / np.sqrt(len(copies)), rel=1e-9)


def test_associations_are_those_of_the_pooled_records(codes: dict[str, Codes]) -> None:
    for found, variant in zip(answer(ASSOCIATION, codes), VARIANTS, strict=True):
        column = codes[variant.column]
        there = (column >= 0) & (codes["died"] >= 0)
        copies, died = column[there], codes["died"][there]
        alleles = [[(2 - copies[died == case]).sum(), copies[died == case].sum()] for case in (0, 1)]
        allelic = stats.chi2_contingency(alleles, correction=False)
        assert found.variant == variant
        assert found.rows == (np.count_nonzero(died == 0), np.count_nonzero(died))
        assert (found.allelic, found.allelic_p) == pytest.approx((allelic.statistic, allelic.pvalue), rel=1e-9)
        trend = len(copies) * np.corrcoef(copies, died)[0, 1] ** 2
        assert (found.trend, found.trend_p) == pytest.approx((trend, stats.chi2.sf(trend, 1)), rel=1e-9)


@pytest.mark.parametrize(
    ("analysis", "columns"),
    [
        (WELCH, {"arm": np.full(ROWS, 1)}),
        (WELCH, {"level": np.full(ROWS, -1)}),
        (WELCH, {"level": np.full(ROWS, 7)}),
        (RANKS, {"level": np.full(ROWS, 7)}),
        (RANKS, {"arm": np.full(ROWS, 2)}),
        (SHARES, {"died": np.zeros(ROWS, int)}),
        (SHARES, {"died": np.full(ROWS, -1)}),
    ],
)
def test_groups_that_cannot_be_compared_have_no_p(analysis: Any, columns: dict[str, Codes]) -> None:
    found = answer(analysis, {**records(0), **columns})
    assert isinstance(found, Difference) and (found.p, found.statistic, found.error) == (None, None, None)


@pytest.mark.parametrize(
    "columns", [{"rs1": np.zeros(ROWS, int)}, {"rs1": np.full(ROWS, -1)}, {"died": np.ones(ROWS, int)}]
)
def test_one_genotype_or_one_outcome_has_no_association(columns: dict[str, Codes]) -> None:
    found = answer(ASSOCIATION, {**records(0), **columns})[0]
    assert (found.allelic, found.allelic_p, found.trend, found.trend_p) == (None,) * 4
    assert all(count >= 0 for count in found.rows)


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        (replace(WELCH, second="a"), "two different values"),
        (replace(WELCH, by="level"), "two different values|one of its declared values"),
        (replace(WELCH, first="d"), "one of its declared values"),
        (replace(WELCH, column="died"), "a number to compare"),
        (replace(RANKS, bins=52), "1 to 51 bins"),
        (replace(SHARES, happened="perhaps"), "one of its declared values"),
        (AlleleFrequencies(()), "one variant or more"),
        (AlleleFrequencies(VARIANTS * 2), "each column once"),
        (AlleleFrequencies((Variant("died", "1", 1),)), "three values"),
        (replace(ASSOCIATION, happened="perhaps"), "one of its declared values"),
        (CaseControl("rs2", "AA", VARIANTS), "another column as the outcome"),
    ],
)
def test_what_does_not_fit_the_schema_is_invalid(analysis: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        specification(analysis).schedule(SCHEMA)


@pytest.mark.parametrize(("chromosome", "position"), [("", 1), ("x" * 21, 1), ("1", -1), ("1", 2**32)])
def test_a_place_that_is_none_on_a_genome_is_invalid(chromosome: str, position: int) -> None:
    with pytest.raises(Invalid, match="chromosome"):
        Variant("rs1", chromosome, position)


def test_what_is_encoded_is_decoded() -> None:
    whole = specification(*EVERY)
    assert type(whole).decode(whole.encode()) == whole


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_no_person_moves_the_sums_further_than_the_stated_sensitivity(rows: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    whole = specification(*EVERY)
    person = {column.name: np.full(rows, drawn.choice([0, column.size - 1])) for column in SCHEMA.columns}
    moved = count(whole, SCHEMA, rows, person)
    for one in whole.asked(SCHEMA):
        assert int((moved[one.name].astype(object) ** 2).sum()) <= one.of.sensitivity_squared(rows)
        assert np.abs(moved[one.name]).max() <= rows * one.of.bound


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 62), st.booleans())
def test_whatever_noise_makes_of_the_sums_there_is_an_answer_that_can_be(seed: int, magnitude: int, told: bool) -> None:
    drawn = np.random.default_rng(seed)
    whole = specification(*EVERY)
    sums = {
        one.name: drawn.integers(-(2**magnitude), 2**magnitude, one.of.cells).tolist() for one in whole.asked(SCHEMA)
    }
    noise = [dict.fromkeys(sums, 4.0**magnitude)] if told else ()
    *differences, frequencies, associations = whole.results(SCHEMA, [sums], noise)
    for found in differences:
        assert min(found.rows) >= 0
        assert found.p is None or (0 <= found.p <= 1 and found.error > 0)
    for one in frequencies:
        assert one.frequency is None or 0 <= one.frequency <= 1
    for one in associations:
        assert one.trend_p is None or (0 <= one.trend_p <= 1 and 0 <= one.allelic_p <= 1)
