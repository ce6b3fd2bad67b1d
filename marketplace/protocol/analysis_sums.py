"""What an analysis opened, as one document: every sum of every round, so that whoever has it computes the answers again."""

from collections.abc import Mapping, Sequence

from marketplace.errors import Corrupt
from marketplace.protocol import canonical

NOUN, VERSION = "sums", 1
LARGEST = 2**63
SUMS = "sums.json"
"""The document's name among a result's files."""

Opened = Sequence[Mapping[str, Sequence[int]]]
"""The sums of each round, flat, by name."""


def encode(opened: Opened) -> bytes:
    """The canonical document. The whole numbers of one statistic stand in one text, with spaces between them."""
    rounds = [{name: " ".join(map(str, sums)) for name, sums in each.items()} for each in opened]
    return canonical.encode({"format": canonical.format_name(NOUN, VERSION), "rounds": rounds})


def decode(data: bytes) -> tuple[Mapping[str, tuple[int, ...]], ...]:
    """The sums in `data`. Raises `Corrupt` where the bytes are none."""
    document = canonical.decode(data, NOUN, VERSION)
    try:
        found = tuple(
            {name: tuple(map(int, canonical.text(sums).split())) for name, sums in each.items()}
            for each in document["rounds"]
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Corrupt("expected the sums of an analysis, got others; ask whose node made them") from None
    if encode(found) != data or not all(
        -LARGEST <= one < LARGEST for each in found for sums in each.values() for one in sums
    ):
        raise Corrupt("expected the sums of an analysis, of 64 bits each, and no more; ask whose node made them")
    return found
