import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.schema import Category, Schema
from node.noise.stream import NoiseStream
from node.synthesis.generator import Generator, Stopped
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import Measurements
from tests.synthesis.examples import (
    FEW,
    KEY,
    RHO_MICRO,
    ROW,
    WIDE,
    ignore,
    measured,
    never,
    rows_of,
    specification,
    stream,
    table_of,
)

GENERATOR: Generator = PrivateMarginals()
ROWS = rows_of(WIDE, 4_000)


class Unused(NoiseStream):
    """A stream from which nothing may be drawn."""

    def stage(self, name: str):  # type: ignore[no-untyped-def]
        raise AssertionError(f"drew {name}")


def drawn(measurements: Measurements, schema: Schema, rows: int = 3_000, seed: bytes = KEY) -> pa.Table:
    return GENERATOR.synthesise(measurements, schema, rows, seed, ignore, never)


@pytest.fixture(scope="module")
def twin() -> pa.Table:
    return drawn(measured(WIDE, ROWS, rho_micro=200_000), WIDE)


def distance(one: pa.Table, other: pa.Table, left: str, right: str) -> float:
    """L1 distance of two normalised marginals of two columns, codes cut into ten."""
    shares = []
    for table in (one, other):
        codes = [table.column(name).fill_null(-1).to_numpy() for name in (left, right)]
        cut = [
            np.digitize(code, np.linspace(0, WIDE.column(n).size, 11))
            for code, n in zip(codes, (left, right), strict=True)
        ]
        shares.append(np.bincount(cut[0] * 12 + cut[1], minlength=144) / table.num_rows)
    return float(np.abs(shares[0] - shares[1]).sum())


def test_a_twin_is_a_coded_table_of_its_schema(twin: pa.Table) -> None:
    assert tuple(twin.column_names) == WIDE.names and twin.num_rows == 3_000
    for column in WIDE.columns:
        codes = twin.column(column.name)
        assert codes.type == pa.int32() and bool(codes.null_count) == column.missing
        present = codes.drop_null().to_numpy()
        assert present.min() >= 0 and present.max() < column.size


def test_a_twin_keeps_the_relations_that_a_shuffle_destroys(twin: pa.Table) -> None:
    real = table_of(WIDE, ROWS)
    rng = np.random.default_rng(1)
    shuffled = pa.table({name: real.column(name).take(rng.permutation(real.num_rows)) for name in WIDE.names})
    for left, right in (("age", "visits"), ("age", "clinic"), ("stage", "age")):
        assert distance(twin, real, left, right) < distance(shuffled, real, left, right) / 2


def test_the_same_measurements_and_seed_give_the_same_table(twin: pa.Table) -> None:
    measurements = Measurements.decode(measured(WIDE, ROWS, rho_micro=200_000).encode())
    assert drawn(measurements, WIDE).equals(twin)
    assert not drawn(measurements, WIDE, seed=bytes(32)).equals(twin)


def test_the_same_key_and_table_give_the_same_bytes_in_any_order_of_rows() -> None:
    assert measured(WIDE, ROWS).encode() == measured(WIDE, ROWS[::-1]).encode()
    assert measured(WIDE, ROWS).encode() != measured(WIDE, ROWS, number=1).encode()


@pytest.mark.parametrize("rows", [1, 2, 999])
def test_any_number_of_rows_can_be_drawn(rows: int) -> None:
    assert drawn(measured(FEW, rows_of(FEW, 500)), FEW, rows).num_rows == rows


@pytest.mark.parametrize("rows", [[], [(0, -1, 2)]])
def test_a_table_of_no_row_or_one_is_measured_like_any_other(rows: list[ROW]) -> None:
    measurements = measured(FEW, rows)
    assert [h.stage for h in measurements.histograms] == [h.stage for h in measured(FEW, rows_of(FEW, 500)).histograms]
    assert drawn(measurements, FEW, 10).num_rows == 10


def test_one_column_can_be_sold_alone() -> None:
    schema = Schema((Category("sex", ("female", "male"), missing=True),), None, 1)
    rows = [(0,)] * 300 + [(1,)] * 100 + [(-1,)] * 100
    codes = drawn(measured(schema, rows), schema, 1_000).column("sex")
    assert abs(codes.null_count - 200) < 60 and abs(codes.to_pylist().count(0) - 600) < 60


