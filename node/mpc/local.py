"""A joint analysis of several parties on this machine: each with a certificate and a process of its own, over mutual TLS."""

import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from marketplace.keys.tls import make_tls_file, tls_fingerprint
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.schema import Schema
from node.files import make_folder, write_whole
from node.mpc.crossing_process import Crossed, CrossingProcess, cross_part
from node.mpc.gate import Gate
from node.mpc.joint import Answer, Questions, take_part
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import ClosedProcess, PartyProcess

HOST = "127.0.0.1"
TLS_FILE = "tls.pem"
DEFAULT = Limits(stall_s=300, join_s=300)
"""Who is late on this machine has as much to do as all others on it."""

Integers = NDArray[np.int64]
Count = Callable[[Opened], Mapping[str, Integers]]
Process = TypeVar("Process", bound=PartyProcess)


def answer_here(
    specification: Questions,
    schema: Schema,
    order: bytes,
    counts: Sequence[Count],
    folder: Path,
    threshold: int = 1,
    limits: Limits = DEFAULT,
    agree: Sequence[Callable[[bytes], None]] = (),
) -> tuple[Answer, ...]:
    """The answer as each party has it. `counts`: of each party its statistics of a round; they and, where there is one for
    each party, `agree` as `take_part` asks for them.

    `order`: 32 bytes. `folder`: where each party gets a folder of its own. Raises `Refused` for too few parties, and
    `Ended`, which names a party.
    """
    hashed = sha256(specification.encode()).digest()

    def made(plan: Plan, own: Path, password: bytes, arrivals: socket.socket) -> PartyProcess:
        if isinstance(specification, ClosedSpecification):
            return ClosedProcess(plan, own, password, arrivals, specification.openings(schema))
        return PartyProcess(plan, own, password, arrivals)

    with _parties(made, order, hashed, len(counts), folder, threshold, limits) as processes:
        return _together(
            lambda number: take_part(
                processes[number], specification, schema, counts[number], *([agree[number]] if agree else [])
            ),
            len(counts),
        )


def cross_here(
    questions: Crossed,
    order: bytes,
    counts: Sequence[Callable[[Opened, bytes], tuple[Integers, Integers]]],
    folder: Path,
    threshold: int = 1,
    limits: Limits = DEFAULT,
) -> tuple[Answer, ...]:
    """The answer about a split table as each party has it. `counts`: of each party, as `cross_part` asks for it; the rest as in
    `answer_here`."""
    hashed = sha256(questions.encode()).digest()
    with _parties(CrossingProcess, order, hashed, len(counts), folder, threshold, limits) as processes:
        return _together(lambda number: cross_part(processes[number], questions, counts[number]), len(counts))


def _together(part: Callable[[int], Answer], parties: int) -> tuple[Answer, ...]:
    with ThreadPoolExecutor(parties) as pool:
        return tuple(pool.map(part, range(parties)))


@contextmanager
def _parties(
    made: Callable[[Plan, Path, bytes, socket.socket], Process],
    order: bytes,
    hashed: bytes,
    count: int,
    folder: Path,
    threshold: int,
    limits: Limits,
) -> Iterator[list[Process]]:
    """A process for each party, ended afterwards."""
    passwords = [secrets.token_hex(32).encode() for _ in range(count)]
    with ExitStack() as opened:
        listeners = [socket.create_server((HOST, 0)) for _ in passwords]
        gates = [Gate(listener) for listener in listeners]
        for gate in gates:
            opened.callback(gate.close)
        files = [make_tls_file(HOST, password, datetime.now(UTC)) for password in passwords]
        peers = tuple(map(_peer, listeners, files))
        processes: list[Process] = []
        for number, (file, password, gate) in enumerate(zip(files, passwords, gates, strict=True)):
            arrivals = opened.enter_context(gate.expecting(order))
            own = folder / f"party-{number}"
            make_folder(own)
            write_whole(own / TLS_FILE, file)
            plan = Plan(order, hashed, number, threshold, peers, own / TLS_FILE, limits)
            processes.append(made(plan, own, password, arrivals))
            opened.enter_context(processes[-1])
        yield processes


def _peer(listener: socket.socket, file: bytes) -> Peer:
    certificate = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
    return Peer(HOST, listener.getsockname()[1], tls_fingerprint(file), certificate)
