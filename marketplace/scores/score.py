"""A score as it is written down: names and decimals that never vary."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from marketplace.errors import Corrupt, Invalid

DIGITS = 6
UNIT = 10**DIGITS
CONFIDENCE_FACTOR = Fraction(22_415, 10_000)
QUOTE = re.compile(r"[0-9]{1,6}\.[0-9]{6}", re.ASCII)
NAME = re.compile(r"([a-z][a-z0-9_-]{0,39}/)?[a-z0-9_]{1,60}", re.ASCII)


def quote(value: Fraction) -> str:
    """`value` >= 0 with six decimals, rounded half to even."""
    return _written(round(value * UNIT))


def quote_up(value: Fraction) -> str:
    """`value` >= 0 with six decimals, rounded up."""
    return _written(math.ceil(value * UNIT))


def _written(millionths: int) -> str:
    return f"{millionths // UNIT}.{millionths % UNIT:0{DIGITS}d}"


@dataclass(frozen=True)
class Score:
    """A released score beside its floor and ceiling. All but the name are quotes: decimals with six digits.

    `sigma`: standard deviation of the released value's error, rounded up; it joins two independent noises, that of the
    score and that of the number of rows it was divided by. Of a curve: `curve.judged` says what it is.
    """

    name: str
    value: str
    sigma: str
    floor: str
    ceiling: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise Invalid("expected a score's name of small letters, digits and underscores")
        if not all(QUOTE.fullmatch(part) for part in (self.value, self.sigma, self.floor, self.ceiling)):
            raise Invalid(f"score {self.name}: expected decimals with six digits")

    @property
    def largest(self) -> int:
        """The largest value that the score can have."""
        return 1 if self.name.rpartition("/")[2].startswith(("missingness", "curve_")) else 2

    @property
    def interval(self) -> tuple[str, str]:
        """Ends between which the exact score lies with a probability of 95 % or more, as quotes.

        2.2415 sigma on each side: |X| + |Y| of two centred normals exceeds t only if |X + Y| or |X - Y| does, and each
        of these does with a probability of 2.5 %.
        """
        value, reach = Fraction(self.value), Fraction(self.sigma) * CONFIDENCE_FACTOR
        return quote(max(Fraction(0), value - reach)), quote(min(Fraction(self.largest), value + reach))

    def document(self) -> dict[str, Any]:
        """The score as a value for canonical JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "sigma": self.sigma,
            "floor": self.floor,
            "ceiling": self.ceiling,
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Score":
        """The score in `document`. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        parts = ("name", "value", "sigma", "floor", "ceiling")
        try:
            if set(document) != set(parts) or not all(isinstance(document[part], str) for part in parts):
                raise TypeError
            return cls(*(document[part] for part in parts))
        except (TypeError, Invalid):
            raise Corrupt("expected a score's name, value, sigma, floor and ceiling; got other parts") from None
