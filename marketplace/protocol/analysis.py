"""What exactly a buyer wants to know of several providers' records together: public, named on the ledger by its hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_lane import PUBLIC_CELL, Lane, lane_of
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Variance
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import NO_NOISE, OneRound, Opened, Statistic, Variances
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.constraints import Condition
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import ATTESTATION, LARGEST_CONDITIONS, SEALING_KEY_BYTES

NOUN, VERSION = "analysis", 1
LARGEST_ANALYSES = 20
LARGEST_SUMS = 2**21
"""The most numbers that the sums of an order may have in all rounds together, of which nodes keep each and answers tell."""

T = TypeVar("T")

Analysis = (
    Count
    | Histogram
    | Contingency
    | Mean
    | Variance
    | Quantile
    | LinearRegression
    | Survival
    | LogisticRegression
    | CoxRegression
    | Welch
    | MannWhitney
    | Proportions
    | AlleleFrequencies
    | CaseControl
    | Linkage
)


@dataclass(frozen=True)
class Asked:
    """One statistic of a specification. `name`: unique in it. `place`: of its analysis. `of`: the statistic there."""

    name: str
    place: int
    of: Statistic


@dataclass(frozen=True)
class AnalysisSpecification:
    """One order's questions. The parts that it shares with a `Specification` mean the same here.

    `analyses`: 1 to 20, in the order in which they are answered. `only`: rows that do not meet these conditions are left
    out at every party, which is told from each row alone. `threshold`: how many dishonest parties the noise is sized
    against. `smallest_cell`: of an exact order, the fewest persons that a number in its answer may count; 1 where the
    records are declared public.
    """

    offer: bytes
    analyses: tuple[Analysis, ...]
    slot_s: int
    sealing_key: bytes
    nonce: bytes
    attestation: str = ATTESTATION
    only: tuple[Condition, ...] = ()
    threshold: int = 1
    smallest_cell: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.analyses) <= LARGEST_ANALYSES:
            raise Invalid(f"expected 1 to {LARGEST_ANALYSES} analyses in an order, got {len(self.analyses)}")
        if self.links and (len(self.analyses) > 1 or self.smallest_cell is not None):
            raise Invalid(
                "expected a linkage count alone in an order and with noise, got it otherwise; ask for it singly"
            )
        if not 1 <= self.slot_s <= 86_400:
            raise Invalid(f"expected a delivery slot of 1 to 86400 seconds, got {self.slot_s}")
        if len(self.offer) != 32 or len(self.nonce) != 32:
            raise Invalid("expected an offer's id and a nonce of 32 bytes each in a specification")
        if len(self.sealing_key) != SEALING_KEY_BYTES:
            raise Invalid(f"expected a sealing key of {SEALING_KEY_BYTES} bytes, got {len(self.sealing_key)}")
        if len(self.only) > LARGEST_CONDITIONS:
            raise Invalid(f"expected at most {LARGEST_CONDITIONS} conditions, got {len(self.only)}")

    @property
    def links(self) -> bool:
        """Whether persons of several parties are matched: the closed lane alone does, and with noise alone."""
        return any(isinstance(analysis, Linkage) for analysis in self.analyses)

    def rounds(self, schema: Schema) -> int:
        """How many times parties sum, one after the other: fixed by the declaration, never by records."""
        return len(self.schedule(schema))

    def schedule(self, schema: Schema) -> tuple[tuple[Asked, ...], ...]:
        """What parties sum in each round, in order: told from the declaration alone, and so its price is.

        Raises `Invalid` where an analysis or a condition does not fit `schema`, a sum could leave 64 bits, or they are too many.
        """
        for condition in self.only:
            condition.spans(schema.column(condition.column))
        for name in (name for analysis in self.analyses for name in analysis.columns):
            schema.column(name)
        rounds = (
            tuple(
                Asked(f"{place}/{one.name}", place, one)
                for place, analysis in enumerate(self.analyses)
                if number < analysis.rounds
                for one in _statistics(analysis, schema, number)
            )
            for number in range(max(analysis.rounds for analysis in self.analyses))
        )
        found = tuple(asked for asked in rounds if asked)
        if (cells := sum(one.of.cells for asked in found for one in asked)) > LARGEST_SUMS:
            raise Invalid(f"expected at most {LARGEST_SUMS} sums in an order, got {cells}; ask for coarser ones")
        return found

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]:
        """Every statistic that parties sum next, where `opened` are the sums of all earlier rounds; none at the end.

        Raises `Invalid` as `schedule` does.
        """
        return (*self.schedule(schema), ())[len(opened)]

    def results(self, schema: Schema, opened: Opened, noise: Sequence[Variances] = ()) -> tuple[Any, ...]:
        """The answer to each analysis. `opened`: the sums of all rounds, flat, by the names of `asked`.

        `noise`: of each round, where there is some; it widens intervals and makes tests say less. A function of the sums
        and of what was declared. Raises `Corrupt` where they are not those that were asked for.
        """
        schedule = self.schedule(schema)
        if len(opened) != len(schedule):
            raise Corrupt(f"expected the sums of {len(schedule)} rounds, got those of {len(opened)}; run it again")
        for one, sums in ((one, sums) for asked, sums in zip(schedule, opened, strict=True) for one in asked):
            if len(sums[one.name]) != one.of.cells:
                raise Corrupt(f"expected {one.of.cells} sums of {one.name}, got {len(sums[one.name])}; run it again")
        noise = noise or (NO_NOISE,) * len(schedule)
        return tuple(
            _result(analysis, schema, self.part(place, opened), self.part(place, noise))
            for place, analysis in enumerate(self.analyses)
        )

    def part(self, place: int, rounds: Sequence[Mapping[str, T]]) -> tuple[Mapping[str, T], ...]:
        """Of each of the `rounds`, what belongs to the analysis at `place`, by the names that it gave."""
        start = f"{place}/"
        return tuple(
            {name.removeprefix(start): value for name, value in one.items() if name.startswith(start)}
            for one in rounds[: self.analyses[place].rounds]
        )

    def words_of(self, name: str) -> str:
        """The name of a statistic of `asked` for people: which question it is of, counting from 1, and its kind."""
        place, _, statistic = name.partition("/")
        return f"{int(place) + 1}. {self.analyses[int(place)].document()['kind']}, {statistic}"

    def lane(self, guarantee: Guarantee) -> Lane:
        """In which lane it is answered. Raises `Invalid` as `lane_of` does."""
        return lane_of(guarantee, self.smallest_cell or PUBLIC_CELL, self.links)

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the order names; conditions and a smallest cell stand in them where there are
        any, a threshold above 1."""
        document: dict[str, Any] = {
            "format": canonical.format_name(NOUN, VERSION),
            "offer": self.offer.hex(),
            "analyses": [analysis.document() for analysis in self.analyses],
            "slot_s": self.slot_s,
            "sealing_key": self.sealing_key.hex(),
            "nonce": self.nonce.hex(),
            "attestation": self.attestation,
        }
        if self.only:
            document["only"] = [condition.document() for condition in self.only]
        if self.threshold != 1:
            document["threshold"] = self.threshold
        if self.smallest_cell is not None:
            document["smallest_cell"] = self.smallest_cell
        return canonical.encode(document)

    @classmethod
    def decode(cls, data: bytes) -> "AnalysisSpecification":
        """The specification in `data`. Raises `Corrupt` where the bytes are none, `Invalid` where a wish cannot be."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            found = cls(
                offer=bytes.fromhex(document["offer"]),
                analyses=tuple(analysis_of(each) for each in document["analyses"]),
                slot_s=canonical.whole(document["slot_s"]),
                sealing_key=bytes.fromhex(document["sealing_key"]),
                nonce=bytes.fromhex(document["nonce"]),
                attestation=canonical.text(document["attestation"]),
                only=tuple(Condition.of_document(each) for each in document.get("only", ())),
                threshold=canonical.whole(document.get("threshold", 1)),
                smallest_cell=canonical.whole(document["smallest_cell"]) if "smallest_cell" in document else None,
            )
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError):
            raise Corrupt("expected the parts of an analysis, got others; ask who made it") from None
        if found.encode() != data:
            raise Corrupt("expected the parts of an analysis and no more; ask who made it")
        return found


def _statistics(analysis: Analysis, schema: Schema, number: int) -> tuple[Statistic, ...]:
    return analysis.statistics(schema) if isinstance(analysis, OneRound) else analysis.statistics(schema, number)


def _result(analysis: Analysis, schema: Schema, opened: Opened, noise: Sequence[Variances]) -> Any:
    if isinstance(analysis, OneRound):
        return analysis.result(schema, opened[0], noise[0])
    return analysis.result(schema, opened, noise)


def analysis_of(document: Mapping[str, Any]) -> Analysis:
    """The analysis in a document's value. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    match document["kind"]:
        case "count":
            return Count()
        case "histogram":
            return Histogram(canonical.text(document["column"]), canonical.whole(document["bins"]))
        case "contingency":
            return Contingency(canonical.text(document["first"]), canonical.text(document["second"]))
        case "mean":
            return Mean(canonical.text(document["column"]))
        case "variance":
            return Variance(canonical.text(document["column"]))
        case "quantile":
            levels = tuple(Decimal(canonical.text(level)) for level in document["levels"])
            return Quantile(canonical.text(document["column"]), levels)
        case "linear regression":
            return LinearRegression(
                canonical.text(document["outcome"]), tuple(map(canonical.text, document["predictors"]))
            )
        case "logistic regression":
            return LogisticRegression(
                canonical.text(document["outcome"]),
                canonical.text(document["happened"]),
                tuple(map(canonical.text, document["predictors"])),
                canonical.whole(document["rounds"]),
                canonical.whole(document["bits"]),
            )
        case "cox regression":
            return CoxRegression(
                time=canonical.text(document["time"]),
                event=canonical.text(document["event"]),
                happened=canonical.text(document["happened"]),
                grid=_grid(document),
                predictors=tuple(map(canonical.text, document["predictors"])),
                rounds=canonical.whole(document["rounds"]),
                bits=canonical.whole(document["bits"]),
                doublings=canonical.whole(document["doublings"]),
            )
        case "welch test":
            return Welch.of_document(document)
        case "mann-whitney test":
            return MannWhitney.of_document(document)
        case "two proportions":
            return Proportions.of_document(document)
        case "allele frequencies":
            return AlleleFrequencies.of_document(document)
        case "case-control association":
            return CaseControl.of_document(document)
        case "linkage":
            return Linkage.of_document(document)
        case "survival":
            return Survival(
                time=canonical.text(document["time"]),
                event=canonical.text(document["event"]),
                happened=canonical.text(document["happened"]),
                grid=_grid(document),
                by=canonical.text(document["by"]) if "by" in document else None,
            )
    raise KeyError


def _grid(document: Mapping[str, Any]) -> tuple[Decimal, ...]:
    return tuple(Decimal(canonical.text(point)) for point in document["grid"])
