"""Tables of columns that lie at different parties are opened between real processes, and nothing else; who fails is named."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from marketplace.protocol.analysis_cost import ENDING_WAITS, MEETING_WAITS
from marketplace.protocol.crossing import PIECE_ELEMENTS, Crossing, Side, Table, Where
from marketplace.protocol.crossing_cost import STATED_WAITS, cost_of_crossings
from node.mpc.crossing_process import CrossingProcess
from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES
from node.mpc.running import Closing, PartyProcess
from scripts.benchmarks.mpc_crossed import crossed
from tests.mpc import counting_crossing, rogue_crossing
from tests.mpc.hospitals import PASSWORD, PATIENT, Hospitals

Make = Callable[..., Hospitals]
CULPRIT = 2
STALL = replace(PATIENT, stall_s=20)
"""Long enough for who has work on a busy machine, though the tests of a party that stalls wait for it."""
LEFT, RIGHT = Side.LEFT, Side.RIGHT
slow = pytest.mark.slow


def crossing_of(*sides: Side, buckets: int = 256, most: int = 1_000) -> Crossing:
    """Tables across and within either side, one of them not opened to its end, and two of presence alone."""
    tables = (
        Table(Where.ACROSS, 1, 1, 20),
        Table(Where.WITHIN_LEFT, 0, 1, 5),
        Table(Where.WITHIN_LEFT, 2, 1, 14),
        Table(Where.WITHIN_RIGHT, 0, 1, 4),
        Table(Where.ACROSS, 0, 0, 1),
        Table(Where.WITHIN_RIGHT, 1, 2, 8),
    )
    return Crossing(buckets, sides, ((1, 5, 3), (1, 4, 2)), tables, most)


def crowded(crossing: Crossing, seed: int) -> list[np.ndarray]:
    """Persons of each party in three of ten buckets, so that many coincide at one side and at both."""
    rng = np.random.default_rng(seed)
    found = []
    for side in crossing.sides:
        signs = rng.choice([-1, 0, 1], crossing.buckets, p=[0.15, 0.7, 0.15])
        cells = [rng.integers(0 if cell > 1 else 1, cell + 1, crossing.buckets) for cell in crossing.cells[side]]
        found.append(np.array([signs * one for one in cells]))
    return found


def start(made: Hospitals, how: tuple[str, ...] = (), program: ModuleType = rogue_crossing) -> None:
    for number in range(len(made.plans)):
        own = made.folder / f"party-{number}"
        own.mkdir()
        rogue = how and number == CULPRIT
        command = {"command": (sys.executable, "-P", program.__file__, *how)} if rogue else {}
        made.processes[number] = CrossingProcess(made.plans[number], own, PASSWORD, made.arrivals(number), **command)


def opened(made: Hospitals, crossing: Crossing, handed: list[np.ndarray], noise: list[np.ndarray]) -> list[object]:
    """What each party sees of the same crossing asked twice."""

    def work(number: int, process: PartyProcess) -> list[np.ndarray]:
        assert isinstance(process, CrossingProcess)
        process.ready()
        found = [process.cross(crossing, handed[number], noise[number]) for _ in range(2)]
        process.finish()
        return found

    return [future.result() for future in made.each(work).values()]


@pytest.mark.parametrize(
    ("sides", "threshold"),
    [
        ((LEFT, RIGHT, LEFT), 1),
        ((RIGHT, RIGHT, LEFT, LEFT), 1),
        ((LEFT, RIGHT, LEFT, LEFT, LEFT), 2),
    ],
)
def test_everybody_sees_the_tables_and_all_noise_exactly_also_where_persons_coincide(
    hospitals: Make, sides: tuple[Side, ...], threshold: int
) -> None:
    crossing, made = crossing_of(*sides, buckets=2_048), hospitals(len(sides))
    for number in range(len(sides)):
        made.change(number, threshold=threshold)
    start(made)
    handed = crowded(crossing, 7)
    noise = [np.random.default_rng(party).integers(-1_000, 1_001, crossing.opened) for party in range(len(sides))]
    exact = crossed(crossing, handed)
    assert np.count_nonzero(exact) > 15 and exact.min() < 0
    for found in opened(made, crossing, handed, noise):
        assert [one.tolist() for one in found] == [(exact + sum(noise)).tolist()] * 2  # type: ignore[attr-defined]


def test_a_crossing_of_more_buckets_than_are_sent_at_once_is_exact(hospitals: Make) -> None:
    crossing, made = crossing_of(LEFT, RIGHT, RIGHT, buckets=2**16), hospitals()
    assert crossing.buckets * 3 > PIECE_VALUES and crossing.buckets * 9 > 2 * PIECE_ELEMENTS
    start(made)
    handed, nothing = crowded(crossing, 3), [np.zeros(crossing.opened, np.int64)] * 3
    for found in opened(made, crossing, handed, nothing):
        assert found[0].tolist() == crossed(crossing, handed).tolist()  # type: ignore[index]


@pytest.mark.parametrize("sides", [(LEFT, RIGHT, RIGHT), (RIGHT, LEFT, LEFT, RIGHT, LEFT)])
def test_a_quote_counts_the_messages_that_wait_for_each_other(hospitals: Make, sides: tuple[Side, ...]) -> None:
    crossing, made = crossing_of(*sides, buckets=2**15), hospitals(len(sides))
    start(made, ("count",), counting_crossing)
    opened(made, crossing, crowded(crossing, 3), [np.zeros(crossing.opened, np.int64)] * len(sides))
    counted = int((made.folder / f"party-{CULPRIT}" / counting_crossing.COUNTED).read_text())
    assert cost_of_crossings([crossing] * 2).waits == MEETING_WAITS + counted + STATED_WAITS + ENDING_WAITS > 16


def take_part(number: int, process: PartyProcess) -> Closing:
    assert isinstance(process, CrossingProcess)
    process.ready()
    crossing = crossing_of(LEFT, RIGHT, LEFT)
    process.cross(crossing, crowded(crossing, 1)[number], np.ones(crossing.opened, np.int64))
    return process.finish()


def said(made: Hospitals, moment: str, how: str) -> list[tuple[int, Reason] | str]:
    """What the others say of the culprit."""
    start(made, (moment, how))
    futures, found = made.each(take_part), []
    for number in range(CULPRIT):
        try:
            futures[number].result()
            found.append("done")
        except Ended as ended:
            found.append((ended.party, ended.reason))
    return found


@pytest.mark.parametrize("moment", [pytest.param("start", marks=slow), "middle", pytest.param("end", marks=slow)])
def test_a_party_that_dies_is_named(hospitals: Make, moment: str) -> None:
    assert said(hospitals(), moment, "die") == [(CULPRIT, Reason.CUT_OFF)] * 2


@pytest.mark.parametrize("moment", [pytest.param("start", marks=slow), "middle", pytest.param("end", marks=slow)])
def test_a_party_that_stalls_is_named(hospitals: Make, moment: str) -> None:
    assert said(hospitals(limits=STALL), moment, "stall") == [(CULPRIT, Reason.SILENT)] * 2


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        ("start", "short"),
        ("middle", "pickle"),
        ("middle", "no elements"),
        pytest.param("middle", "raw", marks=slow),
        pytest.param("middle", "short", marks=slow),
        pytest.param("middle", "long", marks=slow),
        pytest.param("end", "raw", marks=slow),
    ],
)
def test_a_party_that_sends_rubbish_is_named_and_nothing_of_it_is_run(hospitals: Make, moment: str, how: str) -> None:
    made = hospitals()
    assert said(made, moment, how) == [(CULPRIT, Reason.RUBBISH)] * 2
    assert not (made.folder / "unpickled").exists()


@pytest.mark.parametrize("moment", ["middle", "end"])
def test_who_sends_elements_that_it_did_not_mean_ends_the_order(hospitals: Make, moment: str) -> None:
    """Wrong shares of the right length open something else than was asked, and no transcript is signed under it."""
    assert "done" not in said(hospitals(), moment, "other words")


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda marks, noise: (marks * 6, noise),
        lambda marks, noise: (marks * np.array([[0], [1], [1]]), noise),
        lambda marks, noise: (marks * np.array([[1], [-1], [1]]), noise),
        lambda marks, noise: (marks, noise * 1_001),
    ],
)
def test_a_cell_that_is_not_declared_of_nobody_or_of_another_sign_and_noise_beyond_its_reach_end_at_their_own_party(
    hospitals: Make, spoilt: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    made, crossing = hospitals(), crossing_of(LEFT, RIGHT, LEFT)
    start(made)

    def work(number: int, process: PartyProcess) -> object:
        assert isinstance(process, CrossingProcess)
        process.ready()
        marks, noise = crowded(crossing, 1)[number], np.ones(crossing.opened, np.int64)
        return process.cross(crossing, *(spoilt(marks, noise) if number == CULPRIT else (marks, noise)))

    for future in made.each(work).values():
        with pytest.raises(Ended) as raised:
            future.result()
        assert (raised.value.party, raised.value.reason) == (CULPRIT, Reason.STOPPED)


def test_parties_that_would_open_different_tables_open_nothing(hospitals: Make) -> None:
    made = hospitals()
    start(made)

    def work(number: int, process: PartyProcess) -> object:
        assert isinstance(process, CrossingProcess)
        process.ready()
        crossing = crossing_of(LEFT, RIGHT, LEFT, most=999 if number == CULPRIT else 1_000)
        return process.cross(crossing, crowded(crossing, 1)[number], np.ones(crossing.opened, np.int64))

    for future in made.each(work).values():
        with pytest.raises(Ended) as raised:
            future.result()
        assert raised.value.reason in (Reason.DISAGREED, Reason.CUT_OFF)


def test_sides_for_another_number_of_parties_end_the_order(hospitals: Make) -> None:
    made, crossing = hospitals(), crossing_of(LEFT, RIGHT, LEFT, RIGHT)
    start(made)

    def work(number: int, process: PartyProcess) -> object:
        assert isinstance(process, CrossingProcess)
        process.ready()
        return process.cross(crossing, crowded(crossing, 1)[number], np.ones(crossing.opened, np.int64))

    for future in made.each(work).values():
        with pytest.raises(Ended):
            future.result()


def test_argv_of_a_partys_process_tells_nothing_and_its_folder_has_no_record(hospitals: Make) -> None:
    made = hospitals()
    start(made)
    assert all(future.result() for future in made.each(take_part).values())
    for number, process in made.processes.items():
        assert process._child.args[1:] == ("-P", "-m", "node.mpc.crossing_party")  # type: ignore[index]
        assert [path.name for path in Path(made.folder / f"party-{number}").iterdir()] == ["party.log"]
        assert Path(made.folder / f"party-{number}" / "party.log").read_bytes() == b""
