"""From a file to a draft schema. A draft follows the records, so only their provider may see it; what the provider
then declares is the provider's own statement."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.schema import LARGEST_CATEGORIES, Category, Column, Schema
from node.vault.cells import MISSING
from node.vault.grid import draft_number
from node.vault.identifiers import is_text_of_single_records, looks_like_identifier, may_be_person_column
from node.vault.profile import LONGEST_DIGITS, Profile
from node.vault.records import Records, open_records

KEPT_ROWS_PERCENT = 75
"""The draft bound on rows per person is the smallest that keeps this share of the rows: noise grows with the bound."""
LARGEST_ROWS_PER_PERSON = 1_000
LABELS = 20
"""Numbers with a few texts among them are labels up to so many different values, and mistakes beyond."""


class Kind(Enum):
    """What a draft makes of a column."""

    CATEGORY = "category"
    NUMBER = "number"
    PERSON = "person"
    IDENTIFIER = "identifier"
    EXCLUDED = "excluded"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Verdict:
    """What a draft makes of the column `name`, why, in `words`, and how it would be declared, if it would."""

    name: str
    kind: Kind
    words: str
    column: Column | None = None


@dataclass(frozen=True)
class Draft:
    """A schema as it could be declared. For the provider only: bounds, categories and counts follow the records.

    `verdicts`: one for each column of the file, in order. `person`: the person column, given or proposed from its
    name. `rows_per_person`: the smallest bound that keeps `KEPT_ROWS_PERCENT` of the rows.
    """

    verdicts: tuple[Verdict, ...]
    rows: int
    person: str | None
    rows_per_person: int

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The columns that look like direct identifiers and have to be excluded."""
        return self._named(Kind.IDENTIFIER)

    @property
    def unusable(self) -> tuple[str, ...]:
        """The columns that have to be corrected or excluded."""
        return self._named(Kind.UNUSABLE)

    def schema(self) -> Schema:
        """The schema of the columns that can be kept.

        Raises `Invalid` while there are identifiers or unusable columns that are not excluded, and where fewer than
        two columns remain.
        """
        if self.identifiers:
            named = ", ".join(map(repr, self.identifiers))
            raise Invalid(
                f"expected no direct identifiers, got {named} by name or by values; exclude {_them(self.identifiers)}, "
                "or name the one that tells persons apart as the person column"
            )
        wrong = [f"{verdict.name!r} ({verdict.words})" for verdict in self.verdicts if verdict.kind is Kind.UNUSABLE]
        if wrong:
            raise Invalid(
                f"expected columns that can be declared, got {'; '.join(wrong)}; correct or exclude {_them(wrong)}"
            )
        columns = tuple(verdict.column for verdict in self.verdicts if verdict.column is not None)
        if len(columns) < 2:
            raise Invalid(f"expected at least 2 columns to describe, got {len(columns)}; exclude fewer")
        return Schema(columns, self.person, self.rows_per_person)

    def _named(self, kind: Kind) -> tuple[str, ...]:
        return tuple(verdict.name for verdict in self.verdicts if verdict.kind is kind)


def draft_file(path: Path, *, person: str | None = None, exclude: Sequence[str] = ()) -> Draft:
    """A draft for the CSV or Parquet file at `path`. Raises `Invalid` if it cannot be read, and as `draft` does."""
    return draft(open_records(path), person=person, exclude=exclude)


def draft(records: Records, *, person: str | None = None, exclude: Sequence[str] = ()) -> Draft:
    """A draft for `records`, reading all of them once, except the columns to `exclude`.

    `person`: the column that tells persons apart; without one, a column with a name that studies use is proposed.
    Raises `Invalid` if a named column is not in the file, or the records cannot be read.
    """
    _check_named(records, person, exclude)
    if person is None:
        person = next((name for name in records.names if may_be_person_column(name) and name not in exclude), None)
    names = [name for name in records.names if name not in exclude]
    profiles = {name: Profile() for name in names}
    persons: Counter[str] = Counter()
    for batch in records.batches(names):
        for name, column in zip(names, batch.columns, strict=True):
            profiles[name].add(column)
            if name == person:
                persons.update(column)
    rows = next((profile.cells + profile.missing for profile in profiles.values()), 0)
    verdicts = tuple(
        _verdict(name, profiles[name], person) if name in profiles else Verdict(name, Kind.EXCLUDED, "excluded as told")
        for name in records.names
    )
    return Draft(verdicts, rows, person, 1 if person is None else draft_rows_per_person(persons))


