"""A party of the closed lane that counts how many messages wait for each other, one after the other, from the first word between
the parties' processes to everybody's signature: `python -P mpc_waits.py`, otherwise as `node.mpc.closed_party`.

What the others send is taken once there is nothing else to do and all that is awaited has come, as if every message took as long
and nothing else took any time. So the number is the same in every run.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from node.mpc import closed, party
from node.mpc.closed import Closed
from node.mpc.engine import Exchange
from node.mpc.transcript import Transcript

COMMAND = (sys.executable, "-P", __file__)
COUNTED = "waits"
STATISTIC, ORDER = 3, 3
"""What waits beside what the engine says: for each statistic what is asked, its shares, and that nobody has more to say; for an
order the greeting, what each party states, and its signature."""

Integers = NDArray[np.int64]


class Waves(Exchange):
    """What is awaited of all parties is taken at once."""

    waits = 0
    due: dict["asyncio.Future[bytes]", bytes | None] = {}  # noqa: RUF012
    is_looking = False

    def receive(self, label: int) -> "asyncio.Future[bytes]":
        found, taken = super().receive(label), asyncio.get_running_loop().create_future()
        if isinstance(found, bytes):
            self.due[taken] = found
        else:
            self.due[taken] = None
            found.add_done_callback(lambda came: self._came(taken, came.result()))
        self._look()
        return taken

    @classmethod
    def _came(cls, taken: "asyncio.Future[bytes]", payload: bytes) -> None:
        cls.due[taken] = payload
        cls._look()

    @classmethod
    def _look(cls) -> None:
        if not cls.is_looking:
            cls.is_looking = True
            asyncio.get_running_loop().call_soon(cls._take)

    @classmethod
    def _take(cls) -> None:
        """Takes all that was awaited, unless there is something else to do before, or to come."""
        cls.is_looking = False
        if asyncio.get_running_loop()._ready:  # type: ignore[attr-defined]
            cls._look()
        elif all(payload is not None for payload in cls.due.values()):
            cls.waits += 1
            due, cls.due = cls.due, {}
            for taken, payload in due.items():
                taken.set_result(payload or b"")


class ClosedCounting(Closed):
    """As `Closed`; ends with the number in a file of its folder."""

    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        Waves.waits += STATISTIC
        super().answer(asked, read, write)

    def finish(self) -> Transcript:
        Path(COUNTED).write_text(str(Waves.waits + ORDER), encoding="utf-8")
        return super().finish()


if __name__ == "__main__":
    closed.Exchange = Waves  # type: ignore[misc]
    sys.exit(party.main(ClosedCounting))
