"""Regressions of 10,000 rows between three real processes over mutual TLS: logistic and Cox of 20 predictors in the sums lane,
logistic and Cox of 5 and 20 in the closed one."""

import resource
import secrets
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_newton import LikelihoodFit
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_hazards import ClosedHazards
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.local import answer_here

ROWS, PREDICTORS, PARTIES = 10_000, 20, 3
TRIES = 3
DAYS, WIDTH = 1_080, 30
NAMES = tuple(f"x{place}" for place in range(PREDICTORS))
SCHEMA = Schema(
    (
        *(Number(name, Decimal(-100), Decimal(100), Decimal(1), False) for name in NAMES),
        Number("days", Decimal(0), Decimal(DAYS), Decimal(1), False),
        Category("died", ("no", "yes"), False),
    ),
    None,
    1,
)
GRID = tuple(Decimal(day) for day in range(WIDTH, DAYS + 1, WIDTH))
ASKED = {
    "logistic": LogisticRegression("died", "yes", NAMES),
    "cox": CoxRegression("days", "died", "yes", GRID, NAMES),
    "closed logistic of 5": LogisticRegression("died", "yes", NAMES[:5]),
    "closed logistic of 20": LogisticRegression("died", "yes", NAMES),
    "closed cox of 5": CoxRegression("days", "died", "yes", GRID, NAMES[:5]),
    "closed cox of 20": CoxRegression("days", "died", "yes", GRID, NAMES),
}
CELL = 10

Codes = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class RegressionFigures:
    """One regression, the best of `tries`. Of the slowest party the seconds, from its node's start, which starts the party's
    process, to everybody's signature; `processor_s`: of all nodes and processes together; bytes of one party.

    `rounds`: Newton steps. `apart`: the largest distance of a coefficient from that of the pooled records in the clear, in
    standard errors; in the closed lane they are rounded.
    """

    regression: str
    rows: int
    predictors: int
    rounds: int
    seconds: float
    processor_s: float
    moved_mb: float
    apart: float


def patients(seed: int) -> Codes:
    """Predictors of standard deviation 20 on a grid of 201 points, effects of alternating sign, random watching."""
    drawn = np.random.default_rng(seed)
    design = np.rint(drawn.normal(0, 20, (ROWS, PREDICTORS))).clip(-100, 100)
    leaning = design @ np.tile([0.01, -0.005], PREDICTORS // 2)
    falls, watched = drawn.exponential(600 * np.exp(-leaning)), drawn.uniform(100, DAYS, ROWS)
    days = np.minimum(falls, watched)
    died = (falls <= watched).astype(np.int64)
    return {
        **{name: (design[:, place] + 100).astype(np.int64) for place, name in enumerate(NAMES)},
        "days": np.ceil(days).astype(np.int64).clip(1, DAYS),
        "died": died,
    }


def measure(name: str, tries: int = TRIES) -> RegressionFigures:
    """One regression between processes of this machine, beside statsmodels on the pooled records."""
    analysis, codes = ASKED[name], patients(1)
    plain = AnalysisSpecification(bytes(32), (analysis,), 1, bytes(SEALING_KEY_BYTES), secrets.token_bytes(32))
    asked = ClosedSpecification(plain, CELL) if name.startswith("closed") else plain
    parts = [{key: column[at] for key, column in codes.items()} for at in np.array_split(np.arange(ROWS), PARTIES)]
    counts = [lambda opened, part=part: count(asked, SCHEMA, len(part["days"]), part, opened) for part in parts]
    took = []
    for _ in range(tries):
        with tempfile.TemporaryDirectory(prefix="agora-regressions-") as folder:
            begun, busy = time.perf_counter(), used_s()
            answers = answer_here(asked, SCHEMA, secrets.token_bytes(32), counts, Path(folder))
            took.append((time.perf_counter() - begun, used_s() - busy))
    seconds, processor_s = min(took)
    return RegressionFigures(
        regression=name,
        rows=ROWS,
        predictors=len(analysis.predictors),
        rounds=analysis.rounds,
        seconds=seconds,
        processor_s=processor_s,
        moved_mb=max(one.closing.moved_bytes for one in answers) / 1e6,
        apart=_apart(analysis, codes, asked.results(SCHEMA, answers[0].opened)[0]),
    )


def used_s() -> float:
    """What this program and its children, once they have ended, have used."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def _apart(analysis: LogisticRegression | CoxRegression, codes: Codes, found: LikelihoodFit) -> float:
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.tools.tools import add_constant

    design = np.column_stack([codes[one] for one in analysis.predictors]) - 100.0
    if isinstance(analysis, LogisticRegression):
        expected = Logit(codes["died"], add_constant(design)).fit(disp=0, tol=1e-12)
    else:
        left = found.intervals if isinstance(found, ClosedHazards) else analysis.grid
        points = np.array(left, float)
        place = np.searchsorted(points, codes["days"])
        times, died = np.append(points, points[-1])[place], (codes["died"] == 1) & (place < len(points))
        expected = PHReg(times, design, status=died, ties="breslow").fit()
    if found.terms is None:
        raise SystemExit(f"expected a fit, got none: {found.reason}")
    return max(
        float(abs(term.coefficient - value) / error)
        for term, value, error in zip(found.terms, expected.params, expected.bse, strict=True)
    )
