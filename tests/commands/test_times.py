"""Times as people type them."""

import pytest

from marketplace.commands.times import DAY_S, parse_time
from marketplace.errors import Invalid

FIRST_OF_MARCH_S = 1_803_859_200


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-03-01", FIRST_OF_MARCH_S),
        (" 2027-03-01 ", FIRST_OF_MARCH_S),
        ("2027-03-01T00:00:05", FIRST_OF_MARCH_S + 5),
        ("2027-03-01 00:00", FIRST_OF_MARCH_S),
        ("2027-03-01T01:00:00+01:00", FIRST_OF_MARCH_S),
        ("2027-03-01T00:00:00Z", FIRST_OF_MARCH_S),
        (str(FIRST_OF_MARCH_S), FIRST_OF_MARCH_S),
    ],
)
def test_a_time_is_given_as_a_day_a_moment_or_seconds(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


def test_the_end_of_a_day_is_its_last_second_and_that_of_a_moment_is_itself() -> None:
    assert parse_time("2027-03-01", at_its_end=True) == FIRST_OF_MARCH_S + DAY_S - 1
    assert parse_time("2027-03-01T00:00:05", at_its_end=True) == FIRST_OF_MARCH_S + 5
    assert parse_time(str(FIRST_OF_MARCH_S), at_its_end=True) == FIRST_OF_MARCH_S


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2027-02-30", "2027-13-01", "1969-12-31", "0001-01-01", "20270301", "12", "2027-W09-1", "-1", "1" * 13,
     "2027-03-01T25:00", "٢٠٢٧-٠٣-٠١", "99999-01-01"],
)  # fmt: skip
def test_what_is_no_time_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="expected a time such as 2027-03-01"):
        parse_time(text)
