"""How values look on a screen: one console, a list of checks, the words for guarantees, deltas, times and transactions."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marketplace.ledger.ledger import Receipt
from marketplace.protocol.check import Check
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.protocol.states import Reason
from marketplace.terminal import plain

WIDTH_ELSEWHERE = 100
GUARANTEES = {Guarantee.DIFFERENTIALLY_PRIVATE: "dp", Guarantee.EXACT: "exact"}
MARKS = {True: Text("holds", "green"), False: Text("FAILS", "bold red"), None: Text("not made", "yellow")}


def console() -> Console:
    """Standard output, as wide as the terminal, or 100 columns where there is none. Nothing is read as markup."""
    found = Console(markup=False, highlight=False, emoji=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDTH_ELSEWHERE)


def checks_table(title: str, checks: Iterable[Check]) -> Table:
    """Checks for people: number, whether it holds, the sentence with its evidence below. Readable from 60 columns on."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        words = Text(plain(check.sentence))
        if check.evidence:
            words.append("\n" + plain(check.evidence), "dim")
        table.add_row(str(check.number), MARKS[check.passed], words)
    return table


def check_documents(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Checks for JSON."""
    return [vars(check) for check in checks]


def transaction_documents(receipts: Iterable[Receipt]) -> list[dict[str, Any]]:
    """Transactions for JSON: `step` is the contract's function."""
    return [{"step": receipt.function, "hash": hash_text(receipt), "gas": receipt.gas} for receipt in receipts]


def receipt_line(receipt: Receipt) -> str:
    """A transaction for people."""
    return f"{receipt.function}: transaction {hash_text(receipt)}, {receipt.gas:,} gas"


def hash_text(receipt: Receipt) -> str:
    """A transaction's hash as every explorer takes it."""
    return "0x" + receipt.transaction.hex()


def delta_text(delta_atto: int) -> str:
    """A delta in few characters, as in `6e-6`."""
    return f"{Decimal(delta_atto) / DELTA_UNIT:.0e}".replace("e-0", "e-")


def reason_text(reason: Reason) -> str:
    """A reason as people read it."""
    return reason.name.lower().replace("_", " ")


def duration_text(seconds: int) -> str:
    """A window in the largest unit that it is a whole number of."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length_s = next((unit, length_s) for unit, length_s in units if seconds % length_s == 0)
    return f"{seconds // length_s} {unit}{'' if seconds == length_s else 's'}"


def time_text(at_s: int) -> str:
    """A moment of the ledger."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
