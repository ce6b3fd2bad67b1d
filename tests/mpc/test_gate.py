"""A node's gate: each connection goes to the order that it names, nobody else is told anything, and nobody is held up."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from marketplace.errors import Refused
from node.mpc import gate as gates
from node.mpc.frames import HEAD, Kind
from node.mpc.gate import MOST_UNNAMED, Gate, arrival, naming

FIRST, SECOND, UNKNOWN = b"1" * 32, b"2" * 32, b"3" * 32
PATIENCE_S = 120


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """With time for all who are about to name an order, however busy the machine is."""
    monkeypatch.setattr(gates, "NAMING_S", 600.0)
    made = Gate.at("127.0.0.1", 0)
    yield made
    made.close()


def call(gate: Gate, said: bytes = b"") -> socket.socket:
    made = socket.create_connection(gate._listener.getsockname(), timeout=PATIENCE_S)
    made.sendall(said)
    return made


def handed_over(arrivals: socket.socket) -> socket.socket:
    """The next connection that comes for the order, soon."""
    arrivals.settimeout(PATIENCE_S)
    came = arrival(arrivals)
    came.settimeout(PATIENCE_S)
    return came


def is_cut_off(caller: socket.socket) -> bool:
    """Whether it ends, without a word."""
    try:
        return caller.recv(1) == b""
    except ConnectionResetError:
        return True


def test_each_connection_goes_to_the_order_that_it_names_with_all_that_was_said_after(gate: Gate) -> None:
    with gate.expecting(FIRST) as first, gate.expecting(SECOND) as second:
        callers = [call(gate, naming(order) + order[:1] + b" and more") for order in (SECOND, FIRST)]
        for arrivals, caller, word in ((first, callers[1], b"1"), (second, callers[0], b"2")):
            came = handed_over(arrivals)
            assert came.recv(20) == word + b" and more"
            came.sendall(b"yes")
            assert caller.recv(3) == b"yes"


def test_what_comes_byte_by_byte_is_understood(gate: Gate) -> None:
    with gate.expecting(FIRST) as arrivals:
        caller = call(gate)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in naming(FIRST) + b"x":
            caller.sendall(bytes([byte]))
        came = handed_over(arrivals)
        assert came.recv(1) == b"x"


@pytest.mark.parametrize(
    "said",
    [
        naming(UNKNOWN),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        HEAD.pack(Kind.ORDER, 31),
        HEAD.pack(Kind.ORDER, 2**32 - 1),
        HEAD.pack(Kind.HELLO, 32),
    ],
)
def test_whoever_names_no_expected_order_is_cut_off_without_a_word(gate: Gate, said: bytes) -> None:
    with gate.expecting(FIRST):
        assert is_cut_off(call(gate, said))


def test_an_order_that_is_over_is_as_unknown_as_any_other(gate: Gate) -> None:
    with gate.expecting(FIRST):
        pass
    assert is_cut_off(call(gate, naming(FIRST)))
    assert not gate._expected


def test_a_second_attempt_at_an_order_is_served_also_once_the_first_has_ended(gate: Gate) -> None:
    with ExitStack() as first:
        first.enter_context(gate.expecting(FIRST))
        with gate.expecting(FIRST) as second:
            first.close()
            caller = call(gate, naming(FIRST) + b"x")
            assert handed_over(second).recv(1) == b"x"
            caller.close()


def test_whoever_says_nothing_is_cut_off_in_time(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "NAMING_S", 0.2)
    begun = time.monotonic()
    assert is_cut_off(call(gate, naming(FIRST)[:-1]))
    assert 0.1 < time.monotonic() - begun < PATIENCE_S


def test_a_flood_of_strangers_keeps_nobody_out_and_takes_no_more_places_than_there_are(gate: Gate) -> None:
    with gate.expecting(FIRST) as arrivals:
        flood = [call(gate, naming(FIRST)[: number % 37]) for number in range(3 * MOST_UNNAMED)]
        call(gate, naming(FIRST) + b"x")
        came = handed_over(arrivals)
        assert came.recv(1) == b"x"
        assert len(gate._unnamed) <= MOST_UNNAMED
        assert is_cut_off(flood[0])


def test_the_host_that_has_most_places_loses_its_oldest_one(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MOST_UNNAMED", 3)
    with gate.expecting(FIRST) as arrivals:
        patient = socket.socket()
        patient.bind(("127.0.0.2", 0))
        patient.connect(gate._listener.getsockname())
        flood = [call(gate) for _ in range(10)]
        assert all(is_cut_off(one) for one in flood[:8])
        patient.sendall(naming(FIRST) + b"x")
        came = handed_over(arrivals)
        assert came.recv(1) == b"x"


def test_an_order_whose_process_takes_nothing_holds_no_other_up(gate: Gate) -> None:
    with gate.expecting(FIRST), gate.expecting(SECOND) as second:
        for _ in range(600):
            call(gate, naming(FIRST)).close()
        call(gate, naming(SECOND))
        assert handed_over(second).fileno() >= 0


def test_a_place_has_one_gate_until_it_is_closed() -> None:
    first = Gate.at("127.0.0.1", 0)
    place = first._listener.getsockname()
    waiting = call(first)
    with pytest.raises(Refused, match="expected to listen for other parties"):
        Gate.at(*place)
    first.close()
    assert is_cut_off(waiting)
    Gate.at(*place).close()
