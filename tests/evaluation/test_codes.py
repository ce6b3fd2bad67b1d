import pyarrow as pa
import pytest

from node.evaluation.codes import frame_of
from tests.evaluation.tables import SCHEMA, arrow, records


def test_a_coded_table_becomes_the_same_codes_with_null_as_minus_one() -> None:
    table = records(300, 1)
    assert frame_of(arrow(table), SCHEMA).equals(table)
    assert (table < 0).to_numpy().any()


def test_a_table_in_chunks_is_the_same_table() -> None:
    table = arrow(records(300, 1))
    assert frame_of(pa.concat_tables([table.slice(0, 100), table.slice(100)]), SCHEMA).equals(frame_of(table, SCHEMA))


def test_other_columns_or_types_are_a_mistake_of_the_caller() -> None:
    table = arrow(records(3, 1))
    for wrong in (table.select(["stage", "age", "ward", "dose"]), table.drop_columns("age")):
        with pytest.raises(ValueError, match="coded table"):
            frame_of(wrong, SCHEMA)
    with pytest.raises(ValueError, match="coded table"):
        frame_of(table.set_column(0, "age", table["age"].cast(pa.int64())), SCHEMA)
