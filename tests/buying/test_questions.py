"""A file of questions to several providers: what is an analysis, and what is none."""

import json

import pytest

from marketplace.buying.questions import questions_of
from marketplace.errors import Invalid
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_moments import Mean

ASKED = (Count(), Mean("age"), Histogram("age", 5), Contingency("sex", "stage"))


def test_every_question_survives_being_written_down() -> None:
    written = [analysis.document() for analysis in ASKED]
    assert questions_of(json.dumps(written).encode()) == ASKED
    assert questions_of(json.dumps(written, indent=2).encode()) == ASKED


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"{}", b"[]", b'"count"', b"\xff"])
def test_a_file_without_a_list_of_questions_is_invalid(data: bytes) -> None:
    with pytest.raises(Invalid, match="expected a JSON list of analyses"):
        questions_of(data)


@pytest.mark.parametrize(
    "written",
    [
        1,
        "count",
        {},
        {"kind": "guess"},
        {"kind": "mean"},
        {"kind": "mean", "column": 5},
        {"kind": "count", "column": "age"},
        {"kind": "histogram", "column": "age", "bins": "5"},
        {"kind": "histogram", "column": "age", "bins": True},
        {"kind": "survival", "time": "t", "event": "e", "happened": "x", "grid": ["one"]},
    ],
)
def test_a_question_that_is_none_is_named_by_its_place(written: object) -> None:
    with pytest.raises(Invalid, match="question 2: expected a known kind with its parts"):
        questions_of(json.dumps([{"kind": "count"}, written]).encode())
