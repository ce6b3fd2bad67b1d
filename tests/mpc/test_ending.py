"""A party that dies, stalls, is cut off or sends rubbish ends the others, which name it; nothing is opened by then."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Corrupt
from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES, Kind
from node.mpc.masks import Batch, Tensor
from node.mpc.running import Closing, PartyProcess
from tests.mpc import rogue
from tests.mpc.hospitals import PATIENT, Hospitals, summed
from tests.mpc.proxy import Wire

Make = Callable[..., Hospitals]
LONG = Tensor(0, "long", 3 * PIECE_VALUES)
PIECE = np.zeros(PIECE_VALUES, "<i8")
STALL = replace(PATIENT, stall_s=20)
"""Long enough for who has work on a busy machine, though the test of a party that stalls waits for it."""
MOMENTS = ("start", "middle", "end")
CULPRIT = 2


def take_part(number: int, process: PartyProcess) -> Closing:
    process.ready()
    summed(process, LONG, np.full(LONG.cells, number))
    return process.finish()


def take_part_until(moment: str, process: PartyProcess) -> None:
    process.ready()
    if moment == "middle":
        process._send(Kind.SUM, Batch((LONG,)).encode())
        process._swap(PIECE)
    if moment == "end":
        summed(process, LONG, np.zeros(LONG.cells, np.int64))


def go_on(moment: str, process: PartyProcess) -> Closing:
    """What is left of an analysis after the moment."""
    if moment == "start":
        summed(process, LONG, np.zeros(LONG.cells, np.int64))
    if moment == "middle":
        process._swap(PIECE)
        process._swap(PIECE)
    return process.finish()


def named(one: Future[object]) -> tuple[int, Reason]:
    with pytest.raises(Ended) as raised:
        one.result()
    return raised.value.party, raised.value.reason


def strike(made: Hospitals, moment: str, blow: Callable[[PartyProcess], None]) -> list[tuple[int, Reason]]:
    """What the others say when `blow` falls on the culprit at the moment, when all have heard what it has said so far."""
    reached = threading.Barrier(len(made.plans), timeout=300)

    def work(number: int, process: PartyProcess) -> object:
        take_part_until(moment, process)
        reached.wait()
        return blow(process) if number == CULPRIT else go_on(moment, process)

    made.start_all()
    futures = made.each(work)
    futures[CULPRIT].result()
    return [named(futures[number]) for number in futures if number != CULPRIT]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_party_that_dies_is_named(hospitals: Make, moment: str) -> None:
    said = strike(hospitals(), moment, lambda process: os.kill(process.pid, signal.SIGKILL))
    assert said == [(CULPRIT, Reason.CUT_OFF)] * 2


def test_a_party_that_stalls_is_named(hospitals: Make) -> None:
    """At every moment; all at once, for each takes as long as parties wait."""
    made = [hospitals(limits=STALL) for _ in MOMENTS]
    with ThreadPoolExecutor(len(made)) as pool:
        said = pool.map(partial(strike, blow=lambda process: os.kill(process.pid, signal.SIGSTOP)), made, MOMENTS)
        assert list(said) == [[(CULPRIT, Reason.SILENT)] * 2] * 3


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_party_whose_node_is_gone_ends_and_says_so(hospitals: Make, moment: str) -> None:
    said = strike(hospitals(), moment, lambda process: process._line.close())
    assert {party for party, _ in said} == {CULPRIT}
    assert {reason for _, reason in said} <= {Reason.STOPPED, Reason.CUT_OFF}


@pytest.mark.parametrize("moment", MOMENTS)
def test_where_a_wire_is_cut_one_of_its_two_ends_is_named(hospitals: Make, moment: str) -> None:
    made = hospitals()
    wires = [Wire(made.peers[number].port) for number in range(2)]
    for number, wire in enumerate(wires):
        peers = [replace(peer, port=wire.port) if peer == made.peers[number] else peer for peer in made.peers]
        made.change(1 - number, peers=tuple(peers))
    reached = threading.Barrier(3, lambda: [wire.cut() for wire in wires], timeout=300)

    def work(_: int, process: PartyProcess) -> Closing:
        take_part_until(moment, process)
        reached.wait()
        return go_on(moment, process)

    made.start_all()
    futures = made.each(work)
    assert [named(futures[number]) for number in (0, 1)] == [(1, Reason.CUT_OFF), (0, Reason.CUT_OFF)]
    if moment != "end":  # there the third has everything that it needs already
        assert named(futures[2]) in [(0, Reason.CUT_OFF), (1, Reason.CUT_OFF)]


def beside(made: Hospitals, *how: str) -> dict[int, Future[object]]:
    for number in range(len(made.plans)):
        made.start(number, *([(sys.executable, "-P", rogue.__file__, *how)] if number == CULPRIT else []))
    return made.each(take_part)


def said_beside(made: Hospitals, *how: str) -> list[tuple[int, Reason]]:
    futures = beside(made, *how)
    return [named(futures[number]) for number in futures if number != CULPRIT]


@pytest.mark.parametrize("kind", ["HELLO", "OPENING", "VALUES", "TRANSCRIPT"])
@pytest.mark.parametrize("how", ["raw", "pickle"])
def test_a_party_that_sends_rubbish_is_named_and_nothing_of_it_is_run(hospitals: Make, kind: str, how: str) -> None:
    made = hospitals()
    assert said_beside(made, kind, how) == [(CULPRIT, Reason.RUBBISH)] * 2
    assert not (made.folder / rogue.MARK).exists()


def test_the_rubbish_does_run_a_command_where_it_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "party").mkdir()
    monkeypatch.chdir(tmp_path / "party")
    rogue.pickle.loads(rogue.pickle.dumps(rogue.Command()))
    assert (tmp_path / rogue.MARK).exists()


@pytest.mark.parametrize("how", ["long", "failure", "abort"])
def test_a_message_of_another_length_or_meaning_is_rubbish(hospitals: Make, how: str) -> None:
    assert said_beside(hospitals(), "VALUES", how) == [(CULPRIT, Reason.RUBBISH)] * 2


def test_a_party_that_tells_each_something_else_is_found_out_before_anybody_signs_off(hospitals: Make) -> None:
    said = said_beside(hospitals(), "VALUES", "equivocate")
    assert [reason for _, reason in said] == [Reason.DISAGREED] * 2


def test_a_signature_for_another_partys_number_is_none(hospitals: Make) -> None:
    assert said_beside(hospitals(), "TRANSCRIPT", "other number") == [(CULPRIT, Reason.DISAGREED)] * 2


def test_a_node_does_not_believe_its_own_process_that_all_have_signed(hospitals: Make) -> None:
    futures = beside(hospitals(), "TRANSCRIPT", "forged")
    with pytest.raises(Corrupt, match="signature"):
        futures[CULPRIT].result()
    assert all(isinstance(futures[number].result(), Closing) for number in range(2))


def test_a_party_with_another_specification_is_found_before_anybody_touches_records(hospitals: Make) -> None:
    made = hospitals()
    made.change(CULPRIT, specification=sha256(b"another").digest())
    made.start_all()
    futures = made.each(lambda _, process: process.ready())
    assert {reason for _, reason in map(named, futures.values())} == {Reason.DISAGREED}
    assert named(futures[0])[0] == CULPRIT


def test_a_party_that_sums_something_else_is_named(hospitals: Make) -> None:
    made = hospitals()
    made.start_all()

    def work(number: int, process: PartyProcess) -> object:
        process.ready()
        return summed(process, Tensor(0, "a" if number != CULPRIT else "b", 4), np.zeros(4, np.int64))

    futures = made.each(work)
    assert named(futures[0]) == named(futures[1]) == (CULPRIT, Reason.DISAGREED)


def test_a_party_that_never_comes_is_named_at_the_deadline(hospitals: Make) -> None:
    made = hospitals(limits=replace(PATIENT, deadline_s=20))
    made.start(0)
    made.start(1)
    made.listeners[CULPRIT].close()
    futures = made.each(lambda _, process: process.ready())
    assert named(futures[0]) == named(futures[1]) == (CULPRIT, Reason.NOT_REACHED)


def test_a_process_at_its_limit_of_memory_ends_alone(hospitals: Make) -> None:
    made = hospitals()
    made.change(CULPRIT, limits=replace(PATIENT, memory_bytes=2**26))
    made.start_all()
    futures = made.each(take_part)
    assert named(futures[CULPRIT])[0] == CULPRIT
