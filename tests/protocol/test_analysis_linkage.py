"""How many persons several parties know: what one of them moves, what coincidences take, and when there is no answer."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_curves import NORMAL_TIMES
from marketplace.protocol.analysis_lane import Lane, lane_of
from marketplace.protocol.analysis_linkage import TIMES, KnownTo, Linkage, Linked, joint_weights, parts_of
from marketplace.protocol.analysis_noise import shares, variances
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_opening import How
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.pool import answered_as
from marketplace.protocol.schema import Category, Schema
from tests.protocol.test_analysis import specification

SCHEMA = Schema((Category("sex", ("f", "m"), False),), "patient", 4)
ASKED = Linkage(3, 4096, KnownTo.TWO)
EVERY = list(product((3, 4, 5), KnownTo))
PERSONS = {0b001: 500, 0b010: 400, 0b100: 200, 0b011: 80, 0b101: 50, 0b110: 20, 0b111: 60}
RHO_MICRO = 100_000


def asking(parties: int = 3, known_to: KnownTo = KnownTo.TWO, buckets: int = 4096) -> AnalysisSpecification:
    return specification(Linkage(parties, buckets, known_to))


def numbers_of(who: np.ndarray, parties: int, known_to: KnownTo) -> np.ndarray:
    """What is opened without noise. `who`: the parties that have a person in each bucket, bit by bit."""
    exactly = np.bincount(who, minlength=1 << parties)
    return np.array([sum(times * exactly[of] for of, times in part.items()) for part in parts_of(parties, known_to)])


def fallen(seed: int, buckets: int = 4096, persons: dict[int, int] = PERSONS) -> np.ndarray:
    drawn, who = np.random.default_rng(seed), np.zeros(buckets, np.int64)
    for of, count in persons.items():
        np.bitwise_or.at(who, drawn.integers(0, buckets, count), of)
    return who


def answered(asked: AnalysisSpecification, seed: int, rho_micro: int, told: bool = True) -> Linked:
    (analysis,) = asked.analyses
    parts = shares(asked.schedule(SCHEMA), rho_micro, 12, 3, 1)
    numbers = numbers_of(fallen(seed), 3, analysis.known_to)  # type: ignore[union-attr]
    wide = math.sqrt(3 * parts[0][0].sigma2)
    noisy = numbers + np.rint(np.random.default_rng(seed + 10**6).normal(0, wide, len(numbers))).astype(np.int64)
    (found,) = asked.results(SCHEMA, ({"0/linked": noisy.tolist()},), variances(parts, 3) if told else ())
    assert isinstance(found, Linked)
    return found


@pytest.mark.parametrize(("parties", "known_to"), EVERY)
def test_an_identifier_at_one_party_moves_the_numbers_by_no_more_than_five_squared(
    parties: int, known_to: KnownTo
) -> None:
    moved = [
        numbers_of(np.array([before | 1 << one]), parties, known_to) - numbers_of(np.array([before]), parties, known_to)
        for before in range(1 << parties)
        for one in range(parties)
    ]
    (asked,) = asking(parties, known_to).asked(SCHEMA)
    assert max(int(one @ one) for one in moved) == asked.of.row_squared == TIMES**2 + 1
    assert all(np.abs(one).max() <= asked.of.bound for one in moved)


@pytest.mark.parametrize(("parties", "known_to"), EVERY)
def test_a_person_moves_the_numbers_within_the_charge_by_whatever_names_it_is_known(
    parties: int, known_to: KnownTo
) -> None:
    drawn, (asked,) = np.random.default_rng(parties), asking(parties, known_to).asked(SCHEMA)
    same = different = 0
    for _ in range(2_000):
        before = drawn.integers(0, 1 << parties, 8)
        at = [one for one in range(parties) if drawn.random() < 0.8]
        places = drawn.integers(0, 8, parties) if drawn.random() < 0.7 else np.full(parties, drawn.integers(0, 8))
        after = before.copy()
        for one in at:
            after[places[one]] |= 1 << one
        moved = numbers_of(after, parties, known_to) - numbers_of(before, parties, known_to)
        if len(set(places)) == 1:
            same = max(same, int(moved @ moved))
            assert 0 <= moved[0] <= TIMES
        different = max(different, int(moved @ moved))
    assert same <= TIMES**2 + 1 < different <= asked.of.sensitivity_squared(4 * parties)
    assert asked.of.sensitivity_squared(4 * parties) == asked.of.sensitivity_squared(parties) == 5 * parties**2


@pytest.mark.parametrize(("parties", "known_to"), EVERY)
def test_numbers_follow_from_buckets_in_common(parties: int, known_to: KnownTo) -> None:
    who = np.random.default_rng(7).integers(0, 1 << parties, 500)
    common = {of: int(np.count_nonzero(who & of == of)) for of in range(1, 1 << parties)}
    found = [
        sum(times * common[of] for of, times in joint_weights(part, parties).items())
        for part in parts_of(parties, known_to)
    ]
    assert found == numbers_of(who, parties, known_to).tolist()


@pytest.mark.parametrize(("known_to", "truly"), [(KnownTo.TWO, 210), (KnownTo.ALL, 60)])
def test_coincidences_are_taken_off_in_expectation(known_to: KnownTo, truly: int) -> None:
    analysis, found = Linkage(3, 4096, known_to), []
    for seed in range(300):
        numbers = numbers_of(fallen(seed), 3, known_to).tolist()
        found.append(analysis.result(SCHEMA, {"linked": numbers}))
    persons = np.array([one.persons for one in found])
    assert abs(persons.mean() - truly) < 4 * persons.std() / math.sqrt(len(persons)) + 0.5
    assert 0.8 < persons.std() / np.mean([one.error for one in found]) < 1.2
    assert np.mean([one.shared for one in found]) > truly + 5 * persons.std() / math.sqrt(len(persons))
    assert all(abs(one.shared - one.by_chance - one.persons) <= 1 for one in found)


def rate(known_to: KnownTo, truly: int, seeds: int, told: bool = True) -> float:
    found = [answered(asking(known_to=known_to), seed, RHO_MICRO, told) for seed in range(seeds)]
    return float(np.mean([one.low <= truly <= one.high for one in found]))  # type: ignore[operator]


@pytest.mark.parametrize(("known_to", "truly"), [(KnownTo.TWO, 210), (KnownTo.ALL, 60)])
def test_intervals_hold_at_their_stated_rate(known_to: KnownTo, truly: int) -> None:
    assert abs(rate(known_to, truly, 400) - 0.95) < 3.29 * math.sqrt(0.95 * 0.05 / 400)


@pytest.mark.slow
@pytest.mark.parametrize(("known_to", "truly"), [(KnownTo.TWO, 210), (KnownTo.ALL, 60)])
def test_intervals_hold_at_their_stated_rate_over_a_thousand_draws(known_to: KnownTo, truly: int) -> None:
    assert abs(rate(known_to, truly, 1_000) - 0.95) < 3.29 * math.sqrt(0.95 * 0.05 / 1_000)


def test_intervals_that_leave_out_the_noise_or_the_coincidences_do_not_hold() -> None:
    assert rate(KnownTo.TWO, 210, 400, told=False) < 0.9
    found = [answered(asking(), seed, RHO_MICRO) for seed in range(100)]
    assert np.mean([abs(one.shared - 210) <= NORMAL_TIMES * one.error for one in found]) < 0.5  # type: ignore[operator]


def test_where_buckets_are_too_full_for_the_noise_there_is_no_number() -> None:
    (found,) = asking().results(SCHEMA, ({"0/linked": [7_000, 200, 200, 190]},), ({"0/linked": 400.0},))
    assert found == Linked(None, None, None, None, 3_500, None, found.reason)
    assert "more buckets" in found.reason
    (found,) = asking().results(SCHEMA, ({"0/linked": [-90, -3, 4, -1]},), ({"0/linked": 400.0},))
    assert (found.persons, found.low, found.shared) == (0, 0, 0)


def test_what_is_encoded_is_decoded_and_nothing_else() -> None:
    for asked in (asking(), asking(5, KnownTo.ALL, 2**16)):
        assert AnalysisSpecification.decode(asked.encode()) == asked
    good = asking().encode()
    for old, new in (
        (b'"known_to":"two"', b'"known_to":"one"'),
        (b'"buckets":4096', b'"buckets":"4096"'),
        (b'"parties":3', b'"parties":3,"persons":1'),
    ):
        with pytest.raises(Corrupt):
            AnalysisSpecification.decode(good.replace(old, new))


@pytest.mark.parametrize(
    ("parties", "buckets", "words"),
    [(2, 4096, "3 to 5 parties"), (6, 4096, "3 to 5 parties"), (3, 128, "power of two"), (3, 5000, "power of two"),
     (3, 2**17, "power of two")],
)  # fmt: skip
def test_a_linkage_count_out_of_bounds_is_invalid(parties: int, buckets: int, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        Linkage(parties, buckets, KnownTo.TWO)


def test_rows_that_are_persons_are_not_linked() -> None:
    with pytest.raises(Invalid, match="person column"):
        asking().asked(replace(SCHEMA, person=None, rows_per_person=1))


@pytest.mark.parametrize("cell", [1, 10, 50])
def test_an_exact_linkage_count_is_refused_whatever_its_cell_and_whoever_the_records_are_of(cell: int) -> None:
    with pytest.raises(Invalid, match="exact one tells of single persons"):
        lane_of(Guarantee.EXACT, cell, links=True)
    with pytest.raises(Invalid, match="exact one tells of single persons"):
        answered_as(asking(), Guarantee.EXACT)
    with pytest.raises(Invalid, match="alone in an order and with noise"):
        replace(asking(), smallest_cell=cell)
    with pytest.raises(Invalid):
        ClosedSpecification(asking(), max(10, cell))


def test_it_stands_alone_and_takes_the_closed_lane() -> None:
    with pytest.raises(Invalid, match="alone in an order"):
        specification(ASKED, Count())
    asked = asking()
    assert asked.lane(Guarantee.DIFFERENTIALLY_PRIVATE) is Lane.CLOSED
    questions = answered_as(asked, Guarantee.DIFFERENTIALLY_PRIVATE)
    assert isinstance(questions, ClosedSpecification) and questions.encode() == asked.encode()
    opening = questions.openings(SCHEMA)["0/linked"]
    assert (opening.how, opening.shape, opening.least) == (How.LINKED, (4096, 4), 2)
    with pytest.raises(Invalid, match="smallest cell"):
        ClosedSpecification(specification(Count()), None)


def test_of_buckets_nothing_is_charged_and_every_opened_number_is() -> None:
    ((share,),) = shares(asking().schedule(SCHEMA), RHO_MICRO, 12, 3, 1)
    assert (share.cells, share.honest, share.sensitivity_squared) == (4, 2, 45)
    assert RHO_MICRO - 2 <= share.rho_micro <= RHO_MICRO
