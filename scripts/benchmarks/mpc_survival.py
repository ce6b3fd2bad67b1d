"""Kaplan-Meier with log-rank over three hospitals in the sums lane, beside the same written directly on stock MPyC's arrays.

NCCTG lung cancer by sex on a grid of 30 days. Wall time of the slowest party from its node's numbers to curves and test,
everybody connected before; ours with mutual TLS and everybody's signature under the transcript, MPyC without TLS.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.local import answer_here
from scripts.benchmarks.mpc_peer import run_stock
from scripts.story.lung import LUNG, lung_cancer

PARTIES = 3
GRID = tuple(Decimal(day) for day in range(30, 1101, 30))
ASKED = AnalysisSpecification(
    bytes(32), (Survival("time", "status", "2", GRID, "sex"),), 1, bytes(SEALING_KEY_BYTES), bytes(32)
)
CLOSE = 1e-3

Codes = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class SurvivalFigures:
    """Seconds of the slowest party, with stock MPyC, and the ratio."""

    seconds: float
    mpyc_seconds: float
    times_faster: float


def parts() -> list[dict[str, NDArray[np.int64]]]:
    """The hospitals' records."""
    return lung_cancer()


def leaving(part: Codes) -> NDArray[np.int64]:
    """One hospital's counts: group, point and beyond, without and with event."""
    counts = count(ASKED, LUNG, len(part["sex"]), part)["0/leaving"]
    return counts.reshape(2, len(GRID) + 1, 2)


def measure() -> SurvivalFigures:
    """The best of three runs of ours and two of stock MPyC. Ends with an error where the two disagree."""
    best, answer = min((ours() for _ in range(3)), key=lambda one: one[0])
    stock = min((stocks() for _ in range(2)), key=lambda one: one["seconds"])
    survival = [curve.steps[-1].survival for curve in answer.curves]
    off = [*np.subtract(survival, stock["survival"]), answer.log_rank.statistic - stock["chi_square"]]
    if max(map(abs, off)) > CLOSE * answer.log_rank.statistic:
        sys.exit("expected the same curves and test from both")
    return SurvivalFigures(best, stock["seconds"], stock["seconds"] / best)


def ours() -> tuple[float, Any]:
    """Seconds and answer in the sums lane."""
    begun: list[float] = []

    def counted(part: Codes) -> dict[str, NDArray[np.int64]]:
        begun.append(time.perf_counter())
        return count(ASKED, LUNG, len(part["sex"]), part)

    with tempfile.TemporaryDirectory() as folder:
        counts = [lambda opened, part=part: counted(part) for part in parts()]
        answers = answer_here(ASKED, LUNG, bytes(32), counts, Path(folder))
        ended = time.perf_counter()
    return ended - min(begun), ASKED.results(LUNG, answers[0].opened)[0]


def stocks() -> Any:
    """What stock MPyC says."""
    return run_stock("scripts.benchmarks.mpc_stock_survival", PARTIES)
