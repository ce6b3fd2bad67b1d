"""Measures sealing: how near it comes to its bare hash calls, its memory, and what each candidate stream would cost.

Run by the environment's Python: `.venv/bin/python scripts/benchmarks/sealing.py [--json] [--mib 16] [--no-ledger]`.
Speeds are of this machine, in processor time, which other programs disturb less than wall time. A ratio compares within
one run: a step and its bare hash calls take turns, and the best of each counts.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from marketplace.keys.sealing import SealingPrivateKey
from marketplace.sealing import Commitment, capacity_for, open_chunks, seal, unseal

MIB = 2**20
HASHED_BYTES_PER_CHUNK = {
    "seal": (37, 37, 1029, 1061, 65, 65, *[34] * 32),
    "unseal": (1061, 65, 65),
    "open": (37, 1029, 65, *[34] * 32),
}
"""The lengths of the inputs of the hash calls that a step cannot do without, as docs/sealing.md defines them."""


@dataclass(frozen=True)
class StepFigures:
    """One step. Speed in MB (10**6 bytes) of result per second; `ratio` to its bare hash calls in the same run."""

    name: str
    mb_per_s: float
    bare_hash_mb_per_s: float
    ratio: float


def seconds(action: Callable[[], object]) -> float:
    """Processor time of one call."""
    start_s = time.process_time()
    action()
    return time.process_time() - start_s


def bare_hashes(lengths_bytes: tuple[int, ...], chunks: int) -> None:
    """Only the hash calls of a step over so many chunks."""
    inputs = [bytes(length) for length in lengths_bytes]
    for _ in range(chunks):
        for data in inputs:
            sha256(data).digest()


class Files:
    """A random result on disk, and each step over it, from file to file."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.plain, self.sealed, self.inner, self.opened = (
            folder / name for name in ("plain", "sealed", "inner", "opened")
        )
        self.capacity = capacity_for(size_bytes)
        self._reader = SealingPrivateKey(os.urandom(32))
        self._secret, self._key = os.urandom(32), os.urandom(32)
        self._commitment: Commitment
        with self.plain.open("wb") as file:
            for _ in range(size_bytes // MIB):
                file.write(os.urandom(MIB))

    def seal(self) -> None:
        with self.plain.open("rb") as plain, self.sealed.open("wb") as out:
            self._commitment = seal(
                plain,
                out,
                capacity=self.capacity,
                secret=self._secret,
                key=self._key,
                reader=self._reader.public_key,
                context=b"benchmark",
            )

    def unseal(self) -> None:
        with self.sealed.open("rb") as source, self.inner.open("wb") as inner:
            unseal(source, inner, reader=self._reader, context=b"benchmark", expected=self._commitment)

    def open(self) -> None:
        with self.inner.open("rb") as inner, self.opened.open("wb") as out:
            open_chunks(inner, out, key=self._key, expected=self._commitment)


def measure_steps(size_bytes: int, times: int) -> tuple[StepFigures, ...]:
    """Figures of sealing and opening a result of `size_bytes`."""
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder), size_bytes)
        steps = {"seal": files.seal, "unseal": files.unseal, "open": files.open}
        figures = []
        for name, step in steps.items():
            turns = [
                (seconds(step), seconds(lambda: bare_hashes(HASHED_BYTES_PER_CHUNK[name], files.capacity)))  # noqa: B023
                for _ in range(times)
            ]
            step_s, bare_s = (min(column) for column in zip(*turns, strict=True))
            figures.append(StepFigures(name, size_bytes / step_s / 1e6, size_bytes / bare_s / 1e6, bare_s / step_s))
    return (*figures, _together("unseal and open", figures[1], figures[2]))


def _together(name: str, one: StepFigures, other: StepFigures) -> StepFigures:
    """Two steps one after the other: all that a buyer does to read a result."""
    speed = 1 / (1 / one.mb_per_s + 1 / other.mb_per_s)
    bare = 1 / (1 / one.bare_hash_mb_per_s + 1 / other.bare_hash_mb_per_s)
    return StepFigures(name, speed, bare, speed / bare)


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def print_table(title: str, rows: list[dict[str, Any]]) -> None:
    """One row per figure, one column per field."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "name" else "right")
    for row in rows:
        table.add_row(*[f"{value:,.2f}" if isinstance(value, float) else f"{value}" for value in row.values()])
    Console().print(table)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    options.add_argument("--mib", type=int, default=16, help="size of the result to seal, in MiB")
    options.add_argument("--times", type=int, default=7, help="turns of which the best counts")
    options.add_argument("--no-ledger", action="store_true", help="leave the candidates' cost on a ledger out")
    chosen = options.parse_args()
    steps = [asdict(step) for step in measure_steps(chosen.mib * MIB, chosen.times)]
    memory = peak_mib()
    streams = []
    if not chosen.no_ledger:
        from scripts.benchmarks.stream_cost import measure_streams

        streams = [asdict(figures) for figures in measure_streams()]
    if chosen.json:
        print(json.dumps({"result_mib": chosen.mib, "steps": steps, "peak_mib": memory, "streams": streams}))
        return
    print_table(f"Sealing a result of {chosen.mib} MiB; peak memory {memory:.0f} MiB", steps)
    if streams:
        print_table("Candidates for the stream: one proof of a wrong chunk at 15 levels", streams)


if __name__ == "__main__":
    main()
