"""Sums modulo 2^64 over all parties: each sends its numbers masked to all others, and the masks cancel in the sum."""

import contextlib
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Full, Queue

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES, Aborted, Kind, Line, Rubbish
from node.mpc.masks import KEY_BYTES, Pair, Spent, Tensor, Words
from node.mpc.plan import Plan
from node.mpc.transcript import LARGEST_SIGNATURE, Recording, Transcript, is_signed, sign

GRACE_S = 2.0
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


class Summing:
    """One party's part in one order's sums, once everybody is connected.

    `sending`, `hearing`: lines by party. `folder`: the order's own, where used masks are written down. Its methods raise
    `Ended`, which names a party; nothing can be asked of it afterwards but `abort`.
    """

    def __init__(
        self,
        plan: Plan,
        key: EllipticCurvePrivateKey,
        folder: Path,
        sending: dict[int, Line],
        hearing: dict[int, Line],
    ) -> None:
        self._plan, self._key = plan, key
        self._grace_s = min(GRACE_S, plan.limits.stall_s / 2)
        self._spent = Spent(folder)
        self._senders = {number: Sender(line) for number, line in sending.items()}
        self._hearing = hearing
        self._pairs: dict[int, Pair] = {}
        self._recording = Recording(plan, [])

    @property
    def moved_bytes(self) -> int:
        """How many bytes this party has sent and heard, TLS not counted."""
        return sum(one.line.moved_bytes for one in self._senders.values()) + sum(
            one.moved_bytes for one in self._hearing.values()
        )

    def greet(self) -> None:
        """Agrees with each other party on a key made for this order and this process alone. To be done first."""
        private = X25519PrivateKey.generate()
        publics = self._exchange_keys(private.public_key().public_bytes_raw())
        self._pairs = {number: self._pair(private, publics[number], number) for number in self._plan.others}
        self._recording = Recording(self._plan, publics)

    def sum(self, tensor: Tensor, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """The sums of all parties' numbers, piece by piece.

        `read`: the next so many of this party's numbers, shape (count,). `write`: takes as many sums, in order. The true
        sums lie in [-2^63, 2^63), which the bounds of `Statistic` see to.
        """
        opening = tensor.encode()
        self._tell(Kind.OPENING, opening)
        for number in self._plan.others:
            if self._hear(number, Kind.OPENING, len(opening)) != opening:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
        self._recording.open(tensor)
        self._spent.spend(list(self._pairs.values()), tensor)
        streams = [(np.add if pair.adds else np.subtract, pair.stream(tensor)) for pair in self._pairs.values()]
        heard = np.empty(PIECE_VALUES, np.uint64)
        for start in range(0, tensor.cells, PIECE_VALUES):
            count = min(PIECE_VALUES, tensor.cells - start)
            masked: Words = read(count).astype(np.uint64)
            for combine, stream in streams:
                combine(masked, stream.words(count), out=masked)
            write(self._exchange(masked, heard[:count]).view(np.int64))

    def finish(self) -> Transcript:
        """The transcript with everybody's signature; and everybody has this party's."""
        digest = self._recording.digest()
        own = sign(self._key, self._plan, digest)
        self._tell(Kind.TRANSCRIPT, own)
        signatures = []
        for number, peer in enumerate(self._plan.peers):
            signature = own if number == self._plan.own else self._hear(number, Kind.TRANSCRIPT, LARGEST_SIGNATURE)
            if not is_signed(peer.key, self._plan, number, digest, signature):
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            signatures.append(signature)
        self._end(None)
        return Transcript(digest, tuple(signatures))

    def abort(self, ended: Ended) -> None:
        """Tells all others whom this party names, as far as they still listen, and lets go of the lines."""
        self._end(_ABORT.pack(ended.party, ended.reason))

    def _end(self, payload: bytes | None) -> None:
        threads = [threading.Thread(target=one.end, args=(payload, self._grace_s)) for one in self._senders.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _exchange_keys(self, public: bytes) -> list[bytes]:
        context = self._plan.context
        self._tell(Kind.HELLO, context + public)
        publics = [public] * len(self._plan.peers)
        for number in self._plan.others:
            came = self._hear(number, Kind.HELLO, len(context) + KEY_BYTES)
            if came[: len(context)] != context:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            publics[number] = came[len(context) :]
        return publics

    def _pair(self, private: X25519PrivateKey, public: bytes, number: int) -> Pair:
        try:
            return Pair(private, public, self._plan.own, number, self._plan.context)
        except ValueError:
            raise Ended(number, Reason.RUBBISH, self._plan.own) from None

    def _exchange(self, masked: Words, heard: Words) -> Words:
        payload = masked.astype("<u8", copy=False).data.cast("B")
        self._recording.hear(self._plan.own, payload)
        self._tell(Kind.VALUES, payload)
        total = masked
        for number in self._plan.others:
            self._hear_values(number, heard)
            self._recording.hear(number, heard.data.cast("B"))
            total = total + heard
        return total

    def _tell(self, kind: Kind, payload: bytes | memoryview) -> None:
        for number, sender in self._senders.items():
            try:
                sender.send(kind, payload)
            except OSError as error:
                raise self._named(number, error) from None

    def _hear(self, number: int, kind: Kind, most: int) -> bytes:
        try:
            return self._hearing[number].receive(kind, most)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._named(number, error) from None

    def _hear_values(self, number: int, heard: Words) -> None:
        try:
            self._hearing[number].receive_values(heard)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._named(number, error) from None

    def _named(self, number: int, error: Exception) -> Ended:
        """Who ended it: the party that a line failed at, unless that one says in time that it ended because of another."""
        if isinstance(error, Aborted):
            return self._on_its_word(number, error.payload)
        if isinstance(error, Rubbish):
            return Ended(number, Reason.RUBBISH, self._plan.own)
        if not isinstance(error, EOFError):
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
