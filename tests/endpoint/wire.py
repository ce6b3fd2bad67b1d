"""An endpoint over real TLS with verbs that a test makes up, and somebody who speaks to it byte by byte."""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.endpoint.exchange import Verb
from node.endpoint.limits import Limits
from node.endpoint.server import Endpoint
from node.endpoint.tls import tls_file

STORAGE_KEY = b"storage key of one node, 32 byte"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """What came back: everything, and taken apart."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    def failure(self) -> Mapping[str, Any]:
        """The failure that it says."""
        document = json.loads(self.body)
        assert set(document) == {"format", "error", "message"}
        assert document["format"] == "agora/failure/1"
        return dict(document)


@dataclass
class Wire:
    """An endpoint that listens at `port` of this machine. `notes`: what it noted."""

    port: int
    notes: list[str]

    def connect(self, source: str = HOST) -> socket.socket:
        """A connection that has said nothing yet."""
        return socket.create_connection((HOST, self.port), 120, (source, 0))

    def secure(self, plain: socket.socket | None = None) -> ssl.SSLSocket:
        """A connection over TLS that trusts whatever it is shown."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain or self.connect())

    def say(self, *pieces: bytes) -> Reply:
        """What comes back, up to its end, for these bytes."""
        with self.secure() as connection:
            for piece in pieces:
                connection.sendall(piece)
            return Reply(read_all(connection))

    def post(self, path: str, body: bytes, *headers: str) -> Reply:
        """The answer to one request."""
        lines = (f"POST {path} HTTP/1.1", "Host: node", f"Content-Length: {len(body)}", *headers, "", "")
        return self.say("\r\n".join(lines).encode() + body)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return b"".join(parts)


def is_cut(connection: socket.socket) -> bool:
    """Whether the other side ends the conversation without a word, within the connection's timeout."""
    try:
        return connection.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


@contextmanager
def wired(folder: Path, verbs: Mapping[str, Verb], limits: Limits | None = None) -> Iterator[Wire]:
    """An endpoint with these verbs for as long as the block runs."""
    tls, notes = tls_file(folder, STORAGE_KEY, HOST, datetime.now(UTC)), list[str]()
    with Endpoint(HOST, 0, tls.context(), verbs, notes.append, limits) as endpoint:
        yield Wire(endpoint.port, notes)
