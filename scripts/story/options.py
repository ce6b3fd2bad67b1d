"""What a run of the demo is asked to do, and what can be told of it before anything is set up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from marketplace.errors import Invalid, Refused
from marketplace.protocol.rho import LARGEST_DELTA_ATTO, delta_of, largest_rho_micro
from marketplace.protocol.specification import LARGEST_ROWS
from node.admission import Rules

RULES = Rules(below_floor=True)
TWIN_EPSILON, ANSWER_EPSILON = 1.0, 3.0


@dataclass(frozen=True)
class Options:
    """`data`: a CSV or Parquet file; None for the records that come along. `rpc`: an EVM node; None for one in the process.

    `split`: how `data` is dealt to several hospitals; None where it is one hospital's. Raises `Invalid` for numbers that no
    order can have, and for what goes with `data` alone, or not with `split`.
    """

    data: Path | None
    person: str | None
    exclude: tuple[str, ...]
    epsilon: float | None
    rows: int | None
    rpc: str | None
    out: Path
    as_json: bool
    split: "Split | None" = None

    def __post_init__(self) -> None:
        if self.rows is not None and not 1 <= self.rows <= LARGEST_ROWS:
            raise Invalid(f"expected 1 to {LARGEST_ROWS} rows, got {self.rows}; give another --rows")
        largest_rho_micro(self.twin_epsilon, delta_of(LARGEST_DELTA_ATTO))
        if not math.isfinite(self.twin_epsilon) or self.twin_epsilon > RULES.epsilon_at_most:
            raise Invalid(
                f"expected an epsilon of at most {RULES.epsilon_at_most:g}, which a node lets in by default, "
                f"got {self.twin_epsilon:g}; ask for less"
            )
        if self.data is None and (self.exclude or self.person):
            raise Invalid(
                "expected --exclude and --person together with --data, got no file; the records that come along have a "
                "declared schema"
            )
        if self.split is not None and (self.exclude or self.person or self.rows is not None):
            raise Invalid(
                "expected --person, --exclude and --rows without --split, got one of them beside it: several hospitals give "
                "answers about three columns, and no rows; leave it out"
            )

    @property
    def twin_epsilon(self) -> float:
        """The most that the synthetic twin may reveal about one person."""
        return TWIN_EPSILON if self.epsilon is None else self.epsilon

    @property
    def answer_epsilon(self) -> float:
        """The most that the several hospitals' answer with noise may reveal about one person."""
        return ANSWER_EPSILON if self.epsilon is None else self.epsilon


SMALLEST_CELL = 10
"""An exact answer about records that nobody declares to be public has no smaller cell."""


@dataclass(frozen=True)
class Wishes:
    """How a file is to be asked. `grid`: how far the points of the time grid lie apart; None for a round width.

    `cell`: the smallest cell of the exact answer; None for the smallest that is allowed. `public`: whether the caller
    declares the file public data. `drops_missing_site`: whether rows without a site are left out. Raises `Invalid` for what
    cannot be, `Refused` for a smaller cell than other records may have.
    """

    grid: Decimal | None = None
    cell: int | None = None
    public: bool = False
    drops_missing_site: bool = False

    def __post_init__(self) -> None:
        if self.grid is not None and not (self.grid.is_finite() and self.grid > 0):
            raise Invalid(f"expected a width above 0 between the grid's points, got {self.grid}; give another --grid")
        if self.smallest_cell < 1:
            raise Invalid(f"expected a smallest cell of at least 1, got {self.cell}; give another --cell")
        if self.smallest_cell < SMALLEST_CELL and not self.public:
            raise Refused(
                f"expected a smallest cell of at least {SMALLEST_CELL}, got {self.cell}; give a larger --cell, or say "
                "--public if the file is public data"
            )

    @property
    def smallest_cell(self) -> int:
        """The smallest cell of the exact answer."""
        return self.cell if self.cell is not None else 1 if self.public else SMALLEST_CELL


@dataclass(frozen=True)
class Split:
    """A file of records to be dealt to hospitals by its column `site`, for survival by `group`."""

    data: Path
    site: str
    duration: str
    event: str
    group: str
    wishes: Wishes

    def __post_init__(self) -> None:
        if len({self.site, self.duration, self.event, self.group}) < 4:
            raise Invalid("expected four different columns for --split, --duration, --event and --group; name others")


def split_of(data: Path | None, columns: Mapping[str, str | None], wishes: Wishes) -> Split | None:
    """The split that the options ask for; None where none of them is there.

    `columns`: by option, those of site, duration, event and group. Raises `Invalid` where some are there and others not.
    """
    if wishes == Wishes() and not any(columns.values()):
        return None
    named = [column for column in columns.values() if column]
    if data is None or len(named) < len(columns):
        lacking = [*(["--data"] if data is None else []), *(option for option, column in columns.items() if not column)]
        raise Invalid(
            f"expected --data, {', '.join(columns)} together, got no {', '.join(lacking)}; name a file and its columns"
        )
    site, duration, event, group = named
    return Split(data, site, duration, event, group, wishes)


def width_of(text: str) -> Decimal:
    """The number that `text` spells. Raises `Invalid` where it spells none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Invalid(f"expected a number for --grid, got {text[:40]!r}; give another") from None
