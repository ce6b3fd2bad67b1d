"""Seconds and memory of one twin as records and columns grow, from a file of records to the coded twin.

`python -m scripts.benchmarks.growth ROWS COLUMNS` prints one JSON object. The records: mixed columns, a fifth of them
with missing values, that follow three hidden factors; the same for the same arguments. They are taken into a vault from
a Parquet file, in a process of its own, and drawn from there, a tenth held out. rho is that of epsilon 1 and delta 1e-5;
as many synthetic rows as records are drawn.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Category, Column, Number, Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, SEALING_KEY_BYTES, Specification, Workload
from node.noise.stream import NoiseStream
from node.synthesis.generators import generator_of
from node.vault.vault import Vault
from scripts.benchmarks.entrants import Setting, code
from scripts.benchmarks.lines import Line
from scripts.benchmarks.peers.kept import ONE_THREAD, remembered

FACTORS = 3
BATCH_ROWS = 50_000
CASES = [(rows, columns) for columns in (10, 30, 100) for rows in (10_000, 100_000, 1_000_000)]
LIMITS_S = {(1_000_000, 30): 600}
MOST_MIB = 8_192


def main() -> None:
    if sys.argv[1] == "take-in":
        take_in(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "scripts.benchmarks.growth", "take-in", folder, *sys.argv[1:3]]
        took = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        print(json.dumps({**took, **twin(Path(folder), rows, columns)}))


def take_in(folder: Path, rows: int, columns: int) -> None:
    """Writes the records, takes them into a vault in `folder`, and prints seconds and the peak of memory."""
    schema, path = Schema(tuple(column(place) for place in range(columns)), None, 1), folder / "records.parquet"
    write(path, schema, rows)
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    with Vault(folder / "vault", SecretBox(bytes(32))) as vault:
        dataset = vault.take_in(path, schema).dataset
        vault.account.raise_total(dataset, 10**9)
    path.unlink()
    figures = {
        "take_in_wall_s": time.monotonic() - start_s,
        "take_in_processor_s": time.process_time() - start_cpu_s,
        "take_in_mib": peak_mib(),
    }
    print(json.dumps(figures))


def twin(folder: Path, rows: int, columns: int) -> dict[str, float]:
    """Draws from the vault, measures and synthesises: seconds on the clock and of the processor, and the peak of memory."""
    rho_micro = largest_rho_micro(1.0, 1e-5)
    wishes = Specification(bytes(32), rows, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    generator, before_mib = generator_of(DEFAULT_GENERATOR), peak_mib()
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    with Vault(folder / "vault", SecretBox(bytes(32))) as vault:
        (snapshot,) = vault.snapshots()
        draw = vault.draw(bytes(32), snapshot.dataset, 1, rho_micro)
    drawn_s, drawn_mib = time.monotonic(), peak_mib()
    noise = NoiseStream(bytes(32), b"growth")
    measured = generator.measure(draw.training, snapshot.schema, wishes, rho_micro, noise, say, lambda: False)
    del draw
    measured_s, measured_mib = time.monotonic(), peak_mib()
    made = generator.synthesise(measured, snapshot.schema, rows, bytes(32), say, lambda: False)
    made_s = time.monotonic()
    return {
        "rows": rows,
        "columns": columns,
        "draw_s": drawn_s - start_s,
        "measure_s": measured_s - drawn_s,
        "synthesise_s": made_s - measured_s,
        "wall_s": made_s - start_s,
        "processor_s": time.process_time() - start_cpu_s,
        "before_mib": before_mib,
        "drawn_mib": drawn_mib,
        "measured_mib": measured_mib,
        "peak_mib": peak_mib(),
        "rows_made": made.num_rows,
    }


def lines(setting: Setting) -> Iterator[Line]:
    """One line for each case, each in a process of its own."""
    for rows, columns in CASES:
        part = f"growth, {rows:,} x {columns}"

        def work(rows: int = rows, columns: int = columns) -> Any:
            command = [sys.executable, "-m", "scripts.benchmarks.growth", str(rows), str(columns)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD}
            )
            return json.loads(done.stdout) if done.returncode == 0 else None

        task = {"ours": code(DEFAULT_GENERATOR), "growth": [rows, columns]}
        value, kept = remembered(task, work) if setting.left_s > 0 else (None, False)
        if value is None:
            yield Line(part, "ours", "MiB at the peak", (), note="not started: no time left, or it failed")
            continue
        goals = [f"at most {MOST_MIB} MiB: {'reached' if value['peak_mib'] <= MOST_MIB else 'missed'}"]
        if (limit_s := LIMITS_S.get((rows, columns))) is not None:
            goals.append(f"at most {limit_s} s: {'reached' if value['wall_s'] <= limit_s else 'missed'}")
        note = f"taken in before: {value['take_in_processor_s']:.0f} s, {value['take_in_mib']} MiB"
        yield Line(
            part, "ours", "MiB at the peak", (value["peak_mib"],), value["processor_s"], value["wall_s"], kept,
            "; ".join(goals), note,
        )  # fmt: skip


def plot(found: list[Line], path: Path) -> None:
    """Seconds of the processor and memory against records, one curve for each number of columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots(1, 2)
    for columns in (10, 30, 100):
        points = [
            (rows, line.processor_s, line.values[0])
            for rows, count in CASES
            for line in found
            if count == columns and line.part == f"growth, {rows:,} x {columns}" and line.values
        ]
        for place, axis in enumerate(axes, start=1):
            axis.loglog([one[0] for one in points], [one[place] for one in points], "o-", label=f"{columns} columns")
    for axis, title in zip(axes, ("seconds of one processor", "MiB at the peak"), strict=True):
        axis.set(xlabel="records", title=title)
        axis.grid(alpha=0.3, which="both")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": ""})


def say(text: str, share: float) -> None:
    if "--watch" in sys.argv:
        print(f"{time.process_time():.1f} {share:.2f} {text} {peak_mib()}", file=sys.stderr)


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def column(place: int) -> Column:
    """A column of one of five kinds."""
    name, missing = f"column {place}", place % 5 == 4
    if place % 5 == 0:
        return Category(name, ("no", "yes"), missing)
    if place % 5 == 1:
        return Category(name, tuple(f"value {i}" for i in range(3 + place % 20)), missing)
    return Number(name, Decimal(0), Decimal(100 * 10 ** (place % 3)), Decimal(1), missing)


def write(path: Path, schema: Schema, rows: int) -> None:
    """A Parquet file of records of three hidden factors, written a batch at a time."""
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=FACTORS) for _ in schema.columns]
    writer = None
    for start in range(0, rows, BATCH_ROWS):
        batch = records(schema, weights, min(BATCH_ROWS, rows - start), rng)
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()


def records(schema: Schema, weights: list[Any], rows: int, rng: np.random.Generator) -> pa.Table:
    """Some of these records, as values."""
    factors, arrays = rng.normal(size=(FACTORS, rows)), []
    for declared, weight in zip(schema.columns, weights, strict=True):
        hidden = (weight @ factors) / np.linalg.norm(weight) + rng.normal(0, 0.5, rows)
        codes = np.clip((1 / (1 + np.exp(-1.5 * hidden))) * declared.size, 0, declared.size - 1).astype(np.int32)
        mask = (hidden > 1) & (rng.random(rows) < 0.7) if declared.missing else None
        array = pa.array(codes, pa.int32(), mask=mask)
        if isinstance(declared, Category):
            array = pa.DictionaryArray.from_arrays(array, pa.array(declared.values)).dictionary_decode()
        arrays.append(array)
    return pa.table(arrays, names=list(schema.names))


if __name__ == "__main__":
    main()
