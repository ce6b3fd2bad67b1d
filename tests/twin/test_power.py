"""What every round opens is as close on two neighbours as was paid, with the power to notice noise that is too small; and
faults planted one by one, each noticed by the test that stands beside it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from marketplace.protocol import analysis_noise
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_statistic import Opened
from node.mpc import noise as parts
from node.mpc.noise import add
from node.noise.gaussian import discrete_gaussian
from node.synthesis.sketch import Sketch
from node.twin import counting, pooled, rounds
from node.twin.pooled import PooledTwin
from node.twin.summed import SummedHistogram
from tests.noise.goodness import NORMAL_QUANTILE, as_close_as_paid, power_of_closeness
from tests.synthesis.examples import WIDE
from tests.twin import test_pooled
from tests.twin.examples import PARTIES, WIDE_ROWS, dealt, keys, opened_by, twin_of

DRAWS = 20_000
LOUD_MICRO = 800_000
"""So much that 20,000 draws tell half of every statistic's noise from all of it."""

STAGES = ("cells/0/0", "cells/1/1", "sketch", "marginal/0", "l1_3way")


def stages_of(schema, rows, rho_micro: int = LOUD_MICRO) -> dict[str, Share]:  # type: ignore[no-untyped-def]
    """Every statistic of every round with its noise."""
    twin = twin_of(schema, rho_micro)
    opened = opened_by(twin, schema, dealt(schema, rows), keys(0))
    return {one.name: one for at in range(len(opened)) for one in twin.shares(schema, opened[:at])}


LOUD = stages_of(WIDE, WIDE_ROWS)


def drawn(share: Share, parties: int) -> np.ndarray:
    """What the noise of so many parties adds to one cell, `DRAWS` times."""
    wide = replace(share, cells=DRAWS)
    nothing = {share.name: np.zeros(DRAWS, np.int64)}
    found: np.ndarray = sum(add(nothing, [wide], stream)[share.name] for stream in keys(1, parties))  # type: ignore[assignment]
    return found


def is_as_paid(share: Share) -> bool:
    """Whether the noise of the honest parties alone leaves two neighbours as close as was paid, and no closer.

    A person moves the sums by a vector of the sensitivity's length; along it the noise is that of one cell, which is drawn.
    """
    moved, noise = math.sqrt(share.sensitivity_squared), drawn(share, share.honest)
    variance = share.sensitivity_squared * 1e6 / (2 * share.rho_micro)
    fits = abs(float(noise.var()) / variance - 1) < NORMAL_QUANTILE * math.sqrt(2 / DRAWS) + 1 / share.rho_micro
    return bool(fits and as_close_as_paid(noise > moved / 2, noise + moved > moved / 2, share.rho_micro))


@pytest.mark.parametrize("name", STAGES)
def test_20000_draws_of_every_kind_of_sum_on_two_neighbours_are_as_close_as_was_paid(name: str) -> None:
    assert is_as_paid(LOUD[name])


