"""Typed messages of limited length on one connection, each awaited until a deadline. Nothing else is ever understood."""

import contextlib
import socket
import struct
import time
from enum import IntEnum
from typing import Any

from numpy.typing import NDArray

HEAD = struct.Struct(">BI")
LARGEST_TEXT = 1 << 16
PIECE_VALUES = 1 << 17
VALUE_BYTES = 8


class Kind(IntEnum):
    """What a message is. The first five and the last five pass between parties, the others between a party and
    its own node."""

    HELLO = 1
    OPENING = 2
    VALUES = 3
    TRANSCRIPT = 4
    ABORT = 5
    PLAN = 6
    PASSWORD = 7
    READY = 8
    SUM = 9
    DONE = 10
    FAILED = 11
    SHARES = 12
    STILL = 13
    STATEMENT = 14
    ORDER = 15
    WAITING = 16


class Rubbish(Exception):
    """What came is no message, or not the one that is due."""


class Aborted(Exception):
    """The other side says that the analysis ends, and why, in its payload."""

    def __init__(self, payload: bytes) -> None:
        super().__init__("aborted")
        self.payload = payload


class Line:
    """Messages on `connection`, a stream socket, plain or TLS. Nothing is awaited longer than `stall_s` or beyond `until`.

    `until`: of `time.monotonic`. Used by one thread at a time. Every method raises `TimeoutError` for silence, `OSError`
    or `EOFError` where the connection is gone, `Rubbish` and `Aborted` for what came instead of the message that is due.
    """

    def __init__(self, connection: socket.socket, stall_s: float, until: float) -> None:
        self._connection = connection
        self._stall_s = stall_s
        self._until = until
        self.moved_bytes = 0

    def send(self, kind: Kind, payload: bytes | memoryview = b"") -> None:
        """Sends one message."""
        for part in (HEAD.pack(kind, len(payload)), payload):
            self._wait()
            self._connection.sendall(part)
            self.moved_bytes += len(part)

    def receive(self, kind: Kind, most: int = LARGEST_TEXT) -> bytes:
        """The payload of the message that is due, of at most `most` bytes."""
        payload = bytearray(self._due(kind, most))
        self._fill(memoryview(payload))
        return bytes(payload)

    def receive_either(self, kind: Kind, other: Kind, most: int) -> tuple[Kind, bytes]:
        """The message that comes, of the first kind and at most `most` bytes, or of the `other` and empty."""
        head = self._next()
        payload = bytearray(self._fits(head, other, 0) if head[0] == other else self._fits(head, kind, most))
        self._fill(memoryview(payload))
        return Kind(head[0]), bytes(payload)

    def receive_values(self, into: NDArray[Any]) -> None:
        """Fills the contiguous array `into` with the bytes of a message of values of exactly its length."""
        view = into.data.cast("B")
        if self._due(Kind.VALUES, len(view)) != len(view):
            raise Rubbish
        self._fill(view)

    def skip_to_abort(self, within_s: float) -> None:
        """Reads on, whatever comes, until the other side says why it ends, for `within_s` at most, and where it says that it
        waits for somebody itself, for twice as long from then on: by then it knows for whom in vain."""
        self._listen_for(within_s)
        waits = False
        while True:
            came, length = self._head()
            if came == Kind.WAITING and not waits:
                waits = True
                self._listen_for(2 * within_s)
            if length > VALUE_BYTES * PIECE_VALUES:
                raise Rubbish
            payload = bytearray(length)
            self._fill(memoryview(payload))
            if came == Kind.ABORT:
                raise Aborted(bytes(payload))

    def close(self) -> None:
        """Lets go of the connection."""
        with contextlib.suppress(OSError):
            self._connection.close()

    def _listen_for(self, within_s: float) -> None:
        self._stall_s, self._until = within_s, time.monotonic() + within_s

    def _due(self, kind: Kind, most: int) -> int:
        return self._fits(self._next(), kind, most)

    def _next(self) -> tuple[int, int]:
        """The head of what comes, but of who says that it waits: it says why as soon as it knows."""
        head = self._head()
        return self._head() if head == (Kind.WAITING, 0) else head

    def _head(self) -> tuple[int, int]:
        head = bytearray(HEAD.size)
        self._fill(memoryview(head))
        came, length = HEAD.unpack(head)
        return came, length

    def _fits(self, head: tuple[int, int], kind: Kind, most: int) -> int:
        came, length = head
        if came in (Kind.ABORT, Kind.FAILED) and came != kind and length <= LARGEST_TEXT:
            payload = bytearray(length)
            self._fill(memoryview(payload))
            raise Aborted(bytes(payload))
        if came != kind or length > most:
            raise Rubbish
        self.moved_bytes += HEAD.size + length
        return length

    def _fill(self, view: memoryview) -> None:
        while view:
            self._wait()
            count = self._connection.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(self._stall_s, left))
