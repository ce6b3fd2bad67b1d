"""What holds of every answer of several hospitals, and what lifelines says of the pooled records."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from marketplace.certificate.certificate import Certificate
from marketplace.certificate.verification import verify
from marketplace.protocol.analysis_answer import ANSWERS, decode
from scripts.story.folder import EXACT, OURS

PARTS = {
    "order", "state", "parties", "lane", "guarantee", "learned", "seconds", "bytes", "grid", "result", "logrank",
}  # fmt: skip


def check_joint(shown: dict[str, Any], out: Path, parties: int) -> None:
    """The parts of one answer, which agree with each other and with the buyer's folder."""
    assert set(shown) == PARTS
    assert re.fullmatch(r"[0-9a-f]{64}", shown["order"])
    assert shown["state"] == "Settled"
    assert shown["parties"] == parties
    assert {"every party", "the buyer", "nobody"} <= set(shown["learned"])
    assert shown["seconds"] > 0
    assert shown["bytes"] > 1_000
    assert set(shown["logrank"]) == {"statistic", "p"}
    for points in shown["result"].values():
        assert [point["time"] for point in points] == shown["grid"]
        assert all(set(point) == {"time", "at_risk", "events", "survival"} for point in points)
        assert all(0 <= point["survival"] <= 1 for point in points)
    assert {path.name for path in out.iterdir()} == OURS[EXACT]
    assert Certificate.decode((out / "certificate.json").read_bytes()).order.hex() == shown["order"]
    assert verify(out).passed
    (answer,) = decode((out / ANSWERS).read_bytes())
    assert [curve["group"] for curve in answer["answer"]["curves"]] == list(shown["result"])


def check_survival(
    shown: dict[str, Any], times: "pd.Series[float]", died: "pd.Series[bool]", group: "pd.Series[str]", width: float
) -> None:
    """The answer is that of lifelines on the pooled records, each time moved up to the next point of the grid."""
    moved = np.maximum(np.ceil(times / width), 1) * width
    assert set(shown["result"]) == set(group)
    for name, points in shown["result"].items():
        who = group == name
        fitted = KaplanMeierFitter().fit(moved[who], died[who])
        for point in points:
            assert point["survival"] == pytest.approx(fitted.predict(point["time"]), rel=1e-9, abs=1e-12)
            assert point["at_risk"] == (moved[who] >= point["time"]).sum()
            assert point["events"] == (died[who] & (moved[who] == point["time"])).sum()
    expected = multivariate_logrank_test(moved, group, died)
    assert shown["logrank"]["statistic"] == pytest.approx(expected.test_statistic, rel=1e-9)
    assert shown["logrank"]["p"] == pytest.approx(expected.p_value, rel=1e-8)
