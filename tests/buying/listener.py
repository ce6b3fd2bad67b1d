"""Somebody who listens for TLS, keeps what is sent, and answers as a test says, once `question` was asked."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from marketplace.protocol.descriptor import Descriptor, Place
from node.endpoint.tls import tls_file
from tests.buying.answering import STORAGE_KEY
from tests.protocol.examples import address

Talk = Callable[[ssl.SSLSocket], None]


@dataclass
class Listener:
    """`descriptor`: says where it is and what its certificate is. `heard`: what came after the handshake."""

    descriptor: Descriptor
    heard: bytearray = field(default_factory=bytearray)
    talked: threading.Event = field(default_factory=threading.Event)

    def serve(self, server: socket.socket, context: ssl.SSLContext, talk: Talk) -> None:
        """One conversation."""
        with suppress(OSError):
            plain, _ = server.accept()
            plain.settimeout(120)
            with plain, context.wrap_socket(plain, server_side=True) as connection, suppress(OSError):
                while not self.heard.endswith(b"question") and (piece := connection.recv(65_536)):
                    self.heard += piece
                talk(connection)
        self.talked.set()


@contextmanager
def listening(folder: Path, talk: Talk, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Iterator[Listener]:
    """A listener at a free port of this machine for as long as the block runs."""
    tls = tls_file(folder, STORAGE_KEY, "127.0.0.1", datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.path, password=tls.password)
    context.maximum_version = newest
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = Place("127.0.0.1", server.getsockname()[1])
        listener = Listener(Descriptor(address(1), place, tls.fingerprint))
        thread = threading.Thread(target=listener.serve, args=(server, context, talk), daemon=True)
        thread.start()
        yield listener
    thread.join(120)
