"""Times as people type them."""

import re
from datetime import UTC, datetime

from marketplace.errors import Invalid

DAY_S = 86_400
LATEST_S = 2**40 - 1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{9,13}", re.ASCII)


def parse_time(text: str, *, at_its_end: bool = False) -> int:
    """The second that `text` means: `2027-03-01`, `2027-03-01T12:00:00`, the same with an offset such as `Z` or `+01:00`, or
    seconds since 1970, nine digits at least. Without an offset it is UTC. A day means its first second, or its last where
    `at_its_end`.

    Raises `Invalid` if it means none that the ledger can hold.
    """
    text = text.strip()
    seconds = int(text) if _SECONDS.fullmatch(text) else _calendar(text)
    if seconds is not None and at_its_end and _DAY.fullmatch(text):
        seconds += DAY_S - 1
    if seconds is None or not 0 <= seconds <= LATEST_S:
        raise Invalid(f"expected a time such as 2027-03-01 or 2027-03-01T12:00:00Z, got {text[:40]!r}; give one")
    return seconds


def _calendar(text: str) -> int | None:
    if not _DAY.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
