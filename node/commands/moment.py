"""Moments as people write them and read them: always UTC."""

from datetime import UTC, date, datetime, time

from marketplace.errors import Invalid

LATEST_S = 253_402_300_799
"""The last second of the year 9999."""


def parse_moment(text: str) -> int:
    """The second that `2026-12-31` (its last one, UTC) or `2026-12-31T18:00` (UTC unless it says otherwise) means.

    Raises `Invalid` if it means none.
    """
    try:
        if len(text) == len("2026-12-31"):
            moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(
            f"expected a day such as 2026-12-31, or a time such as 2026-12-31T18:00 (UTC), got {text[:40]!r}; write it so"
        ) from None
    return max(0, int(moment.timestamp()))


def parse_day(text: str) -> int:
    """The day, counted from 1970-01-01, that `2026-12-31` means. Raises `Invalid` if it means none, or one before that."""
    try:
        number = (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError:
        number = -1
    if number < 0:
        raise Invalid(f"expected a day such as 2026-12-31, got {text[:40]!r}; write it so")
    return number


def moment_text(at_s: int) -> str:
    """A time of the ledger, as in `2026-12-31 18:00:00 UTC`."""
    return f"{datetime.fromtimestamp(min(at_s, LATEST_S), UTC):%Y-%m-%d %H:%M:%S} UTC"


def day_text(number: int) -> str:
    """A day, as in `2026-12-31`."""
    return moment_text(number * 86_400)[:10]
