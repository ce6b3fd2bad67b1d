"""A specification: what exactly a buyer wants within an offer, public and named on the ledger by its hash."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from hashlib import sha256
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import LARGEST_SIZE, MAIN, Category, Column, Number, Schema
from marketplace.protocol.threshold import Threshold

NOUN, VERSION = "specification", 1
LARGEST_ROWS = 10_000_000
LARGEST_WORKLOAD = 200
LARGEST_MARGINAL = 3
LARGEST_CONDITIONS = 20
LARGEST_THRESHOLDS = 50
MOST_GROUPS = 12
SEALING_KEY_BYTES = 1_216
DEFAULT_GENERATOR, LINKED_GENERATOR = "private-marginals", "private-visits"
GENERATOR = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)

ATTESTATION = (
    "We will not try to find out whose records these are, will not use them for a decision about a person, "
    "for advertising, insurance or employment, and will not pass them on."
)


@dataclass(frozen=True)
class Curve:
    """A survival curve: the time that passes until an event, or until nobody looks any more, for each group of `by`.

    `occurred`: the value of `event` that says that it came; None for the last declared one. Any other means that nobody
    looked any more.
    """

    time: str
    event: str
    by: str | None = None
    occurred: str | None = None

    @property
    def marginal(self) -> tuple[str, ...]:
        """The columns whose marginal tells the curve."""
        return (self.time, self.event) if self.by is None else (self.time, self.event, self.by)


@dataclass(frozen=True)
class Workload:
    """What the specification cares about: sets of one to three columns, and survival curves, perhaps none.

    Columns of a further table are named as `Schema.place` has them.
    """

    marginals: tuple[tuple[str, ...], ...] = ()
    curves: tuple[Curve, ...] = ()

    @property
    def all_marginals(self) -> tuple[tuple[str, ...], ...]:
        """The marginals, and after them those of the curves."""
        return (*self.marginals, *(curve.marginal for curve in self.curves))

    def check(self, schema: Schema) -> None:
        """Raises `Invalid` unless every marginal names one to three different columns of one table of `schema`, times are
        numbers, events have the value that counts, and groups are few."""
        if len(self.all_marginals) > LARGEST_WORKLOAD:
            raise Invalid(f"expected at most {LARGEST_WORKLOAD} marginals in a workload, got {len(self.all_marginals)}")
        for marginal in self.all_marginals:
            if not 1 <= len(set(marginal)) == len(marginal) <= LARGEST_MARGINAL:
                raise Invalid(f"expected marginals of 1 to {LARGEST_MARGINAL} different columns in a workload")
            if len({schema.place(name)[0] for name in marginal}) > 1:
                raise Invalid(f"expected the columns of one table in a marginal, {', '.join(marginal)} are of several")
        for curve in self.curves:
            if not isinstance(schema.column(curve.time), Number):
                raise Invalid(f"expected a number as a curve's time, got the category {curve.time!r}; name the time")
            event_code(curve, schema)
            if curve.by is not None:
                check_groups(curve.by, schema)

    def of_table(self, table: str, schema: Schema) -> "Workload":
        """What is asked of one table of `schema`, under its own columns' names; curves are asked of the main one."""
        placed = [[schema.place(name) for name in marginal] for marginal in self.marginals]
        own = tuple(tuple(column for _, column in marginal) for marginal in placed if marginal[0][0] == table)
        return Workload(own, self.curves if table == MAIN else ())


def standing_in(generator: str, schema: Schema) -> str:
    """The name of the generator that serves who asks for `generator`: the linked one in the default one's place, where rows
    hang together under persons."""
    return LINKED_GENERATOR if schema.is_linked and generator == DEFAULT_GENERATOR else generator


def event_code(curve: Curve, schema: Schema) -> int:
    """The code of the value that says that the event came. Raises `Invalid` if the column has no such value."""
    event = schema.column(curve.event)
    if curve.occurred is None:
        return event.size - 1
    code = next((code for code in range(event.size) if event.text(code) == curve.occurred), None)
    if code is None:
        raise Invalid(f"expected a declared value of {curve.event!r} as a curve's event, got {curve.occurred!r}")
    return code


def check_groups(name: str, schema: Schema) -> None:
    """Raises `Invalid` unless the column of this name divides records into few declared groups."""
    column = schema.column(name)
    if not isinstance(column, Category) or column.size > MOST_GROUPS:
        raise Invalid(f"expected a category of at most {MOST_GROUPS} values to group by, {name!r} is none")


