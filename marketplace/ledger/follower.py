"""The account as of now, kept up to date from the ledger's events."""

from marketplace.errors import Corrupt
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.reader import EventReader, before
from marketplace.protocol.account import Account, fold


class Follower:
    """Folds the events of `ledger` from `from_block` on, as soon as `confirmations` blocks stand above them.

    If the chain replaces blocks that were read, everything is read again.
    """

    def __init__(self, ledger: Ledger, confirmations: int = 0, from_block: int = 0) -> None:
        self._ledger = ledger
        self._confirmations = confirmations
        self._from_block = from_block
        self._begin()

    def catch_up(self) -> Account:
        """The account after every confirmed event. Raises as the ledger does."""
        try:
            return self._read()
        except Corrupt:
            self._begin()
            return self._read()

    def _begin(self) -> None:
        self._account = Account()
        self._reader = EventReader(self._ledger, before(self._from_block), self._confirmations)

    def _read(self) -> Account:
        events = list(self._reader.events())
        if events:
            self._account = fold(events, self._account)
        return self._account
