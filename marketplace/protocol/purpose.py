"""What health data may be used for: the purposes that permits have, by their code on the ledger."""

import re

from marketplace.errors import Invalid

PURPOSES = (
    "public health",
    "policy and regulation",
    "statistics",
    "education",
    "research",
    "improvement of care",
)
"""The purposes of Regulation (EU) 2025/327, Article 53(1), points (a) to (f): codes 0 to 5. Others are an authority's own."""

LARGEST_CODE = 255
_CODE = re.compile(r"[0-9]{1,3}", re.ASCII)


def purpose_text(code: int) -> str:
    """A purpose in words, with its code, such as `research (4)`."""
    return f"{PURPOSES[code]} ({code})" if code < len(PURPOSES) else f"purpose {code}"


def purpose_codes(purposes: int) -> tuple[int, ...]:
    """The codes in a set of purposes, which has purpose `p` as bit `p`."""
    return tuple(code for code in range(LARGEST_CODE + 1) if purposes >> code & 1)


def parse_purpose(text: str) -> int:
    """The code that `text` means: a number, or one of the words. Raises `Invalid` if it means none."""
    words = text.strip().lower()
    if words in PURPOSES:
        return PURPOSES.index(words)
    if not _CODE.fullmatch(words) or int(words) > LARGEST_CODE:
        known = ", ".join(f"{code} {name}" for code, name in enumerate(PURPOSES))
        raise Invalid(f"expected a purpose's code between 0 and {LARGEST_CODE} ({known}), got {text[:40]!r}; give one")
    return int(words)
