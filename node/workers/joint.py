"""Joint orders at work: for each a thread of the node between its two processes, that which counts and that which speaks."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from marketplace.errors import MarketplaceError
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.descriptor import Place
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.schema import Schema
from node.files import make_folder, write_whole
from node.mpc.crossing_process import COMMAND as CROSSING_COMMAND
from node.mpc.crossing_process import CrossingProcess, cross_part
from node.mpc.ending import Ended
from node.mpc.gate import Gate
from node.mpc.joint import Answer, Questions, take_part
from node.mpc.plan import Plan
from node.mpc.running import CLOSED_COMMAND, COMMAND, ClosedProcess, PartyProcess
from node.pool.closing import encode_closing
from node.twin.vertical import VerticalTwin
from node.workers.count_process import COUNT_CHILD, CountProcess, Integers
from node.workers.job import JointJob, Name

PARTY_FOLDER = "party"
AGAIN_S = 2.0
_PAUSE_S = 0.05


@dataclass(frozen=True)
class Meeting:
    """All that one attempt at an order needs. `parties`: who has which number. `listen`: this party's own place here.
    `roster_key`: opens identifiers, where persons are matched."""

    plan: Plan
    job: JointJob
    questions: Questions
    schema: Schema
    parties: tuple[Address, ...]
    listen: Place
    password: bytes = field(repr=False)
    storage_key: bytes = field(repr=False)
    roster_key: bytes = field(default=b"", repr=False)

    @property
    def order(self) -> OrderId:
        """The order that is answered."""
        return self.job.own.order


@dataclass
class JointWorkers:
    """Answers at most `at_once` joint orders at the same time, each in processes of its own, which other parties reach by one
    gate. `party`, `counter`: how the two processes are started; None for the lane's own.

    What ends before this party's records were asked for is tried again, with fresh keys; what ends afterwards never is.
    """

    party: Sequence[str] | None = None
    counter: Sequence[str] = COUNT_CHILD
    at_once: int = 4
    _gates: dict[Place, Gate] = field(default_factory=dict)
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _working: dict[OrderId, "_Attempt"] = field(default_factory=dict)
    _told: SimpleQueue[tuple[OrderId, str]] = field(default_factory=SimpleQueue)

    def has_place(self, order: OrderId) -> bool:
        """Whether `order` can be begun now. After an attempt at it others come first, for a while."""
        busy, last = sum(one.is_alive() for one in self._working.values()), self._working.get(order)
        return busy < self.at_once and (last is None or time.monotonic() >= last.ended_at + AGAIN_S)

    def start(self, meeting: Meeting, folder: Path) -> None:
        """Begins, or begins again. `folder`: the order's own, with its documents."""
        attempt = _Attempt(meeting, folder, self.party, self.counter, self._gate, self._tell)
        self._working[meeting.order] = attempt
        attempt.start()

    def tried(self, order: OrderId) -> bool:
        """Whether the order was begun since this node was started."""
        return order in self._working

    def running(self, order: OrderId) -> bool:
        """Whether the order is worked on."""
        attempt = self._working.get(order)
        return attempt is not None and attempt.is_alive()

    def end(self, order: OrderId) -> None:
        """Ends what runs on the order."""
        attempt = self._working.pop(order, None)
        if attempt is not None:
            attempt.end()

    def stop(self) -> None:
        """Ends all that runs, and lets go of the gate."""
        for order in tuple(self._working):
            self.end(order)
        for gate in self._gates.values():
            gate.close()
        self._gates.clear()

    def told(self) -> tuple[tuple[OrderId, str], ...]:
        """What attempts said of their end since this was last asked, for the provider."""
        found = []
        with suppress(Empty):
            while True:
                found.append(self._told.get_nowait())
        return tuple(found)

    def _gate(self, place: Place) -> Gate:
        """The gate at this place, opened when it is first asked for. Raises `Refused` where none can be."""
        with self._opening:
            if place not in self._gates:
                self._gates[place] = Gate.at(place.host, place.port)
            return self._gates[place]

    def _tell(self, order: OrderId, words: str) -> None:
        self._told.put((order, words))


