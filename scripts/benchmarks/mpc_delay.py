"""Wires on which every byte arrives later, in a process of their own: a long way between parties on one machine."""

import contextlib
import multiprocessing
import socket
import threading
import time
from queue import SimpleQueue
from types import TracebackType

PIECE = 1 << 16
PROCESSES = multiprocessing.get_context("fork")


class Delays:
    """Wires that hold what they are given for `seconds`; none where that is 0. Ended with its block.

    Connecting itself is not delayed, TLS's greetings and all that follows are.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: list[multiprocessing.process.BaseProcess] = []

    def towards(self, port: int) -> int:
        """The port of a wire to `port` of this machine."""
        if not self._seconds:
            return port
        listener = socket.create_server(("127.0.0.1", 0))
        self._running.append(PROCESSES.Process(target=_accept, args=(listener, port, self._seconds), daemon=True))
        self._running[-1].start()
        own: int = listener.getsockname()[1]
        listener.close()
        return own

    def __enter__(self) -> "Delays":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for one in self._running:
            one.terminate()
            one.join()


def _accept(listener: socket.socket, port: int, seconds: float) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            queue: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            threading.Thread(target=_take, args=(one, queue, seconds), daemon=True).start()
            threading.Thread(target=_give, args=(other, queue), daemon=True).start()


def _take(one: socket.socket, queue: "SimpleQueue[tuple[float, bytes]]", seconds: float) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(PIECE):
            queue.put((time.monotonic() + seconds, data))
    queue.put((time.monotonic() + seconds, b""))


def _give(other: socket.socket, queue: "SimpleQueue[tuple[float, bytes]]") -> None:
    with contextlib.suppress(OSError):
        while True:
            due_s, data = queue.get()
            time.sleep(max(0.0, due_s - time.monotonic()))
            if not data:
                other.shutdown(socket.SHUT_WR)
                return
            other.sendall(data)