@dataclass(frozen=True)
class Specification:
    """One order's wishes.

    `offer`: the offer's id, 32 bytes. `rows`: how many synthetic rows; where rows hang together under persons, how many
    synthetic persons. `slot_s`: deliveries are posted at whole
    multiples of this many seconds after placing, so that their time tells nothing about the records.
    `sealing_key`: the buyer's public key made for this one order. `nonce`: 32 bytes of the buyer's choice.
    `attestation`: the prohibited uses that the buyer signs. `only`: conditions that every synthetic row is to meet.
    `generator`: the name of the generator that is to make them.
    `subgroups`: the column whose values the result is also scored for one by one; None for none. `thresholds`: how large
    released scores may be at most for the buyer's client to accept.
    """

    offer: bytes
    rows: int
    workload: Workload
    slot_s: int
    sealing_key: bytes
    nonce: bytes
    attestation: str = ATTESTATION
    only: tuple[Condition, ...] = ()
    generator: str = DEFAULT_GENERATOR
    subgroups: str | None = None
    thresholds: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= LARGEST_ROWS:
            raise Invalid(f"expected 1 to {LARGEST_ROWS} rows, got {self.rows}")
        if not 1 <= self.slot_s <= 86_400:
            raise Invalid(f"expected a delivery slot of 1 to 86400 seconds, got {self.slot_s}")
        if len(self.offer) != 32 or len(self.nonce) != 32:
            raise Invalid("expected an offer's id and a nonce of 32 bytes each in a specification")
        if len(self.sealing_key) != SEALING_KEY_BYTES:
            raise Invalid(
                f"expected a sealing key of {SEALING_KEY_BYTES} bytes, got {len(self.sealing_key)}; make one for this order"
            )
        if not GENERATOR.fullmatch(self.generator):
            raise Invalid(f"expected a generator's name, as in {DEFAULT_GENERATOR}, got {self.generator[:40]!r}")

    def check(self, schema: Schema) -> None:
        """Raises `Invalid` unless workload, conditions and rows fit `schema`: told from the declaration alone."""
        self.workload.check(schema)
        if schema.is_linked and self.rows > LARGEST_SIZE:
            raise Invalid(f"expected at most {LARGEST_SIZE} persons, got {self.rows}; order less, several times")
        if len(self.only) > LARGEST_CONDITIONS:
            raise Invalid(f"expected at most {LARGEST_CONDITIONS} conditions, got {len(self.only)}")
        for condition in self.only:
            condition.spans(schema.column(condition.column))
        for name in {condition.column for condition in self.only}:
            _check_together([condition for condition in self.only if condition.column == name], schema.column(name))
        if self.subgroups is not None:
            check_groups(self.subgroups, schema)
        if len(self.thresholds) > LARGEST_THRESHOLDS:
            raise Invalid(f"expected at most {LARGEST_THRESHOLDS} thresholds, got {len(self.thresholds)}")

    @property
    def digest(self) -> bytes:
        """The SHA-256 by which the order names it."""
        return sha256(self.encode()).digest()

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the order names; curves, conditions and a generator stand in them where they are
        asked for."""
        document: dict[str, Any] = {
            "format": canonical.format_name(NOUN, VERSION),
            "offer": self.offer.hex(),
            "rows": self.rows,
            "workload": [list(marginal) for marginal in self.workload.marginals],
            "slot_s": self.slot_s,
            "sealing_key": self.sealing_key.hex(),
            "nonce": self.nonce.hex(),
            "attestation": self.attestation,
        }
        if self.workload.curves:
            document["curves"] = [_curve_document(curve) for curve in self.workload.curves]
        if self.only:
            document["only"] = [condition.document() for condition in self.only]
        if self.generator != DEFAULT_GENERATOR:
            document["generator"] = self.generator
        if self.subgroups is not None:
            document["subgroups"] = self.subgroups
        if self.thresholds:
            document["thresholds"] = [[threshold.score, threshold.at_most] for threshold in self.thresholds]
        return canonical.encode(document)

    @classmethod
    def decode(cls, data: bytes) -> "Specification":
        """The specification in `data`. Raises `Corrupt` where the bytes are no specification, `Invalid` where a wish is."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            specification = cls(
                offer=bytes.fromhex(document["offer"]),
                rows=canonical.whole(document["rows"]),
                workload=Workload(
                    tuple(tuple(canonical.text(name) for name in names) for names in document["workload"]),
                    tuple(_curve(parts) for parts in document.get("curves", ())),
                ),
                slot_s=canonical.whole(document["slot_s"]),
                sealing_key=bytes.fromhex(document["sealing_key"]),
                nonce=bytes.fromhex(document["nonce"]),
                attestation=canonical.text(document["attestation"]),
                only=tuple(Condition.of_document(each) for each in document.get("only", ())),
                generator=canonical.text(document.get("generator", DEFAULT_GENERATOR)),
                subgroups=_text_or_none(document.get("subgroups")),
                thresholds=tuple(_threshold(parts) for parts in document.get("thresholds", ())),
            )
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError):
            raise Corrupt("expected the parts of a specification, got others; ask who made it") from None
        if specification.encode() != data:
            raise Corrupt("expected the parts of a specification and no more; ask who made it")
        return specification


def _check_together(conditions: Sequence[Condition], column: Column) -> None:
    """Raises `Invalid` unless one declared value, or a missing one, meets all `conditions` on its column."""
    spans = [condition.spans(column) for condition in conditions]
    starts = [start for each in spans for start, _ in each]
    shared = any(all(any(first <= start < end for first, end in each) for each in spans) for start in starts)
    if not shared and not all(condition.admits_missing(column) for condition in conditions):
        raise Invalid(
            f"conditions on {column.name!r}: expected ones that a declared value can meet together; leave one out"
        )


def _curve_document(curve: Curve) -> list[str | None]:
    parts = [curve.time, curve.event, curve.by]
    return parts if curve.occurred is None else [*parts, curve.occurred]


def _curve(parts: list[object]) -> Curve:
    time, event, by, *occurred = parts
    return Curve(canonical.text(time), canonical.text(event), _text_or_none(by), *map(canonical.text, occurred))


def _threshold(parts: list[object]) -> Threshold:
    score, at_most = parts
    return Threshold(canonical.text(score), canonical.text(at_most))


def _text_or_none(value: object) -> str | None:
    return None if value is None else canonical.text(value)
