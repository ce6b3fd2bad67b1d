"""Asking a provider's node over HTTPS. Who answers is known by the TLS certificate that the ledger names, and by nothing
else: no authority is trusted, and nothing is sent to anybody with another certificate."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead

from marketplace.buying.listing import read_document
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, MarketplaceError, Unreachable
from marketplace.protocol.descriptor import Described, Descriptor
from marketplace.protocol.failure import decode_failure
from marketplace.protocol.identity import Address

LARGEST_ANSWER_BYTES = 2**16
PATIENCE_S = 90.0
CONNECT_S = 10.0
_AGAIN_S = 0.5
_MOST_DIGITS = 18


def read_descriptor(described: Described, provider: Address, store: ContentStore) -> Descriptor:
    """The descriptor that the ledger names for `provider`.

    Raises `Corrupt` if it is another's or has another certificate than the ledger says, and as the store does.
    """
    descriptor = Descriptor.decode(read_document(store, described.descriptor))
    if descriptor.provider != provider or descriptor.certificate != described.certificate:
        raise Corrupt("expected the provider's own descriptor with the certificate on the ledger, got another; ask it")
    return descriptor


def ask(descriptor: Descriptor, verb: str, body: bytes, patience_s: float = PATIENCE_S) -> bytes:
    """What the node answers to `POST /verb`. `patience_s`: how long it may take in all.

    Raises what the node says went wrong, `Corrupt` if somebody with another certificate answers, to whom nothing is sent,
    or if the answer is none, and `Unreachable` if none comes.
    """
    connection = _PinnedConnection(descriptor)
    try:
        with _at_most(connection, patience_s):
            connection.connect()
            connection.request("POST", f"/{verb}", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, answer = response.status, _whole(response)
    except (OSError, HTTPException):  # TLS errors are OSErrors
        raise Unreachable(f"expected an answer from {descriptor.url}, got none; try again, or later") from None
    finally:
        connection.close()
    if status != 200:
        raise _failure(answer, status, descriptor)
    return answer


class _PinnedConnection(HTTPConnection):
    """A connection over TLS 1.3 to whoever proves to have the descriptor's certificate."""

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__(descriptor.endpoint.host, descriptor.endpoint.port)
        self._descriptor = descriptor

    def connect(self) -> None:
        """Raises `Corrupt`, having sent nothing but the handshake, if the certificate is another."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection((self.host, self.port), CONNECT_S)
        self.sock = secure = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        secure.do_handshake()
        shown = secure.getpeercert(binary_form=True) or b""
        if sha256(shown).digest() != self._descriptor.certificate:
            raise Corrupt(
                f"expected the certificate on the ledger at {self._descriptor.url}, got another, so nothing was sent; "
                "ask the provider whether it has described its node anew"
            )
        secure.settimeout(PATIENCE_S)


@contextmanager
def _at_most(connection: HTTPConnection, patience_s: float) -> Iterator[None]:
    """Ends the conversation after `patience_s`, however slowly the other side goes on."""
    done = threading.Event()

    def watch() -> None:
        pause_s = patience_s
        while not done.wait(pause_s):
            pause_s = _AGAIN_S
            if connection.sock is not None:
                with suppress(OSError):
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _whole(response: HTTPResponse) -> bytes:
    """The answer's body. Raises `Corrupt` if it is longer than any answer, `IncompleteRead` if it breaks off."""
    declared = response.getheader("Content-Length", "")
    if not declared.isascii() or not declared.isdigit():
        raise IncompleteRead(b"")
    if len(declared) > _MOST_DIGITS or int(declared) > LARGEST_ANSWER_BYTES:
        raise Corrupt(f"expected an answer of at most {LARGEST_ANSWER_BYTES} bytes, got more; ask whose node answered")
    answer = response.read(int(declared))
    if len(answer) < int(declared):
        raise IncompleteRead(b"")
    return answer


def _failure(answer: bytes, status: int, descriptor: Descriptor) -> MarketplaceError:
    """What the node says went wrong, in its words."""
    try:
        said = decode_failure(answer)
    except Corrupt:
        return Corrupt(f"expected an answer or a reason from {descriptor.url}, got HTTP {status}; ask its provider")
    return type(said)(f"the node said: {said}")
