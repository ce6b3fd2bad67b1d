"""What one cell of the records means as text, the same for CSV and Parquet."""

import re

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""The texts that mean "no value", quoted or not. Nothing else does."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_LONGEST_NUMBER = 100


def is_number(text: str) -> bool:
    """Whether `text` is a finite decimal number: ASCII digits, a point, an exponent of at most three digits, no spaces."""
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def is_infinite(text: str) -> bool:
    """Whether `text` says infinity."""
    return _INFINITE.fullmatch(text) is not None


def is_padded(text: str) -> bool:
    """Whether `text` is a number that begins with a needless zero, as codes do ("007") and quantities do not."""
    return len(text) > 1 and text[0] == "0" and text[1].isdigit()
