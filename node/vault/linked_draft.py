"""From files of several tables, or of visits, to a draft of a linked schema. For the provider only, as every draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema, Table, Timeline
from node.vault.inference import Draft, draft
from node.vault.records import Records, open_records


@dataclass(frozen=True)
class LinkedDraft:
    """The draft of each file, the main table's under the empty name, and the columns found alike in all rows of a person."""

    drafts: Mapping[str, Draft]
    timelines: Mapping[str, str]
    fixed: tuple[str, ...]

    def schema(self) -> Schema:
        """The linked schema. Timelines are drafted as not strict. Raises `Invalid` as `Draft.schema`, and as a schema does."""
        tables = tuple(Table(name, self._table(name)) for name in self.drafts if name)
        return replace(self._table(""), fixed=self.fixed, tables=tables)

    def _table(self, name: str) -> Schema:
        found, timeline = self.drafts[name].schema(), self.timelines.get(name)
        return replace(found, timeline=None if timeline is None else Timeline(timeline, strict=False))


def draft_linked(
    path: Path, further: Mapping[str, Path], timelines: Mapping[str, str], *, person: str, exclude: Sequence[str] = ()
) -> LinkedDraft:
    """A draft for the main table at `path` and the `further` ones, by name.

    `timelines`: the column that puts rows in order, by table, the main one's under the empty name. `exclude`: columns of
    any table. Raises `Invalid` if a file cannot be read, or a named table or column is in none of them.
    """
    files = {"": open_records(path), **{name: open_records(place) for name, place in further.items()}}
    unknown = [name for name in timelines if name not in files]
    lost = [name for name in exclude if not any(name in records.names for records in files.values())]
    if unknown or lost:
        raise Invalid(f"expected tables and columns of the files, got {', '.join(map(repr, (*unknown, *lost)))}")
    drafts = {
        name: draft(records, person=person, exclude=[each for each in exclude if each in records.names])
        for name, records in files.items()
    }
    kept = [verdict.name for verdict in drafts[""].verdicts if verdict.column is not None]
    alike = (
        fixed_columns(files[""], person, [name for name in kept if name != timelines[""]]) if "" in timelines else ()
    )
    return LinkedDraft(drafts, timelines, alike)


def fixed_columns(records: Records, person: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns `names` in which all rows of each person are alike."""
    first: dict[str, tuple[str, ...]] = {}
    left = list(range(len(names)))
    for batch in records.batches([person, *names]):
        for who, *cells in zip(*batch.columns, strict=True):
            before = first.setdefault(who, tuple(cells))
            left = [place for place in left if before[place] == cells[place]]
    return tuple(names[place] for place in left)
