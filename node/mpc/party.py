"""The process of one party and one order: `python -m node.mpc.party`, with a socket to its own node as standard input.

It has its own folder, an empty argv, no record and no path to one: its node hands it the named statistics, with the noise
already in them, and gets the sums. It ends with its node, at its deadline, or at its limit of memory.
"""

import os
import resource
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from numpy.typing import NDArray

from marketplace.errors import MarketplaceError
from marketplace.protocol import canonical
from node.memory import keep_private
from node.mpc.connecting import Network
from node.mpc.conversation import Conversation
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Aborted, Kind, Line, Rubbish
from node.mpc.plan import Plan
from node.mpc.summing import Summing

STANDARD_INPUT = 0
LARGEST_PLAN, LARGEST_ASKED = 1 << 20, 1 << 22
DONE, FAILED = 0, 1
START_S, END_S = 60.0, 20.0
FAILURE = struct.Struct(">BBB")
NOUN, VERSION = "party-done", 1

Lane = Callable[[Plan, EllipticCurvePrivateKey, Path, dict[int, Line], dict[int, Line]], Conversation]


def main(lane: Lane = Summing) -> int:
    """Serves the node at standard input until the order's sums are done, in the `lane`. Returns the exit code."""
    keep_private()
    control = socket.socket(fileno=STANDARD_INPUT)
    _, (arrivals,), _, _ = socket.recv_fds(control, 1, 1)
    line = Line(control, START_S, time.monotonic() + START_S)
    plan = Plan.decode(line.receive(Kind.PLAN, LARGEST_PLAN))
    password = line.receive(Kind.PASSWORD)
    resource.setrlimit(resource.RLIMIT_AS, (plan.limits.memory_bytes, plan.limits.memory_bytes))
    until = time.monotonic() + plan.limits.deadline_s
    threading.Thread(target=_end_with_the_node, args=(control, until + END_S), daemon=True).start()
    line = Line(control, plan.limits.deadline_s, until)
    try:
        _take_part(lane, plan, password, socket.socket(fileno=arrivals), line, until)
    except Ended as ended:
        Line(control, END_S, until + END_S).send(Kind.FAILED, FAILURE.pack(ended.party, ended.reason, ended.by))
        return FAILED
    return DONE


def _take_part(lane: Lane, plan: Plan, password: bytes, arrivals: socket.socket, line: Line, until: float) -> None:
    sending, hearing = Network(plan, password, arrivals, until).connect()
    key = load_pem_private_key(_key_in(plan.tls.read_bytes()), password)
    assert isinstance(key, EllipticCurvePrivateKey)
    joined = lane(plan, key, Path.cwd(), sending, hearing)
    try:
        joined.greet()
        _serve(joined, line)
    except Ended as ended:
        joined.abort(ended)
        raise
    except (OSError, EOFError, Rubbish, Aborted, ValueError, MarketplaceError):
        stopped = Ended(plan.own, Reason.STOPPED, plan.own)
        joined.abort(stopped)
        raise stopped from None


def _serve(joined: Conversation, line: Line) -> None:
    """Sums what the node hands over, batch by batch and piece by piece, until it asks for the end."""
    line.send(Kind.READY, joined.agreed)

    def read(count: int) -> NDArray[np.int64]:
        values = np.empty(count, "<i8")
        line.receive_values(values)
        return values

    def write(values: NDArray[np.int64]) -> None:
        line.send(Kind.VALUES, values.astype("<i8", copy=False).data.cast("B"))

    while asked := line.receive(Kind.SUM, LARGEST_ASKED):
        joined.answer(asked, read, write)
    transcript = joined.finish()
    document = {
        "format": canonical.format_name(NOUN, VERSION),
        "transcript": transcript.digest.hex(),
        "signatures": [signature.hex() for signature in transcript.signatures],
        "bytes": joined.moved_bytes,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    line.send(Kind.DONE, canonical.encode(document))


def _key_in(pem: bytes) -> bytes:
    """The part of a PEM file that holds the private key."""
    end = b"-----END ENCRYPTED PRIVATE KEY-----"
    return pem[: pem.index(end) + len(end)]


def _end_with_the_node(control: socket.socket, until: float) -> None:
    """Ends the process when its node is gone, or when the deadline is long over."""
    poll = select.poll()
    poll.register(control, select.POLLHUP)
    poll.poll(max(0.0, until - time.monotonic()) * 1000)
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main())
