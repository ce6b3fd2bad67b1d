"""Checks that go through history once: every event, with the account as it was right before it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from marketplace.audit.evidence import Evidence
from marketplace.protocol.account import Account, replay
from marketplace.protocol.check import Check
from marketplace.protocol.events import Event


class Walk(Protocol):
    """One such check."""

    def take(self, event: Event, before: Account) -> Iterator[str]:
        """The next event; gives what is wrong with it. `before` grows with every event: nothing of it may be kept."""

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        """The check after the last event, with all that was wrong."""


def walk(evidence: Evidence, walks: Sequence[Walk]) -> list[Check]:
    """What each of `walks` says after one replay of all events."""
    offenders: list[list[str]] = [[] for _ in walks]
    for event, before in replay(evidence.events):
        for one, found in zip(walks, offenders, strict=True):
            found += one.take(event, before)
    return [one.check(evidence, found) for one, found in zip(walks, offenders, strict=True)]
