from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.terms import Terms

from .examples import LINES


@given(LINES.filter(str.strip), st.integers(1, 10**6), LINES)
def test_terms_survive_being_written_and_read(title: str, days: int, purpose: str) -> None:
    terms = Terms(title, days, purpose)
    assert Terms.decode(terms.encode()) == terms


def test_the_policy_forbids_finding_people_and_passing_on() -> None:
    data = Terms("Research licence", 365).encode()
    for action in (b'"dpv:ReIdentification"', b'"distribute"', b'"transfer"'):
        assert b'{"action":' + action + b"}" in data


@pytest.mark.parametrize(("title", "days"), [("", 1), (" ", 1), ("Licence", 0), ("Licence", -3)])
def test_terms_without_a_title_or_a_day_are_refused(title: str, days: Any) -> None:
    with pytest.raises(Invalid, match="expected licence terms"):
        Terms(title, days)
