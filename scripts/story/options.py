"""What a run of the demo is asked to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`data`: a CSV or Parquet file; None for the records that come along. `rpc`: an EVM node; None for one in the process."""

    data: Path | None
    person: str | None
    exclude: tuple[str, ...]
    epsilon: float
    rows: int | None
    rpc: str | None
    out: Path
    as_json: bool
