"""One request over HTTP and its answer: a verb, a JSON body of bounded length, a JSON document back."""

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Any, Protocol

from marketplace.errors import Invalid, MarketplaceError, Unreachable
from marketplace.protocol.failure import encode_failure
from node.endpoint.limits import Limits

Verb = Callable[[bytes], bytes]
"""Answers a request's body with a document, or raises a `MarketplaceError` whose message the other side may read."""

_LINGER_BYTES = 65_536
_OUR_STATUS = {
    HTTPStatus.NOT_IMPLEMENTED: HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: HTTPStatus.BAD_REQUEST,
}


class Desk(Protocol):
    """The server behind an exchange."""

    verbs: Mapping[str, Verb]
    limits: Limits

    def note(self, text: str) -> None:
        """Tells the provider what went wrong inside."""

    def extend(self, connection: socket.socket) -> None:
        """The request came whole; from now on the time is ours."""


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer, after which the connection ends."""

    protocol_version = "HTTP/1.1"
    request_version = protocol_version
    requestline = ""
    command = ""
    server: Any

    def setup(self) -> None:
        super().setup()
        self._desk: Desk = self.server
        self._body = self.rfile
        self.rfile = _Head(self.rfile, self._desk.limits.head_bytes)  # type: ignore[assignment]

    def handle(self) -> None:
        """One request, whatever it says about the connection."""
        try:
            self.handle_one_request()
        except HTTPException:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def do_POST(self) -> None:
        """Hands the body to the verb that the path names."""
        size, status = self._size()
        if status is not None:
            return self.send_error(status)
        body = self._body.read(size)
        if len(body) < size:
            return None
        verb = self._desk.verbs.get(self.path.removeprefix("/")) if self.path.startswith("/") else None
        if verb is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        self._desk.extend(self.connection)
        return self._send(*self._answer(verb, body))

    def _size(self) -> tuple[int, HTTPStatus | None]:
        """How long the body is, or why it is not read."""
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or "Transfer-Encoding" in self.headers:
            return 0, HTTPStatus.LENGTH_REQUIRED
        if not lengths[0].isascii() or not lengths[0].isdigit() or len(lengths[0]) > 18:
            return 0, HTTPStatus.BAD_REQUEST
        too_large = int(lengths[0]) > self._desk.limits.body_bytes
        return int(lengths[0]), HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else None

    def _answer(self, verb: Verb, body: bytes) -> tuple[int, bytes]:
        try:
            return HTTPStatus.OK, verb(body)
        except MarketplaceError as error:
            return error.http_status, encode_failure(error)
        except Exception as error:  # noqa: BLE001 -- a fault of ours says nothing to strangers but that it is one
            self._desk.note(f"expected an answer to {self.path}, got a fault: {type(error).__name__}")
            silent = Unreachable("expected an answer from this node, it cannot give one now; try again later")
            return silent.http_status, encode_failure(silent)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that reaches no verb. What `message` says came from outside and is not repeated."""
        status = _OUR_STATUS.get(HTTPStatus(code), HTTPStatus(code))
        verbs = " or ".join(f"POST /{name}" for name in self._desk.verbs)
        error = Invalid(f"expected {verbs} with a short JSON body, got what HTTP calls {status.phrase!r}; ask so")
        self.request_version = self.protocol_version
        self._send(status, encode_failure(error))
        self._linger()

    def _linger(self) -> None:
        """Takes in, for a while, what was sent and is not read: cut off at once, the other side would lose the answer."""
        left_bytes = _LINGER_BYTES
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_WR)
            while left_bytes > 0 and (piece := socket.socket.recv(self.connection, left_bytes)):
                left_bytes -= len(piece)

    def _send(self, status: int, document: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(document)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(document)

    def version_string(self) -> str:
        """Who answers, and nothing about what it runs on."""
        return "agora-node"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing that strangers send is written anywhere."""


class _Head:
    """Hands out the lines of a request's head while they fit into `left_bytes`; then raises `HTTPException`."""

    def __init__(self, source: BufferedIOBase, left_bytes: int) -> None:
        self._source = source
        self._left_bytes = left_bytes

    def readline(self, most_bytes: int = -1) -> bytes:
        """The next line."""
        wanted = self._left_bytes + 1 if most_bytes < 0 else min(most_bytes, self._left_bytes + 1)
        line = self._source.readline(wanted)
        self._left_bytes -= len(line)
        if self._left_bytes < 0:
            raise HTTPException("a request's head is longer than this server reads")
        return line

    def close(self) -> None:
        """Lets go of the connection."""
        self._source.close()
