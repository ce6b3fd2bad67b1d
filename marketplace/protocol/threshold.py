"""A threshold: how large a released score may be at most, so that a buyer accepts a delivery."""

import re
from dataclasses import dataclass

from marketplace.errors import Invalid

AT_MOST = re.compile(r"[0-9](\.[0-9]{1,6})?", re.ASCII)
NAME = re.compile(r"([a-z][a-z0-9_-]{0,39}/)?[a-z0-9_]{1,60}", re.ASCII)


@dataclass(frozen=True)
class Threshold:
    """`score`: a released score's name. `at_most`: the largest value that is accepted, a decimal such as `0.1`.

    It is a function of released scores alone: whether it is met never changes what is drawn, nor whether it is delivered.
    """

    score: str
    at_most: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.score):
            raise Invalid(
                "expected a threshold's score of small letters, digits and underscores, such as l1_2way or labs/l1_2way"
            )
        if not AT_MOST.fullmatch(self.at_most):
            raise Invalid(
                f"threshold on {self.score}: expected a decimal from 0 to 9 with at most six digits, such as 0.1"
            )