class _Attempt(threading.Thread):
    """One attempt at an order."""

    def __init__(
        self,
        meeting: Meeting,
        folder: Path,
        party: Sequence[str] | None,
        counter: Sequence[str],
        gate: Callable[[Place], Gate],
        tell: Callable[[OrderId, str], None],
    ) -> None:
        super().__init__(daemon=True)
        self._meeting, self._folder, self._party = meeting, folder, party
        self._gate, self._tell = gate, tell
        keys = meeting.storage_key, counter, meeting.roster_key
        self._count = CountProcess(meeting.job, meeting.questions, meeting.schema, folder, *keys)
        self._process: PartyProcess | None = None
        self._ended = threading.Event()
        self.ended_at = 0.0

    def run(self) -> None:
        """Takes part, and leaves the outcome or, once records were asked for, the reason of the failure in the folder."""
        try:
            with self._count:
                answer = self._answer()
                write_whole(self._folder / Name.TRANSCRIPT, encode_closing(answer))
                self._count.finish(answer.opened)
        except MarketplaceError as error:
            self._fail(self._words(error))
        except Exception as error:  # noqa: BLE001 -- whatever it is, this provider learns that there was a fault
            self._fail(f"expected an answer, got a fault: {type(error).__name__}; look into the order's log")
        finally:
            self.ended_at = time.monotonic()

    def end(self) -> None:
        """Ends both processes, also those that are only being started, and waits for the thread, which alone lets go of lines:
        an open file's number is given anew at once, and who still waits on it would wait on another file."""
        self._ended.set()
        while self.is_alive():
            for process in (self._count, self._process):
                if process is not None:
                    process.kill()
            self.join(_PAUSE_S)

    def _answer(self) -> Answer:
        meeting, folder = self._meeting, self._folder / PARTY_FOLDER
        make_folder(folder)
        with self._gate(meeting.listen).expecting(meeting.order) as arrivals:
            self._process = _process(meeting, folder, arrivals, self._party)
            with self._process:
                questions, schema, count = meeting.questions, meeting.schema, self._count
                if isinstance(questions, VerticalTwin) and isinstance(self._process, CrossingProcess):
                    return cross_part(self._process, questions, partial(self._cross, questions))
                return take_part(self._process, questions, schema, count.count, agree=count.agree)

    def _cross(self, twin: VerticalTwin, opened: Opened, agreed: bytes) -> tuple[Integers, Integers]:
        """This party's marks and noise of the round after `opened`, from the process that counts."""
        crossing = twin.crossing(opened)
        assert crossing is not None
        if not opened:
            self._count.agree(agreed)
        return self._count.cross(crossing, twin.split.sides[self._meeting.plan.own], opened)

    def _fail(self, words: str) -> None:
        if self._ended.is_set():
            return
        if self._count.asked:
            with suppress(MarketplaceError):
                write_whole(self._folder / Name.FAILURE, words.encode())
        self._tell(self._meeting.order, words)

    def _words(self, error: MarketplaceError) -> str:
        """What happened, for this provider: the party that is named, by its address."""
        if not isinstance(error, Ended):
            return str(error)
        named = self._meeting.parties[error.party]
        again = "not delivered" if self._count.asked else "it is tried again, no record was asked for"
        return f"party {error.party} ({named}) {error.reason.words}, as party {error.by} says: {again}"


def _process(meeting: Meeting, folder: Path, arrivals: socket.socket, command: Sequence[str] | None) -> PartyProcess:
    """The process that speaks to the other parties, in the lane that the order takes."""
    plan, questions = meeting.plan, meeting.questions
    if isinstance(questions, ClosedSpecification):
        openings = questions.openings(meeting.schema)
        return ClosedProcess(plan, folder, meeting.password, arrivals, openings, command or CLOSED_COMMAND)
    if isinstance(questions, VerticalTwin):
        return CrossingProcess(plan, folder, meeting.password, arrivals, command or CROSSING_COMMAND)
    return PartyProcess(plan, folder, meeting.password, arrivals, command or COMMAND)