def draft_rows_per_person(persons: Counter[str]) -> int:
    """The smallest bound that keeps `KEPT_ROWS_PERCENT` of the rows, given how many rows each person has."""
    people_with = Counter(rows for text, rows in persons.items() if text not in MISSING)
    wanted = sum(rows * people for rows, people in people_with.items()) * KEPT_ROWS_PERCENT
    kept, left = 0, sum(people_with.values())
    for bound in range(1, LARGEST_ROWS_PER_PERSON):
        kept += left
        if kept * 100 >= wanted:
            return bound
        left -= people_with[bound]
    return LARGEST_ROWS_PER_PERSON


def _verdict(name: str, profile: Profile, person: str | None) -> Verdict:
    cells, distinct = profile.cells, profile.distinct
    if not cells:
        return Verdict(name, Kind.UNUSABLE, "all missing")
    if name == person:
        if profile.missing:
            return Verdict(name, Kind.UNUSABLE, f"the person column, but {profile.missing} of its cells are missing")
        return Verdict(name, Kind.PERSON, f"tells {distinct} persons apart; never part of a result")
    if looks_like_identifier(name, distinct, cells):
        words = f"a direct identifier by its name and its {distinct} different values"
        return Verdict(name, Kind.IDENTIFIER, words)
    if profile.counts_upwards and distinct > 2:
        return Verdict(name, Kind.IDENTIFIER, "numbers the records one by one")
    return _number(name, profile) if profile.is_numeric else _category(name, profile)


def _number(name: str, profile: Profile) -> Verdict:
    if profile.infinite:
        return Verdict(name, Kind.UNUSABLE, f"{profile.infinite} of its numbers are infinite")
    if profile.is_long or profile.low is None or profile.high is None:
        return Verdict(name, Kind.UNUSABLE, f"numbers of more than {LONGEST_DIGITS} digits")
    column = draft_number(
        name,
        profile.low,
        profile.high,
        decimals=profile.decimals,
        middle=profile.middle,
        missing=bool(profile.missing),
    )
    words = f"kept as number from {column.lower} to {column.upper} in steps of {column.step}"
    return Verdict(name, Kind.NUMBER, words + _missing(profile), column)


def _category(name: str, profile: Profile) -> Verdict:
    cells, distinct, values = profile.cells, profile.distinct, profile.values
    if profile.texts * 20 <= cells and distinct > LABELS:
        return Verdict(
            name, Kind.UNUSABLE, f"numbers, but {profile.texts + profile.infinite} of its {cells} cells are none"
        )
    if is_text_of_single_records(distinct, cells):
        return Verdict(
            name, Kind.IDENTIFIER, f"a text with {distinct} different values in {cells} cells, nearly one each"
        )
    if values is None:
        return Verdict(
            name,
            Kind.UNUSABLE,
            f"{distinct} categories, more than {LARGEST_CATEGORIES}: group the rare ones or exclude it",
        )
    if any("\n" in value or "\r" in value for value in values):
        return Verdict(name, Kind.UNUSABLE, "texts of several lines")
    words = "1 category" if len(values) == 1 else f"{len(values)} categories"
    return Verdict(
        name, Kind.CATEGORY, f"kept as {words}" + _missing(profile), Category(name, values, bool(profile.missing))
    )


def _missing(profile: Profile) -> str:
    return f", {profile.missing} of {profile.cells + profile.missing} missing" if profile.missing else ""


def _check_named(records: Records, person: str | None, exclude: Sequence[str]) -> None:
    for name in [*exclude, *([] if person is None else [person])]:
        if name not in records.names:
            raise Invalid(f"expected a column of the file, got {name!r}; its columns are {', '.join(records.names)}")
    if person in exclude:
        raise Invalid(f"expected the person column {person!r} not to be excluded; name it as one of them")


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
