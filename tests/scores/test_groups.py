"""Columns in few groups: every code has one, and what is read back is what was written."""

import numpy as np
import pandas as pd
import pytest

from marketplace.errors import Corrupt
from marketplace.scores.groups import Grouping, Groups
from tests.evaluation.tables import SCHEMA, records

GROUPING = Grouping(
    SCHEMA,
    (Groups((0, 40), (0, 1)), Groups((0, 1, 2), (1, 0, 1)), Groups((0,), (0,)), Groups((0, 60, 200), (0, 1, 2))),
)
TEXT = "0:0 40:1;0:1 1:0 2:1;0:0;0:0 60:1 200:2"


def test_codes_are_in_the_group_of_the_run_that_they_lie_in_and_missing_is_behind() -> None:
    codes = np.array([-1, 0, 1, 2, 3], np.int32)
    assert GROUPING.groups[1].cells(codes).tolist() == [2, 1, 0, 1, 1]
    assert GROUPING.shape(("age", "stage", "dose")) == (3, 2, 3)


def test_a_table_is_cut_into_the_groups_with_missing_last() -> None:
    table = records(200, 1)
    cells = GROUPING.cut(table)
    assert cells.sizes == (3, 3, 2, 4)
    assert ((cells.columns[0] == 2) == (table["age"] == -1)).all()
    assert ((cells.columns[3] == 2) == (table["dose"] >= 200)).all()


def test_a_column_apart_has_a_group_for_each_value() -> None:
    table = pd.DataFrame({"age": [1], "stage": [3], "ward": [-1], "dose": [4]}, dtype=np.int32)
    apart = GROUPING.apart("stage")
    assert apart.shape(SCHEMA.names) == (3, 4, 2, 3)
    assert [int(place[0]) for place in apart.places(SCHEMA.names, table)] == [0, 3, 1, 0]


def test_groups_are_read_back_from_their_text() -> None:
    assert GROUPING.encode() == TEXT
    assert Grouping.decode(TEXT, SCHEMA) == GROUPING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0:0 40:1;", ""),
        ("0:0 40:1", "0:0 40:x"),
        ("0:0 40:1", "0:0 40:2"),
        ("0:0 40:1", "1:0 40:1"),
        ("0:0 40:1", "0:0 40:1 40:0"),
        ("0:0 40:1", "0:0 100:1"),
        ("0:0 40:1", "00:0 40:1"),
        ("0:0 40:1", ""),
        ("0:0 40:1", "0:0 1:0:1"),
    ],
)
def test_other_groups_than_the_schemas_are_corrupt(old: str, new: str) -> None:
    with pytest.raises(Corrupt, match="groups"):
        Grouping.decode(TEXT.replace(old, new, 1), SCHEMA)
