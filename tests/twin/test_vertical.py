"""The twin of a table whose columns lie at different parties: what is opened, its price, what a person moves, its rows."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Invalid, Refused
from marketplace.protocol import crossing as protocol_crossing
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_noise import reach, share_of
from marketplace.protocol.analysis_statistic import LARGEST_PARTIES, Statistic
from marketplace.protocol.crossing import LARGEST_NUMBER, Side
from marketplace.protocol.schema import LARGEST_COLUMNS, Number, Timeline
from marketplace.protocol.specification import Specification
from node.mpc import noise as parts
from node.mpc.local import cross_here
from node.mpc.persons import placed
from node.noise.gaussian import discrete_gaussian
from node.twin import vertical
from node.twin.counting import count
from node.twin.marking import marks
from node.twin.rounds import LEAST_MICRO
from node.twin.split import Split
from scripts.benchmarks.mpc_crossed import crossed
from tests.synthesis.examples import ignore, never, rows_of, table_of
from tests.twin import test_power
from tests.twin.examples import distance, keys
from tests.twin.split_examples import (
    BUCKETS,
    KEY,
    PLAIN,
    ROWS,
    SIDES,
    SPLIT,
    WHOLE,
    WISHES,
    Person,
    halved,
    handed_in,
    noise_of,
    opened_by,
    twin_of,
)

PARTIES = halved()
OPENED = opened_by(twin_of(), PARTIES, keys(0))
CROWDED = replace(SPLIT, buckets=2**8)
"""So few buckets that most have several persons."""


@pytest.mark.parametrize("asked", [PLAIN, WISHES], ids=["plain", "with wishes"])
def test_without_coincidences_the_tables_are_those_of_the_joined_records(asked: Specification) -> None:
    """In each round, to the last row: one-way, of both columns at one side, of columns at both, and with values missing."""
    rows = ROWS[:40]
    twin, parties = twin_of(asked=asked), halved(rows=rows)
    buckets, _ = placed([f"person {n}" for n in range(len(rows))], KEY, BUCKETS)
    assert len(set(buckets.tolist())) == len(rows)
    opened = opened_by(twin, PARTIES, keys(0))
    for at in range(len(opened)):
        crossing = twin.crossing(opened[:at])
        assert crossing is not None
        found = crossed(crossing, [handed_in(twin, n, one, opened[:at]) for n, one in enumerate(parties)])
        exact = count(twin.pooled, WHOLE, table_of(WHOLE, rows), opened[:at])
        assert {name: list(one) for name, one in twin.named(opened[:at], found).items()} == {
            name: one.tolist() for name, one in exact.items()
        }
    assert 0 < exact["rows"][0] <= len(rows) and (exact["rows"][0] < len(rows)) == bool(asked.only)


def test_only_persons_whom_both_sides_know_are_counted() -> None:
    twin = twin_of()
    parties = halved(rows=ROWS[:40])
    parties[1] = [(f"somebody else {n}", codes) for n, (_, codes) in enumerate(parties[1])]
    found = opened_by(twin, parties)
    assert all(abs(one) <= 2 for name, sums in found[0].items() for one in sums if name.startswith("cells"))


def test_persons_of_one_party_that_share_a_bucket_are_left_out() -> None:
    persons = [("one", ROWS[0][:2]), ("other", ROWS[1][:2]), ("third", ROWS[2][:2])]
    table = table_of(SPLIT.left, [codes for _, codes in persons])
    found = marks(twin_of(), Side.LEFT, table, (np.array([7, 7, 9]), np.array([1, -1, -1])))
    assert set(np.flatnonzero(np.abs(found).sum(axis=0)).tolist()) == {9} and (found[:, 9] <= 0).all()


def test_coincidences_of_different_persons_cancel_over_keys() -> None:
    """A hundred strangers at each side of 256 buckets: 25 coincidences in each draw, and in the mean of 400 none."""
    here, there = ([f"{side} {n}" for n in range(100)] for side in ("left", "right"))
    sums, shared = [], []
    for number in range(400):
        key = number.to_bytes(32, "big")
        sides = []
        for names in (here, there):
            buckets, signs = placed(names, key, 256)
            alone = np.bincount(buckets, minlength=256)[buckets] == 1
            held = np.zeros(256, np.int64)
            held[buckets[alone]] = signs[alone]
            sides.append(held)
        sums.append(int((sides[0] * sides[1]).sum()))
        shared.append(int(np.abs(sides[0] * sides[1]).sum()))
    assert np.mean(shared) > 15
    assert abs(np.mean(sums)) < 3.3 * math.sqrt(np.mean(shared) / len(sums))
    assert 0.8 < np.var(sums) / np.mean(shared) < 1.2


def test_everybody_spells_a_person_alike_and_no_key_tells_another() -> None:
    one, other = placed(["a", "b"], KEY, 2**18), placed(["b"], KEY, 2**18)
    assert (one[0][1], one[1][1]) == (other[0][0], other[1][0])
    again = placed([str(n) for n in range(2_000)], bytes(32), 2**18)
    before = placed([str(n) for n in range(2_000)], KEY, 2**18)
    assert np.mean(again[0] == before[0]) < 0.01 and 0.45 < np.mean(again[1] == before[1]) < 0.55
    assert set(again[1].tolist()) == {-1, 1}
    with pytest.raises(ValueError):
        placed(["a"], KEY[:-1], 256)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_every_number_that_is_opened_is_charged_and_all_cost_no_more_than_the_rho(at: int) -> None:
    twin = twin_of(at=at)
    opened = opened_by(twin, PARTIES, keys(0))
    measured = twin.measured(opened)
    assert [stage.stage for stage in measured.stages] == [name for sums in opened[:-1] for name in sums]
    rows, scores = ([s for n in rounds for s in twin.shares(opened[:n])] for rounds in (range(4), [4]))
    assert [stage.cost_micro() for stage in measured.stages] == [share.rho_micro for share in rows]
    spent = [share.rho_micro for share in (*rows, *scores)]
    assert twin.rho_micro - 2 * len(spent) <= sum(spent) <= twin.rho_micro
    assert sum(share.rho_micro for share in scores) <= twin.pooled.evaluate_micro == twin.rho_micro // 10
    assert {share.sensitivity_squared for share in twin.shares()} == {at**2}
    sets = twin.pooled.scoring(WHOLE, opened).sets
    assert {share.name: share.sensitivity_squared for share in scores} == {n: at**2 * len(s) for n, s in sets.items()}


def test_a_crossing_has_room_for_the_noise_of_all() -> None:
    twin = twin_of()
    for at in range(len(OPENED)):
        crossing = twin.crossing(OPENED[:at])
        assert crossing is not None
        assert crossing.most == max(reach(share.sigma2, 1, share.cells) for share in twin.shares(OPENED[:at]))
        assert crossing.opened == sum(share.cells for share in twin.shares(OPENED[:at]))


def moved(persons: dict[int, Person], others: list[list[Person]], rounds: int = len(OPENED)) -> bool:
    """Whether somebody who is at these parties moves every statistic of every round by no more than is charged for so many."""
    twin, fine, at_all = twin_of(CROWDED), True, len(SIDES)
    for at in range(rounds):
        crossing = twin.crossing(OPENED[:at])
        assert crossing is not None
        with_person = [[*one, *([persons[n]] if n in persons else [])] for n, one in enumerate(others)]
        here, there = (
            twin.named(
                OPENED[:at], crossed(crossing, [handed_in(twin, n, one, OPENED[:at]) for n, one in enumerate(all_)])
            )
            for all_ in (others, with_person)
        )
        for share in twin.shares(OPENED[:at]):
            change = np.array(here[share.name]) - np.array(there[share.name])
            fine = fine and int((change**2).sum()) * at_all**2 <= share.sensitivity_squared * len(persons) ** 2
    return fine


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(0, 2), min_size=1), st.integers(0, 899), st.booleans(), st.integers(20, 400))
def test_a_person_at_one_side_or_both_moves_no_statistic_beyond_its_sensitivity(
    at: set[int], row: int, spelt_alike: bool, crowd: int
) -> None:
    names = {n: "somebody" if spelt_alike else f"somebody {n}" for n in at}
    person = {n: (names[n], ROWS[row][:2] if SIDES[n] is Side.LEFT else ROWS[row][2:]) for n in at}
    assert moved(person, halved(CROWDED, ROWS[:crowd]))


def the_most() -> tuple[dict[int, Person], list[list[Person]]]:
    """A person of the other sign, spelt otherwise at each party, that empties a bucket there of somebody like whom the other
    side has somebody too."""
    codes = [ROWS[0][:2] if side is Side.LEFT else ROWS[0][2:] for side in SIDES]
    names = [str(n) for n in range(20_000)]
    at, signs = placed(names, KEY, CROWDED.buckets)
    others: list[list[Person]] = [[] for _ in SIDES]
    persons = {}
    for party, other in enumerate((1, 0, 1)):
        one, alike = (names[n] for n in np.flatnonzero((at == party) & (signs == 1))[:2])
        others[party].append((one, codes[party]))
        others[other].append((alike, codes[other]))
        persons[party] = names[np.flatnonzero((at == party) & (signs == -1))[0]], codes[party]
    return persons, others


def test_the_worst_person_moves_a_statistic_by_all_of_its_sensitivity() -> None:
    persons, others = the_most()
    twin = twin_of(CROWDED)
    crossing = twin.crossing()
    assert crossing is not None
    with_person = [[*one, persons[n]] for n, one in enumerate(others)]
    here, there = (
        twin.named((), crossed(crossing, [handed_in(twin, n, one, ()) for n, one in enumerate(all_)]))
        for all_ in (others, with_person)
    )
    changes = {share.name: np.array(here[share.name]) - np.array(there[share.name]) for share in twin.shares()}
    assert int((changes["cells/0/0"] ** 2).sum()) == twin.shares()[0].sensitivity_squared == 9
    assert moved(persons, others)


def test_real_parties_open_the_tables_and_everybodys_noise(tmp_path: Path) -> None:
    twin, streams, agreed = twin_of(), keys(6), set()

    def counted(party: int, opened: object, key: bytes) -> tuple[np.ndarray, np.ndarray]:
        agreed.add(key)
        return handed_in(twin, party, PARTIES[party], opened, key), noise_of(twin, streams[party], opened)  # type: ignore[arg-type]

    counts = [lambda opened, key, party=party: counted(party, opened, key) for party in range(3)]
    answers = cross_here(twin, bytes(32), counts, tmp_path)
    (key,) = agreed
    assert len(key) == 32
    assert list(answers[0].opened) == list(opened_by(twin, PARTIES, keys(6), key))
    assert all(one.opened == answers[0].opened for one in answers)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or (key not in path.read_bytes() and key.hex().encode() not in path.read_bytes())


def test_rows_show_what_columns_at_different_parties_have_to_do_with_each_other() -> None:
    twin = twin_of(rho_micro=3_000_000)
    made = twin.table(opened_by(twin, PARTIES, keys(2)), ignore, never)
    apart = table_of(WHOLE, [(*one[:2], *other[2:]) for one, other in zip(ROWS, rows_of(WHOLE, 900, 5), strict=True)])
    assert made.column_names == list(WHOLE.names) and made.num_rows == 900
    assert distance(WHOLE, ROWS, made, (1, 2)) < 0.7 * distance(WHOLE, ROWS, apart, (1, 2))


STAGES = ("cells/0/0", "cells/1/1", "sketch", "marginal/0", "l1_2way")


def loud(name: str) -> test_power.Share:
    """The noise of a statistic where there is so little that draws tell half of it."""
    twin = twin_of(rho_micro=test_power.LOUD_MICRO)
    opened = opened_by(twin, PARTIES, keys(0))
    return next(share for at in range(len(opened)) for share in twin.shares(opened[:at]) if share.name == name)


@pytest.mark.parametrize("name", STAGES)
def test_20000_draws_on_two_neighbours_are_as_close_as_was_paid_and_half_the_noise_is_rejected(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = loud(name)
    assert test_power.is_as_paid(share)
    monkeypatch.setattr(
        parts, "discrete_gaussian", lambda stage, sigma2, size: discrete_gaussian(stage, sigma2 / 4, size)
    )
    assert not test_power.is_as_paid(share)


def everybody_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(vertical.np, "bincount", lambda *_, minlength: np.ones(minlength, np.int64))


def moves_half(patch: pytest.MonkeyPatch) -> None:
    honest = protocol_crossing.reach_of
    patch.setattr(vertical, "reach_of", lambda at: honest(at) // 2)


@pytest.mark.parametrize("plant", [everybody_kept, moves_half])
def test_a_planted_fault_is_noticed_by_the_person_who_moves_most(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    persons, others = the_most()
    assert moved(persons, others, rounds=1)
    plant(monkeypatch)
    assert not moved(persons, others, rounds=1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"buckets": 300}, "power of two"),
        ({"left": replace(SPLIT.left, person="national number")}, "one person column"),
        ({"left": replace(SPLIT.left, rows_per_person=2)}, "one row"),
        ({"right": replace(SPLIT.right, timeline=Timeline("visits", False))}, "one row"),
        ({"right": replace(SPLIT.right, columns=SPLIT.left.columns)}, "stage, age"),
    ],
)
def test_tables_that_do_not_fit_each_other_are_invalid(changes: dict[str, object], says: str) -> None:
    text = says if says != "stage, age" else "age, stage"
    with pytest.raises(Invalid, match=text):
        replace(SPLIT, **changes)  # type: ignore[arg-type]


def test_rows_that_are_their_own_persons_are_invalid() -> None:
    nobody = {"left": replace(SPLIT.left, person=None), "right": replace(SPLIT.right, person=None)}
    with pytest.raises(Invalid, match="one person column"):
        Split(**nobody, sides=SIDES, buckets=256, coincidences=0)


def test_a_rho_that_cannot_pay_for_every_stage_is_refused_before_any_record() -> None:
    with pytest.raises(Refused, match="expected a rho of at least"):
        twin_of(rho_micro=20).check()


def test_the_least_that_a_stage_is_paid_buys_noise_that_a_crossing_holds_with_room_to_spare() -> None:
    """A sketch of all pairs of the most columns, of somebody at the most parties."""
    sketch = Asked("sketch", 0, Statistic("sketch", (2**16,), 1, math.comb(LARGEST_COLUMNS, 2)))
    share = share_of(sketch, LEAST_MICRO, LARGEST_PARTIES, LARGEST_PARTIES, 7)
    assert 2**18 + LARGEST_PARTIES * reach(share.sigma2, 1, share.cells) < LARGEST_NUMBER // 10


@pytest.mark.parametrize("at", [0, 4])
def test_a_person_at_no_party_or_more_than_there_are_is_invalid(at: int) -> None:
    with pytest.raises(Invalid, match="at 1 to 3 parties"):
        twin_of(at=at).check()


def test_two_parties_are_refused() -> None:
    with pytest.raises(Refused, match="3 to 16 parties"):
        twin_of(replace(SPLIT, sides=SIDES[:2]), at=2).check()


def test_a_table_of_the_other_side_is_invalid() -> None:
    with pytest.raises(Invalid, match="expected the columns"):
        marks(twin_of(), Side.RIGHT, table_of(SPLIT.left, []), placed([], KEY, BUCKETS))


def test_a_party_without_persons_hands_in_nothing() -> None:
    for at in range(len(OPENED)):
        assert not handed_in(twin_of(), 0, [], OPENED[:at]).any()


def test_nothing_is_handed_in_when_all_is_opened() -> None:
    twin = twin_of()
    assert twin.crossing(OPENED) is None and handed_in(twin, 0, PARTIES[0], OPENED).shape == (0, BUCKETS)


def test_a_number_without_a_value_in_a_deeper_cell_is_in_none() -> None:
    """Missing is a cell of its own at the first level alone."""
    number = Number("age", Decimal(0), Decimal(200), Decimal("0.5"), missing=True)
    split = replace(SPLIT, left=replace(SPLIT.left, columns=(SPLIT.left.columns[0], number)))
    twin = twin_of(split)
    rows = [(0, -1 if n % 2 else 40) for n in range(60)]
    parties: list[list[Person]] = [
        [(str(n), row) for n, row in enumerate(rows)], [(str(n), (0, 0)) for n in range(60)], []
    ]  # fmt: skip
    opened = opened_by(twin, parties)
    assert opened[0]["cells/1/0"][-1] > 20 and sum(opened[1]["cells/1/1"]) < 40
