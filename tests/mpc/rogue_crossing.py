"""A party of a split table that misbehaves at one moment: `rogue_crossing.py MOMENT HOW`."""

import os
import signal
import ssl
import sys

from node.mpc import party
from node.mpc.crossing import Crosses
from node.mpc.frames import HEAD, Kind, Line
from tests.mpc.rogue_closed import COMMAND, RAW

MOMENTS = {"start": Kind.HELLO, "middle": Kind.SHARES, "end": Kind.STATEMENT}
send = Line.send


def misbehave(self: Line, kind: Kind, payload: bytes | memoryview = b"") -> None:
    if not isinstance(self._connection, ssl.SSLSocket) or kind != MOMENTS[sys.argv[1]]:
        return send(self, kind, payload)
    match sys.argv[2]:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stall":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raw":
            self._connection.sendall(RAW)
        case "pickle":
            return send(self, kind, (COMMAND * len(payload))[: len(payload)])
        case "short":
            return send(self, kind, bytes(payload)[:-1])
        case "no elements":
            return send(self, kind, b"\xff" * len(payload))
        case "long":
            self._connection.sendall(HEAD.pack(kind, 2**32 - 1) + bytes(4096))
        case "other words":
            return send(self, kind, bytes(len(payload)))
    return None


if __name__ == "__main__":
    Line.send = misbehave  # type: ignore[method-assign]
    sys.exit(party.main(Crosses))
