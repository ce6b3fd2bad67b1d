"""A node's worker that does all of its work but fitting a model: `python quick_child.py POINTS MODE FOLDER`.

It dies, and with `both` its node too, once at each step that POINTS (see `dying`) names; with `hungry` it has no memory
left there, and with `held` it stays there until it is ended.
"""

import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from node.noise.stream import NoiseStream
from node.synthesis.generator import Cancelled, Generator, Measured, Progress
from node.synthesis.marginals import PrivateMarginals
from node.workers.child import serve
from node.workers.making import Note, make
from tests.node.dying import Points


class Quick(PrivateMarginals):
    """Real measurements, and rows drawn at random in place of a fitted model, which takes seconds to load."""

    def synthesise(
        self,
        measurements: Measured,
        schema: Schema,
        rows: int,
        seed: bytes,
        progress: Progress,
        cancelled: Cancelled,
        only: Sequence[Condition] = (),
    ) -> pa.Table:
        noise = NoiseStream(seed, measurements.encode())
        columns = [noise.stage(column.name).integers_below(column.size, rows) for column in schema.columns]
        return pa.table([pa.array(codes.astype(np.int32)) for codes in columns], names=list(schema.names))


def quick(_: str) -> Generator:
    """`Quick`, whatever generator the order asks for."""
    return Quick()


def main(points: Path, mode: str, folder: Path) -> int:
    """The exit code, as `child.serve` has it."""
    victims = (os.getppid(), os.getpid()) if mode == "both" else (os.getpid(),)

    def die() -> None:
        if mode == "held":
            threading.Event().wait()
        if mode == "hungry":
            resource.setrlimit(resource.RLIMIT_AS, (0, resource.RLIM_INFINITY))
            bytearray(1 << 30)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)

    reached = Points(points, die)

    def work(folder: Path, storage_key: bytes, note: Note) -> None:
        def watched(text: str) -> None:
            note(text)
            reached(text)

        make(folder, storage_key, watched, quick)

    return serve(folder, work)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
