"""Parties for tests: certificates, listening sockets, and each party's own node in a thread of the test."""

import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np

from marketplace.keys.tls import make_tls_file, tls_fingerprint
from marketplace.protocol.closing_opening import Opening
from node.mpc.gate import Gate
from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import COMMAND, ClosedProcess, PartyProcess

PASSWORD = b"the parties of a test"
PATIENT = Limits(stall_s=300, deadline_s=600, join_s=300)
"""Where nobody is to be late: so long that a busy machine makes nobody so."""
ORDER, SPECIFICATION = sha256(b"order").digest(), sha256(b"specification").digest()


@dataclass(frozen=True)
class Identity:
    """A party's TLS file and what others know of it."""

    path: Path
    fingerprint: bytes
    certificate: str


def make_identities(folder: Path, count: int) -> tuple[Identity, ...]:
    made = []
    for number in range(count):
        file = make_tls_file("127.0.0.1", PASSWORD, datetime.now(UTC))
        path = folder / f"{number}.pem"
        path.write_bytes(file)
        certificate = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
        made.append(Identity(path, tls_fingerprint(file), certificate))
    return tuple(made)


def summed(process: PartyProcess, tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """What comes back for one tensor, asked for by itself."""
    (found,) = process.sum(Batch((tensor,)), (values,))
    return found


class Hospitals:
    """Parties on this machine. `plans`: one for each, which a test may change before it starts them."""

    def __init__(self, folder: Path, identities: Sequence[Identity], limits: Limits) -> None:
        self.folder = folder
        self.listeners = [socket.create_server(("127.0.0.1", 0)) for _ in identities]
        self.peers = tuple(
            Peer("127.0.0.1", listener.getsockname()[1], one.fingerprint, one.certificate)
            for listener, one in zip(self.listeners, identities, strict=True)
        )
        self.plans = [
            Plan(ORDER, SPECIFICATION, number, 1, self.peers, one.path, limits) for number, one in enumerate(identities)
        ]
        self.processes: dict[int, PartyProcess] = {}
        self._opened = ExitStack()
        self._pool = ThreadPoolExecutor(len(self.plans))

    def start(self, number: int, command: Sequence[str] = COMMAND) -> PartyProcess:
        own = self.folder / f"party-{number}"
        own.mkdir()
        process = PartyProcess(self.plans[number], own, PASSWORD, self.arrivals(number), command)
        self.processes[number] = process
        return process

    def start_closed(self, openings: Mapping[str, Opening], rogue: Sequence[str] = (), culprit: int = -1) -> None:
        """All parties in the closed lane; the `culprit`'s process is the command `rogue`."""
        for number in range(len(self.plans)):
            own = self.folder / f"party-{number}"
            own.mkdir()
            command = {"command": rogue} if number == culprit else {}
            self.processes[number] = ClosedProcess(
                self.plans[number], own, PASSWORD, self.arrivals(number), openings, **command
            )

    def arrivals(self, number: int) -> socket.socket:
        """What comes for the order through a gate of the party's own."""
        gate = Gate(self.listeners[number])
        self._opened.callback(gate.close)
        return self._opened.enter_context(gate.expecting(self.plans[number].order))

    def start_all(self) -> None:
        for number in range(len(self.plans)):
            self.start(number)

    def each(self, work: Callable[[int, PartyProcess], object]) -> dict[int, Future[object]]:
        """Does `work` at every party that runs, each in a thread."""
        return {number: self._pool.submit(work, number, one) for number, one in self.processes.items()}

    def change(self, number: int, **changes: object) -> None:
        self.plans[number] = replace(self.plans[number], **changes)  # type: ignore[arg-type]

    def close(self) -> None:
        for process in self.processes.values():
            process.close()
        self._opened.close()
        for listener in self.listeners:
            listener.close()
        self._pool.shutdown()
