"""The process that counts for one joint order: `python -m node.workers.count_child FOLDER`, a socket to its node as input.

It alone opens records, and only once it is asked to count: that is after all parties have agreed. What it hands back has
this party's noise in it. It has no connection to anybody else.
"""

import fcntl
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from marketplace.errors import MarketplaceError
from node.files import growing_file
from node.memory import keep_private
from node.mpc.frames import Aborted, Kind, Line, Rubbish
from node.workers.job import MARKS, JointJob, Name

STANDARD_INPUT = 0
LARGEST_JOB = 1 << 16
LONGEST_S = 3_600.0
DONE, FAILED = 0, 1


def main() -> int:
    """Counts for the order in the folder named on the command line. Returns the exit code."""
    keep_private()
    folder, control = Path(sys.argv[1]), socket.socket(fileno=STANDARD_INPUT)
    threading.Thread(target=_end_with_the_node, args=(control,), daemon=True).start()
    line = Line(control, LONGEST_S, time.monotonic() + LONGEST_S)
    job = JointJob.decode(line.receive(Kind.PLAN, LARGEST_JOB))
    storage_key, roster_key, agreed = (line.receive(Kind.PASSWORD) for _ in range(3))
    with growing_file(folder / Name.LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / Name.CLOSED).exists() or (folder / Name.OUTCOME).exists():
            return FAILED
        try:
            _count(folder, job, (storage_key, roster_key, agreed), line)
        except (OSError, EOFError, Rubbish, Aborted):
            return FAILED
        except MarketplaceError as error:
            line.send(Kind.FAILED, str(error).encode())
            return FAILED
    return DONE


def _count(folder: Path, job: JointJob, keys: tuple[bytes, bytes, bytes], line: Line) -> None:
    from node.workers.counting import Counter  # after the node is watched: what it needs takes seconds to load

    line.receive(Kind.SUM)
    counter = Counter.open(folder, job, *keys)
    opened: tuple[Mapping[str, tuple[int, ...]], ...] = ()
    while asked := counter.task.asked(opened):
        values = counter.count(opened)
        marks = (MARKS,) if MARKS in values else ()
        for name in (*marks, *(one.name for one in asked)):
            line.send(Kind.VALUES, np.ascontiguousarray(values[name], "<i8").data.cast("B"))
        sums = {}
        for one in asked:
            received = np.empty(one.of.cells, "<i8")
            line.receive_values(received)
            sums[one.name] = tuple(received.tolist())
        opened = (*opened, sums)
    line.receive(Kind.DONE)
    counter.finish(opened)
    line.send(Kind.DONE)


def _end_with_the_node(control: socket.socket) -> None:
    poll = select.poll()
    poll.register(control, select.POLLHUP)
    poll.poll()
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main())
