"""How many persons are known to several parties: told from buckets that their identifiers fall into, with noise alone.

Without noise such a count tells of one person: a party that asks about a single identifier learns who else knows it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_curves import NORMAL_TIMES
from marketplace.protocol.analysis_parties import FEWEST_PARTIES
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.schema import Schema
from marketplace.protocol.spelling import Spelling

FEWEST_BUCKETS, MOST_BUCKETS, MOST_LINKED_PARTIES = 2**8, 2**16, 5
TIMES = 2
"""How often a bucket of linked persons is counted, so that the number that matters has half of the noise."""
STATISTIC = "linked"
SATURATED = "too few buckets are empty to tell persons from coincidences; ask with more buckets or more rho"

Parties = int
"""Some of the parties: bit n stands for party n."""


class KnownTo(StrEnum):
    """Which persons are counted: those that two parties or more know, or those that all know."""

    TWO = "two"
    ALL = "all"


@dataclass(frozen=True)
class Buckets(Statistic):
    """Buckets by which of the `parties` have a person in them, a number for each of `parts_of`; `hidden`: the buckets.

    An identifier falls into one bucket at each party that knows it, and turns there the parties of one bucket, C, into C and
    that party: one number can grow by 1 and one other fall by 1, and where one of them is that of linked persons it
    moves by 2. So each party moves the numbers by a squared length of at most 1 + 4. A person is at every party at most
    once, whatever its rows; that its identifiers are the same everywhere, and so its buckets, is not relied on: by the
    triangle inequality it moves them by at most 5 m^2, squared, over m parties. (Were they relied on to be the same it would
    be 5; the count itself moves by at most 1 then, and by at most m otherwise.)
    """

    parties: int = FEWEST_PARTIES

    def sensitivity_squared(self, rows: int) -> int:
        """The squared L2 distance by which a person moves the numbers; of more rows than parties no more is moved."""
        return super().sensitivity_squared(min(rows, self.parties))


@dataclass(frozen=True)
class Linked:
    """How many persons are known to several parties, with the 95 % interval that coincidences and noise leave.

    `shared`: buckets that looked so, of which about `by_chance` are coincidences of different persons. `persons` and the
    interval are None where `reason` says why.
    """

    persons: int | None
    low: int | None
    high: int | None
    error: float | None
    shared: int
    by_chance: int | None
    reason: str | None = None


@dataclass(frozen=True)
class Linkage(OneRound):
    """How many persons are known to two of the `parties` or more, or to all, told from `buckets` (a power of two).

    A person is what stands in the schema's person column; identifiers match where they are the same in `spelling`, which moves
    a person into one bucket as well. `parties`: of the offer, 3 to 5. Raises `Invalid` for other numbers.
    """

    parties: int
    buckets: int
    known_to: KnownTo
    spelling: Spelling = Spelling.TRIMMED

    def __post_init__(self) -> None:
        if not FEWEST_PARTIES <= self.parties <= MOST_LINKED_PARTIES:
            raise Invalid(
                f"expected {FEWEST_PARTIES} to {MOST_LINKED_PARTIES} parties in a linkage count, got {self.parties}; "
                "choose another offer"
            )
        if not FEWEST_BUCKETS <= self.buckets <= MOST_BUCKETS or self.buckets & (self.buckets - 1):
            raise Invalid(
                f"expected a power of two of {FEWEST_BUCKETS} to {MOST_BUCKETS} buckets in a linkage count, got "
                f"{self.buckets}"
            )

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {
            "kind": "linkage",
            "parties": self.parties,
            "buckets": self.buckets,
            "known_to": self.known_to.value,
            "spelling": self.spelling.value,
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Linkage":
        """The analysis in `document`. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
        parties, buckets = (canonical.whole(document[name]) for name in ("parties", "buckets"))
        known_to, spelling = (canonical.text(document[name]) for name in ("known_to", "spelling"))
        return cls(parties, buckets, KnownTo(known_to), Spelling(spelling))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at: none that is declared; the person column is no such."""
        return ()

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What is opened, of what each party hands in. Raises `Invalid` where `schema` tells no persons apart."""
        if schema.person is None:
            raise Invalid(
                "expected a schema with a person column in a linkage count, got one whose rows are persons; "
                "choose another offer"
            )
        numbers = len(parts_of(self.parties, self.known_to))
        return (Buckets(STATISTIC, (numbers,), TIMES, TIMES**2 + 1, 1, self.buckets, self.parties),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Linked:
        """The persons, freed of coincidences in expectation, with an interval that counts coincidences and noise in.

        A bucket is empty of the persons of some parties A with the probability q^N(A), q = 1 - 1 / buckets, N(A) those that
        any of A knows. So N(A) = ln(empty of A / buckets) / ln q, and persons follow by inclusion and exclusion: known to two
        or more are sum_i N(all but i) - (m - 1) N(all); known to all sum_A (-1)^(|A| + 1) N(A). The interval is that of the
        delta method, with the covariance of the empty buckets and that of the noise. Source: Whang, Vander-Zanden and Taylor
        1990, linear counting.
        """
        opened, variance, whole = sums[STATISTIC], noise.get(STATISTIC, 0.0), (1 << self.parties) - 1
        parts, base = parts_of(self.parties, self.known_to), math.log1p(-1 / self.buckets)
        amounts = [opened[0] / TIMES, *opened[1:]]
        touched = {of: [place for place, part in enumerate(parts) if next(iter(part)) & of] for of in self._unions()}
        empty = {of: self.buckets - math.fsum(amounts[place] for place in there) for of, there in touched.items()}
        shared = max(0, round(amounts[0]))
        if empty[whole] < 1 + SURE * math.sqrt(variance * len(parts)):
            return Linked(None, None, None, None, shared, None, SATURATED)
        known = {of: max(0.0, math.log(left / self.buckets) / base) for of, left in empty.items()}
        persons = math.fsum(times * known[of] for of, times in self._unions().items())
        slopes = {of: times / (empty[of] * base) for of, times in self._unions().items()}
        moved = [
            sum(slopes[of] for of, there in touched.items() if place in there) / (TIMES if place == 0 else 1)
            for place in range(len(parts))
        ]
        chance = math.fsum(
            slopes[a] * slopes[b] * _covariance(self.buckets, known[a], known[b], known[a | b])
            for a, b in product(slopes, slopes)
        )
        error = math.sqrt(max(0.0, chance) + variance * math.fsum(one * one for one in moved))
        far = NORMAL_TIMES * error
        return Linked(
            max(0, round(persons)),
            max(0, math.floor(persons - far)),
            max(0, math.ceil(persons + far)),
            error,
            shared,
            max(0, round(amounts[0] - persons)),
        )

    def _unions(self) -> dict[Parties, int]:
        """Those unions of parties' persons from which the answer follows, with how often each is added."""
        whole = (1 << self.parties) - 1
        if self.known_to is KnownTo.TWO:
            return {**{whole ^ (1 << one): 1 for one in range(self.parties)}, whole: 1 - self.parties}
        return {of: -1 if of.bit_count() % 2 == 0 else 1 for of in range(1, whole + 1)}


def parts_of(parties: int, known_to: KnownTo) -> tuple[Mapping[Parties, int], ...]:
    """What is opened: of each number, how often it counts a bucket in which exactly these parties have a person.

    First that of linked persons, then one for each of the parties that coincidences follow from.
    """
    every = range(1, 1 << parties)
    least = 2 if known_to is KnownTo.TWO else parties
    linked = {of: TIMES for of in every if of.bit_count() >= least}
    others = [of for of in every if of not in linked]
    return (linked, *({of: 1} for of in others))


def joint_weights(part: Mapping[Parties, int], parties: int) -> dict[Parties, int]:
    """The same number told from the buckets in which at least these parties have a person: how often each is counted.

    Buckets of exactly C are those of at least A, for all A with C in it, each with the sign (-1)^(|A| - |C|).
    """
    return {
        of: sum(times * (-1) ** (of ^ exact).bit_count() for exact, times in part.items() if exact & of == exact)
        for of in range(1, 1 << parties)
    }


def _covariance(buckets: int, a: float, b: float, either: float) -> float:
    """That of the buckets empty of `a` persons and of `b`, of whom `either` are in one group or both."""
    one, two = math.log1p(-1 / buckets), math.log1p(-2 / buckets)
    both = a + b - either
    together = buckets * math.exp(either * one)
    apart = buckets * (buckets - 1) * math.exp(both * two + (either - both) * one)
    return together + apart - buckets**2 * math.exp((a + b) * one)
