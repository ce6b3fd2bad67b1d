"""Seconds and memory of one twin as records and columns grow, each in a process of its own.

`python -m scripts.benchmarks.growth ROWS COLUMNS` prints one JSON object. The records: mixed columns, a fifth of them
with missing values, that follow three hidden factors; the same for the same arguments. rho is that of epsilon 1 and
delta 1e-5; as many synthetic rows as records are drawn.
"""

import json
import resource
import sys
import time
from decimal import Decimal

import numpy as np
import pyarrow as pa

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Category, Column, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.noise.stream import NoiseStream
from node.synthesis.marginals import PrivateMarginals

FACTORS = 3


def main() -> None:
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    print(json.dumps(growth(rows, columns)))


def growth(rows: int, columns: int) -> dict[str, float]:
    """Seconds of measuring, of synthesising and of the processor for both; the peak of memory before and after, in MiB."""
    schema = Schema(tuple(column(place) for place in range(columns)), None, 1)
    table = records(schema, rows)
    before_mib = peak_mib()
    wishes = Specification(bytes(32), rows, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    generator, start_s, start_cpu_s = PrivateMarginals(), time.monotonic(), time.process_time()
    measured = generator.measure(
        table, schema, wishes, largest_rho_micro(1.0, 1e-5), NoiseStream(bytes(32), b"growth"), say, lambda: False
    )
    measured_s = time.monotonic() - start_s
    del table
    twin = generator.synthesise(measured, schema, rows, bytes(32), say, lambda: False)
    return {
        "rows": rows,
        "columns": columns,
        "measure_s": measured_s,
        "synthesise_s": time.monotonic() - start_s - measured_s,
        "processor_s": time.process_time() - start_cpu_s,
        "records_mib": before_mib,
        "peak_mib": peak_mib(),
        "rows_made": twin.num_rows,
    }


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


def records(schema: Schema, rows: int) -> pa.Table:
    """Coded records of three hidden factors."""
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(FACTORS, rows)).astype(np.float32)
    arrays = []
    for declared in schema.columns:
        weights = rng.normal(size=FACTORS)
        hidden = (weights @ factors) / np.linalg.norm(weights) + rng.normal(0, 0.5, rows)
        codes = np.clip((1 / (1 + np.exp(-1.5 * hidden))) * declared.size, 0, declared.size - 1).astype(np.int32)
        mask = (hidden > 1) & (rng.random(rows) < 0.7) if declared.missing else None
        arrays.append(pa.array(codes, pa.int32(), mask=mask))
    return pa.table(arrays, names=list(schema.names))


if __name__ == "__main__":
    main()
