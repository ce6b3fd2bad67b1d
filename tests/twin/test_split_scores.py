"""The scores of the twin of a split table: what their intervals hold, with coincidences in buckets counted in."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from marketplace.protocol.crossing import Side
from marketplace.protocol.split import coincidences_of
from marketplace.scores.score import Score
from node.evaluation.codes import frame_of
from node.mpc.persons import placed
from node.noise.stream import NoiseStream
from scripts.benchmarks.mpc_crossed import crossed
from tests.synthesis.examples import ROW, rows_of, table_of
from tests.twin.split_examples import BUCKETS, SPLIT, WHOLE, Person, halved, handed_in, noise_of, opened_by, twin_of

JOINED, OTHERS, RUNS = 300, 200, 60
ROWS = rows_of(WHOLE, JOINED)
MADE = frame_of(table_of(WHOLE, rows_of(WHOLE, 500, 9)), WHOLE)
NO_NOISE = Fraction(1, 10**12)


def crowd() -> list[list[Person]]:
    """Persons whom both sides know, and at each side as many whom the other does not."""
    parties = halved(rows=ROWS)
    for party, own in ((0, slice(None, 2)), (1, slice(2, None))):
        parties[party] += [(f"{party} {n}", row[own]) for n, row in enumerate(rows_of(WHOLE, OTHERS, 7))]
    return parties


PARTIES = crowd()


def counted(key: bytes) -> list[ROW]:
    """The rows of those whom both sides know and who stand alone at each."""
    sides: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    there: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for persons, side in zip(PARTIES, SPLIT.sides, strict=True):
        names = [name for name, _ in persons]
        buckets = placed(names, key, BUCKETS)[0].tolist()
        own = Counter(buckets)
        for name, bucket in zip(names, buckets, strict=True):
            if own[bucket] == 1:
                sides[side][bucket] += 1
                there[side][bucket] = name
    alone = [{b: name for b, name in there[side].items() if sides[side][b] == 1} for side in Side]
    return [
        ROWS[int(name.split()[1])] for bucket, name in alone[Side.LEFT].items() if alone[Side.RIGHT].get(bucket) == name
    ]


def held(noisy: bool, coincidences: int) -> dict[str, float]:
    """Of each score, how often its interval holds the score beside those who are counted: over keys of buckets and of noise."""
    twin = twin_of(rho_micro=1_000_000, at=1)
    before = opened_by(twin, PARTIES)[:-1]
    crossing, scoring, found = twin.crossing(before), twin.pooled.scoring(WHOLE, before), Counter[str]()
    assert crossing is not None
    none = dict.fromkeys(scoring.sets, NO_NOISE)
    noise = {one.name: len(PARTIES) * one.sigma2 for one in twin.shares(before)} if noisy else none
    for run in range(RUNS):
        key = run.to_bytes(32, "big")
        sums = crossed(crossing, [handed_in(twin, n, one, before, key) for n, one in enumerate(PARTIES)])
        for party in range(len(PARTIES)) if noisy else ():
            sums = sums + noise_of(twin, NoiseStream(bytes([run, party]) * 16, b"scores"), before)
        released = scoring.scored(twin.named(before, sums), noise, MADE, coincidences)
        exact = scoring.count(frame_of(table_of(WHOLE, counted(key)), WHOLE))
        true = scoring.scored({name: counts.tolist() for name, counts in exact.items()}, none, MADE)
        found.update(one.name for one, other in zip(released.scores, true.scores, strict=True) if _holds(one, other))
    return {one.name: found[one.name] / RUNS for one in released.scores}


def _holds(released: Score, true: Score) -> bool:
    low, high = map(float, released.interval)
    return low <= float(true.value) <= high


@pytest.mark.parametrize("noisy", [True, False])
def test_intervals_hold_the_score_of_those_who_are_counted(noisy: bool) -> None:
    assert min(held(noisy, coincidences_of(BUCKETS, list(map(len, PARTIES)), SPLIT.sides)).values()) >= 0.95


def test_without_coincidences_counted_in_intervals_would_be_too_narrow() -> None:
    assert max(held(False, 0).values()) < 0.5


@pytest.mark.parametrize(("persons", "close"), [(40, 0.5), (128, 0.5), (1_500, 0.05)])
def test_as_many_coincidences_are_counted_in_as_there_are_at_most(persons: int, close: float) -> None:
    """Where none is known to the other side."""
    buckets, met = 2**10, []
    most = coincidences_of(buckets, (persons,) * len(SPLIT.sides), SPLIT.sides)
    for run in range(200):
        sides = [np.zeros(buckets, np.int64), np.zeros(buckets, np.int64)]
        for party, side in enumerate(SPLIT.sides):
            there = placed([f"{party} {n}" for n in range(persons)], run.to_bytes(32, "big"), buckets)[0]
            sides[side] += np.bincount(there, minlength=buckets)
        met.append(int(((sides[0] == 1) & (sides[1] == 1)).sum()))
    assert close * most < np.mean(met) < most
