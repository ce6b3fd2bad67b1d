"""A party that misbehaves at one moment: `rogue.py KIND HOW`. What it sends is what runs a command where it is unpickled."""

import os
import pickle
import ssl
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from node.mpc import party, summing, transcript
from node.mpc.frames import HEAD, Kind, Line
from node.mpc.transcript import Transcript

MARK = "unpickled"


class Command:
    """Its pickle touches a file beside the parties' folders when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {Path.cwd().parent / MARK}",)


RUBBISH = {
    "raw": Random(7).randbytes(4096),
    "pickle": pickle.dumps(Command()) * 20,
    "long": HEAD.pack(Kind.VALUES, 2**32 - 1) + bytes(4096),
    "failure": HEAD.pack(Kind.FAILED, 3) + b"\0\1\0",
    "abort": HEAD.pack(Kind.ABORT, 2) + b"\7\1",
}
tell, finish, send = summing.Summing._tell, summing.Summing.finish, Line.send


def send_rubbish(self: Line, kind: Kind, payload: bytes | memoryview = b"") -> None:
    """To peers alone: what goes to its own node stays as it is."""
    if kind == Kind[sys.argv[1]] and isinstance(self._connection, ssl.SSLSocket):
        self._connection.sendall(RUBBISH[sys.argv[2]])
    else:
        send(self, kind, payload)


def equivocate(self: summing.Summing, kind: Kind, payload: bytes | memoryview) -> None:
    if kind != Kind.VALUES:
        return tell(self, kind, payload)
    for place, sender in enumerate(self._senders.values()):
        sender.send(kind, bytes(len(payload)) if place else payload)
    return None


def sign_for_another(self: summing.Summing, kind: Kind, payload: bytes | memoryview) -> None:
    if kind == Kind.TRANSCRIPT:
        self._plan.__dict__["own"] = 0
        payload = transcript.sign(self._key, self._plan, self._recording.digest())
    tell(self, kind, payload)


def forge(self: summing.Summing) -> Transcript:
    finished = finish(self)
    return replace(finished, signatures=finished.signatures[::-1])


def go_astray() -> None:
    match sys.argv[2]:
        case "equivocate":
            summing.Summing._tell = equivocate  # type: ignore[method-assign]
        case "other number":
            summing.Summing._tell = sign_for_another  # type: ignore[method-assign]
        case "forged":
            summing.Summing.finish = forge  # type: ignore[method-assign]
        case _:
            Line.send = send_rubbish  # type: ignore[method-assign]


if __name__ == "__main__":
    go_astray()
    sys.exit(party.main())
