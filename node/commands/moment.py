"""Moments as people write them and read them: always UTC."""

import re
from datetime import UTC, date, datetime, time

from marketplace.errors import Invalid

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
LATEST_S = 253_402_300_799
"""The last second of the year 9999."""


def parse_moment(text: str) -> int:
    """The second that `2026-12-31` (its last one, UTC) or `2026-12-31T18:00` (UTC unless it says otherwise) means.

    Raises `Invalid` if it means none.
    """
    try:
        if _DAY.fullmatch(text):
            moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        elif _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            raise ValueError
    except ValueError:
        raise Invalid(
            f"expected a day such as 2026-12-31, or a time such as 2026-12-31T18:00 (UTC), got {text[:40]!r}; write it so"
        ) from None
    return max(0, int(moment.timestamp()))


def parse_day(text: str) -> int:
    """The day, counted from 1970-01-01, that `2026-12-31` means. Raises `Invalid` if it means none, or one before that."""
    try:
        number = (date.fromisoformat(text) - date(1970, 1, 1)).days if _DAY.fullmatch(text) else -1
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
