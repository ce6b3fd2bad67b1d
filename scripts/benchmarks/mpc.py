"""Sums between three real processes over mutual TLS, beside the same sums with stock MPyC in the same run.

Run by `scripts/bench mpc [--json] [--largest CELLS]`. Wall time of the slowest party, from its node's numbers to its node's
sums, everybody connected before. Both sides have all cores of this machine; MPyC goes without TLS and with 32-bit numbers.
"""

import argparse
import json
import multiprocessing
import resource
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from marketplace.keys.tls import make_tls_file, tls_fingerprint
from node.mpc.masks import Tensor
from node.mpc.plan import Limits, Peer, Plan
from node.mpc.running import PartyProcess

PARTIES = 3
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LARGEST_FOR_MPYC = 1_000_000
ROUNDS = 3
PASSWORD = b"a benchmark"
MIB = 2**20
PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class SumFigures:
    """One sum of three parties. Seconds and bytes of one party, peaks of its process and of its node's."""

    cells: int
    seconds: float
    mpyc_seconds: float | None
    times_faster: float | None
    moved_mb: float
    party_peak_mib: float
    node_peak_mib: float


@dataclass(frozen=True)
class Taken:
    """What one party measured."""

    seconds: float
    moved_bytes: int
    party_peak_kib: int
    node_peak_kib: int


def take_part(plan: Plan, folder: Path, listener: socket.socket, cells: int, tell: Connection) -> None:
    """One hospital's node: its best of a few rounds."""
    with PartyProcess(plan, folder, PASSWORD, listener) as process:
        process.ready()
        values, best = np.full(cells, 1 + plan.own, np.int64), float("inf")
        for turn in range(ROUNDS):
            begun = time.perf_counter()
            sums = process.sum(Tensor(turn, "benchmark", cells), values)
            best = min(best, time.perf_counter() - begun)
            if sums.min() != 6 or sums.max() != 6:
                sys.exit("expected the sums of three parties")
            del sums
        closing = process.finish()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tell.send(asdict(Taken(best, closing.moved_bytes // ROUNDS, closing.peak_kib, own)))


def measure(cells: int, mpyc_seconds: float | None) -> SumFigures:
    """Three hospitals' nodes, each in a process of its own with its party's process below it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(PARTIES)]
        files = [make_tls_file("127.0.0.1", PASSWORD, datetime.now(UTC)) for _ in listeners]
        peers = tuple(map(peer, listeners, files))
        told, running = [], []
        for number, (file, listener) in enumerate(zip(files, listeners, strict=True)):
            own = folder / str(number)
            own.mkdir()
            (own / "tls.pem").write_bytes(file)
            plan = Plan(bytes(32), bytes(32), number, 1, peers, own / "tls.pem", Limits())
            hear, tell = PROCESSES.Pipe(duplex=False)
            running.append(PROCESSES.Process(target=take_part, args=(plan, own, listener, cells, tell)))
            running[-1].start()
            told.append(hear)
            listener.close()
            tell.close()
        taken = [Taken(**hear.recv()) for hear in told]
        for one in running:
            one.join()
    seconds = max(one.seconds for one in taken)
    return SumFigures(
        cells=cells,
        seconds=seconds,
        mpyc_seconds=mpyc_seconds,
        times_faster=None if mpyc_seconds is None else mpyc_seconds / seconds,
        moved_mb=max(one.moved_bytes for one in taken) / 1e6,
        party_peak_mib=max(one.party_peak_kib for one in taken) / 1024,
        node_peak_mib=max(one.node_peak_kib for one in taken) / 1024,
    )


def peer(listener: socket.socket, file: bytes) -> Peer:
    certificate = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
    return Peer("127.0.0.1", listener.getsockname()[1], tls_fingerprint(file), certificate)


def stock(sizes: list[int]) -> list[float]:
    """The seconds of stock MPyC for each size."""
    command = [sys.executable, "-m", "scripts.benchmarks.mpc_stock", f"-M{PARTIES}", "--no-log", *map(str, sizes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    found: list[float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the most numbers that are summed")
    options = parser.parse_args()
    sizes = [cells for cells in SIZES if cells <= options.largest]
    beside = dict(zip(sizes, stock([cells for cells in sizes if cells <= LARGEST_FOR_MPYC]), strict=False))
    figures = [measure(cells, beside.get(cells)) for cells in sizes]
    if options.json:
        print(json.dumps({"parties": PARTIES, "sums": [asdict(one) for one in figures]}, indent=2))
        return
    table = Table("numbers", "seconds", "MPyC", "times faster", "MB a party", "peak MiB, party", "peak MiB, node")
    for one in figures:
        mpyc = ("", "") if one.mpyc_seconds is None else (f"{one.mpyc_seconds:.2f}", f"{one.times_faster:.0f}")
        table.add_row(
            f"{one.cells:,}", f"{one.seconds:.4f}", *mpyc, f"{one.moved_mb:.1f}",
            f"{one.party_peak_mib:.0f}", f"{one.node_peak_mib:.0f}",
        )  # fmt: skip
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
