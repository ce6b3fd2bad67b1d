"""A file of records dealt to hospitals by a column, for survival by group: what each declares, and what is asked of all."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.analysis_survival import LARGEST_GRID, LARGEST_GROUPS, Survival
from marketplace.protocol.description import round_rows
from marketplace.protocol.schema import LARGEST_SIZE, MOST_DECIMALS, Category, Number, Schema
from node.vault.cells import MISSING, is_number
from node.vault.records import open_records
from scripts.story.options import Split

MOST_HOSPITALS, DEALT_TO = 10, 3
FEWEST_ROWS = 2
MOST_POINTS = 40
FEWEST_NOISY_POINTS, ROWS_A_NOISY_POINT = 6, 37
CODINGS = ({"0", "1"}, {"1", "2"})

Row = tuple[str, str, str]
"""Time, event and group of one record, as text; empty for missing."""


@dataclass(frozen=True)
class Hospitals:
    """The records of each hospital, what all of them declare, and the question about them.

    `words`: what was found in the file, for whoever gave it.
    """

    rows: tuple[tuple[Row, ...], ...]
    schema: Schema
    question: Survival
    words: tuple[str, ...]

    def write(self, folder: Path) -> tuple[Path, ...]:
        """A CSV file for each hospital."""
        paths = []
        for number, rows in enumerate(self.rows):
            path = folder / f"hospital-{number + 1}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([self.schema.names, *rows])
            paths.append(path)
        return tuple(paths)

    @property
    def question_with_noise(self) -> Survival:
        """The question about the first half of its grid and at fewer points of it, where few records are declared: noise adds
        up over the points, and few persons are left in the second half."""
        grid, declared = self.question.grid, sum(round_rows(len(rows)) for rows in self.rows)
        points = max(FEWEST_NOISY_POINTS, declared // ROWS_A_NOISY_POINT)
        early = grid if points >= len(grid) else grid[: ceil(len(grid) / 2)]
        return replace(self.question, grid=spread(early, points))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups' names."""
        column = self.schema.columns[2]
        return tuple(map(column.text, range(column.size)))

    @property
    def pooled(self) -> tuple[Row, ...]:
        """All records, as nobody holds them."""
        return tuple(row for rows in self.rows for row in rows)


def spread(grid: Sequence[Decimal], most: int) -> tuple[Decimal, ...]:
    """At most `most` points of a grid, evenly spread, the last among them."""
    points = min(len(grid), most)
    return tuple(grid[round((place + 1) * len(grid) / points) - 1] for place in range(points))


def read_split(split: Split) -> Hospitals:
    """The hospitals that `split` asks for. Raises `Invalid` for a file that cannot be asked so, naming columns and lines."""
    names = (split.site, split.duration, split.event, split.group)
    records = open_records(split.data)
    for name in names:
        if name not in records.names:
            raise Invalid(f"expected a column of the file, got {name!r}; its columns are {', '.join(records.names)}")
    cells = [
        tuple("" if cell in MISSING or cell.isspace() else cell for cell in row)
        for batch in records.batches(names)
        for row in zip(*batch.columns, strict=True)
    ]
    kept = _with_site(cells, split)
    sites = [row[0] for row in kept]
    rows = [(row[1], row[2], row[3]) for row in kept]
    dealt = deal(sites)
    words = [_dealing_words(sites, dealt, len(cells) - len(kept), split)]
    event, event_words = _event(split.event, [row[1] for row in rows])
    group = _group(split.group, [row[2] for row in rows])
    time, times, grid, time_words = _time(split.duration, [row[0] for row in rows], split.wishes.grid)
    groups = "1 group" if len(group.values) == 1 else f"{len(group.values)} groups"
    words += [event_words, f"{split.group}: {groups}, {', '.join(group.values)}", time_words]
    lacking = sum(not all(row) for row in rows)
    if lacking:
        words.append(f"{lacking:,} rows lack one of the three, and are left out of every number")
    codes = {text: str(int(Decimal(text))) for text in {row[1] for row in rows} if text}
    clean = [(time_, codes.get(row[1], ""), row[2]) for time_, row in zip(times, rows, strict=True)]
    return Hospitals(
        tuple(tuple(clean[place] for place in places) for places in dealt),
        Schema((time, event, group), None, 1),
        Survival(split.duration, split.event, event.values[1], grid, split.group),
        tuple(words),
    )


def deal(sites: Sequence[str]) -> list[list[int]]:
    """The rows of each hospital: up to 10 different sites are the hospitals, more are dealt to three by falling size.

    Raises `Invalid` for fewer than three sites, or a hospital of fewer than two rows.
    """
    sizes = Counter(sites)
    if len(sizes) < DEALT_TO:
        raise Invalid(f"expected at least {DEALT_TO} sites, got {len(sizes)}; name another column to split by")
    names = sorted(sizes)
    if len(names) > MOST_HOSPITALS:
        falling = sorted(names, key=lambda name: -sizes[name])
        hospital = {name: place % DEALT_TO for place, name in enumerate(falling)}
    else:
        hospital = {name: place for place, name in enumerate(names)}
    dealt: list[list[int]] = [[] for _ in range(max(hospital.values()) + 1)]
    for row, name in enumerate(sites):
        dealt[hospital[name]].append(row)
    if min(map(len, dealt)) < FEWEST_ROWS:
        raise Invalid(
            f"expected at least {FEWEST_ROWS} rows at every hospital, got {min(map(len, dealt))} at the smallest; join it "
            "to another one in the file"
        )
    return dealt


