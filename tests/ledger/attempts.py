"""Attempts that should be refused, each by its name, with the class and the contracts' error that it is refused by."""

from collections.abc import Callable

from marketplace.errors import MarketplaceError
from tests.ledger.world import World

Attempt = Callable[[], object]
Bad = Callable[[World], Attempt]


class Attempts(dict[str, tuple[Bad, type[MarketplaceError], str]]):
    """Functions that set a scene and give what should be refused, by their names."""

    def refused(self, kind: type[MarketplaceError], error: str) -> Callable[[Bad], Bad]:
        """Takes in a function whose attempt should be refused as `kind` by `error`."""

        def mark(bad: Bad) -> Bad:
            self[bad.__name__] = (bad, kind, error)
            return bad

        return mark
