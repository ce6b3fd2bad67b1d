"""Mutual TLS between parties: whoever shows a certificate is the party of that certificate, whatever it says of itself."""

import contextlib
import socket
import ssl
import threading
import time
from hashlib import sha256
from queue import Empty, SimpleQueue

from node.mpc.ending import Ended, Reason
from node.mpc.frames import Line
from node.mpc.gate import arrival, naming
from node.mpc.plan import Plan

HANDSHAKE_S = 10.0
MOST_STRANGERS = 32
RETRY_S = 0.05


class Network:
    """The connections of one party: to each other party one that it only sends on, from each one that it only hears.

    `arrivals`: where connections for this order come out of the node's gate. `until`: of `time.monotonic`.
    """

    def __init__(self, plan: Plan, password: bytes, arrivals: socket.socket, until: float) -> None:
        self._plan, self._until, self._arrivals = plan, until, arrivals
        self._join_until = min(until, time.monotonic() + plan.limits.join_s)
        self._number = {peer.fingerprint: number for number, peer in enumerate(plan.peers) if number != plan.own}
        self._server = _context(ssl.PROTOCOL_TLS_SERVER, plan, password, plan.others)
        self._server.num_tickets = 0
        self._clients = {n: _context(ssl.PROTOCOL_TLS_CLIENT, plan, password, (n,)) for n in plan.others}
        self._came: SimpleQueue[tuple[int, ssl.SSLSocket]] = SimpleQueue()
        self._first: dict[int, ssl.SSLSocket] = {}
        self._strangers: list[ssl.SSLSocket] = []
        self._change = threading.Lock()

    def connect(self) -> tuple[dict[int, Line], dict[int, Line]]:
        """Lines to send on and lines to hear, by party. Raises `Ended` naming a party that was not reached in time.

        Strangers, and parties that come a second time, are shown the door and end nothing. Of too many that have not said who
        they are, the one that came first goes, so that keeping every place takes more than keeping still.
        """
        threading.Thread(target=self._welcome, daemon=True).start()
        sending = {number: self._line(self._reach(number)) for number in self._plan.others}
        hearing: dict[int, Line] = {}
        while missing := set(self._plan.others) - set(hearing):
            try:
                number, connection = self._came.get(timeout=max(0.0, self._join_until - time.monotonic()))
            except Empty:
                raise self._ended(min(missing)) from None
            hearing[number] = self._line(connection)
        self._arrivals.shutdown(socket.SHUT_RDWR)
        return sending, hearing

    def _line(self, connection: socket.socket) -> Line:
        return Line(connection, self._plan.limits.stall_s, self._until)

    def _ended(self, number: int) -> Ended:
        return Ended(number, Reason.NOT_REACHED, self._plan.own)

    def _reach(self, number: int) -> ssl.SSLSocket:
        """A connection to the party. One that refuses is tried again; one with another certificate is not the party."""
        peer = self._plan.peers[number]
        while (left := self._join_until - time.monotonic()) > 0:
            with contextlib.suppress(OSError):
                plain = socket.create_connection((peer.host, peer.port), timeout=min(HANDSHAKE_S, left))
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plain.sendall(naming(self._plan.order))
                connection = self._clients[number].wrap_socket(plain)
                if _fingerprint(connection) == peer.fingerprint:
                    return connection
                connection.close()
            time.sleep(RETRY_S)
        raise self._ended(number)

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain = arrival(self._arrivals)
                plain.settimeout(HANDSHAKE_S)
                with contextlib.suppress(OSError):
                    stranger = self._server.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                    self._admit(stranger)
                    threading.Thread(target=self._ask_who, args=(stranger,), daemon=True).start()

    def _admit(self, stranger: ssl.SSLSocket) -> None:
        with self._change:
            self._strangers.append(stranger)
            if len(self._strangers) > MOST_STRANGERS:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._strangers.pop(0), socket.SHUT_RDWR)

    def _ask_who(self, connection: ssl.SSLSocket) -> None:
        try:
            connection.do_handshake()
            number = self._number.get(_fingerprint(connection))
            if number is None or self._first.setdefault(number, connection) is not connection:
                connection.close()
            else:
                self._came.put((number, connection))
        except OSError:
            connection.close()
        finally:
            with self._change, contextlib.suppress(ValueError):
                self._strangers.remove(connection)


def _context(side: int, plan: Plan, password: bytes, others: tuple[int, ...]) -> ssl.SSLContext:
    """TLS 1.3 with the party's own certificate, trusting those of the `others` and no authority."""
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(plan.tls, password=password)
    context.load_verify_locations(cadata="".join(plan.peers[number].certificate for number in others))
    return context


def _fingerprint(connection: ssl.SSLSocket) -> bytes:
    return sha256(connection.getpeercert(binary_form=True) or b"").digest()