def _with_site(cells: Sequence[tuple[str, ...]], split: Split) -> list[tuple[str, ...]]:
    kept = [row for row in cells if row[0]]
    if len(kept) < len(cells) and not split.wishes.drops_missing_site:
        raise Invalid(
            f"expected a site in every row, column {split.site!r} has none in {len(cells) - len(kept):,}; fill them in, or "
            "say --missing-site drop to leave those rows out"
        )
    return kept


def _dealing_words(sites: Sequence[str], dealt: Sequence[Sequence[int]], dropped: int, split: Split) -> str:
    different, sizes = len(set(sites)), ", ".join(f"{len(rows):,}" for rows in dealt)
    how = "a hospital each" if different == len(dealt) else f"dealt to {len(dealt)} hospitals by falling size"
    left = f"; {dropped:,} without a site left out" if dropped else ""
    return f"{split.site}: {different} sites, {how}: {sizes} rows{left}"


def _event(name: str, texts: Sequence[str]) -> tuple[Category, str]:
    """The column of events, and which of its two values is the event. Raises `Invalid` unless it is 0/1 or 1/2."""
    if not all(is_number(text) for text in texts if text):
        raise Invalid(
            f"column {name!r}: expected 0 and 1, or 1 and 2 with 2 for the event, got other texts; code it so"
        )
    found = {f"{Decimal(text).normalize():f}" for text in texts if text}
    coding = next((coding for coding in CODINGS if found <= coding), None)
    if not found or coding is None:
        got = "other values" if found else "no value at all"
        raise Invalid(f"column {name!r}: expected 0 and 1, or 1 and 2 with 2 for the event, got {got}; code it so")
    if found == {"1"}:
        raise Invalid(
            f"column {name!r}: expected 0 and 1, or 1 and 2 with 2 for the event, got 1 alone, which may be either; "
            "code it as 0 or as 2"
        )
    low, high = sorted(coding)
    return Category(name, (low, high), "" in texts), f"{name}: {high} is the event, {low} is censored"


def _group(name: str, texts: Sequence[str]) -> Category:
    """The groups, named by their values. Raises `Invalid` for none or too many."""
    found = sorted({text for text in texts if text}, key=lambda text: (Decimal(text) if is_number(text) else 0, text))
    if not 1 <= len(found) <= LARGEST_GROUPS:
        raise Invalid(f"column {name!r}: expected 1 to {LARGEST_GROUPS} groups, got {len(found)}; name another column")
    return Category(name, tuple(found), "" in texts)


def _time(
    name: str, texts: Sequence[str], width: Decimal | None
) -> tuple[Number, Sequence[str], tuple[Decimal, ...], str]:
    """The column of times, the times as the hospitals have them, the grid, and what to say of it."""
    wrong = sum(1 for text in texts if text and not (is_number(text) and Decimal(text) >= 0))
    if wrong:
        raise Invalid(f"column {name!r}: expected times of 0 or more, got {wrong:,} other cells; correct them")
    values = {Decimal(text) for text in texts if text}
    last = max(values, default=Decimal(0))
    if not last:
        raise Invalid(f"column {name!r}: expected times above 0, got none; name another column")
    chosen = width or max(_round_width(last), _unit(values))
    points = ceil(last / chosen)
    if points > LARGEST_GRID:
        raise Invalid(f"expected a grid of at most {LARGEST_GRID:,} points, got {points:,}; give a wider --grid")
    grid = tuple(chosen * place for place in range(1, points + 1))
    words = f"{name}: up to {last:f}; each time is moved up to the next of {points:,} points, {chosen:f} apart"
    words += "" if width else "; --grid declares others"
    step = _unit({*values, chosen})
    if grid[-1] / step >= LARGEST_SIZE or step < Decimal(1).scaleb(-MOST_DECIMALS):
        step, texts = chosen, [_moved(text, chosen) for text in texts]
        words += "; they are finer than a schema declares, so the hospitals move them themselves"
    return Number(name, Decimal(0), grid[-1], step, "" in texts), texts, grid, words


def _unit(values: Iterable[Decimal]) -> Decimal:
    """The power of ten, at most 1, of which all of `values` are multiples."""
    return Decimal(1).scaleb(min(0, *(int(value.normalize().as_tuple().exponent) for value in (*values, Decimal(1)))))


def _moved(text: str, width: Decimal) -> str:
    return f"{max(1, ceil(Decimal(text) / width)) * width:f}" if text else ""


def _round_width(last: Decimal) -> Decimal:
    """The least of 1, 2 or 5 times a power of ten with which at most 40 points reach `last`."""
    power = Decimal(1).scaleb((last / MOST_POINTS).adjusted())
    return next(width for times in (1, 2, 5, 10) if last <= MOST_POINTS * (width := power * times))
