"""Amounts of the test euro in words for people."""

import re

from marketplace.errors import Invalid

DECIMALS = 6
UNITS_PER_EURO = 1_000_000
PLAIN_AMOUNT = re.compile(r"([0-9]{1,33})(?:\.([0-9]{1,6}))?", re.ASCII)


def euro_text(units: int) -> str:
    """An amount of token units, as in `EUR 1,234.50 (test)`. More than two decimals are shown only where they matter."""
    euros, rest = divmod(abs(units), UNITS_PER_EURO)
    decimals = f"{rest:0{DECIMALS}}"
    shown = decimals[:2] if rest % 10_000 == 0 else decimals
    return f"EUR {'-' if units < 0 else ''}{euros:,}.{shown} (test)"


def euro_units(text: str) -> int:
    """The token units that an amount such as `1234.50` stands for.

    Raises `Invalid` if it is no amount of 0 or more with at most six decimals.
    """
    amount = PLAIN_AMOUNT.fullmatch(text.replace(",", "").strip())
    if amount is None:
        raise Invalid("expected an amount of 0 or more with at most six decimals, such as 1234.50")
    units = int(amount[1]) * UNITS_PER_EURO + int((amount[2] or "").ljust(DECIMALS, "0"))
    if units >= 2**127:
        raise Invalid("expected an amount that a token can count, got a larger one; give one such as 1234.50")
    return units
