"""One party's conversation with all others: who of them fails is named, and everybody is told."""

import contextlib
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from queue import Full, Queue

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from numpy.typing import NDArray

from node.mpc.ending import Ended, Reason
from node.mpc.frames import Aborted, Kind, Line, Rubbish
from node.mpc.plan import Plan
from node.mpc.transcript import LARGEST_SIGNATURE, Transcript, is_signed, sign

GRACE_S = 5.0
"""How long who ends badly goes on to say so, and to hear why another did: enough on a busy machine."""
_POLL_S = 0.05
_ABORT = struct.Struct(">BB")
_WAITING_MESSAGES = 2

Integers = NDArray[np.int64]


class Sender:
    """A line that is only sent on, by a thread of its own, so that nobody waits for a slow reader."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.failure: OSError | None = None
        self._queue: Queue[tuple[Kind, bytes | memoryview] | None] = Queue(_WAITING_MESSAGES)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def send(self, kind: Kind, payload: bytes | memoryview) -> None:
        """Hands a message over, which must not change from now on. Raises `OSError` where the line has failed."""
        while True:
            if self.failure is not None:
                raise self.failure
            with contextlib.suppress(Full):
                return self._queue.put((kind, payload), timeout=_POLL_S)

    def say_waiting(self) -> None:
        """Says that this party waits for somebody in vain, to a reader that has not too much to read yet."""
        with contextlib.suppress(Full):
            self._queue.put_nowait((Kind.WAITING, b""))

    def end(self, payload: bytes | None, within_s: float) -> None:
        """Sends the last messages, an abort with `payload` among them if there is one, and lets go after `within_s`."""
        until = time.monotonic() + within_s
        last = [] if payload is None else [(Kind.ABORT, payload)]
        with contextlib.suppress(Full):
            for item in (*last, None):
                self._queue.put(item, timeout=within_s if self.failure is None else 0.0)
        self._thread.join(max(0.0, until - time.monotonic()))
        self.line.close()

    def _work(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self.line.send(*item)
        except OSError as error:
            self.failure = error


class Conversation(ABC):
    """What one party and the others say to each other for one order, once everybody is connected.

    `sending`, `hearing`: lines by party. `agreed`: what all know and nobody else, for this order and this process alone, once
    they have greeted each other; empty in the lane that needs none. Its methods raise `Ended`, which names a party; nothing
    can be asked of it afterwards but `abort`.
    """

    def __init__(
        self, plan: Plan, key: EllipticCurvePrivateKey, sending: dict[int, Line], hearing: dict[int, Line]
    ) -> None:
        self._plan, self._key = plan, key
        self._grace_s = min(GRACE_S, plan.limits.stall_s / 2)
        self._senders = {number: Sender(line) for number, line in sending.items()}
        self._hearing = hearing
        self.agreed = b""

    @abstractmethod
    def greet(self) -> None:
        """Agrees with each other party on what is secret between the two. To be done first."""

    @abstractmethod
    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """Computes with all others what this party's node has asked for.

        `read`: the next so many of this party's numbers, shape (count,). `write`: takes as many that are opened, in order.
        """

    @abstractmethod
    def finish(self) -> Transcript:
        """The transcript with everybody's signature; and everybody has this party's."""

    @property
    def moved_bytes(self) -> int:
        """How many bytes this party has sent and heard, TLS not counted."""
        return sum(one.line.moved_bytes for one in self._senders.values()) + sum(
            one.moved_bytes for one in self._hearing.values()
        )

    def abort(self, ended: Ended) -> None:
        """Tells all others whom this party names, as far as they still listen, and lets go of the lines."""
        self._end(_ABORT.pack(ended.party, ended.reason), self._grace_s)

    def _sign_off(self, digest: bytes) -> Transcript:
        """The transcript of this digest with everybody's signature; and everybody has this party's."""
        own = sign(self._key, self._plan, digest)
        self._tell(Kind.TRANSCRIPT, own)
        signatures = []
        for number, peer in enumerate(self._plan.peers):
            signature = own if number == self._plan.own else self._hear(number, Kind.TRANSCRIPT, LARGEST_SIGNATURE)
            if not is_signed(peer.key, self._plan, number, digest, signature):
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            signatures.append(signature)
        self._end(None, self._plan.limits.stall_s)
        return Transcript(digest, tuple(signatures))

    def _end(self, payload: bytes | None, within_s: float) -> None:
        threads = [threading.Thread(target=one.end, args=(payload, within_s)) for one in self._senders.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _tell(self, kind: Kind, payload: bytes | memoryview) -> None:
        for number in self._senders:
            self._tell_one(number, kind, payload)

    def _tell_one(self, number: int, kind: Kind, payload: bytes | memoryview) -> None:
        try:
            self._senders[number].send(kind, payload)
        except OSError as error:
            raise self._named(number, error) from None

    def _hear(self, number: int, kind: Kind, most: int) -> bytes:
        try:
            return self._hearing[number].receive(kind, most)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._named(number, error) from None

    def _hear_values(self, number: int, heard: NDArray[np.uint64]) -> None:
        try:
            self._hearing[number].receive_values(heard)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._named(number, error) from None

    def _named(self, number: int, error: Exception) -> Ended:
        """Who ended it: the party that a line failed at, unless that one says in time that it ended because of another.

        All others are told at once that this one waits: who waits for it in turn then hears it out.
        """
        if isinstance(error, Aborted):
            return self._on_its_word(number, error.payload)
        if isinstance(error, Rubbish):
            return Ended(number, Reason.RUBBISH, self._plan.own)
        if not isinstance(error, EOFError):
            for sender in self._senders.values():
                sender.say_waiting()
            with contextlib.suppress(OSError, EOFError, Rubbish):
                try:
                    self._hearing[number].skip_to_abort(self._grace_s)
                except Aborted as aborted:
                    return self._on_its_word(number, aborted.payload)
        reason = Reason.SILENT if isinstance(error, TimeoutError) else Reason.CUT_OFF
        return Ended(number, reason, self._plan.own)

    def _on_its_word(self, number: int, payload: bytes) -> Ended:
        try:
            party, reason = _ABORT.unpack(payload)
            if party < len(self._plan.peers):
                return Ended(party, Reason(reason), number)
        except (struct.error, ValueError):
            pass
        return Ended(number, Reason.RUBBISH, self._plan.own)
