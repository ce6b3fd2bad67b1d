"""What of an identifier counts: the same at every party, whatever wrote it down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.spelling import Spelling


@pytest.mark.parametrize(
    ("written", "trimmed", "plain"),
    [
        ("85 01 12-1234", "85 01 12-1234", "8501121234"),
        ("\t850112-1234 \n", "850112-1234", "8501121234"),
        ("ab12c", "ab12c", "AB12C"),
        ("Ab12c\N{NO-BREAK SPACE}", "Ab12c", "AB12C"),
        ("u\N{COMBINING DIAERESIS}7", "\N{LATIN SMALL LETTER U WITH DIAERESIS}7", "\N{LATIN CAPITAL LETTER U WITH DIAERESIS}7"),
        ("\N{FULLWIDTH DIGIT ONE}", "\N{FULLWIDTH DIGIT ONE}", "1"),
        ("007", "007", "007"),
        (" - / ", "- /", ""),
    ],
)  # fmt: skip
def test_an_identifier_is_compared_by_what_counts_of_it(written: str, trimmed: str, plain: str) -> None:
    assert Spelling.TRIMMED.of(written) == trimmed
    assert Spelling.LETTERS_AND_DIGITS.of(written) == plain


@given(st.text(max_size=12), st.sampled_from(Spelling))
def test_what_counts_of_what_counts_is_the_same(written: str, spelling: Spelling) -> None:
    once = spelling.of(written)
    assert spelling.of(once) == once


@given(st.lists(st.sampled_from("aB7"), min_size=1, max_size=8), st.lists(st.sampled_from(" -./"), max_size=8))
def test_signs_between_letters_and_digits_do_not_count(letters: list[str], signs: list[str]) -> None:
    mixed = "".join(one + "".join(signs[place : place + 1]) for place, one in enumerate(letters))
    assert Spelling.LETTERS_AND_DIGITS.of(mixed) == "".join(letters).upper()
