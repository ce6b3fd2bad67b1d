"""How well rows that hang together under persons are kept, exactly: for the provider alone, and on public data.

All of it compares nested tables of one schema; a distance is half the L1 distance of two distributions, 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol import canonical
from marketplace.protocol.schema import Category, Column, Schema
from node.evaluation.provider import Estimate, Withheld
from node.nesting import MISSING, Codes, Rows, Strand, nest, person_columns, persons_of, rows_of, strands_of

NOUN, VERSION = "provider-links", 1
BINS = 16
REPEATS = 8
NAMES = ("cardinality", "gap", "following", "correlation", "across")

Cut = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class LinkScores(Withheld):
    """One strand of a table beside that of another. NaN where there is nothing to compare.

    `cardinality`: distance of how many rows a person has. `gap`: of the time from a row to the next. `following`: mean
    distance, over columns, of a value together with the one before. `correlation`: mean absolute difference, over columns,
    of the correlation of a number with the one before, and of the share of rows in which a category stays. `across`: mean
    distance, over pairs, of a column of persons together with one of their rows.
    """

    strand: str
    cardinality: float
    gap: float
    following: float
    correlation: float
    across: float


@dataclass(frozen=True, repr=False)
class ProviderLinks(Withheld):
    """A strand's scores against the training records, beside column shuffles of them (floor) and resampled persons
    (ceiling), each the mean with the least and the greatest of eight."""

    scores: LinkScores
    floor: tuple[Estimate, ...]
    ceiling: tuple[Estimate, ...]


def evaluate_links(training: pa.Table, synthetic: pa.Table, schema: Schema, seed: int) -> tuple[ProviderLinks, ...]:
    """Every strand's scores, none where no records are left to compare with. Both are nested tables; `seed` fixes floors
    and ceilings."""
    if not training.num_rows:
        return ()
    generator = np.random.Generator(np.random.PCG64(seed))
    floors = [link_scores(training, shuffled(training, schema, generator), schema) for _ in range(REPEATS)]
    ceilings = [link_scores(training, resampled(training, generator), schema) for _ in range(REPEATS)]
    return tuple(
        ProviderLinks(scores, _spans([one[place] for one in floors]), _spans([one[place] for one in ceilings]))
        for place, scores in enumerate(link_scores(training, synthetic, schema))
    )


def encode_links(found: Sequence[ProviderLinks], seed: int) -> bytes:
    """The canonical bytes, for a file that stays in the node: numbers as decimals with six digits."""
    strands = []
    for one in found:
        values = {
            name: {
                "score": f"{getattr(one.scores, name):.6f}",
                "floor": _texts(one.floor[place]),
                "ceiling": _texts(one.ceiling[place]),
            }
            for place, name in enumerate(NAMES)
        }
        strands.append({"table": one.scores.strand, **values})
    name = canonical.format_name(NOUN, VERSION)
    return canonical.encode({"format": name, "audience": "provider only", "seed": seed, "strands": strands})


def link_scores(real: pa.Table, other: pa.Table, schema: Schema) -> tuple[LinkScores, ...]:
    """Each strand of `other` beside that of `real`, in the schema's order."""
    persons = [persons_of(table, schema) for table in (real, other)]
    found = []
    for strand in strands_of(schema):
        mine, theirs = rows_of(real, strand), rows_of(other, strand)
        counts = [np.bincount(rows.counts, minlength=strand.schema.rows_per_person + 1) for rows in (mine, theirs)]
        steps = [_steps(rows) for rows in (mine, theirs)]
        found.append(
            LinkScores(
                strand.name,
                _distance(*counts),
                _gap(strand, mine, theirs, steps),
                _following(strand, mine, theirs, steps),
                _correlation(strand, mine, theirs, steps),
                _across(person_columns(schema), persons, strand, mine, theirs),
            )
        )
    return tuple(found)


def shuffled(table: pa.Table, schema: Schema, generator: np.random.Generator) -> pa.Table:
    """The table with each column, and the numbers of rows, shuffled on their own; times in order again."""
    persons = persons_of(table, schema)
    persons = np.stack([generator.permutation(column) for column in persons.T], axis=1) if persons.size else persons
    strands = []
    for strand in strands_of(schema):
        rows = rows_of(table, strand)
        codes = np.stack([generator.permutation(column) for column in rows.codes.T], axis=1)
        counts = generator.permutation(rows.counts)
        if strand.schema.timeline is not None:
            place = strand.schema.names.index(strand.schema.timeline.column)
            owner = np.repeat(np.arange(len(counts)), counts)
            codes[:, place] = codes[np.lexsort((codes[:, place], owner)), place]
        strands.append(Rows(codes, counts))
    return nest(schema, persons, strands)


def resampled(table: pa.Table, generator: np.random.Generator) -> pa.Table:
    """As many persons, drawn with putting back, each with all rows."""
    return table.take(pa.array(generator.integers(0, table.num_rows, table.num_rows)))


