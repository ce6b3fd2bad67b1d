"""Where a node takes part in joint orders: some at a time, each in its turn, and a fault ends none of the others."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.errors import MarketplaceError
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.descriptor import Place
from marketplace.protocol.identity import OrderId
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.files import make_folder, write_whole
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Line
from node.mpc.joint import Answer, Questions
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import Closing, PartyProcess
from node.mpc.transcript import Transcript
from node.pool.closing import JointClosing
from node.workers import joint
from node.workers.job import Job, JointJob, Name
from node.workers.joint import JointWorkers, Meeting
from scripts.ports import HOST, take_ports
from tests.mpc.hospitals import PASSWORD, make_identities
from tests.node.examples import DESCRIPTION, ORDER, SCHEMA
from tests.node.workplace import LONGEST_S, STORAGE_KEY
from tests.protocol.examples import address

QUESTIONS = AnalysisSpecification(b"f" * 32, (Count(),), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32)
OTHER, ANOTHER = OrderId(b"p" * 32), OrderId(b"q" * 32)
GONE = (sys.executable, "-c", "raise SystemExit(1)")
IDLE = (sys.executable, "-c", "import time; time.sleep(3600)")


@pytest.fixture
def meeting(tmp_path: Path) -> Meeting:
    places = [Place(HOST, port) for port in take_ports(3)]
    identities = make_identities(tmp_path, 3)
    peers = tuple(
        Peer(place.host, place.port, one.fingerprint, one.certificate)
        for place, one in zip(places, identities, strict=True)
    )
    digest = sha256(QUESTIONS.encode()).digest()
    plan = Plan(ORDER, digest, 0, 1, peers, identities[0].path, Limits(join_s=1.0))
    job = JointJob(Job(ORDER, b"s" * 32, 1, b"c" * 32, 20_000, 10**12, address(1), tmp_path / "vault"), 60_000, 6, 3, 1)
    parties = tuple(address(number) for number in range(1, 4))
    return Meeting(plan, job, QUESTIONS, SCHEMA, parties, places[0], PASSWORD, STORAGE_KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "order"
    make_folder(made)
    write_whole(made / Name.SPECIFICATION, QUESTIONS.encode())
    write_whole(made / Name.DESCRIPTION, DESCRIPTION.encode())
    return made


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_after_an_attempt_another_order_comes_first(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "AGAIN_S", LONGEST_S)
    workers = JointWorkers(party=GONE)
    assert workers.has_place(ORDER)
    assert not workers.tried(ORDER)
    workers.start(meeting, folder)
    until(lambda: not workers.running(ORDER))
    assert (workers.has_place(ORDER), workers.has_place(OTHER), workers.tried(ORDER)) == (False, True, True)
    ((order, words),) = workers.told()
    assert (order, workers.told()) == (ORDER, ())
    assert f"party 0 ({address(1)}) stopped" in words
    assert "it is tried again, no record was asked for" in words
    assert not (folder / Name.FAILURE).exists()
    monkeypatch.setattr(joint, "AGAIN_S", 0.0)
    assert workers.has_place(ORDER)


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_orders_are_answered_at_once_and_what_is_ended_says_nothing(
    meeting: Meeting, folder: Path, at_once: int
) -> None:
    workers = JointWorkers(party=IDLE, at_once=at_once)
    for order in (ORDER, OTHER)[:at_once]:
        assert workers.has_place(order)
        workers.start(replace(meeting, job=replace(meeting.job, own=replace(meeting.job.own, order=order))), folder)
        assert workers.running(order)
    assert not workers.has_place(ANOTHER)
    workers.stop()
    assert not workers.running(ORDER)
    assert workers.told() == ()


def test_where_nothing_can_listen_the_provider_is_told(meeting: Meeting, folder: Path) -> None:
    workers = JointWorkers()
    workers.start(replace(meeting, listen=Place("192.0.2.1", 9)), folder)
    until(lambda: not workers.running(ORDER))
    ((_, words),) = workers.told()
    assert "expected to listen for other parties at 192.0.2.1 port 9" in words


def test_what_ends_after_records_were_asked_for_is_written_down_as_not_delivered(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(_: PartyProcess, __: Questions, ___: Schema, count: Callable[[Opened], object], **____: object) -> None:
        with suppress(MarketplaceError):
            count(())
        raise Ended(2, Reason.SILENT, 0)

    monkeypatch.setattr(joint, "take_part", ends)
    workers = JointWorkers(party=IDLE, counter=GONE)
    workers.start(meeting, folder)
    until(lambda: not workers.running(ORDER))
    ((_, words),) = workers.told()
    assert words == f"party 2 ({address(3)}) fell silent, as party 0 says: not delivered"
    assert (folder / Name.FAILURE).read_text() == words


def test_who_ends_an_attempt_lets_go_of_no_line_on_which_its_thread_may_wait(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, closing = Line.close, []
    monkeypatch.setattr(Line, "close", lambda line: (closing.append(threading.current_thread()), close(line)))
    workers = JointWorkers(party=IDLE)
    workers.start(meeting, folder)
    until(lambda: workers._working[ORDER]._process is not None)
    workers.end(ORDER)
    assert closing
    assert threading.current_thread() not in closing


def test_an_attempt_that_is_ended_waits_for_no_process_that_counts(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "take_part", lambda *given, **_: given[3](()))
    workers = JointWorkers(party=IDLE, counter=IDLE)
    workers.start(meeting, folder)
    until(lambda: workers._working[ORDER]._count.asked)
    begun = time.monotonic()
    workers.end(ORDER)
    assert time.monotonic() - begun < 30
    assert workers.told() == ()
    assert not (folder / Name.FAILURE).exists()


def test_the_signed_transcript_is_there_before_the_outcome_that_is_sealed_with_it(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    closing = Closing(Transcript(b"t" * 32, (b"one", b"two", b"three")), 5, 6)
    monkeypatch.setattr(joint, "take_part", lambda *_, **__: Answer((), closing, 0.5))
    monkeypatch.setattr(
        joint.CountProcess, "finish", lambda *_: written.append((folder / Name.TRANSCRIPT).read_bytes())
    )
    workers = JointWorkers(party=IDLE)
    workers.start(meeting, folder)
    until(lambda: not workers.running(ORDER))
    assert workers.told() == ()
    assert JointClosing.decode(written[0]) == JointClosing(b"t" * 32, (b"one", b"two", b"three"), 500, 5)


def test_no_secret_of_a_meeting_is_shown(meeting: Meeting) -> None:
    shown = repr(replace(meeting, roster_key=b"the key of identifiers"))
    for secret in (PASSWORD, STORAGE_KEY, b"the key of identifiers"):
        assert repr(secret) not in shown


def test_a_fault_of_ours_is_told_by_its_kind_alone(
    meeting: Meeting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("hush-hush")

    monkeypatch.setattr(joint, "take_part", fault)
    workers = JointWorkers(party=IDLE)
    workers.start(meeting, folder)
    until(lambda: not workers.running(ORDER))
    ((_, words),) = workers.told()
    assert words == "expected an answer, got a fault: ZeroDivisionError; look into the order's log"
