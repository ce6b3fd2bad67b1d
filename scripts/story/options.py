"""What a run of the demo is asked to do, and what can be told of it before anything is set up."""

import math
from dataclasses import dataclass
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.rho import LARGEST_DELTA_ATTO, delta_of, largest_rho_micro
from marketplace.protocol.specification import LARGEST_ROWS
from node.admission import Rules

RULES = Rules(below_floor=True)


@dataclass(frozen=True)
class Options:
    """`data`: a CSV or Parquet file; None for the records that come along. `rpc`: an EVM node; None for one in the process.

    Raises `Invalid` for numbers that no order can have, and for what goes with `data` alone.
    """

    data: Path | None
    person: str | None
    exclude: tuple[str, ...]
    epsilon: float
    rows: int | None
    rpc: str | None
    out: Path
    as_json: bool

    def __post_init__(self) -> None:
        if self.rows is not None and not 1 <= self.rows <= LARGEST_ROWS:
            raise Invalid(f"expected 1 to {LARGEST_ROWS} rows, got {self.rows}; give another --rows")
        largest_rho_micro(self.epsilon, delta_of(LARGEST_DELTA_ATTO))
        if not math.isfinite(self.epsilon) or self.epsilon > RULES.epsilon_at_most:
            raise Invalid(
                f"expected an epsilon of at most {RULES.epsilon_at_most:g}, which a node lets in by default, "
                f"got {self.epsilon:g}; ask for less"
            )
        if self.data is None and (self.exclude or self.person):
            raise Invalid(
                "expected --exclude and --person together with --data, got no file; the records that come along have a "
                "declared schema"
            )
