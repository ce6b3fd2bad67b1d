"""Where other parties reach a node: whoever connects says first for which order, and is handed to that order's process."""

import contextlib
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.errors import Refused
from node.mpc.frames import HEAD, Kind

ORDER_BYTES = 32
NAMING_S = 10.0
MOST_UNNAMED = 64
_HEAD = HEAD.pack(Kind.ORDER, ORDER_BYTES)
_PAUSE_S = 0.05


def naming(order: bytes) -> bytes:
    """What a party says in the clear, before TLS begins, to be handed to `order`, 32 bytes that stand on the ledger."""
    return _HEAD + order


@dataclass
class _Stranger:
    """Who has connected and not yet said for which order. `until`: of `time.monotonic`."""

    host: str
    until: float
    said: bytearray = field(default_factory=bytearray)


class Gate:
    """Serves `listener` in a thread of its own, until it is closed.

    Nobody is told anything: who says something else than an order that is expected now, or nothing for `NAMING_S`, is cut
    off. Of more than `MOST_UNNAMED` at a time, the host that has most loses its oldest. Nobody's process is waited for.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._expected: dict[bytes, socket.socket] = {}
        self._unnamed: dict[socket.socket, _Stranger] = {}
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        listener.setblocking(False)
        for one in (listener, self._woken):
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._work, name="gate", daemon=True)
        self._thread.start()

    @classmethod
    def at(cls, host: str, port: int) -> "Gate":
        """A gate at this place. Raises `Refused` where none can be."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            return cls(socket.create_server((host, port), family=family))
        except OSError as error:
            raise Refused(
                f"expected to listen for other parties at {host} port {port}, got '{error.strerror}'; free it, or set "
                "party_listen"
            ) from None

    @contextlib.contextmanager
    def expecting(self, order: bytes) -> Iterator[socket.socket]:
        """The socket out of which connections for `order` come, a message with a file descriptor for each (`arrival`)."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with ours, its:
            with self._lock:
                self._expected[order] = ours
            try:
                yield its
            finally:
                with self._lock:
                    if self._expected.get(order) is ours:
                        del self._expected[order]

    def close(self) -> None:
        """Lets go of the place and of everybody who waits there."""
        self._wake.close()
        self._thread.join()
        for one in (self._listener, self._woken, *self._unnamed):
            one.close()
        self._selector.close()

    def _work(self) -> None:
        while True:
            for key, _ in self._selector.select(_PAUSE_S if self._unnamed else None):
                if key.fileobj is self._woken:
                    return
                if key.fileobj is self._listener:
                    self._let_in()
                elif key.fileobj in self._unnamed:
                    self._hear(key.fileobj)
            now = time.monotonic()
            for late in [one for one, stranger in self._unnamed.items() if stranger.until < now]:
                self._cut_off(late)

    def _let_in(self) -> None:
        try:
            connection, address = self._listener.accept()
        except OSError:  # it is gone again, or there are no more file descriptors
            return time.sleep(_PAUSE_S)
        if len(self._unnamed) >= MOST_UNNAMED:
            self._cut_off(self._least_welcome())
        connection.setblocking(False)
        self._unnamed[connection] = _Stranger(address[0], time.monotonic() + NAMING_S)
        self._selector.register(connection, selectors.EVENT_READ)
        return None

    def _least_welcome(self) -> socket.socket:
        ((host, _),) = Counter(stranger.host for stranger in self._unnamed.values()).most_common(1)
        return next(one for one, stranger in self._unnamed.items() if stranger.host == host)

    def _hear(self, connection: socket.socket) -> None:
        said = self._unnamed[connection].said
        try:
            came = connection.recv(len(_HEAD) + ORDER_BYTES - len(said))
        except BlockingIOError:
            return
        except OSError:
            came = b""
        said += came
        if not came or not _HEAD.startswith(said[: len(_HEAD)]):
            self._cut_off(connection)
        elif len(said) == len(_HEAD) + ORDER_BYTES:
            self._hand_over(connection, bytes(said[len(_HEAD) :]))
            self._cut_off(connection)

    def _hand_over(self, connection: socket.socket, order: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):  # its process is gone, or does not take what came before
            if order in self._expected:
                socket.send_fds(self._expected[order], [b"\0"], [connection.fileno()])

    def _cut_off(self, connection: socket.socket) -> None:
        """Lets go of it; who has it by now keeps it."""
        self._selector.unregister(connection)
        del self._unnamed[connection]
        connection.close()


def arrival(arrivals: socket.socket) -> socket.socket:
    """The next connection that a gate hands over. Raises `OSError` once none will come."""
    while True:
        came, found, _, _ = socket.recv_fds(arrivals, 1, 1)
        if not came:
            raise ConnectionAbortedError
        if found:
            return socket.socket(fileno=found[0])
