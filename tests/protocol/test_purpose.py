"""Purposes in words and as codes."""

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.purpose import PURPOSES, parse_purpose, purpose_codes, purpose_text


def test_a_purpose_is_shown_in_words_with_its_code() -> None:
    assert purpose_text(4) == "research (4)"
    assert purpose_text(200) == "purpose 200"


@pytest.mark.parametrize("text", ["4", " 4 ", "research", "Research", "004"])
def test_a_purpose_is_given_as_its_code_or_its_words(text: str) -> None:
    assert parse_purpose(text) == 4


@pytest.mark.parametrize("text", ["", "256", "-1", "4.0", "0x4", "fun", "٤", "1000", "4_0"])
def test_what_is_no_purpose_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match=r"expected a purpose's code between 0 and 255 .*4 research"):
        parse_purpose(text)


def test_every_word_leads_back_to_its_code() -> None:
    assert [parse_purpose(word) for word in PURPOSES] == list(range(6))


def test_a_set_of_purposes_has_each_as_its_bit() -> None:
    assert purpose_codes(0) == ()
    assert purpose_codes(1 << 4 | 1 << 255 | 1) == (0, 4, 255)
