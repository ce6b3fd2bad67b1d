"""A party that misbehaves at one moment: `rogue.py KIND HOW`. What it sends is what runs a command where it is unpickled."""

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

from node.mpc import party, summing
from node.mpc.frames import HEAD, Kind
from node.mpc.transcript import Transcript

MARK = "unpickled"


class Command:
    """Its pickle touches a file beside the parties' folders when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {Path.cwd().parent / MARK}",)


RUBBISH = {
    "raw": os.urandom(4096),
    "pickle": pickle.dumps(Command()) * 20,
    "long": HEAD.pack(Kind.VALUES, 2**32 - 1) + bytes(4096),
    "failure": HEAD.pack(Kind.FAILED, 3) + b"\0\1\0",
    "abort": HEAD.pack(Kind.ABORT, 2) + b"\7\1",
}
tell = summing.Summing._tell


def misbehave(self: summing.Summing, kind: Kind, payload: bytes | memoryview) -> None:
    when, how = Kind[sys.argv[1]], sys.argv[2]
    if kind != when or how == "forged":
        return tell(self, kind, payload)
    if how == "equivocate":
        first, *others = self._senders.values()
        first.send(kind, payload)
        for sender in others:
            sender.send(kind, bytes(len(payload)))
    elif how == "other number":
        self._plan.__dict__["own"] = 0
        return tell(self, kind, summing.sign(self._key, self._plan, self._recording.digest()))
    else:
        for sender in self._senders.values():
            sender.line._connection.sendall(RUBBISH[how])
    return None


def forge(self: summing.Summing) -> Transcript:
    transcript = finish(self)
    return replace(transcript, signatures=transcript.signatures[::-1])


summing.Summing._tell = misbehave  # type: ignore[method-assign]
if sys.argv[2:] == ["forged"]:
    finish, summing.Summing.finish = summing.Summing.finish, forge  # type: ignore[method-assign]
if __name__ == "__main__":
    sys.exit(party.main())
