"""What one column of a provider's records holds, gathered batch by batch in bounded memory. Never leaves the node."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.schema import LARGEST_CATEGORIES, MOST_DECIMALS
from node.vault.cells import MISSING, is_infinite, is_number, is_padded

LONGEST_DIGITS = 11
"""A quantity with more digits before the point is a number of something, not a measure; a schema could not hold it."""


class Profile:
    """The running account of one column; `add` each batch, then read.

    `cells`: how many are not missing; `missing`: how many are. `infinite`, `texts`: how many cells say infinity, and
    how many are no quantities (texts, and codes with needless zeros before them). `low`, `high`, `decimals`: extremes
    and most digits after the point of the quantities.
    """

    def __init__(self) -> None:
        self.cells = self.missing = self.infinite = self.texts = self.decimals = 0
        self.low: Decimal | None = None
        self.high: Decimal | None = None
        self._values: set[str] | None = set()
        self._hashes: list[NDArray[np.int64]] = []
        self._numbers: list[NDArray[np.float64]] = []

    def add(self, column: Sequence[str]) -> None:
        """Takes in the texts of one batch."""
        counts = Counter(column)
        for text in MISSING & counts.keys():
            self.missing += counts.pop(text)
        self.cells += counts.total()
        self._hashes.append(np.fromiter(map(hash, counts), dtype=np.int64, count=len(counts)))
        if self._values is not None:
            self._values |= counts.keys()
            if len(self._values) > LARGEST_CATEGORIES:
                self._values = None
        quantities = {text: count for text, count in counts.items() if is_number(text) and not is_padded(text)}
        self.infinite += sum(count for text, count in counts.items() if is_infinite(text))
        self.texts = self.cells - self.infinite - self._quantities(quantities)

    def _quantities(self, counts: dict[str, int]) -> int:
        """Takes in numbers with how often each stands there; how many there are so far."""
        values = [Decimal(text) for text in counts]
        if values:
            self.low = min(values) if self.low is None else min(self.low, *values)
            self.high = max(values) if self.high is None else max(self.high, *values)
            if self.decimals < MOST_DECIMALS:
                self.decimals = min(MOST_DECIMALS, max(self.decimals, *map(_decimals, values)))
            numbers = np.array([float(value) for value in values])
            self._numbers.append(np.repeat(numbers, list(counts.values())))
        return sum(map(len, self._numbers))

    @property
    def is_numeric(self) -> bool:
        """Whether every cell that is not missing is a quantity or says infinity."""
        return self.cells > 0 and self.texts == 0

    @property
    def is_long(self) -> bool:
        """Whether a quantity has more than `LONGEST_DIGITS` digits before the point."""
        return (
            self.low is not None
            and self.high is not None
            and max(-self.low, self.high) >= Decimal(10) ** LONGEST_DIGITS
        )

    @property
    def distinct(self) -> int:
        """How many different texts there are."""
        return len(np.unique(np.concatenate(self._hashes))) if self._hashes else 0

    @property
    def values(self) -> tuple[str, ...] | None:
        """The different texts in order, or None where there are more than a category column may have."""
        return None if self._values is None else tuple(sorted(self._values))

    @property
    def middle(self) -> Decimal:
        """The width of the middle half of the quantities."""
        low, high = np.quantile(np.concatenate(self._numbers), [0.25, 0.75])
        return Decimal(repr(float(high - low)))

    @property
    def counts_upwards(self) -> bool:
        """Whether the column holds each whole number of a range exactly once, as a numbering of records does."""
        if not self.is_numeric or self.decimals or self.missing or self.low is None or self.high is None:
            return False
        return self.distinct == self.cells == self.high - self.low + 1


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
