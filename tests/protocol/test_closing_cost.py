"""What the closed lane takes is told near to what it does: bytes that were sent, and messages that waited for each other."""

from dataclasses import is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from marketplace.protocol.analysis_comparisons import MannWhitney
from marketplace.protocol.analysis_counts import Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import CaseControl, Variant
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_cost import cost_of_closed
from marketplace.protocol.schema import Category, Number
from tests.protocol.test_analysis import SCHEMA, specification

POINTS = tuple(map(Decimal, range(1, 109)))


@pytest.mark.parametrize(
    ("analysis", "parties", "measured"),
    [
        (Histogram("fine", 16), 3, 54_874),
        (Histogram("fine", 1_000), 3, 3_279_631),
        (Histogram("fine", 256), 5, 1_740_727),
        (Quantile("fine", (Decimal("0.5"),)), 3, 60_348),
        (Quantile("fine", (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))), 3, 160_697),
        (Survival("days", "outcome", "dead", tuple(map(Decimal, range(4, 132, 4))), "sex"), 3, 3_162_073),
        (Survival("days", "outcome", "dead", tuple(map(Decimal, range(4, 68, 4))), "sex"), 5, 3_288_918),
        (MannWhitney("fine", "sex", "a", "b", 40), 3, 41_466),
        (MannWhitney("fine", "sex", "a", "b", 500), 3, 240_183),
        (CaseControl("sex", "a", tuple(Variant(f"g{place}", "1", place) for place in range(30))), 3, 810_560),
        (LogisticRegression("sex", "a", tuple(f"x{place}" for place in range(5)), 3), 3, 1_496_422),
        (LogisticRegression("sex", "a", tuple(f"x{place}" for place in range(20)), 2), 3, 8_614_384),
        (LinearRegression("fine", tuple(f"x{place}" for place in range(5))), 3, 751_876),
        (
            CoxRegression("days", "outcome", "dead", POINTS[2::3], tuple(f"x{place}" for place in range(5)), 6),
            3,
            7_067_677,
        ),
        (
            CoxRegression("days", "outcome", "dead", POINTS[8::9], tuple(f"x{place}" for place in range(10)), 3),
            3,
            5_295_047,
        ),
        (CoxRegression("days", "outcome", "dead", POINTS[2::3], ("x0",), 3, doublings=2), 3, 2_785_452),
    ],
    ids=lambda value: type(value).__name__ if is_dataclass(value) else str(value),
)
def test_bytes_of_the_closed_lane_are_those_that_were_measured(analysis: Any, parties: int, measured: int) -> None:
    columns = (Number("fine", Decimal(0), Decimal(9_999), Decimal(1), False), Category("sex", ("a", "b"), False))
    more = [Number(f"x{place}", Decimal(0), Decimal(100), Decimal(1), False) for place in range(20)]
    genes = [Category(f"g{place}", ("0", "1", "2"), False) for place in range(30)]
    schema = replace(SCHEMA, columns=(*SCHEMA.columns[:4], *columns, *more, *genes))
    questions = ClosedSpecification(replace(specification(analysis), smallest_cell=10), 10)
    cost = cost_of_closed(questions, schema, parties)
    assert cost.bytes == pytest.approx(measured, rel=0.08)
    assert 2 <= cost.seconds <= 20


@pytest.mark.parametrize(
    ("buckets", "known_to", "parties", "measured"),
    [(2**12, KnownTo.TWO, 3, 461_512), (2**14, KnownTo.TWO, 3, 1_837_769), (2**16, KnownTo.TWO, 3, 7_342_794),
     (2**12, KnownTo.ALL, 4, 1_382_558), (2**12, KnownTo.TWO, 5, 3_563_959)],
)  # fmt: skip
def test_bytes_of_a_linkage_count_are_those_that_were_measured(
    buckets: int, known_to: KnownTo, parties: int, measured: int
) -> None:
    asked = ClosedSpecification(specification(Linkage(parties, buckets, known_to)), None)
    assert cost_of_closed(asked, replace(SCHEMA, person="patient"), parties).bytes == pytest.approx(measured, rel=0.05)
