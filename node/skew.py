"""How far this machine's clock is from the ledger's, as far as can be told by reading the ledger."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.ledger.ledger import Ledger

MOST_SKEW_S = 300
"""By how much a clock may be off without anybody minding."""


@dataclass
class Skew:
    """By how much `clock`, which gives seconds, is surely off: `behind_s` the latest block, `ahead_s` of the ledger.

    It is ahead where a block that came after a look bears an earlier time than the clock showed at that look. So a ledger that
    stands still tells nothing of a clock that is ahead.
    """

    clock: Callable[[], float]
    ledger: Ledger
    behind_s: int = 0
    ahead_s: int = 0
    _head: int | None = None
    _looked_at_s: int = 0

    def look(self) -> None:
        """Compares both. Raises as the ledger does."""
        clock_s, head, block_s = int(self.clock()), self.ledger.head_block(), self.ledger.now_s()
        self.behind_s = max(0, block_s - clock_s)
        if self._head is not None and head > self._head:
            self.ahead_s = max(0, self._looked_at_s - block_s)
        self._head, self._looked_at_s = head, clock_s

    def now_s(self) -> int:
        """The later of this machine's clock and the ledger's; the ledger's alone where the clock is known to be ahead."""
        ledger_s = self.ledger.now_s()
        return ledger_s if self.ahead_s > MOST_SKEW_S else max(int(self.clock()), ledger_s)

    @property
    def words(self) -> str | None:
        """What to tell the provider; None where nothing is known to be wrong."""
        for by_s, which in ((self.behind_s, "behind the ledger's"), (self.ahead_s, "ahead of the ledger's")):
            if by_s > MOST_SKEW_S:
                return f"this node's clock is {by_s:,} s {which}, so deadlines and permits cannot be told; set it"
        return None
