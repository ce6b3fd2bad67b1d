"""The report of a joint analysis: every kind of answer with its numbers and a plot, and the guarantee in words."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import pytest

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Distribution, Histogram, Rows, Table
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_design import Term
from marketplace.protocol.analysis_genetics import AlleleFrequencies, Association, CaseControl, Frequency, Variant
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_linkage import SATURATED, KnownTo, Linkage, Linked
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Moments, Variance
from marketplace.protocol.analysis_newton import TOO_FEW, LikelihoodFit
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quantile import Quantile, Quantiles
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.analysis_survival import GroupCurve, LogRank, Step, Survival, SurvivalCurves
from marketplace.protocol.closing_cells import ClosedTable
from marketplace.protocol.closing_hazards import ClosedHazards
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.spelling import Spelling
from marketplace.protocol.unit import PrivacyUnit
from node.evaluation.drawing import Axis, number
from node.evaluation.joint_answers import section_of
from node.evaluation.joint_genetics import manhattan_plot
from node.evaluation.joint_report import joint_report
from node.evaluation.report import Promise

SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("age", Decimal(20), Decimal(100), Decimal(1), True),
        Category("<arm>", ("a&b", "c", "d"), False),
        Category("died", ("no", "yes"), False),
    ),
    None,
    1,
)
SURVIVAL = Survival("days", "died", "yes", (Decimal(100), Decimal(200), Decimal(300)), "<arm>")
STEPS = (
    Step(Decimal(100), 40, 10, 0.75, 0.5, 0.875),
    Step(Decimal(200), 20, 10, 0.375, 0.25, 0.5),
    Step(Decimal(300), 0, 0, 0.375, 0.25, 0.5),
)
CURVES = SurvivalCurves(
    tuple(GroupCurve(name, STEPS, 212.5) for name in ("a&b", "c", "d")), LogRank(10.125, 2, 0.00633)
)
FIT = Fit(90, (Term("intercept", 3.5, 0.5, 0.00002), Term("age", -1.25, 0.5, 0.0144)), 0.25)
VARIANTS = (Variant("rs<1>", "7", 1234), Variant("rs2", "X", 5))
EVERY: tuple[tuple[Any, Any, tuple[str, ...]], ...] = (
    (Count(), Rows(1234, 12.5), ("1,234", "12.5")),
    (
        Histogram("age", 2),
        Distribution((("20", "59"), ("60", "100")), (31, 4117), 12),
        ("20 to 59", "31", "4,117", "no value", "12"),
    ),
    (
        Histogram("<arm>", 3),
        Distribution((("a&b", "a&b"), ("c", "c"), ("d", "d")), (5, 0, 7), None),
        ("a&amp;b", "5", "7"),
    ),
    (
        Contingency("<arm>", "died"),
        Table(((10, 20), (30, 41), (0, 0)), 1.5, 1, 0.2207),
        ("chi-square 1.5", "p = 0.221", "41", "58 %"),
    ),
    (Mean("age"), Moments(88, 61.5), ("88", "61.5")),
    (Variance("age"), Moments(88, 61.5, 2.25), ("mean and the variance of age", "2.25", "1.5")),
    (LinearRegression("days", ("age",)), FIT, ("-1.25", "-2.244 to -0.2564", "p = 0.014", "p below 0.0001", "0.25")),
    (
        LogisticRegression("died", "yes", ("age",)),
        LikelihoodFit(90, 31, FIT.terms, None),
        (
            "90 rows, 31 of them",
            "-2.23 to -0.27",
            "Odds ratio",
            "0.2865 (0.1075 to 0.7634)",
            "odds that died is yes depend on age",
        ),
    ),
    (
        CoxRegression("days", "died", "yes", (Decimal(100),), ("age",)),
        LikelihoodFit(90, 31, FIT.terms[1:], None),
        (
            "90 rows, 31 of them",
            "-1.25",
            "Hazard ratio",
            "0.2865 (0.1075 to 0.7634)",
            "hazard of died yes depends on age",
        ),
    ),
    (
        Welch("age", "<arm>", "a&b", "c"),
        Difference((40, 50), (61.5, 60.0), 1.5, 0.5, 3.0, 80.5, 0.0036),
        ("a&amp;b", "61.5", "95 % interval 0.52 to 2.48", "p = 0.0036"),
    ),
    (
        AlleleFrequencies(VARIANTS),
        (Frequency(VARIANTS[0], 90, 0.25, 0.03), Frequency(VARIANTS[1], 0, None, None)),
        ("0.25", "0.03", "1,234", "X"),
    ),
    (
        CaseControl("died", "yes", VARIANTS),
        (Association(VARIANTS[0], (50, 40), (0.25, 0.5), 12.5, 0.0004, 11.0, 0.0009), Association(VARIANTS[1], (3, 0))),
        ("1 of 2 variants could be tested", "p = 0.05", "p = 0.0009", "-log10 p", "go with died being yes"),
    ),
    (
        SURVIVAL,
        CURVES,
        ("chi-square 10.12", "p = 0.0063", "0.7500", "0.500 to 0.875", "212.5", "40", "&lt;arm&gt; a&amp;b"),
    ),
)
ORDER = b"\xab" * 32
DP, PUBLIC = Setting(Lane.SUMS, 3, 1, None), Setting(Lane.SUMS, 3, 1, 1)
WITH_NOISE = Promise("masked sums", 28_000, 0, 10**13)
EXACT = Promise("masked sums", 0, 0, 0)
SHARES = ((Share("0/rows", 1, 9, 2, Fraction(36)), Share("1/leaving", 222, 1, 2, Fraction(100))),)


def specification(*analyses: Any) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def report(setting: Setting = DP, promise: Promise = WITH_NOISE, shares: tuple[tuple[Share, ...], ...] = SHARES) -> str:
    asked, answers, _ = zip(*EVERY, strict=True)
    return joint_report(ORDER, setting, promise, SCHEMA, specification(*asked), answers, shares).decode()


@pytest.mark.parametrize(("asked", "answer", "shown"), EVERY, ids=lambda value: type(value).__name__)
def test_every_kind_of_answer_shows_its_numbers(asked: Any, answer: Any, shown: tuple[str, ...]) -> None:
    section = section_of(asked, SCHEMA, answer)
    for words in shown:
        assert words in section
    assert "<arm>" not in section


@pytest.mark.parametrize(("asked", "answer", "shown"), EVERY[1:], ids=lambda value: type(value).__name__)
def test_every_kind_of_answer_but_a_count_has_a_plot_within_its_frame(asked: Any, answer: Any, shown: Any) -> None:
    drawings = re.findall("<svg.*?</svg>", section_of(asked, SCHEMA, answer), re.DOTALL)
    assert len(drawings) == 1
    drawing = ElementTree.fromstring(drawings[0])
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    for part in drawing.iter():
        for name, value in part.attrib.items():
            if name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(value) <= width
            if name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(value) <= height
    for line in (part.attrib["points"] for part in drawing.iter("polyline")):
        assert all(0 <= float(pair.split(",")[1]) <= height for pair in line.split())


def test_a_curve_falls_from_one_by_steps_and_ends_where_nobody_is_at_risk() -> None:
    section = section_of(SURVIVAL, SCHEMA, CURVES)
    lines = re.findall('<polyline points="([^"]+)"', section)
    assert len(lines) == 3
    points = [tuple(map(float, pair.split(","))) for pair in lines[0].split()]
    heights = [y for _, y in points]
    assert heights == sorted(heights)
    levels = sorted(set(heights))
    assert levels[1] - levels[0] == pytest.approx((levels[2] - levels[0]) * 0.25 / 0.625, abs=0.1)
    assert points[-1][0] < max(float(x) for x in re.findall('<line x1="[0-9.]+" x2="([0-9.]+)"', section))


def test_what_noise_hides_is_not_drawn_and_is_said() -> None:
    hidden = (STEPS[0], *(replace(step, low=0.0, high=1.0) for step in STEPS[1:]))
    curve = GroupCurve("c", hidden, 212.5)
    section = section_of(SURVIVAL, SCHEMA, SurvivalCurves((curve, CURVES.curves[0]), None))
    assert "From 200 on, noise hides the curve of &lt;arm&gt; c: nothing is told of it there." in section
    assert section.count("noise hides") == 1
    short, whole = (len(line.split()) for line in re.findall('<polyline points="([^"]+)"', section))
    assert (short, whole) == (3, 5)
    assert section.count("212.5") == 1


def test_answers_without_a_test_or_a_fit_say_so() -> None:
    assert "No fit" in section_of(LinearRegression("days", ("age",)), SCHEMA, Fit(3, None, None))
    nobody = Table(((0, 0), (0, 0), (0, 0)), 0.0, 0, None)
    assert "No test is possible" in section_of(Contingency("<arm>", "died"), SCHEMA, nobody)
    empty = replace(CURVES, log_rank=LogRank(0.0, 0, None))
    assert "No test is possible" in section_of(SURVIVAL, SCHEMA, empty)
    nothing = section_of(Mean("age"), SCHEMA, Moments(0, None))
    assert "rows with a value" in nothing
    assert "<svg" not in nothing
    assert "Every number stayed closed" in section_of(SURVIVAL, SCHEMA, None)
    assert "not reached" in section_of(
        SURVIVAL, SCHEMA, SurvivalCurves((GroupCurve("c", (Step(Decimal(100), 4, 0, 1.0, 1.0),), 100.0),), None)
    )


def test_a_table_without_end_is_cut_and_says_where_the_rest_is() -> None:
    texts = tuple((str(20 + place), str(20 + place)) for place in range(81))
    section = section_of(Histogram("age", 81), SCHEMA, Distribution(texts, tuple(range(1000, 1081)), 3))
    assert "1,059" in section
    assert "1,060" not in section
    assert "All 82 rows stand in the document beside this report." in section


def test_an_answer_of_another_kind_is_shown_by_the_names_of_its_parts() -> None:
    @dataclass(frozen=True)
    class Odd:
        left_over: float
        note: str

    section = section_of(Count(), SCHEMA, Odd(0.123456, "<b>"))
    assert "left over" in section
    assert "0.1235" in section
    assert "&lt;b&gt;" in section


def test_the_report_has_the_promise_its_terms_and_what_was_charged() -> None:
    page = report()
    for words in (
        f"epsilon {WITH_NOISE.epsilon}",
        f"right at most {WITH_NOISE.guess} times in 100",
        "up to 1 that reveal theirs",
        "one row is one person",
        "up to 2 of the 3 parties together",
        "rho = 0.028",
        f"{SHARES[0][0].rho_micro:,}",
        "10.39",
        "17.32",
        "13 questions",
        "ab" * 32,
    ):
        assert words in page
    assert page == report()
    assert "<script" not in page


def test_the_report_says_which_unit_is_protected_and_what_somebody_at_several_providers_loses() -> None:
    everywhere, once = report(), report(replace(DP, unit=PrivacyUnit.PERSON_AT_PROVIDER))
    assert "The privacy unit: one person, wherever it has records; one row is one person." in everywhere
    assert "A person may be at every one of the providers; the noise is sized for that." in everywhere
    assert "k * k" not in everywhere
    assert "The privacy unit: one person at one provider; one row is one person." in once
    assert "A person may be at every one" not in once
    nine = Promise("masked sums", 9 * 28_000, 0, 10**13).epsilon
    assert f"One with records at k of them loses k * k times the rho: at all 3, epsilon {nine}." in once
    scored = replace(WITH_NOISE, rho_generate_micro=WITH_NOISE.rho_micro - 3_000, rho_evaluate_micro=3_000)
    assert f"at all 3, epsilon {nine}." in report(replace(DP, unit=PrivacyUnit.PERSON_AT_PROVIDER), scored)
    assert "at all of them 9 times" in once


def test_one_question_is_the_title() -> None:
    page = joint_report(ORDER, PUBLIC, EXACT, SCHEMA, specification(SURVIVAL), (CURVES,)).decode()
    assert "<h1>Survival: days until died is yes, by &lt;arm&gt;</h1>" in page


def test_an_exact_report_promises_nothing_and_never_says_private() -> None:
    page = report(Setting(Lane.SUMS, 3, 1, 10), EXACT, ())
    assert "Nobody is protected by noise" in page
    assert "fewer than 10 persons" in page
    assert "Handle it as you would handle the records themselves" in page
    assert "private" not in page.lower()
    assert "epsilon" not in page


def test_a_closed_regression_says_what_may_still_follow() -> None:
    asked = specification(LogisticRegression("died", "yes", ("age",)))
    fit = LikelihoodFit(90, 30, (Term("intercept", 3.5, 0.5, 0.00002), Term("age", -1.25, 0.5, 0.0144)), None)
    page = joint_report(ORDER, Setting(Lane.CLOSED, 3, 1, 10), EXACT, SCHEMA, asked, (fit,)).decode()
    assert "What three columns together have may still follow" in page and "private" not in page.lower()
    assert "may still follow" not in joint_report(ORDER, PUBLIC, EXACT, SCHEMA, asked, (fit,)).decode()


def test_a_closed_cox_regression_says_to_which_points_times_are_moved() -> None:
    asked = CoxRegression("days", "died", "yes", (Decimal(50), Decimal(100), Decimal(150)), ("age",))
    fit = ClosedHazards(90, 31, FIT.terms[1:], None, (Decimal(50), Decimal(150)))
    page = joint_report(ORDER, Setting(Lane.CLOSED, 3, 1, 10), EXACT, SCHEMA, specification(asked), (fit,)).decode()
    assert "moved up to the next of 50, 150" in page and "until the last of them" in page
    assert "What three columns together have may still follow" in page and "Hazard ratio" in page


def test_public_records_are_called_so() -> None:
    page = report(PUBLIC, EXACT, ())
    assert "public data, exact" in page
    assert "persons is in it" not in page
    assert "Handle it" not in page


def test_conditions_are_told() -> None:
    asked = replace(specification(Count()), only=(Condition("age", upper=Decimal(50)),))
    assert b"conditions on age" in joint_report(ORDER, PUBLIC, EXACT, SCHEMA, asked, (3,))


def test_more_charges_than_anybody_reads_are_counted_and_rounds_are_named() -> None:
    many = tuple(replace(SHARES[0][0], name=f"0/{place}") for place in range(50))
    odd = replace(SHARES[0][0], name="3/cells", cells=2)
    page = report(shares=((odd, *many[:25]), many, many[:1], (odd,)))
    assert "1. count, 0, each of rounds 1 to 3" in page
    assert "1. count, 24, each of rounds 1 to 2" in page
    assert "1. count, 25, round 2" in page
    assert "4. contingency, cells, each of rounds 1, 4" in page
    assert "11 more are charged alike" in page


def test_counts_with_noise_say_how_much_and_that_it_may_leave_no_test() -> None:
    distribution = Distribution((("20", "59"), ("60", "100")), (31, 4117), 12, 12.5)
    assert "standard deviation 12.5: 19 of 20 are within 24.5" in section_of(Histogram("age", 2), SCHEMA, distribution)
    table = Table(((10, 20), (30, 41), (0, 0)), 0.0, 0, None, 12.5)
    section = section_of(Contingency("<arm>", "died"), SCHEMA, table)
    assert "standard deviation 12.5" in section
    assert "too few records stand out from the noise" in section
    assert "standard deviation" not in section_of(Histogram("age", 2), SCHEMA, replace(distribution, error=0.0))


def test_what_noise_hides_is_told_nowhere() -> None:
    steps = (STEPS[0], replace(STEPS[1], at_risk=277, low=0.0), replace(STEPS[2], at_risk=199, low=0.0))
    curves = tuple(GroupCurve(name, steps, 300.0) for name in ("a&b", "c", "d"))
    section = section_of(SURVIVAL, SCHEMA, SurvivalCurves(curves, LogRank(0.0, 0, None)))
    assert ">277<" not in section
    assert ">199<" not in section
    assert "too few records stand out from the noise" in section
    assert section.count("hidden") == 3 * (2 + 3)
    nothing = tuple(GroupCurve(name, steps[1:], 300.0) for name in ("a&b", "c", "d"))
    section = section_of(SURVIVAL, SCHEMA, SurvivalCurves(nothing, None))
    assert "<svg" not in section
    assert "More is told by fewer points of the time grid" in section


def test_quantiles_that_lie_close_have_their_words_above_each_other() -> None:
    levels = tuple(Decimal(f"0.{place}") for place in range(1, 5))
    section = section_of(Quantile("days", levels), SCHEMA, Quantiles(90, levels, (630.0, 640.0, 655.0, 900.0)))
    high = {
        words: float(y)
        for y, words in re.findall(r' y="([0-9.]+)" text-anchor="middle" fill="#444">(6..|900)<', section)
    }
    assert high["900"] == high["630"] > high["640"] > high["655"] > 0


def test_no_two_curves_are_told_apart_by_colour_alone() -> None:
    drawing = section_of(SURVIVAL, SCHEMA, CURVES)
    curves = re.findall(r"<polyline [^>]*?(?:stroke-dasharray=\"([^\"]+)\")?/>", drawing)
    keys = re.findall(r'<line x1="[0-9]+" x2="736"[^>]*?stroke-width="2"(?: stroke-dasharray="([^"]+)")?/>', drawing)
    assert len(set(curves)) == 3
    assert keys == curves


def test_ticks_are_round_and_within_the_ends() -> None:
    assert Axis("", 0, 1).ticks() == pytest.approx((0, 0.2, 0.4, 0.6, 0.8, 1))
    assert Axis("", -37, 1080).ticks() == (0, 200, 400, 600, 800, 1000)
    assert Axis("", 0.0011, 0.0019).ticks() == pytest.approx((0.0012, 0.0014, 0.0016, 0.0018))
    assert [number(value) for value in (0.0, 1234567.0, 0.12345, 1e12, -2.5)] == [
        "0",
        "1,235,000",
        "0.1235",
        "1e+12",
        "-2.5",
    ]


def test_a_fit_that_there_is_none_of_says_why() -> None:
    section = section_of(LogisticRegression("died", "yes", ("age",)), SCHEMA, LikelihoodFit(90, 0, None, TOO_FEW))
    assert "No fit over 90 rows, 0 with the event: expected rows with the event" in section


def test_a_linkage_count_shows_its_interval_and_what_chance_made_of_it() -> None:
    asked = Linkage(3, 4096, KnownTo.TWO)
    found = section_of(asked, SCHEMA, Linked(1412, 1331, 1493, 41.25, 1600, 188))
    for text in ("two or more of 3 providers", "1,412", "1,331 to 1,493", "41.2", "1,600", "188", "same text"):
        assert text in found
    spelt = section_of(replace(asked, spelling=Spelling.LETTERS_AND_DIGITS), SCHEMA, Linked(1, 0, 2, 0.5, 1, 0))
    assert "the same letters, large or small, and digits" in spelt and "same text" not in spelt
    none = section_of(
        replace(asked, known_to=KnownTo.ALL), SCHEMA, Linked(None, None, None, None, 4000, None, SATURATED)
    )
    assert "How many persons all of 3 providers know" in none and SATURATED in none and "4,000" in none


def test_groups_and_variants_that_cannot_be_told_apart_say_so() -> None:
    ranks = section_of(MannWhitney("age", "<arm>", "c", "d", 5), SCHEMA, Difference((3, 0), None))
    assert "No test is possible" in ranks and "<svg" not in ranks
    variants = section_of(CaseControl("died", "yes", VARIANTS[:1]), SCHEMA, (Association(VARIANTS[0], (3, 0)),))
    assert "No variant could be tested" in variants and "<svg" not in variants


def test_a_manhattan_plot_has_a_dot_for_each_variant_in_the_order_of_the_genome() -> None:
    places = [("10", 5), ("2", 9), ("X", 1), ("2", 3)]
    found = [Association(Variant(f"rs{i}", *at), (9, 9), (0.1, 0.2), 1.0, 0.3, 1.0, 0.0) for i, at in enumerate(places)]
    plot = manhattan_plot(found, 0.05 / 4)
    across = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', plot)]
    assert len(across) == 4 and across[3] < across[1] < across[0] < across[2]


def test_a_closed_tables_test_says_what_was_taken_together() -> None:
    counts = ((None, None, 25), (None, None, 50))
    found = ClosedTable(counts, ((0,), (1,)), ((0, 1), (2,)), ((44, 25), (75, 50)), 3.5, 1, 0.0614)
    columns = (Category("site", ("a", "b"), False), Category("stage", ("I", "II", "III"), False))
    section = section_of(Contingency("site", "stage"), Schema(columns, None, 1), found)
    assert "I or II" in section and "chi-square 3.5 on 1 degrees of freedom" in section and "closed" in section
    bare = section_of(Contingency("site", "stage"), Schema(columns, None, 1), ClosedTable(counts))
    assert "no table without them is left to test" in bare


def test_closed_variants_stand_as_rings_on_the_manhattan_plot() -> None:
    told, closed = Variant("rs1", "7", 10), Variant("rs2", "X", 20)
    found = (Association(told, (250, 180), (0.2, 0.3), 4.0, 0.0455, 3.9, 0.0483), Association(closed, None))
    section = section_of(CaseControl("case", "yes", (told, closed)), SCHEMA, found)
    assert section.count("<circle") == 2 and 'fill="none" stroke=' in section and "rings on the axis" in section
    assert "closed" in section_of(AlleleFrequencies((closed,)), SCHEMA, (Frequency(closed, None, None, None),))
