"""The page about the audit says what the checks say."""

from pathlib import Path

from marketplace.audit.audit import judge

from ..protocol.history import History
from .examples import truthful

PAGE = Path(__file__).parent.parent.parent / "docs" / "audit.md"


def test_the_page_has_every_check_by_number_with_its_sentence() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.split()[1].isdecimal()]
    assert rows == [f"| {check.number} | {check.sentence} |" for check in judge(truthful(History())).checks]
