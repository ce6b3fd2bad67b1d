from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.constraints import Condition, is_kept
from marketplace.scores.constraints import keep, keep_all, meet
from tests.protocol.test_constraints import ROW, SCHEMA

rows = st.fixed_dictionaries(
    {
        column.name: st.one_of(st.integers(0, column.size - 1), st.just(-1) if column.missing else st.just(0))
        for column in SCHEMA.columns
    }
)


@given(st.lists(rows, min_size=1, max_size=20))
def test_many_rows_keep_constraints_as_each_of_them_does(some: list[dict[str, int]]) -> None:
    codes = {name: np.array([row[name] for row in some], np.int32) for name in SCHEMA.names}
    plain = [{name: None if code < 0 else code for name, code in row.items()} for row in some]
    for constraint in SCHEMA.constraints:
        expected = [is_kept(constraint, SCHEMA.by_name, row) for row in plain]
        assert keep(constraint, SCHEMA, codes).tolist() == expected


@given(st.lists(rows, min_size=1, max_size=20))
def test_many_rows_meet_conditions_as_each_of_them_does(some: list[dict[str, int]]) -> None:
    for condition in (
        Condition("stage", values=("I", "III")),
        Condition("died", lower=Decimal(3), upper=Decimal("17.2")),
        Condition("dose", present=False),
    ):
        codes = np.array([row[condition.column] for row in some], np.int32)
        column = SCHEMA.column(condition.column)
        expected = [condition.is_met(column, None if code < 0 else int(code)) for code in codes]
        assert meet(condition, SCHEMA, codes).tolist() == expected


def test_all_constraints_and_conditions_count_together() -> None:
    codes = {name: np.array([code, code], np.int32) for name, code in ROW.items()}
    codes["died"][1] = 0
    assert keep_all(SCHEMA, [], codes).tolist() == [True, False]
    assert keep_all(SCHEMA, [Condition("site", values=("brain",))], codes).tolist() == [False, False]
