"""What a linkage count takes between three hospitals' processes in the closed lane, over mutual TLS, by its buckets.

Hospitals with a person for each fourth bucket, one in ten of whom each other hospital knows; noise of every hospital at rho
1 and threshold 1. Wall time from the first word between the processes to everybody's signature.
"""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_noise import shares, variances
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.rho import MICRO
from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.local import answer_here
from node.mpc.noise import add
from node.mpc.persons import in_buckets
from node.noise.stream import NoiseStream

PARTIES = 3
SIZES = (2**12, 2**14, 2**16)
SCHEMA = Schema((Category("sex", ("f", "m"), False),), "patient", 1)


@dataclass(frozen=True)
class LinkageFigures:
    """`moved_mb`: sent and heard by one party. `persons` and the interval: as answered; `truly`: as is."""

    buckets: int
    seconds: float
    moved_mb: float
    peak_mib: float
    truly: int
    persons: int | None
    low: int | None
    high: int | None


def measure(sizes: tuple[int, ...] = SIZES) -> list[LinkageFigures]:
    """The best of two runs of each size."""
    return [min((_run(size) for _ in range(2)), key=lambda one: one.seconds) for size in sizes]


def _run(buckets: int) -> LinkageFigures:
    analysis = Linkage(PARTIES, buckets, KnownTo.TWO)
    asked = AnalysisSpecification(bytes(32), (analysis,), 1, bytes(SEALING_KEY_BYTES), bytes(32))
    parts = shares(asked.schedule(SCHEMA), MICRO, PARTIES, PARTIES, 1)
    common = [f"common {person}" for person in range(buckets // 40)]
    agreed: list[list[bytes]] = [[] for _ in range(PARTIES)]

    def counted(party: int) -> dict[str, NDArray[np.int64]]:
        own = [*common, *(f"{party} {person}" for person in range(buckets // 4 - len(common)))]
        noise = NoiseStream(secrets.token_bytes(32), bytes(32))
        return add(in_buckets(asked, SCHEMA, own, agreed[party][0]), parts[0], noise)

    counts = [lambda _, party=party: counted(party) for party in range(PARTIES)]
    told = [one.append for one in agreed]
    with tempfile.TemporaryDirectory() as folder:
        answer = answer_here(ClosedSpecification(asked, None), SCHEMA, bytes(32), counts, Path(folder), agree=told)[0]
    (found,) = asked.results(SCHEMA, answer.opened, variances(parts, PARTIES))
    moved, peak = answer.closing.moved_bytes / 1e6, answer.closing.peak_kib / 1024
    return LinkageFigures(buckets, answer.seconds, moved, peak, len(common), found.persons, found.low, found.high)
