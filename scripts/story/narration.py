"""What the demo says while it runs: one line a step on standard error, with what the step cost."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from marketplace.ledger.ledger import Receipt


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
        print(f"\n{title}", file=sys.stderr, flush=True)

    def step(self, text: str, receipts: Sequence[Receipt] = (), rho_micro: int | None = None) -> None:
        """One line: what was done, and the gas, rho and seconds that it cost since the line before."""
        now = time.monotonic()
        costs = [f"{sum(receipt.gas for receipt in receipts):,} gas"] if receipts else []
        costs += [f"rho {rho_micro:,} micro"] if rho_micro is not None else []
        costs.append(f"{now - self._last:.1f} s")
        self._last = now
        print(f"  {text}  [{', '.join(costs)}]", file=sys.stderr, flush=True)

    def aside(self, text: str) -> None:
        """A remark that cost nothing."""
        print(f"    {text}", file=sys.stderr, flush=True)
