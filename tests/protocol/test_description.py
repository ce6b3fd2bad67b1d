from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.description import Description, round_rows
from marketplace.protocol.schema import Schema
from tests.vault.linked import CLINIC, LIVER

from .examples import DESCRIPTION, schemas


@given(schemas(), st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 10**9))
def test_a_description_survives_being_written_and_read(schema: Schema, words: str, rows: int) -> None:
    description = Description("Title", words, words, schema, round_rows(rows))
    assert Description.decode(description.encode()) == description


@given(st.integers(1, 10**12))
def test_a_declared_number_of_rows_has_two_digits_and_rounding_twice_changes_nothing(rows: int) -> None:
    rounded = round_rows(rows)
    assert len(str(rounded).rstrip("0")) <= 2
    assert rounded % 10 == 0
    assert abs(rounded - rows) <= max(9, rows / 20)
    assert round_rows(rounded) == rounded


def test_no_rows_are_refused() -> None:
    with pytest.raises(Invalid, match="expected at least 1 row, got 0"):
        round_rows(0)


@pytest.mark.parametrize(("schema", "rows"), [(DESCRIPTION.schema, 1_000), (LIVER, 1_000), (CLINIC, 250)])
def test_a_result_has_by_default_no_more_rows_than_are_declared(schema: Schema, rows: int) -> None:
    """A visitor of the clinic has up to four rows."""
    assert replace(DESCRIPTION, schema=schema, rows_declared=1_000).rows_by_default == rows


@pytest.mark.parametrize("title", ["", "  ", "x" * 201])
def test_a_title_of_no_or_too_many_characters_is_refused(title: str) -> None:
    with pytest.raises(Invalid, match="expected a title of 1 to 200 characters"):
        replace(DESCRIPTION, title=title)


def test_an_exact_number_of_rows_is_refused() -> None:
    with pytest.raises(Invalid, match="expected a number of rows rounded to two digits and to tens, got 15524"):
        replace(DESCRIPTION, rows_declared=15_524)


@pytest.mark.parametrize("title", ["two\nlines", "a\x1b[31mred one", "a\u202ereversed one"])
def test_a_title_that_could_forge_a_line_on_a_screen_is_refused(title: str) -> None:
    with pytest.raises(Invalid, match="printable characters on one line"):
        replace(DESCRIPTION, title=title)
