"""Parties of one process around a table of plain sockets, for tests of what they say to each other."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from node.mpc.frames import Kind, Line
from node.mpc.masks import Batch, Spent, Tensor
from node.mpc.party import Lane
from node.mpc.plan import Plan
from node.mpc.summing import Summing
from tests.mpc.hospitals import PASSWORD, PATIENT


class Tapped(Line):
    """A line that keeps the numbers that are sent on it, and whether the sender had written its masks down by then."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        super().__init__(connection, PATIENT.stall_s, time.monotonic() + PATIENT.deadline_s)
        self.folder = folder
        self.sent: list[np.ndarray] = []
        self.written = True

    def send(self, kind: Kind, payload: bytes | memoryview = b"") -> None:
        if kind == Kind.VALUES:
            self.sent.append(np.frombuffer(bytes(payload), "<u8"))
            self.written &= (self.folder / Spent.FILE).exists()
        super().send(kind, payload)


class Table:
    """Parties of one process around a table of plain sockets."""

    def __init__(self, plans: list[Plan], folder: Path, lane: Lane = Summing) -> None:
        numbers = range(len(plans))
        ends = {(a, b): socket.socketpair() for a in numbers for b in numbers if a != b}
        self.folders = [folder / str(number) for number in numbers]
        for own in self.folders:
            own.mkdir()
        self.lines = {(a, b): Tapped(ends[a, b][0], self.folders[a]) for a, b in ends}
        self.parties = [
            lane(
                plan,
                load_pem_private_key(plan.tls.read_bytes().split(b"-----BEGIN CERT")[0], PASSWORD),  # type: ignore[arg-type]
                self.folders[a],
                {b: self.lines[a, b] for b in numbers if b != a},
                {
                    b: Line(ends[b, a][1], PATIENT.stall_s, time.monotonic() + PATIENT.deadline_s)
                    for b in numbers
                    if b != a
                },
            )
            for a, plan in enumerate(plans)
        ]
        self.pool = ThreadPoolExecutor(len(plans))
        self.turn = 0

    def all(self, work: Callable[[int, Any], object]) -> list[object]:
        futures = [self.pool.submit(work, number, party) for number, party in enumerate(self.parties)]
        return [one.result() for one in futures]

    def sum(self, tensor: Tensor, numbers: np.ndarray) -> list[list[int]]:
        def work(number: int, party: Summing) -> list[int]:
            found: list[int] = []
            party.sum(
                Batch((tensor,)), lambda count: numbers[number][:count].copy(), lambda sums: found.extend(sums.tolist())
            )
            return found

        return self.all(work)  # type: ignore[return-value]
