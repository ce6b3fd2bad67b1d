"""What the demo says while it runs: one line a step on standard error, with what the step cost."""

import shutil
import sys
import textwrap
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from marketplace.ledger.ledger import Receipt
from marketplace.terminal import plain

WIDEST = 100


@dataclass
class Narrator:
    """Counts time from its making. Quiet numbers, one line each."""

    began: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def chapter(self, title: str) -> None:
        """A heading."""
        _say(f"\n{title}")

    def step(self, text: str, gas: int | None = None, rho_micro: int | None = None) -> None:
        """One line: what was done, and the gas, rho and seconds that it cost since the line before."""
        now = time.monotonic()
        costs = [f"{gas:,} gas"] if gas is not None else []
        costs += [f"rho {rho_micro:,} micro"] if rho_micro is not None else []
        costs.append(f"{now - self._last:.1f} s")
        self._last = now
        _say(f"  {plain(text)}  [{', '.join(costs)}]")

    def aside(self, text: str) -> None:
        """A remark that cost nothing; a long one goes on below itself."""
        width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
        indent = " " * (4 + len(text) - len(text.lstrip()))
        for line in textwrap.wrap(
            plain(text.strip()), width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
        ):
            _say(line)


def gas_of(receipts: Iterable[Receipt]) -> int:
    """What transactions cost together."""
    return sum(receipt.gas for receipt in receipts)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
