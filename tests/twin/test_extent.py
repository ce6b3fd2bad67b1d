"""What a pool sums at most for its twin is told from the declaration, and never exceeded, whatever was opened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.protocol.schema import Schema
from node.twin.extent import extent_of
from tests.synthesis.examples import FEW, WIDE, rows_of, specification
from tests.twin.examples import dealt, keys, opened_by, twin_of

TRIPLE = ("age", "stage", "clinic")


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([WIDE, FEW]), st.integers(3_000, 10**7), st.integers(0, 2_000), st.booleans(), st.integers(0, 9))
def test_no_records_have_more_summed_than_the_extent_says(
    schema: Schema, rho_micro: int, rows: int, named: bool, number: int
) -> None:
    asked = specification(*((TRIPLE,) if named and schema is WIDE else ()))
    twin = twin_of(schema, rho_micro, asked=asked)
    opened = opened_by(twin, schema, dealt(schema, rows_of(schema, rows, number)), keys(number))
    extent = extent_of(schema, asked)
    assert sum(len(sums) for sums in opened) <= extent.statistics
    assert sum(len(counts) for sums in opened for counts in sums.values()) <= extent.cells


@pytest.mark.parametrize(("schema", "most"), [(WIDE, 20_000), (FEW, 120)])
def test_the_extent_is_not_so_large_that_a_result_is_all_padding(schema: Schema, most: int) -> None:
    assert extent_of(schema, specification()).cells < most
