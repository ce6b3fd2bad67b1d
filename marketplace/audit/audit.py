"""The audit itself: what was gathered, judged by numbered checks."""

from dataclasses import dataclass

from marketplace.audit import (
    budgets,
    certificates,
    contests,
    documents,
    licences,
    lives,
    money,
    offers,
    permits,
    providers,
    standing,
)
from marketplace.audit.evidence import Evidence
from marketplace.audit.walk import Walk, walk
from marketplace.protocol.check import Check


@dataclass(frozen=True)
class Audit:
    """The checks in order. A check that could not be made is no failure; its evidence says what was missing."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed is not False for check in self.checks)


def judge(evidence: Evidence) -> Audit:
    """Everything that can be said about `evidence`. Pure: the same evidence gives the same audit."""
    readings = evidence.readings
    shelf = None if readings is None else documents.shelve(evidence.account, readings)
    checks = (
        *walk(evidence, _walks()),
        money.covered(evidence),
        standing.answered(evidence),
        lives.on_the_table(evidence),
        lives.in_time(evidence),
        budgets.kept(evidence),
        money.earned(evidence),
        standing.named_right(evidence),
        lives.keys_open(evidence),
        documents.hashed_right(shelf),
        certificates.certified(evidence, shelf),
        budgets.at_worst(evidence),
        documents.deltas_small(evidence, shelf),
        money.shared(evidence),
        providers.described(evidence),
    )
    return Audit(tuple(sorted(checks, key=lambda check: check.number)))


def _walks() -> tuple[Walk, ...]:
    return (
        money.Conserved(),
        lives.OnSale(),
        permits.Granted(),
        permits.Used(),
        permits.Revoked(),
        offers.Limits(),
        offers.Stock(),
        contests.Rulings(),
        licences.Users(),
    )
