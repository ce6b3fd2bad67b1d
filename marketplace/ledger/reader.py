"""Reading the ledger's events from a point on: in pages, behind confirmations, and never past a change of history."""

from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.errors import Corrupt, Refused
from marketplace.ledger.ledger import Ledger
from marketplace.protocol.events import Event
from marketplace.protocol.identity import NOTHING

LARGEST_PAGE = 10_000


@dataclass(frozen=True)
class Cursor:
    """How far someone has read: the number and the hash (32 bytes) of the last block that was read in full."""

    block: int
    hash: bytes


START = Cursor(-1, NOTHING)


def before(block: int) -> Cursor:
    """A cursor that makes a reader begin at `block`, such as the one that the contract was deployed in."""
    return Cursor(block - 1, NOTHING)


@dataclass(frozen=True)
class Page:
    """Events in the ledger's order, and the cursor behind them. Keep both in one transaction."""

    events: tuple[Event, ...]
    cursor: Cursor


class EventReader:
    """Reads `ledger` from `cursor` on, up to the block that has `confirmations` blocks above it.

    `largest_page`: the most blocks to ask for at once; the reader asks for fewer where the node refuses as many.
    """

    def __init__(
        self, ledger: Ledger, cursor: Cursor = START, confirmations: int = 0, largest_page: int = LARGEST_PAGE
    ) -> None:
        self.cursor = cursor
        self._ledger = ledger
        self._confirmations = confirmations
        self._largest_page = largest_page
        self._page = largest_page

    def pages(self) -> Iterator[Page]:
        """Every page up to now, then ends; a later call goes on from there. Pages without events move the cursor too.

        Raises `Corrupt` if the block that the cursor names is no longer part of the chain: what was read from there
        on may not have happened. Forget it, and read again from an earlier cursor or from `START`.
        """
        end = self._ledger.head_block() - self._confirmations
        while self.cursor.block < end:
            page = self._next(end)
            self._check_history()
            self.cursor = page.cursor
            yield page
        self._check_history()

    def events(self) -> Iterator[Event]:
        """Every event up to now, one by one. Raises as `pages` does."""
        for page in self.pages():
            yield from page.events

    def _next(self, end: int) -> Page:
        """The next page. Its hash is asked for before its events, and that of the page before it is checked after them:
        so a change of history at any moment in between shows, now or when the next page is read."""
        first = self.cursor.block + 1
        while True:
            last = min(first + self._page - 1, end)
            cursor = Cursor(last, self._ledger.block(last).hash)
            try:
                events = tuple(self._ledger.events(first, last))
            except Refused:
                if last == first:
                    raise
                self._page = max(1, (last - first + 1) // 2)
            else:
                self._page = min(self._page + self._page // 4 + 1, self._largest_page)
                return Page(events, cursor)

    def _check_history(self) -> None:
        if self.cursor.hash == NOTHING:
            return
        try:
            known = self._ledger.block(self.cursor.block).hash == self.cursor.hash
        except Refused:
            known = False
        if not known:
            raise Corrupt(
                f"expected block {self.cursor.block} to be the one that was read, the chain has another there; "
                "forget what was read and read again from an earlier block"
            )
