from hypothesis import given, settings

from marketplace.audit.audit import Audit, judge
from marketplace.protocol.check import Check

from ..protocol.history import History, market
from ..protocol.walk import LIVES
from .examples import truthful


@given(LIVES)
@settings(max_examples=30, deadline=None)
def test_whatever_the_contract_allows_passes(history: History) -> None:
    audit = judge(truthful(history))
    assert [check.evidence for check in audit.checks if check.passed is False] == []
    assert audit.passed


def test_the_checks_are_numbered_in_order_and_each_says_something() -> None:
    history, offer = market()
    history.settled(offer)
    checks = judge(truthful(history)).checks
    assert [check.number for check in checks] == list(range(1, 24))
    assert len({check.sentence for check in checks}) == 23
    assert all(check.sentence.endswith(".") and check.evidence for check in checks)
    assert all("\n" not in check.evidence for check in checks)


def test_an_empty_ledger_passes() -> None:
    audit = judge(truthful(History()))
    assert audit.passed
    assert audit.checks[0].evidence == "no money has moved"


def test_without_a_store_the_checks_of_documents_are_not_made_and_the_audit_passes() -> None:
    history, offer = market()
    history.settled(offer)
    audit = judge(truthful(history))
    assert {check.number for check in audit.checks if check.passed is None} == {11, 12, 14}
    assert {check.evidence for check in audit.checks if check.passed is None} == {"no content store was given"}
    assert audit.passed


def test_the_same_evidence_gives_the_same_audit() -> None:
    history, offer = market()
    history.settled(offer)
    evidence = truthful(history)
    assert judge(evidence) == judge(evidence)


def test_one_failed_check_fails_the_audit() -> None:
    checks = (Check(1, "One.", True, ""), Check(2, "Two.", None, ""))
    assert Audit(checks).passed
    assert not Audit((*checks, Check(3, "Three.", False, ""))).passed
