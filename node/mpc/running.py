"""A party's process seen from its own node: started with a clean argv and a folder of its own, fed, and ended."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.closing_opening import Opening
from node.files import growing_file
from node.mpc import asking, party
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Aborted, Kind, Line, Rubbish
from node.mpc.masks import Batch
from node.mpc.plan import Plan
from node.mpc.transcript import Transcript

COMMAND = (sys.executable, "-P", "-m", "node.mpc.party")
CLOSED_COMMAND = (*COMMAND[:-1], "node.mpc.closed_party")
LOG = "party.log"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
_PLAIN = {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Closing:
    """How an analysis ended well. `moved_bytes`: sent and heard by this party. `peak_kib`: the most memory its process had."""

    transcript: Transcript
    moved_bytes: int
    peak_kib: int


class PartyProcess:
    """The process that takes part in one order for this node. To begin it, and every method, raises `Ended`, which names a party.

    `folder`: of this order alone, there already. `password`: opens the plan's TLS file; it goes through a socket, never
    through argv, environment or a file. `arrivals`: of the node's gate, what is expected for this order.
    """

    def __init__(
        self, plan: Plan, folder: Path, password: bytes, arrivals: socket.socket, command: Sequence[str] = COMMAND
    ) -> None:
        self._plan = plan
        ours, its = socket.socketpair()
        with growing_file(folder / LOG) as log, its:
            self._child = subprocess.Popen(  # noqa: S603
                tuple(command), stdin=its.fileno(), stdout=log, stderr=log, cwd=folder, env=_environment()
            )
        left_s = party.START_S + plan.limits.deadline_s + party.END_S
        self._line = Line(ours, left_s, time.monotonic() + left_s)
        try:
            socket.send_fds(ours, [b"\0"], [arrivals.fileno()])
            self._line.send(Kind.PLAN, plan.encode())
            self._line.send(Kind.PASSWORD, password)
        except OSError as error:
            ended = self._ended(error)
            self.close()
            raise ended from None

    @property
    def pid(self) -> int:
        """The process's number on this machine."""
        return self._child.pid

    def ready(self) -> bytes:
        """Waits until all parties are there and agree on order and specification. No record need be touched before.

        What they alone know, 32 bytes for this order and these processes; empty in the sums lane.
        """
        return self._receive(Kind.READY)

    def sum(self, batch: Batch, values: Sequence[Integers]) -> tuple[Integers, ...]:
        """The sums of all parties' `values`, for each tensor one array of shape (cells,). All parties sum the same batch."""
        if [one.shape for one in values] != [(tensor.cells,) for tensor in batch.tensors]:
            raise ValueError("expected as many values as each tensor has cells")
        return self._sum(batch.encode(), batch, values)

    def finish(self) -> Closing:
        """Ends the analysis well: everybody's signature under the transcript, checked here once more."""
        self._send(Kind.SUM, b"")
        document = canonical.decode(self._receive(Kind.DONE), party.NOUN, party.VERSION)
        signatures = tuple(bytes.fromhex(signature) for signature in document["signatures"])
        transcript = Transcript(bytes.fromhex(document["transcript"]), signatures)
        transcript.check(self._plan)
        return Closing(transcript, document["bytes"], document["peak_kib"])

    def kill(self) -> None:
        """Ends the process, if it still runs. Whoever waits for it hears so; may be called by any thread."""
        self._child.kill()

    def close(self) -> None:
        """The same, and lets go of the line."""
        self._line.close()
        self._child.kill()
        self._child.wait()

    def __enter__(self) -> "PartyProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _sum(self, asked: bytes, batch: Batch, values: Sequence[Integers]) -> tuple[Integers, ...]:
        sums = tuple(np.empty(tensor.cells, np.int64) for tensor in batch.tensors)
        self._send(Kind.SUM, asked)
        for parts in batch.pieces():
            swapped = self._swap(np.concatenate([values[place][part] for place, part in parts]))
            for place, part in parts:
                sums[place][part], swapped = np.split(swapped, [part.stop - part.start])
        return sums

    def _swap(self, values: Integers) -> Integers:
        """Hands over a piece of values. The sums that come for it."""
        self._send(Kind.VALUES, values.astype("<i8", copy=False).data.cast("B"))
        sums = np.empty(len(values), "<i8")
        try:
            self._line.receive_values(sums)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._ended(error) from None
        return sums

    def _send(self, kind: Kind, payload: bytes | memoryview) -> None:
        try:
            self._line.send(kind, payload)
        except OSError as error:
            raise self._ended(error) from None

    def _receive(self, kind: Kind) -> bytes:
        try:
            return self._line.receive(kind)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            raise self._ended(error) from None

    def _ended(self, error: Exception) -> Ended:
        """What the process says of the end; where it says nothing, it is this party that ended."""
        if isinstance(error, BrokenPipeError | ConnectionResetError):
            with contextlib.suppress(OSError, EOFError, Rubbish):
                error = Aborted(self._line.receive(Kind.FAILED))
        if isinstance(error, Aborted) and len(error.payload) == party.FAILURE.size:
            named, reason, by = party.FAILURE.unpack(error.payload)
            return Ended(named, Reason(reason), by)
        return Ended(self._plan.own, Reason.STOPPED, self._plan.own)


class ClosedProcess(PartyProcess):
    """The same in the closed lane. `openings`: what may be opened of each tensor, by its name; its `sum` gives that.

    A number beyond what its opening declares is `Invalid`, for this party's own provider, and nothing of it leaves.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        password: bytes,
        arrivals: socket.socket,
        openings: Mapping[str, Opening],
        command: Sequence[str] = CLOSED_COMMAND,
    ) -> None:
        self._openings = openings
        super().__init__(plan, folder, password, arrivals, command)

    def sum(self, batch: Batch, values: Sequence[Integers]) -> tuple[Integers, ...]:
        """What is opened of the sums of all parties' `values`, `CLOSED` where nothing is. Each tensor is asked for by itself."""
        for tensor, one in zip(batch.tensors, values, strict=True):
            most = self._openings[tensor.name].most
            if one.size and max(-int(one.min()), int(one.max())) > most:
                raise Invalid(
                    f"statistic {tensor.name!r}: expected numbers of at most {most}, got larger; revise the dataset"
                )
        return super().sum(batch, values)

    def _sum(self, asked: bytes, batch: Batch, values: Sequence[Integers]) -> tuple[Integers, ...]:
        opened: list[Integers] = []
        for tensor, one in zip(batch.tensors, values, strict=True):
            asked = asking.encode(tensor, self._openings[tensor.name])
            opened += super()._sum(asked, Batch((tensor,)), (one,))
        return tuple(opened)


def _environment() -> dict[str, str]:
    """What the process sees of the node's environment: where programs are, and no setting of ours."""
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_PLAIN}
