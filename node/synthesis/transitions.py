"""How a person's next row follows from the one before: the columns of a transition, and the records' own counts of them.

Beside `records` the one module of generators that computes from records. What it returns is not noisy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.schema import OWN_PREFIX, Column, Number, Schema
from node.nesting import Codes, Rows, Strand, rows_of
from node.synthesis.columns import Columns
from node.synthesis.records import BinnedRecords, Records
from node.synthesis.structure import Marginal

GAP = OWN_PREFIX + "gap"
LOOSE_SHARE = 0.1
"""The least noise, as a share of all transitions, that single columns are fitted with where they were counted elsewhere."""


@dataclass(frozen=True)
class Layout:
    """The columns of a strand's transitions, by their places: first those given, then those to draw.

    Given: the columns of persons, the number of the person's rows, and the row before. To draw: the gap of time, and the
    next row without its time. `persons`: how many columns are given of the person, the number of rows among them.
    """

    strand: Strand
    person_names: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called in stages: no two alike, since no declared name begins as these do."""
        columns = self.strand.schema.columns
        before = (f"{OWN_PREFIX}before:{self.strand.name}/{column.name}" for column in columns)
        after = (f"{self.strand.field}/{columns[place].name}" for place in self.kept)
        return (*self.person_names, *before, GAP, *after)

    @property
    def time(self) -> int:
        """The place of the time among the strand's columns."""
        return self.strand.schema.names.index(self._time_name)

    @property
    def kept(self) -> tuple[int, ...]:
        """The places, among the strand's columns, of those that a next row has beside its time."""
        return tuple(place for place in range(len(self.strand.schema.columns)) if place != self.time)

    @property
    def given(self) -> Marginal:
        """The places of what is known before a row is drawn."""
        return tuple(range(len(self.person_names) + len(self.strand.schema.columns)))

    @property
    def targets(self) -> Marginal:
        """The places of the gap and, in the order of `kept`, of the next row's columns."""
        return tuple(range(len(self.given), len(self.names)))

    @property
    def own_pairs(self) -> tuple[Marginal, ...]:
        """Each column before and after."""
        return tuple(
            (len(self.person_names) + place, target) for place, target in zip(self.kept, self.targets[1:], strict=True)
        )

    def wished(self, marginals: Iterable[Sequence[str]]) -> tuple[Marginal, ...]:
        """The places of those `marginals` that tell how a row depends on the person and on itself, each once.

        Names are those of a person's columns and of the strand's; a time stands for that of the row before.
        """
        names = [*self.person_names[:-1], *self.strand.schema.names]
        return tuple(
            dict.fromkeys(
                places
                for marginal in marginals
                if len(places := tuple(sorted(self._place(names.index(name)) for name in marginal))) > 1
                and places[-1] in self.targets
            )
        )

    def _place(self, index: int) -> int:
        """The place of a column of the person, or of a row that is drawn, by its index among both."""
        column = index - (len(self.person_names) - 1)
        if column < 0:
            return index
        if column == self.time:
            return len(self.person_names) + column
        return self.targets[1 + self.kept.index(column)]

    @property
    def least_gap(self) -> int:
        """How many steps of the time's grid lie at least between two rows."""
        timeline = self.strand.schema.timeline
        return int(timeline is not None and timeline.strict)

    @property
    def _time_name(self) -> str:
        timeline = self.strand.schema.timeline
        if timeline is None:
            raise ValueError("expected a strand with a timeline")
        return timeline.column


def gap_column(strand: Strand) -> Number | None:
    """The column of the time from one row to the next; None where no row can follow another."""
    timeline = strand.schema.timeline
    if timeline is None or strand.schema.rows_per_person < 2:
        return None
    time = strand.schema.column(timeline.column)
    assert isinstance(time, Number)
    least, most = time.step * timeline.strict, time.upper - time.lower
    return None if most < least else Number(GAP, Decimal(least), most, time.step, missing=False)


def rows_schema(strand: Strand) -> Schema:
    """A strand's rows as a plain table: each row of a person counts, up to the bound."""
    return Schema(strand.schema.columns, strand.schema.person, strand.schema.rows_per_person)