@pytest.mark.parametrize("name", STAGES)
def test_half_the_noise_is_rejected_with_a_power_of_999_in_1000(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    share = LOUD[name]
    monkeypatch.setattr(parts, "discrete_gaussian", half)
    reach = math.sqrt(share.sensitivity_squared / (share.honest * float(share.sigma2)))
    mass = 0.5 + 0.5 * math.erf(reach / math.sqrt(2))
    assert power_of_closeness(mass, 1 - mass, share.rho_micro, DRAWS) > 0.999
    moved, noise = math.sqrt(share.sensitivity_squared), drawn(share, share.honest)
    assert not as_close_as_paid(noise > moved / 2, noise + moved > moved / 2, share.rho_micro)


def half(stage, sigma2: Fraction, size: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    return discrete_gaussian(stage, sigma2 / 4, size)


def test_every_kind_of_statistic_is_among_those_that_are_drawn() -> None:
    """Of those that scores are computed from, which are all of one round and one formula, the dearest."""
    kinds = {name.split("/")[0] for name in LOUD} - {"rows", "l1_1way", "l1_2way"}
    assert kinds == {name.split("/")[0] for name in STAGES} == {"cells", "sketch", "marginal", "l1_3way"}


Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """One mistake that somebody could make, and a check that answers yes without it."""

    sentence: str
    plant: Plant
    holds: Callable[[], bool]


def fresh() -> Opened:
    """The sums of a whole run under keys 0."""
    return opened_by(twin_of(WIDE), WIDE, dealt(WIDE, WIDE_ROWS), keys(0))


def each_stage_as_paid() -> bool:
    found = stages_of(WIDE, WIDE_ROWS)
    return all(is_as_paid(found[name]) for name in STAGES)


def person_moves_within() -> bool:
    opened = fresh()
    return all(test_pooled.moves_within_sensitivity([[row] * 2] * PARTIES, opened) for row in WIDE_ROWS[:10])


def charge_covers() -> bool:
    twin, opened = twin_of(WIDE), fresh()
    spent = [share.rho_micro for at in range(len(opened)) for share in twin.shares(WIDE, opened[:at])]
    measured = twin.measured(WIDE, opened)
    rows = [one.cost_micro() for one in measured.stages]
    return sum(spent) <= twin.rho_micro and rows == spent[: len(rows)]


def sums_are_counts_and_noise() -> bool:
    return test_pooled.sums_are_counts_and_noise(fresh())


def asked_of_other_records() -> bool:
    """Whether two quite different pools are asked the same once the same sums are opened to them."""
    twin, other = twin_of(WIDE), [(2, 400, 0, code % 40) for code in range(95)]
    opened = fresh()
    found = []
    for rows in (WIDE_ROWS, other):
        asked = []
        for number in range(len(opened)):
            counts = [counting.count(twin, WIDE, table, opened[:number]) for table in dealt(WIDE, rows)]
            asked.append([(name, len(one)) for name, one in counts[0].items()])
        found.append(asked)
    return found[0] == found[1]


def patched(where: object, name: str, what: object) -> Plant:
    return lambda patch: patch.setattr(where, name, what)


def for_all_parties(patch: pytest.MonkeyPatch) -> None:
    honest = analysis_noise.share_of

    def faulty(one, price, rows, parties, threshold):  # type: ignore[no-untyped-def]
        share = honest(one, price, rows, parties, threshold)
        return replace(share, sigma2=share.sigma2 * share.honest / parties)

    patch.setattr(pooled, "share_of", faulty)


def for_a_person_at_one_member(patch: pytest.MonkeyPatch) -> None:
    honest = analysis_noise.share_of
    patch.setattr(pooled, "share_of", lambda one, price, rows, *rest: honest(one, price, WIDE.rows_per_person, *rest))


def sketch_as_one_pair(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sketch, "pairs", property(lambda self: _Alone(honest_pairs(self))))


class _Alone(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 1


honest_pairs = Sketch.pairs.fget


def price_twice(patch: pytest.MonkeyPatch) -> None:
    honest = rounds.prices_of
    patch.setattr(rounds, "prices_of", lambda rho, weights: tuple(2 * part for part in honest(rho, weights)))


def counted_without_noise(patch: pytest.MonkeyPatch) -> None:
    honest = add
    patch.setattr(
        "tests.twin.examples.add",
        lambda counts, shares, noise, number: {
            name: counts[name] if name == "sketch" else one
            for name, one in honest(counts, shares, noise, number).items()
        },
    )


def groups_of_the_records(patch: pytest.MonkeyPatch) -> None:
    honest = PooledTwin.next_round

    def faulty(self, schema, opened=()):  # type: ignore[no-untyped-def]
        found = honest(self, schema, opened)
        if isinstance(found, rounds.MarginalRound) and seen:
            return replace(
                found, marginals=found.marginals[: 1 + seen[-1] % 3], prices=found.prices[: 1 + seen[-1] % 3]
            )
        return found

    seen: list[int] = []
    counted = counting.count

    def looking(twin, schema, table, opened=()):  # type: ignore[no-untyped-def]
        seen.append(table.num_rows)
        return counted(twin, schema, table, opened)

    patch.setattr(PooledTwin, "next_round", faulty)
    patch.setattr(counting, "count", looking)


FAULTS = (
    Fault("half the noise", patched(parts, "discrete_gaussian", half), each_stage_as_paid),
    Fault("noise that counts on dishonest parties too", for_all_parties, charge_covers),
    Fault("a person at one member only, though nobody said so", for_a_person_at_one_member, person_moves_within),
    Fault("all pairs of the sketch charged as one", sketch_as_one_pair, person_moves_within),
    Fault("marginals for twice the rho that is there", price_twice, charge_covers),
    Fault(
        "a price that counts on the noise of all parties",
        patched(SummedHistogram, "cost_micro", lambda self: math.ceil(self.sensitivity_squared * 1e6 / (2 * self.variance))),
        charge_covers,
    ),
    Fault("a sketch without noise", counted_without_noise, sums_are_counts_and_noise),
    Fault(
        "noise cut at zero",
        patched(parts, "discrete_gaussian", lambda stage, s2, size: np.maximum(discrete_gaussian(stage, s2, size), 0)),
        each_stage_as_paid,
    ),
    Fault("a round that follows from the number of records", groups_of_the_records, asked_of_other_records),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence)
def test_a_planted_fault_is_noticed_by_a_check_that_holds_without_it(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fault.holds()
    fault.plant(monkeypatch)
    assert not fault.holds()
