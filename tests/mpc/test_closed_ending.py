"""In the closed lane too a party that dies, stalls or sends rubbish is named, and what it sends is never unpickled."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.ending import Ended, Reason
from node.mpc.masks import Batch, Tensor
from node.mpc.running import Closing, PartyProcess
from tests.mpc import rogue_closed
from tests.mpc.hospitals import PATIENT, Hospitals, Identity, summed

Make = Callable[..., Hospitals]
OPENINGS = {"0/x": Opening(How.CELLS, (1, 8), 10, 2**24)}
COMMAND = (sys.executable, "-P", rogue_closed.__file__)
CULPRIT = 2
STALL = replace(PATIENT, stall_s=30)
"""Long enough for who starts MPyC on a busy machine, though the tests of a party that stalls wait for it."""


def take_part(number: int, process: PartyProcess) -> Closing:
    process.ready()
    summed(process, Tensor(0, "0/x", 8), np.arange(8) + number)
    return process.finish()


def said(made: Hospitals, moment: str, how: str) -> list[tuple[int, Reason] | str]:
    """What the others say of the culprit."""
    made.start_closed(OPENINGS, (*COMMAND, moment, how), CULPRIT)
    futures, found = made.each(take_part), []
    for number in range(CULPRIT):
        try:
            futures[number].result()
            found.append("done")
        except Ended as ended:
            found.append((ended.party, ended.reason))
    return found


slow = pytest.mark.slow


@pytest.mark.parametrize("moment", ["start", pytest.param("input", marks=slow), "middle", "still", "end"])
def test_a_party_that_dies_is_named(hospitals: Make, moment: str) -> None:
    assert said(hospitals(), moment, "die") == [(CULPRIT, Reason.CUT_OFF)] * 2


@pytest.mark.parametrize(
    "moment",
    [pytest.param("start", marks=slow), "middle", pytest.param("still", marks=slow), pytest.param("end", marks=slow)],
)
def test_a_party_that_stalls_is_named(hospitals: Make, moment: str) -> None:
    assert said(hospitals(limits=STALL), moment, "stall") == [(CULPRIT, Reason.SILENT)] * 2


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        ("middle", "pickle"),
        ("middle", "twice"),
        ("input", "an element less"),
        ("middle", "an element more"),
        pytest.param("start", "raw", marks=slow),
        pytest.param("input", "pickle", marks=slow),
        pytest.param("middle", "raw", marks=slow),
        pytest.param("middle", "half an element", marks=slow),
        pytest.param("middle", "long", marks=slow),
        pytest.param("still", "pickle", marks=slow),
        pytest.param("end", "raw", marks=slow),
    ],
)
def test_a_party_that_sends_rubbish_is_named_and_nothing_of_it_is_run(hospitals: Make, moment: str, how: str) -> None:
    made = hospitals()
    assert said(made, moment, how) == [(CULPRIT, Reason.RUBBISH)] * 2
    assert not (made.folder / rogue_closed.MARK).exists()


def test_a_pickle_as_long_as_the_shares_that_are_due_ends_it_and_runs_nothing(hospitals: Make) -> None:
    made = hospitals()
    assert "done" not in said(made, "middle", "pickle of the right length")
    assert not (made.folder / rogue_closed.MARK).exists()


@pytest.mark.parametrize("how", ["other words", "unsaid", "other result"])
def test_a_party_that_states_something_else_than_was_said_or_seen_is_named(hospitals: Make, how: str) -> None:
    assert said(hospitals(), "end", how) == [(CULPRIT, Reason.DISAGREED)] * 2


def test_a_party_that_tells_others_different_parts_of_the_key_ends_the_order(hospitals: Make) -> None:
    found = said(hospitals(), "start", "two parts")
    assert [reason for _, reason in found] == [Reason.DISAGREED] * 2  # type: ignore[misc]


def test_a_party_with_another_partys_certificate_is_never_the_one_it_claims_to_be(
    hospitals: Make, identities: tuple[Identity, ...]
) -> None:
    made = hospitals(limits=replace(PATIENT, deadline_s=6))
    made.change(0, tls=identities[2].path)
    made.start_closed(OPENINGS)
    with pytest.raises(Ended) as raised:
        made.each(lambda _, process: process.ready())[1].result()
    assert (raised.value.party, raised.value.reason) == (0, Reason.NOT_REACHED)


def test_a_number_beyond_the_declared_bounds_is_told_to_its_own_provider_and_leaves_nowhere(hospitals: Make) -> None:
    made = hospitals()
    made.start_closed({"0/x": Opening(How.CELLS, (1, 2), 10, 100)})

    def work(number: int, process: PartyProcess) -> object:
        process.ready()
        try:
            return summed(process, Tensor(0, "0/x", 2), np.array([1, 101 if number == CULPRIT else 100]))
        finally:
            process.close()

    futures = made.each(work)
    with pytest.raises(Invalid, match=r"'0/x'.*at most 100"):
        futures[CULPRIT].result()
    for number in range(CULPRIT):
        with pytest.raises(Ended):
            futures[number].result()


def test_a_partys_process_believes_no_node_that_its_numbers_are_within_the_declared_bounds(hospitals: Make) -> None:
    made = hospitals()
    made.start_closed({"0/x": Opening(How.CELLS, (1, 2), 10, 100)})

    def work(number: int, process: PartyProcess) -> object:
        process.ready()
        numbers = np.array([1, 101 if number == CULPRIT else 100])
        return PartyProcess.sum(process, Batch((Tensor(0, "0/x", 2),)), (numbers,))

    for future in made.each(work).values():
        with pytest.raises(Ended) as raised:
            future.result()
        assert (raised.value.party, raised.value.reason) == (CULPRIT, Reason.STOPPED)


def test_parties_that_would_open_different_things_open_nothing(hospitals: Make) -> None:
    made = hospitals()
    made.start_closed(OPENINGS)
    made.processes[CULPRIT]._openings = {"0/x": Opening(How.WHOLE, (1, 8), 10, 2**24)}  # type: ignore[attr-defined]
    for future in made.each(take_part).values():
        with pytest.raises(Ended) as raised:
            future.result()
        assert raised.value.reason in (Reason.DISAGREED, Reason.CUT_OFF)


def test_argv_of_a_partys_process_tells_nothing_and_its_folder_has_no_record(hospitals: Make) -> None:
    made = hospitals()
    made.start_closed(OPENINGS)
    futures = made.each(take_part)
    assert [future.result() for future in futures.values()]
    for number, process in made.processes.items():
        assert process._child.args[1:] == ("-P", "-m", "node.mpc.closed_party")  # type: ignore[index]
        assert [path.name for path in (made.folder / f"party-{number}").iterdir()] == ["party.log"]
        assert Path(made.folder / f"party-{number}" / "party.log").read_bytes() == b""
