"""What a quote says of how many messages wait for each other in the closed lane is what is counted between real processes."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest

from marketplace.protocol.analysis_comparisons import MannWhitney
from marketplace.protocol.analysis_cost import MEETING_WAITS
from marketplace.protocol.analysis_counts import Contingency
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, Variant
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_cost import cost_of_closed
from marketplace.protocol.schema import Category, Number, Schema
from scripts.benchmarks.mpc_closed import GREETING, take_closed
from scripts.benchmarks.mpc_sums import at_each
from tests.mpc.pooled import specification

K, ROWS, PARTIES = 10, 9_000, 3
DRAWN = np.random.default_rng(1)
SCHEMA = Schema(
    (
        Number("x", Decimal(0), Decimal(100), Decimal(1), False),
        Number("y", Decimal(0), Decimal(100), Decimal(1), False),
        Category("sex", ("f", "m"), False),
        Category("died", ("no", "yes"), False),
        Category("gene", ("0", "1", "2"), False),
        Number("days", Decimal(0), Decimal(400), Decimal(1), False),
    ),
    None,
    1,
)
RECORDS = {column.name: DRAWN.integers(0, column.size, ROWS) for column in SCHEMA.columns}
GRID = tuple(map(Decimal, range(20, 400, 20)))


def parts() -> list[Mapping[str, np.ndarray]]:
    places = np.array_split(np.arange(ROWS), PARTIES)
    return [{name: column[at] for name, column in RECORDS.items()} for at in places]


@pytest.mark.parametrize(
    "analysis",
    [
        Contingency("sex", "died"),
        Quantile("x", (Decimal("0.5"), Decimal("0.9"))),
        MannWhitney("x", "sex", "f", "m", 40),
        AlleleFrequencies((Variant("gene", "1", 1),)),
        Survival("days", "died", "yes", GRID, "sex"),
        LinearRegression("y", ("x",)),
        LogisticRegression("died", "yes", ("x",), rounds=2),
        CoxRegression("days", "died", "yes", GRID[::3], ("x",), rounds=3, doublings=2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_quote_counts_the_messages_that_wait_for_each_other(analysis: Any) -> None:
    asked = ClosedSpecification(replace(specification(analysis), smallest_cell=K), K)
    taken = at_each(partial(take_closed, asked, SCHEMA, parts()), PARTIES, 0)
    cost, waits = cost_of_closed(asked, SCHEMA, PARTIES), [one.waits + MEETING_WAITS - GREETING for one in taken]
    assert waits == [cost.waits] * PARTIES
    assert cost.bytes == pytest.approx(max(one.moved_bytes for one in taken), rel=0.2)
