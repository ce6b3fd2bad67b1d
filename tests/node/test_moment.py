"""Moments as people write and read them."""

import pytest

from marketplace.errors import Invalid
from node.commands.moment import day_text, moment_text, parse_day, parse_moment


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("2026-12-31", 1_798_761_599),
        ("2026-12-31T18:00", 1_798_740_000),
        ("2026-12-31T18:00:30+02:00", 1_798_732_830),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T00:00", 0),
    ],
)
def test_a_day_means_its_last_second_and_a_time_is_utc(text: str, at_s: int) -> None:
    assert parse_moment(text) == at_s


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "31.12.2026", "2026-12-31T25:00", "99999-01-01", "1" * 99])
def test_what_is_no_moment_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="a day such as"):
        parse_moment(text)


def test_days_are_counted_from_1970() -> None:
    assert parse_day("1970-01-02") == 1
    assert day_text(parse_day("2026-12-31")) == "2026-12-31"
    with pytest.raises(Invalid):
        parse_day("1969-12-31")


def test_a_moment_is_shown_in_utc_however_far_off() -> None:
    assert moment_text(1_798_761_599) == "2026-12-31 23:59:59 UTC"
    assert moment_text(2**64).startswith("9999-12-31")
