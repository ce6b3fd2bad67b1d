"""Sums between real processes over mutual TLS, of three parties beside stock MPyC, and of more.

Wall time of the slowest party, from its node's numbers to its node's sums, everybody connected before. Both sides have all
cores of this machine; MPyC goes without TLS and with 32-bit numbers.
"""

import multiprocessing
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from marketplace.keys.tls import make_tls_file, tls_fingerprint
from node.mpc.gate import Gate
from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import PartyProcess
from scripts.benchmarks.mpc_delay import Delays
from scripts.benchmarks.mpc_peer import run_stock

PARTIES = 3
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LARGEST_FOR_MPYC = 1_000_000
ROUNDS = 3
PASSWORD = b"a benchmark"
MIB = 2**20
PROCESSES = multiprocessing.get_context("fork")

Part = Callable[[Plan, Path, socket.socket], Any]


@dataclass(frozen=True)
class SumFigures:
    """One sum of `parties`. Seconds and bytes of one party, peaks of its process and of its node's.

    `meeting_s`: from the start of the processes until all agree. `delay_ms`: added to every byte on its way.
    """

    cells: int
    parties: int
    delay_ms: int
    meeting_s: float
    seconds: float
    mpyc_seconds: float | None
    times_faster: float | None
    moved_mb: float
    party_peak_mib: float
    node_peak_mib: float


@dataclass(frozen=True)
class Taken:
    """What one party measured."""

    meeting_s: float
    seconds: float
    moved_bytes: int
    party_peak_kib: int
    node_peak_kib: int


def take_part(cells: int, plan: Plan, folder: Path, listener: socket.socket) -> Taken:
    """One hospital's node: its best of a few rounds."""
    started = time.perf_counter()
    right = sum(range(1, len(plan.peers) + 1))
    with Gate(listener).expecting(plan.order) as arrivals, PartyProcess(plan, folder, PASSWORD, arrivals) as process:
        process.ready()
        meeting_s = time.perf_counter() - started
        values, best = np.full(cells, 1 + plan.own, np.int64), float("inf")
        for turn in range(ROUNDS):
            begun = time.perf_counter()
            (sums,) = process.sum(Batch((Tensor(turn, "benchmark", cells),)), [values])
            best = min(best, time.perf_counter() - begun)
            if sums.min() != right or sums.max() != right:
                sys.exit("expected the sums of all parties")
            del sums
        closing = process.finish()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Taken(meeting_s, best, closing.moved_bytes // ROUNDS, closing.peak_kib, own)


def at_each(part: Part, parties: int, delay_ms: int) -> list[Any]:
    """What `part` says at each hospital's node, a process of its own with its party's process below it."""
    with tempfile.TemporaryDirectory() as name, Delays(delay_ms / 1000) as delays:
        folder = Path(name)
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(parties)]
        files = [make_tls_file("127.0.0.1", PASSWORD, datetime.now(UTC)) for _ in listeners]
        ports = [delays.towards(listener.getsockname()[1]) for listener in listeners]
        peers = tuple(map(peer, ports, files))
        told, running = [], []
        for number, (file, listener) in enumerate(zip(files, listeners, strict=True)):
            own = folder / str(number)
            own.mkdir()
            (own / "tls.pem").write_bytes(file)
            plan = Plan(bytes(32), bytes(32), number, 1, peers, own / "tls.pem", Limits(stall_s=300, join_s=300))
            hear, tell = PROCESSES.Pipe(duplex=False)
            work = partial(part, plan, own, listener)
            running.append(PROCESSES.Process(target=lambda tell=tell, work=work: tell.send(work())))
            running[-1].start()
            told.append(hear)
            listener.close()
            tell.close()
        said = [hear.recv() for hear in told]
        for one in running:
            one.join()
    return said


def measure(cells: int, parties: int = PARTIES, delay_ms: int = 0, mpyc_seconds: float | None = None) -> SumFigures:
    """One sum of `cells` numbers."""
    taken: list[Taken] = at_each(partial(take_part, cells), parties, delay_ms)
    seconds = max(one.seconds for one in taken)
    return SumFigures(
        cells=cells,
        parties=parties,
        delay_ms=delay_ms,
        meeting_s=max(one.meeting_s for one in taken),
        seconds=seconds,
        mpyc_seconds=mpyc_seconds,
        times_faster=None if mpyc_seconds is None else mpyc_seconds / seconds,
        moved_mb=max(one.moved_bytes for one in taken) / 1e6,
        party_peak_mib=max(one.party_peak_kib for one in taken) / 1024,
        node_peak_mib=max(one.node_peak_kib for one in taken) / 1024,
    )


def peer(port: int, file: bytes) -> Peer:
    certificate = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
    return Peer("127.0.0.1", port, tls_fingerprint(file), certificate)


def stock(sizes: list[int]) -> list[float]:
    """The seconds of stock MPyC for each size."""
    found: list[float] = run_stock("scripts.benchmarks.mpc_stock", PARTIES, *map(str, sizes))
    return found


def beside_mpyc(largest: int) -> list[SumFigures]:
    """Sums of up to `largest` numbers, with those of MPyC that are not too many for it."""
    sizes = [cells for cells in SIZES if cells <= largest]
    beside = dict(zip(sizes, stock([cells for cells in sizes if cells <= LARGEST_FOR_MPYC]), strict=False))
    return [measure(cells, mpyc_seconds=beside.get(cells)) for cells in sizes]
