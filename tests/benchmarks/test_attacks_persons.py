"""Where a target is a person with all rows: what attackers compare, and who is attacked."""

import numpy as np
import pyarrow as pa
import pytest

from scripts.benchmarks.attacks_persons import persons, synthetic_persons, wide_frame, wide_schema
from tests.synthesis.linked import nested, some_persons
from tests.vault.linked import CLINIC, LIVER


def test_a_wide_row_has_what_is_fixed_the_number_of_rows_and_the_first_of_them() -> None:
    table = nested(LIVER, [((1, -1), (((3, 0, 7), (9, 1, -1)),)), ((0, 4), ((),)), ((1, 2), (((1, 1, 1),) * 5,))])
    wide = wide_frame(table, LIVER)
    assert list(wide.columns[:6]) == ["sex", "age", "labs rows", "days 1", "test 1", "value 1"]
    assert wide.columns[-1] == "value 3" and wide["labs rows"].tolist() == [2, 0, 5]
    assert wide.iloc[0].tolist() == [1, -1, 2, 3, 0, 7, 9, 1, -1, -1, -1, -1]
    assert wide.iloc[1].tolist() == [0, 4, 0, *[-1] * 9]


@pytest.mark.parametrize("schema", [LIVER, CLINIC])
def test_wide_rows_are_of_their_schema(schema) -> None:  # type: ignore[no-untyped-def]
    wide = wide_frame(nested(schema, some_persons(schema, 50)), schema)
    for column in wide_schema(schema).columns:
        assert wide[column.name].between(-1 if column.missing else 0, column.size - 1).all()


@pytest.mark.slow
def test_the_attacked_persons_are_the_same_on_every_run_and_nobody_has_two_parts() -> None:
    found, again = persons("muscatine"), persons("muscatine")
    assert found.records.equals(again.records) and np.array_equal(found.targets, again.targets)
    parts = np.concatenate([found.targets, found.reference, found.pool])
    assert len(np.unique(parts)) == len(parts) == len(found.records) == found.nested.num_rows
    some = found.targets[:20]
    assert wide_frame(found.nested.take(pa.array(some)), found.linked).equals(
        found.records.iloc[some].reset_index(drop=True)
    )
    made = synthetic_persons("private-visits", found, found.pool[:300], 30_000, 50, bytes(32))
    assert len(made) == 50 and list(made.columns) == list(found.schema.names)
