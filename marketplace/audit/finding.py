"""From offenders to a check: none and it passed, else it names a few of them and says how many more there are."""

from collections.abc import Iterable

from marketplace.protocol.check import Check

SHOWN = 3


def finding(number: int, sentence: str, offenders: Iterable[str], evidence: str) -> Check:
    """The check whose sentence holds unless there are `offenders`. `evidence`: what to say where there are none."""
    found = list(offenders)
    return Check(number, sentence, not found, listed(found) if found else evidence)


def not_made(number: int, sentence: str, missing: str) -> Check:
    """The check that could not be made because of what is `missing`."""
    return Check(number, sentence, None, missing)


def listed(items: list[str]) -> str:
    """A few of `items` in words, and how many more."""
    more = f"; and {len(items) - SHOWN:,} more" if len(items) > SHOWN else ""
    return "; ".join(items[:SHOWN]) + more


def short(name: bytes | str) -> str:
    """The beginning of an id or an address, enough to find it by."""
    return name[:10] if isinstance(name, str) else f"0x{name.hex()[:8]}"


def counted(number: int, noun: str) -> str:
    """A number of things in words."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
