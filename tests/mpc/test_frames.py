"""What a line understands: the message that is due, of the length that is due, in the time that is left. All else is rubbish."""

import socket
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from node.mpc.frames import HEAD, LARGEST_TEXT, PIECE_VALUES, VALUE_BYTES, Aborted, Kind, Line, Rubbish

Hear = Callable[[Line], object]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Line]]:
    """What somebody may say anything on, and the line that hears it."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield theirs, Line(ours, 300.0, time.monotonic() + 300.0)


def due(line: Line) -> object:
    return line.receive(Kind.HELLO, 8)


def either(line: Line) -> object:
    return line.receive_either(Kind.SHARES, Kind.STILL, 8)


def values(line: Line) -> object:
    return line.receive_values(np.empty(2, np.int64))


def the_end(line: Line) -> object:
    return line.skip_to_abort(300.0)


@pytest.mark.parametrize(
    ("hear", "said"),
    [
        (due, HEAD.pack(Kind.HELLO, 9)),
        (due, HEAD.pack(Kind.HELLO, 2**32 - 1)),
        (due, HEAD.pack(Kind.OPENING, 8)),
        (due, HEAD.pack(0, 8)),
        (due, HEAD.pack(255, 0)),
        (due, HEAD.pack(Kind.ABORT, LARGEST_TEXT + 1)),
        (either, HEAD.pack(Kind.SHARES, 9)),
        (either, HEAD.pack(Kind.STILL, 1)),
        (either, HEAD.pack(Kind.VALUES, 8)),
        (values, HEAD.pack(Kind.VALUES, 8)),
        (values, HEAD.pack(Kind.VALUES, 24)),
        (values, HEAD.pack(Kind.SHARES, 16)),
        (the_end, HEAD.pack(Kind.VALUES, VALUE_BYTES * PIECE_VALUES + 1)),
    ],
)
def test_another_message_or_another_length_is_rubbish_before_a_byte_of_it_is_read(
    ends: tuple[socket.socket, Line], hear: Hear, said: bytes
) -> None:
    theirs, line = ends
    theirs.sendall(said)
    with pytest.raises(Rubbish):
        hear(line)


@pytest.mark.parametrize("hear", [due, either, values, the_end])
def test_who_ends_it_is_heard_whatever_is_due(ends: tuple[socket.socket, Line], hear: Hear) -> None:
    theirs, line = ends
    theirs.sendall(HEAD.pack(Kind.ABORT, 2) + b"\1\2")
    with pytest.raises(Aborted) as raised:
        hear(line)
    assert raised.value.payload == b"\1\2"


@pytest.mark.parametrize("hear", [due, either, values, the_end])
def test_who_goes_in_the_middle_of_a_message_is_gone(ends: tuple[socket.socket, Line], hear: Hear) -> None:
    theirs, line = ends
    theirs.sendall(HEAD.pack(Kind.HELLO, 8)[:3])
    theirs.close()
    with pytest.raises(EOFError):
        hear(line)


def test_what_is_due_is_heard_and_counted(ends: tuple[socket.socket, Line]) -> None:
    theirs, line = ends
    into = np.empty(2, "<i8")
    theirs.sendall(HEAD.pack(Kind.HELLO, 8) + b"12345678" + HEAD.pack(Kind.STILL, 0))
    theirs.sendall(HEAD.pack(Kind.SHARES, 3) + b"abc" + HEAD.pack(Kind.VALUES, 16) + np.array([5, -5], "<i8").tobytes())
    assert due(line) == b"12345678"
    assert either(line) == (Kind.STILL, b"")
    assert either(line) == (Kind.SHARES, b"abc")
    line.receive_values(into)
    assert into.tolist() == [5, -5]
    assert line.moved_bytes == 4 * HEAD.size + 8 + 3 + 16


@pytest.mark.parametrize(("stall_s", "left_s"), [(0.2, 60.0), (60.0, 0.2), (60.0, -1.0)])
def test_silence_ends_at_its_own_limit_and_at_the_deadline(stall_s: float, left_s: float) -> None:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            due(Line(ours, stall_s, begun + left_s))
        assert time.monotonic() - begun < 30


def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        theirs.sendall(HEAD.pack(Kind.HELLO, 8)[:4])
        line = Line(ours, 60.0, time.monotonic() + 0.2)
        with pytest.raises(TimeoutError):
            due(line)
        theirs.sendall(bytes(9))
        with pytest.raises(TimeoutError):
            due(line)


def test_who_says_that_it_waits_is_heard_out_for_longer_and_once(ends: tuple[socket.socket, Line]) -> None:
    theirs, line = ends
    theirs.sendall(HEAD.pack(Kind.WAITING, 0) * 3 + HEAD.pack(Kind.VALUES, 8) + bytes(8))
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        line.skip_to_abort(0.4)
    assert 0.8 <= time.monotonic() - begun < 30
    theirs.sendall(HEAD.pack(Kind.WAITING, 0) + HEAD.pack(Kind.ABORT, 2) + b"\1\2")
    with pytest.raises(Aborted):
        line.skip_to_abort(300.0)


@pytest.mark.parametrize("hear", [due, either, values])
def test_who_says_that_it_waits_once_says_no_rubbish(ends: tuple[socket.socket, Line], hear: Hear) -> None:
    theirs, line = ends
    theirs.sendall(HEAD.pack(Kind.WAITING, 0) + HEAD.pack(Kind.ABORT, 2) + b"\1\2")
    with pytest.raises(Aborted):
        hear(line)
    theirs.sendall(HEAD.pack(Kind.WAITING, 0) * 2)
    with pytest.raises(Rubbish):
        hear(line)
