"""A joint analysis of several parties on this machine: each with a certificate and a process of its own, over mutual TLS."""

import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.keys.tls import make_tls_file, tls_fingerprint
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.schema import Schema
from node.files import make_folder, write_whole
from node.mpc.gate import Gate
from node.mpc.joint import Answer, Questions, take_part
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import ClosedProcess, PartyProcess

HOST = "127.0.0.1"
TLS_FILE = "tls.pem"
DEFAULT = Limits()

Integers = NDArray[np.int64]
Count = Callable[[Opened], Mapping[str, Integers]]


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
    passwords = [secrets.token_hex(32).encode() for _ in counts]
    with ExitStack() as opened:
        listeners = [socket.create_server((HOST, 0)) for _ in counts]
        gates = [Gate(listener) for listener in listeners]
        for gate in gates:
            opened.callback(gate.close)
        files = [make_tls_file(HOST, password, datetime.now(UTC)) for password in passwords]
        peers = tuple(map(_peer, listeners, files))
        processes: list[PartyProcess] = []
        for number, (file, password, gate) in enumerate(zip(files, passwords, gates, strict=True)):
            arrivals = opened.enter_context(gate.expecting(order))
            own = folder / f"party-{number}"
            make_folder(own)
            write_whole(own / TLS_FILE, file)
            hashed = sha256(specification.encode()).digest()
            plan = Plan(order, hashed, number, threshold, peers, own / TLS_FILE, limits)
            if isinstance(specification, ClosedSpecification):
                process: PartyProcess = ClosedProcess(plan, own, password, arrivals, specification.openings(schema))
            else:
                process = PartyProcess(plan, own, password, arrivals)
            processes.append(opened.enter_context(process))
        with ThreadPoolExecutor(len(counts)) as pool:
            taking = [
                pool.submit(take_part, process, specification, schema, count, *told)
                for process, count, *told in zip(processes, counts, *([agree] if agree else []), strict=True)
            ]
            return tuple(one.result() for one in taking)


def _peer(listener: socket.socket, file: bytes) -> Peer:
    certificate = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
    return Peer(HOST, listener.getsockname()[1], tls_fingerprint(file), certificate)
