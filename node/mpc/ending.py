"""How a joint analysis ends early: one party is named, with the reason, and nothing was opened."""

from enum import IntEnum

from marketplace.errors import Unreachable


class Reason(IntEnum):
    """Why a party is named. The words follow "it"."""

    CUT_OFF = 1
    SILENT = 2
    RUBBISH = 3
    DISAGREED = 4
    NOT_REACHED = 5
    STOPPED = 6

    @property
    def words(self) -> str:
        """What the party did."""
        return _WORDS[self]


_WORDS = {
    Reason.CUT_OFF: "was cut off",
    Reason.SILENT: "fell silent",
    Reason.RUBBISH: "sent what is no message",
    Reason.DISAGREED: "worked on something else",
    Reason.NOT_REACHED: "was not reached",
    Reason.STOPPED: "stopped",
}


class Ended(Unreachable):
    """The analysis ended at party `party`. `by`: who says so, the number of another party or this one's own."""

    def __init__(self, party: int, reason: Reason, by: int) -> None:
        super().__init__(
            f"expected all parties to go on to the end; party {party} {reason.words}, as party {by} says; ask its provider"
        )
        self.party, self.reason, self.by = party, reason, by
