"""What docs/contract-review.md answers, and what it leaves open."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from scripts.compiling.sources import ROOT

PATH = ROOT / "docs" / "contract-review.md"
HEADING = "## What Slither finds"

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, order=True)
class Finding:
    """A detector of Slither's, and where it found something: `Contract.function`, or with a variable's name behind it."""

    detector: str
    place: str


def answers(text: str) -> frozenset[Finding]:
    """The findings that the page's table answers: rows of one detector, its places and an answer.

    Raises `ValueError` where the table is not there or a row of it has a cell without what belongs there.
    """
    if HEADING not in text:
        raise ValueError(f"expected the heading {HEADING!r} in the page, found none")
    section = text.split(HEADING, 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return frozenset(finding for row in rows[2:] for finding in _answered(row))


def judge(found: Collection[Finding], answered: Collection[Finding]) -> list[str]:
    """A sentence for each finding without an answer and for each answer without a finding; none if all is well."""
    missing = [f"{each.detector} in {each.place} is not answered" for each in sorted(set(found) - set(answered))]
    stale = [
        f"{each.detector} in {each.place} is answered and not found" for each in sorted(set(answered) - set(found))
    ]
    return missing + stale


def _answered(row: str) -> Iterator[Finding]:
    detectors, places, *answer = (cell.strip() for cell in row.strip("| ").split("|"))
    named = _CODE.findall(detectors)
    if len(named) != 1 or not _CODE.findall(places) or not any(answer):
        raise ValueError(f"expected a detector, places and an answer in each row, got {row!r}")
    for place in _CODE.findall(places):
        yield Finding(named[0], place)