def test_a_column_that_is_all_missing_comes_back_mostly_missing() -> None:
    rows = [(sex, -1, arm) for sex, _, arm in rows_of(FEW, 2_000)]
    assert drawn(measured(FEW, rows), FEW).column("grade").null_count > 2_800


@pytest.mark.parametrize(
    ("rho_micro", "first"),
    [
        (4_000_000, [("stage", "visits", "clinic"), ("stage", "visits")]),
        (RHO_MICRO, [("stage", "visits"), ("stage", "clinic"), ("visits", "clinic")]),
    ],
)
def test_the_workload_is_measured_first_and_always_and_in_pairs_where_noise_would_drown_the_whole(
    rho_micro: int, first: list[tuple[str, ...]]
) -> None:
    workload = specification(("visits", "clinic", "stage"), ("stage", "visits"))
    measurements = GENERATOR.measure(table_of(WIDE, ROWS), WIDE, workload, rho_micro, stream(), ignore, never)
    marginals = [h.columns for h in measurements.histograms if h.stage.startswith("marginal/")]
    assert marginals[: len(first)] == first


def test_a_rho_too_small_is_refused_before_anything_is_drawn() -> None:
    with pytest.raises(Refused, match="expected a rho of at least"):
        GENERATOR.measure(table_of(WIDE, ROWS), WIDE, specification(), 99, Unused(KEY, b""), ignore, never)


def test_a_table_of_another_schema_is_invalid_before_anything_is_drawn() -> None:
    with pytest.raises(Invalid, match="in this order"):
        GENERATOR.measure(table_of(FEW, []), WIDE, specification(), RHO_MICRO, Unused(KEY, b""), ignore, never)


def test_cancelling_stops_before_anything_is_drawn() -> None:
    with pytest.raises(Stopped, match="cancelled"):
        GENERATOR.measure(
            table_of(WIDE, ROWS), WIDE, specification(), RHO_MICRO, Unused(KEY, b""), ignore, lambda: True
        )


def test_cancelling_stops_the_fitting() -> None:
    shares: list[float] = []
    measurements = measured(FEW, rows_of(FEW, 100))
    with pytest.raises(Stopped):
        GENERATOR.synthesise(measurements, FEW, 10, KEY, lambda _, share: shares.append(share), lambda: len(shares) > 1)
    assert len(shares) == 2


def test_progress_rises_from_0_to_1() -> None:
    shares: list[float] = []

    def watch(text: str, share: float) -> None:
        assert text
        shares.append(share)

    measurements = GENERATOR.measure(
        table_of(FEW, rows_of(FEW, 100)), FEW, specification(), RHO_MICRO, stream(), watch, never
    )
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
    shares.clear()
    GENERATOR.synthesise(measurements, FEW, 10, KEY, watch, never)
    assert shares == sorted(shares) and shares[-1] == 1


def test_no_rows_and_a_short_seed_are_refused() -> None:
    measurements = measured(FEW, rows_of(FEW, 100))
    with pytest.raises(Invalid, match="at least 1 row"):
        drawn(measurements, FEW, 0)
    with pytest.raises(ValueError, match="32 bytes"):
        drawn(measurements, FEW, 1, b"short")


def test_measurements_of_another_schema_or_generator_are_corrupt() -> None:
    measurements = measured(FEW, rows_of(FEW, 100))
    with pytest.raises(Corrupt, match="column 'stage'"):
        drawn(measurements, WIDE)
    with pytest.raises(Corrupt, match="expected marginals of this schema"):
        torn = replace(measurements.histograms[-1], counts=(1,))
        drawn(replace(measurements, histograms=(*measurements.histograms[:-1], torn)), FEW)
    with pytest.raises(Corrupt, match="expected measurements of private-marginals"):
        drawn(replace(measurements, generator="another/1"), FEW)
    assert GENERATOR.decode(measurements.encode()) == measurements
    with pytest.raises(Corrupt, match="expected measurements of private-marginals"):
        GENERATOR.decode(replace(measurements, generator="another/1").encode())


def test_another_process_draws_the_same_table_and_says_nothing() -> None:
    program = (
        "from tests.synthesis.examples import *; from tests.synthesis.test_marginals import drawn;"
        "print(drawn(measured(FEW, rows_of(FEW, 99)), FEW, 9).to_pydict())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    ran = subprocess.run(
        [sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    here = drawn(measured(FEW, rows_of(FEW, 99)), FEW, 9).to_pydict()
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{here}\n", "")