def gap_schema(strand: Strand, gap: Column) -> Schema:
    """The gaps as a plain table of one column: one fewer than rows."""
    return Schema((gap,), strand.schema.person, strand.schema.rows_per_person - 1)


@dataclass(frozen=True)
class Followed:
    """One strand's records. `given`: for each person the codes of the columns that `Layout.person_names` has.

    Sensitivities, for neighbours that differ by all rows of one person, with b the strand's bound: a person has at most b
    rows and so at most b - 1 transitions, which are made of nothing but that person's rows. They fall into the cells of
    one histogram, which moves by at most b, or b - 1, in L1 and therefore in L2 (`records.Records`).
    """

    layout: Layout
    given: Codes
    rows: Rows

    @classmethod
    def of_table(cls, table: pa.Table, layout: Layout, given: Codes) -> "Followed":
        """The strand of a nested table. Raises `Invalid` where a person has more rows than the bound."""
        rows, bound = rows_of(table, layout.strand), layout.strand.schema.rows_per_person
        if len(rows.counts) and rows.counts.max() > bound:
            raise Invalid(
                f"expected at most {bound} rows of a person in {layout.strand.name!r}; take the records in again"
            )
        return cls(layout, given, rows)

    @property
    def whole(self) -> Records:
        """Every row. L2 sensitivity of its histograms: the bound."""
        return records_of(self.rows.codes, self.layout.strand.schema.rows_per_person)

    @property
    def gaps(self) -> Records:
        """The gap of every transition. L2 sensitivity of its histogram: the bound less 1."""
        return records_of(self._gaps[:, None], self.layout.strand.schema.rows_per_person - 1)

    def binned(self, columns: Columns) -> BinnedRecords:
        """Every transition with each code replaced by its bin. L2 sensitivity of its marginals: the bound less 1."""
        before, codes = self._before, self.rows.codes
        person = np.repeat(np.arange(len(self.rows.counts)), self.rows.counts)[before]
        parts = (
            self.given[person],
            codes[before],
            self._gaps[:, None],
            codes[before + 1][:, self.layout.kept],
        )
        records = records_of(np.concatenate(parts, axis=1), self.layout.strand.schema.rows_per_person - 1)
        return records.binned(columns.cells, columns.bins)

    @property
    def _gaps(self) -> Codes:
        """The time from each row that is followed to the next, in steps above the least."""
        time = self.rows.codes[:, self.layout.time]
        return np.asarray(time[self._before + 1] - time[self._before] - self.layout.least_gap, np.int32)

    @property
    def _before(self) -> NDArray[np.intp]:
        """The places of the rows that another row of the same person follows."""
        last = np.zeros(len(self.rows.codes), np.bool_)
        last[np.cumsum(self.rows.counts)[self.rows.counts > 0] - 1] = True
        return np.flatnonzero(~last)


def transition_columns(layout: Layout, persons: Columns, rows: Columns, gap: Columns) -> Columns:
    """The cells and bins of a transition's columns: of what is given of the person, of the rows, and of the gap.

    The first two were released for persons and rows, of which there are others than transitions: what they say of how
    often a bin occurs counts little beside the transitions' own marginals.
    """
    total = gap.total
    given = [(persons, place) for place in range(len(layout.person_names))]
    given += [(rows, place) for place in (*range(len(rows.cells)), *layout.kept)]
    cells, bins = [], []
    for source, place in given:
        scale = total / source.total
        cells.append(replace(source.cells[place], stddev=max(source.cells[place].stddev * scale, LOOSE_SHARE * total)))
        bins.append(replace(source.bins[place], masses=source.bins[place].masses * scale))
    cells.insert(len(layout.given), gap.cells[0])
    bins.insert(len(layout.given), gap.bins[0])
    return Columns(tuple(cells), tuple(bins), total)


def records_of(codes: Codes, bound: int) -> Records:
    """Codes, shape (rows, columns), -1 for missing, as records of whose rows a person has at most `bound`."""
    columns = (np.ascontiguousarray(codes[:, place]) for place in range(codes.shape[1]))
    return Records(tuple(pa.chunked_array([pa.array(column, mask=column < 0)]) for column in columns), bound)
