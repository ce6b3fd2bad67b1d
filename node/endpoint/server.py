"""HTTPS for a few verbs, on the standard library's server, with a bound on everything that a stranger can make it do."""

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from types import TracebackType

from marketplace.errors import Invalid, Refused
from node.endpoint.exchange import Exchange, Verb
from node.endpoint.limits import Limits

_POLL_S = 0.1
_CLOSING_S = 5.0


@dataclass
class _Connection:
    """Somebody who talks to the endpoint, from where, and until when."""

    socket: socket.socket
    peer: str
    until: float


class Endpoint:
    """Serves `verbs` by name at `host` and `port` from `start` on, until `close`. `note` is told what goes wrong inside.

    Each connection brings one request, `POST /VERB` with a body of bounded length, and gets one answer. What exceeds the
    `limits` is cut off. Port 0 takes any that is free. Raises `Refused` where nothing can listen there, `Invalid` for a
    host that is none.
    """

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        verbs: Mapping[str, Verb],
        note: Callable[[str], None],
        limits: Limits | None = None,
    ) -> None:
        self._server = _listen(host, port, context, dict(verbs), note, limits or Limits())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="endpoint", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer, in threads of its own."""
        self._thread.start()

    def close(self) -> None:
        """Ends all conversations and lets go of the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end_all()
        self._server.server_close()

    def __enter__(self) -> "Endpoint":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    """A thread for each of a bounded number of connections. The TLS handshake happens in that thread."""

    request_queue_size = 64

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str, int],
        context: ssl.SSLContext,
        verbs: dict[str, Verb],
        note: Callable[[str], None],
        limits: Limits,
    ) -> None:
        self.address_family = family
        self.verbs, self.note, self.limits = verbs, note, limits
        self._context = context
        self._open: dict[int, _Connection] = {}
        self._changed = threading.Condition()
        super().__init__(address, Exchange)

    def server_bind(self) -> None:
        """As the base does, without asking anybody for this machine's name."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """Gives the connection a thread if there is room for it, and otherwise cuts it off."""
        if not self._admit(request, client_address[0]):
            return self.shutdown_request(request)
        try:
            return super().process_request(request, client_address)
        except BaseException:
            self._forget(request)
            raise

    def finish_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """One conversation, from the handshake to the answer. It is forgotten before its socket is closed."""
        try:
            request.settimeout(self.limits.request_s)
            connection = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        except BaseException:
            self._forget(request)
            raise
        with connection:
            try:
                with self._changed:
                    self._open[id(request)].socket = connection
                connection.do_handshake()
                Exchange(connection, client_address, self)
            finally:
                self._forget(request)

    def _admit(self, request: socket.socket, peer: str) -> bool:
        with self._changed:
            of_peer = sum(each.peer == peer for each in self._open.values())
            if len(self._open) >= self.limits.connections or of_peer >= self.limits.connections_of_one_peer:
                return False
            self._open[id(request)] = _Connection(request, peer, time.monotonic() + self.limits.request_s)
        return True

    def _forget(self, request: socket.socket) -> None:
        with self._changed:
            del self._open[id(request)]
            self._changed.notify_all()

    def service_actions(self) -> None:
        """Cuts off whoever takes too long."""
        with self._changed:
            now = time.monotonic()
            for each in self._open.values():
                if each.until < now:
                    _cut(each.socket)

    def extend(self, connection: socket.socket) -> None:
        """The request on `connection` came whole; from now on the time is ours."""
        until = time.monotonic() + self.limits.answer_s
        with self._changed:
            for each in self._open.values():
                if each.socket is connection:
                    each.until = until

    def end_all(self) -> None:
        """Cuts everybody off and waits, for a while, until their threads have seen it."""
        with self._changed:
            for each in self._open.values():
                _cut(each.socket)
            self._changed.wait_for(lambda: not self._open, _CLOSING_S)

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are nobody's trouble; a fault of ours is noted by its kind."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.note(f"expected a conversation over HTTPS, got a fault: {type(error).__name__}")


def _listen(
    host: str, port: int, context: ssl.SSLContext, verbs: dict[str, Verb], note: Callable[[str], None], limits: Limits
) -> _Server:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise Invalid(f"expected a host to listen at, {host!r} is none that this machine knows; set `listen`") from None
    family, _, _, _, address = found[0]
    try:
        return _Server(family, (str(address[0]), int(address[1])), context, verbs, note, limits)
    except OSError as error:
        raise Refused(
            f"expected to listen at {host} port {port}, got '{error.strerror}'; free the port, or set `listen`"
        ) from None


def _cut(connection: socket.socket) -> None:
    """Ends a conversation at the level of TCP, so that its own thread sees it and not one byte leaves in the clear."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