def _steps(rows: Rows) -> NDArray[np.intp]:
    """The places of the rows that another row of the same person follows."""
    last = np.zeros(len(rows.codes), np.bool_)
    last[np.cumsum(rows.counts)[rows.counts > 0] - 1] = True
    return np.flatnonzero(~last)


def _gap(strand: Strand, mine: Rows, theirs: Rows, steps: Sequence[NDArray[np.intp]]) -> float:
    if strand.schema.timeline is None:
        return float("nan")
    place = strand.schema.names.index(strand.schema.timeline.column)
    gaps = [rows.codes[at + 1, place] - rows.codes[at, place] for rows, at in zip((mine, theirs), steps, strict=True)]
    edges = _edges(gaps[0])
    return _distance(*(np.bincount(_cut(each, edges), minlength=BINS + 2) for each in gaps))


def _following(strand: Strand, mine: Rows, theirs: Rows, steps: Sequence[NDArray[np.intp]]) -> float:
    found = []
    for place in _others(strand):
        edges = _edges(mine.codes[:, place], strand.schema.columns[place])
        joint = [
            _pairs(_cut(rows.codes[at, place], edges), _cut(rows.codes[at + 1, place], edges), len(edges) + 2)
            for rows, at in zip((mine, theirs), steps, strict=True)
        ]
        found.append(_distance(*joint))
    return _mean(found)


def _correlation(strand: Strand, mine: Rows, theirs: Rows, steps: Sequence[NDArray[np.intp]]) -> float:
    found = []
    for place in _others(strand):
        column = strand.schema.columns[place]
        values = [
            _kept(column, rows.codes[at, place], rows.codes[at + 1, place])
            for rows, at in zip((mine, theirs), steps, strict=True)
        ]
        found.append(abs(values[0] - values[1]))
    return _mean(found)


def _kept(column: Column, before: Codes, after: Codes) -> float:
    """How far a value tells the next: correlation of numbers, the share of categories that stay. 0 where none tells."""
    there = (before != MISSING) & (after != MISSING)
    before, after = before[there], after[there]
    if isinstance(column, Category):
        return float((before == after).mean()) if before.size else 0.0
    if before.size < 2 or not before.std() or not after.std():
        return 0.0
    return float(np.corrcoef(before, after)[0, 1])


def _across(columns: Sequence[Column], persons: Sequence[Codes], strand: Strand, mine: Rows, theirs: Rows) -> float:
    found = []
    owners = [np.repeat(np.arange(len(rows.counts)), rows.counts) for rows in (mine, theirs)]
    for left, column in enumerate(columns):
        edges = _edges(persons[0][:, left], column)
        for right, other in enumerate(strand.schema.columns):
            cuts = _edges(mine.codes[:, right], other)
            joint = [
                _pairs(_cut(whole[owner, left], edges), _cut(rows.codes[:, right], cuts), len(cuts) + 2)
                for whole, owner, rows in zip(persons, owners, (mine, theirs), strict=True)
            ]
            size = max(map(len, joint))
            found.append(_distance(*(np.pad(each, (0, size - len(each))) for each in joint)))
    return _mean(found)


def _others(strand: Strand) -> list[int]:
    timeline = strand.schema.timeline
    return [place for place, name in enumerate(strand.schema.names) if timeline is None or name != timeline.column]


def _edges(codes: Codes, column: Column | None = None) -> Cut:
    """The last code of each bin but the last: every category, or at most 16 quantiles of the numbers."""
    if isinstance(column, Category):
        return np.arange(column.size - 1)
    known = np.sort(codes[codes != MISSING])
    if not known.size:
        return np.empty(0, np.int64)
    return np.unique(known[[max(0, -(-part * known.size // BINS) - 1) for part in range(1, BINS)]]).astype(np.int64)


def _cut(codes: Codes, edges: Cut) -> Cut:
    """The bin of each code, missing the last: 0 to the number of edges + 1."""
    return np.where(codes == MISSING, len(edges) + 1, np.searchsorted(edges, codes, side="left")).astype(np.int64)


def _pairs(left: Cut, right: Cut, size: int) -> Cut:
    return np.bincount(left * size + right, minlength=size * size)


def _distance(mine: Cut, theirs: Cut) -> float:
    if not mine.sum() or not theirs.sum():
        return float("nan") if not mine.sum() and not theirs.sum() else 1.0
    size = max(len(mine), len(theirs))
    one, other = (np.pad(each, (0, size - len(each))) / each.sum() for each in (mine, theirs))
    return float(np.abs(one - other).sum() / 2)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _spans(scores: Sequence[LinkScores]) -> tuple[Estimate, ...]:
    found = []
    for name in NAMES:
        values = [getattr(one, name) for one in scores]
        found.append(Estimate(_mean(values), min(values), max(values)))
    return tuple(found)


def _texts(estimate: Estimate) -> list[str]:
    return [f"{value:.6f}" for value in (estimate.value, estimate.low, estimate.high)]
