"""A party of the closed lane that misbehaves at one moment: `rogue_closed.py MOMENT HOW`."""

import os
import pickle
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from marketplace.protocol.closing_opening import Opening
from node.mpc import party
from node.mpc.closed import Closed, Integers
from node.mpc.engine import LABEL_BYTES
from node.mpc.frames import HEAD, Kind, Line
from node.mpc.persons import KEY_BYTES
from node.mpc.stating import SALT_BYTES

WIDTH = 14
"""Bytes of a field element, which a message of the engine consists of after its label."""
MOMENTS = {"start": Kind.HELLO, "input": Kind.SHARES, "middle": Kind.SHARES, "still": Kind.STILL, "end": Kind.STATEMENT}
MARK = "unpickled"


class Command:
    """Its pickle touches a file beside the parties' folders when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {Path.cwd().parent / MARK}",)


COMMAND = pickle.dumps(Command())
RAW = Random(7).randbytes(4096)
send = Line.send


def misbehave(self: Line, kind: Kind, payload: bytes | memoryview = b"") -> None:
    if not isinstance(self._connection, ssl.SSLSocket) or kind != MOMENTS[sys.argv[1]]:
        return send(self, kind, payload)
    if kind == Kind.SHARES and (len(payload) % WIDTH == LABEL_BYTES) != (sys.argv[1] == "middle"):
        return send(self, kind, payload)
    label, rest = bytes(payload[:LABEL_BYTES]), bytes(payload[LABEL_BYTES:])
    match sys.argv[2]:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stall":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raw":
            self._connection.sendall(RAW)
        case "pickle":
            return send(self, kind, label + COMMAND + bytes(-len(COMMAND) % WIDTH))
        case "pickle of the right length":
            return send(self, kind, label + (COMMAND + rest)[: len(rest)])
        case "half an element":
            return send(self, kind, bytes(payload) + b"\0")
        case "an element less":
            return send(self, kind, bytes(payload)[:-WIDTH])
        case "an element more":
            return send(self, kind, bytes(payload) + bytes(WIDTH))
        case "twice":
            send(self, kind, payload)
            return send(self, kind, payload)
        case "long":
            self._connection.sendall(HEAD.pack(kind, 2**32 - 1) + bytes(4096))
        case "other words":
            return send(self, kind, bytes(len(payload)))
    return None


say = Closed._say


def say_two_parts(self: Closed, number: int, kind: Kind, payload: bytes) -> None:
    """Tells party 0 another part of the key that all share than the rest, and stands by it."""
    if kind == Kind.HELLO and number == 0:
        start = len(self._plan.context) + SALT_BYTES
        payload = payload[:start] + bytes(KEY_BYTES) + payload[start + KEY_BYTES :]
    say(self, number, kind, payload)


opened = Closed._opened


def see_something_else(self: Closed, values: Integers, opening: Opening) -> list[int]:
    return [number + 1 for number in opened(self, values, opening)]


def compute_unsaid(self: Closed, number: int) -> Callable[[bytes], None]:
    """Keeps what it says while it computes out of what it states of itself."""
    return lambda message: self._senders[number].send(Kind.SHARES, message)


if __name__ == "__main__":
    match sys.argv[2]:
        case "two parts":
            Closed._say = say_two_parts  # type: ignore[method-assign]
        case "other result":
            Closed._opened = see_something_else  # type: ignore[method-assign]
        case "unsaid":
            Closed._sender = compute_unsaid  # type: ignore[method-assign]
        case _:
            Line.send = misbehave  # type: ignore[method-assign]
    sys.exit(party.main(Closed))
