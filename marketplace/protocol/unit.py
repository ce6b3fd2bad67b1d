"""The privacy unit of a pooled offer: whom its promise protects, and what the members' datasets are charged for that.

One order opens sums over m members. A person has at most r rows at each, and a person with all its rows at k of them moves
the sums by at most k r times the length of what one row adds, D = k r d. Noise of scale s in the sums costs it

    rho(k) = (k r d / s + t)^2 / 2,

where t >= 0 is how far the parties' noise together may be from one discrete Gaussian (`analysis_noise`). `sums_micro` is what
the sums may cost a unit; what they cost anybody follows:

* **Person.** The sums are paid for k = m: rho(m) <= m c, with c the least that a member's dataset is charged. Whoever is at k
  members loses rho(k) <= (k / m) rho(m) <= k c, no more than what its k datasets are charged: (k / m) u + t <=
  sqrt(k / m) (u + t) as soon as t <= u sqrt(k / m). With u = m r d / s, that holds. Where a party's variance is below 4, s^2 is
  below 64, so u is above 2^-3, and t at most 2^-8 (`least_sigma2`). From 4 on t is below 2^-36 for 16 members and 2^24 cells,
  and a price of at least 2 micro-rho keeps u above 2^-10.
* **Person at provider.** The sums are paid for k = 1: rho(1) <= c, no more than what each dataset is charged. Whoever is at k
  members loses rho(k) <= k^2 rho(1), since k u + t <= k (u + t). That is group privacy, and more than the k c that its k
  datasets are charged together: the accounts of several datasets may not be added up for such a person, as those of the other
  unit may. Source: Bun and Steinke 2016, Proposition 1.9.
"""

from collections.abc import Sequence
from enum import IntEnum

from marketplace.errors import Invalid


class PrivacyUnit(IntEnum):
    """Whom the promise protects: a person with all its rows at all members, or with all its rows at one."""

    PERSON = 0
    PERSON_AT_PROVIDER = 1

    @property
    def word(self) -> str:
        """Its name in options, settings and documents."""
        return self.name.lower().replace("_", "-")

    @property
    def text(self) -> str:
        """It in words for people."""
        at_one = self is PrivacyUnit.PERSON_AT_PROVIDER
        return "one person at one provider" if at_one else "one person, wherever it has records"

    def of(self, words: str) -> str:
        """It together with what a schema says of a person, in `words`."""
        return f"{self.text}; {words}"

    def rows(self, rows_per_person: Sequence[int]) -> int:
        """The most rows of one unit in the sums, by those of a person at each member."""
        return max(rows_per_person) if self is PrivacyUnit.PERSON_AT_PROVIDER else sum(rows_per_person)

    def sums_micro(self, charged_micro: Sequence[int]) -> int:
        """What the sums of one order may cost a unit, by what each member's dataset is charged; 0 without members."""
        least = min(charged_micro, default=0)
        return least if self is PrivacyUnit.PERSON_AT_PROVIDER else len(charged_micro) * least

    def promised_micro(self, charged_micro: Sequence[int]) -> int:
        """What the datasets of one unit are charged together at most, which is what a certificate promises of it."""
        return max(charged_micro, default=0) if self is PrivacyUnit.PERSON_AT_PROVIDER else sum(charged_micro)

    def everywhere_micro(self, sums_micro: int, members: int) -> int:
        """What a person with records at every one of `members` loses, where the sums may cost a unit `sums_micro`."""
        return sums_micro * (members**2 if self is PrivacyUnit.PERSON_AT_PROVIDER else 1)


def unit_of(word: str) -> PrivacyUnit:
    """The unit of that word. Raises `Invalid` where there is none."""
    for unit in PrivacyUnit:
        if unit.word == word:
            return unit
    raise Invalid(
        f"expected one of the privacy units {', '.join(unit.word for unit in PrivacyUnit)}, got {word[:40]!r}"
    )
