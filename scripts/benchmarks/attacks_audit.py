"""What a generator's own measurements betray, end to end: the audit of differential privacy in one run.

Canaries, one for each combination of values of three columns of the hospital tests, are each put among the public records
by the throw of a coin. The auditor sees all that the measuring half released, which is more than a buyer sees, and guesses
the coins of which it is surest. Many right guesses refute a claimed epsilon.
Source: Steinke, Nasr and Jagielski 2023, Theorem 5.2; runs with coins of their own are independent, so their guesses add up.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import exp
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import binom

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.noise.gaussian import discrete_gaussian
from node.noise.stream import NoiseStream
from node.synthesis.columns import columns_of
from node.synthesis.generator import Generator
from node.synthesis.measurements import Histogram, Measurements
from node.synthesis.replay import Replay
from scripts.benchmarks.tables import load

EPSILON, DELTA = 8.0, 1e-9
CONFIDENCE = 0.95
NAMES = ("clinic_name", "result", "demo_group")

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Audit:
    """What came of it. `lower`: what epsilon is at least, with 95 % confidence, at delta 1e-9; `claimed` is 8."""

    runs: int
    canaries: int
    guesses: int
    right: int
    lower: float
    claimed: float = EPSILON

    @property
    def refuted(self) -> bool:
        """Whether the claim is wrong, at error 5 %."""
        return self.lower > self.claimed


def audit(generator: Generator, schema: Schema, records: Codes, runs: int, share: float) -> Audit:
    """Guesses the surest `share` (0 to 1) of the coins of each of `runs` runs.

    `records`: codes of categories without missing, shape (rows, columns).
    """
    rng = np.random.default_rng(0)
    canaries = np.array(list(product(*(range(column.size) for column in schema.columns))))
    most = round(share * len(canaries))
    guesses = right = 0
    for number in range(runs):
        inside = rng.random(len(canaries)) < 1 / 2
        measurements = measured(generator, schema, np.concatenate([records, canaries[inside]]), number)
        surplus = _surplus(measurements, schema, records, canaries)
        surest = np.argsort(-np.abs(surplus), kind="stable")[:most]
        surest = surest[surplus[surest] != 0]
        guesses += len(surest)
        right += int(((surplus[surest] > 0) == inside[surest]).sum())
    return Audit(runs, runs * len(canaries), guesses, right, least_epsilon(runs * len(canaries), guesses, right, DELTA))


def least_epsilon(canaries: int, guesses: int, right: int, delta: float) -> float:
    """The least epsilon at which so many right guesses have a probability of 5 % or more; 0 where they have without any."""

    def probability(epsilon: float) -> float:
        share = 1 / (1 + exp(-epsilon))
        below = binom.pmf(right - np.arange(1, right + 1), guesses, share)
        steepest = float((np.cumsum(below) / np.arange(1, right + 1)).max()) if right else 0.0
        return float(binom.sf(right - 1, guesses, share)) + 2 * canaries * delta * steepest

    low, high = 0.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if probability(middle) < 1 - CONFIDENCE else (low, middle)
    return low


def power(sigma2: Fraction, runs: int, canaries: int, share: float, trials: int) -> float:
    """How often the audit refutes epsilon 8, simulated with exact noise of variance `sigma2` on each canary's own count.

    `canaries`: of one run.
    """
    rng, noise, refuted = np.random.default_rng(0), NoiseStream(bytes(32), b"power"), 0
    guesses = round(share * canaries)
    for trial in range(trials):
        inside = rng.random((runs, canaries)) < 1 / 2
        drawn = discrete_gaussian(noise.stage(str(trial)), sigma2, inside.size)
        surplus = inside - 0.5 + drawn.reshape(inside.shape)
        surest = np.argsort(-np.abs(surplus), axis=1, kind="stable")[:, :guesses]
        right = np.take_along_axis((surplus > 0) == inside, surest, axis=1).sum()
        refuted += least_epsilon(runs * canaries, runs * guesses, int(right), DELTA) > EPSILON
    return refuted / trials


def hospital() -> tuple[Schema, Codes]:
    """Three columns of the hospital tests, one record for each of 12,344 persons."""
    table = load("covid person-level", Path())
    columns = tuple(column for name in NAMES for column in table.schema.columns if column.name == name)
    return Schema(columns, None, 1), table.kept(0)[list(NAMES)].to_numpy()


def finest_of(measurements: Measurements) -> Histogram:
    """The marginal of the most columns, and of those the one of the most cells."""
    return max(measurements.histograms, key=lambda one: (len(one.columns), len(one.counts)))


def measured(generator: Generator, schema: Schema, records: Codes, number: int) -> Measurements:
    """What the measuring half of a generator releases at epsilon 8 and delta 1e-9, under the key of a `number`."""
    table = pa.table({name: pa.array(codes, pa.int32()) for name, codes in zip(schema.names, records.T, strict=True)})
    wishes = Specification(bytes(32), len(records), Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    noise = NoiseStream(number.to_bytes(32, "big"), b"audit")
    rho_micro = largest_rho_micro(EPSILON, DELTA)
    return generator.measure(table, schema, wishes, rho_micro, noise, lambda *_: None, lambda: False)


def _surplus(measurements: Measurements, schema: Schema, records: Codes, canaries: Codes) -> NDArray[np.float64]:
    """How far the noisy count of each canary's own cell lies above the middle of what it is without and with the canary.

    0 where the cell is shared with other canaries, so that nothing is guessed. The cells are those of the finest marginal.
    """
    finest = finest_of(measurements)
    columns = columns_of(schema, Replay(measurements.histograms, schema).count_cells)
    places = [schema.names.index(name) for name in finest.columns]
    shape = [columns.sizes[place] for place in places]

    def cells(rows: Codes) -> Codes:
        binned = [columns.bins[place].of_cell[rows[:, place]] for place in places]
        return np.ravel_multi_index(binned, shape)

    known = np.bincount(cells(records), minlength=len(finest.counts))
    own = cells(canaries)
    alone = np.bincount(own, minlength=len(finest.counts))[own] == 1
    return np.where(alone, np.array(finest.counts)[own] - known[own] - 0.5, 0.0)
