"""The answers to an order's analyses as one document, for programs: the same bytes at every party, from the same sums."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.offer import Guarantee

NOUN, VERSION = "answers", 1
ANSWERS = "answers.json"
"""The document's name among a result's files."""
DIGITS = 12
"""Significant digits of a number that is not whole: what machines may compute differently lies behind them."""


def encode(specification: AnalysisSpecification, guarantee: Guarantee, results: Sequence[Any]) -> bytes:
    """The canonical document: each analysis as it was asked, with its answer. `results`: one for each, in order.

    Numbers that are not whole, or need more than 53 bits, are strings.
    """
    pairs = zip(specification.analyses, results, strict=True)
    return canonical.encode(
        {
            "format": canonical.format_name(NOUN, VERSION),
            "guarantee": "exact" if guarantee is Guarantee.EXACT else "dp",
            "answers": [{"asked": asked.document(), "answer": _plain(answer)} for asked, answer in pairs],
        }
    )


def decode(data: bytes) -> tuple[Mapping[str, Any], ...]:
    """The answers in `data`, each a value with `asked` and `answer`. Raises `Corrupt` where the bytes are none."""
    document = canonical.decode(data, NOUN, VERSION)
    try:
        found = tuple(document["answers"])
        if set(document) != {"format", "guarantee", "answers"} or any(set(one) != {"asked", "answer"} for one in found):
            raise TypeError
    except (KeyError, TypeError):
        raise Corrupt("expected the answers of an analysis, got others; ask whose node made them") from None
    return found


def _plain(value: Any) -> Any:
    """A result as a value for canonical JSON: records become objects by the names of their parts."""
    if is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and abs(value) > canonical.LARGEST_INTEGER:
        return str(value)
    return value
