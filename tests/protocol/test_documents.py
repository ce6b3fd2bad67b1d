"""What the public documents have in common: canonical bytes with a format, refused by name."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.decision import Decision
from marketplace.protocol.description import Description
from marketplace.protocol.descriptor import Descriptor
from marketplace.protocol.epoch import EpochReason
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.specification import Specification
from marketplace.protocol.terms import Terms

from .examples import DECISION, DESCRIPTION, DESCRIPTOR, EPOCH_REASON, GROUNDS, SPECIFICATION


@dataclass(frozen=True)
class Case:
    noun: str
    data: bytes
    decode: Callable[[bytes], Any]

    def changed(self, **parts: Any) -> bytes:
        return spelled(json.loads(self.data) | parts)


def spelled(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


CASES = {
    "description": Case("description", DESCRIPTION.encode(), Description.decode),
    "descriptor": Case("descriptor", DESCRIPTOR.encode(), Descriptor.decode),
    "specification": Case("specification", SPECIFICATION.encode(), Specification.decode),
    "terms": Case("terms", Terms("Research licence", 365).encode(), Terms.decode),
    "grounds": Case("grounds", GROUNDS.encode(), Grounds.decode),
    "permit": Case("permit", DECISION.encode(), Decision.decode),
    "epoch-reason": Case("epoch-reason", EPOCH_REASON.encode(), EpochReason.decode),
}
PARTS = [(noun, part) for noun, case in CASES.items() for part in json.loads(case.data) if part != "format"]


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_the_bytes_name_their_format_and_decode_to_what_they_say(case: Case) -> None:
    assert json.loads(case.data)["format"] == f"agora/{case.noun}/1"
    assert case.decode(case.data).encode() == case.data


def test_another_format_is_refused_by_name(case: Case) -> None:
    with pytest.raises(Corrupt, match=f"expected a document agora/{case.noun}/1, got 'agora/{case.noun}/2'"):
        case.decode(case.changed(format=f"agora/{case.noun}/2"))


def test_another_spelling_is_refused(case: Case) -> None:
    with pytest.raises(Corrupt, match="expected canonical JSON"):
        case.decode(case.data + b"\n")


def test_an_extra_part_is_refused(case: Case) -> None:
    with pytest.raises(Corrupt, match="ask who made"):
        case.decode(case.changed(more="part"))


@pytest.mark.parametrize(("noun", "part"), PARTS)
def test_a_missing_part_is_refused(noun: str, part: str) -> None:
    document = json.loads(CASES[noun].data)
    del document[part]
    with pytest.raises(Corrupt, match="ask who made"):
        CASES[noun].decode(spelled(document))


WRONG_KINDS = [
    (noun, part, value)
    for noun, part in PARTS
    for value in (None, True, -5, [], {}, [1], {"a": 1})
    if (noun, part, value) not in (("specification", "workload", []), ("grounds", "evidence", None))
]
"""Every part as something it is not. An empty list is a workload like any other, and grounds need no evidence."""


@pytest.mark.parametrize(("noun", "part", "value"), WRONG_KINDS, ids=repr)
def test_a_part_of_another_kind_is_refused(noun: str, part: str, value: Any) -> None:
    with pytest.raises(Exception) as caught:
        CASES[noun].decode(CASES[noun].changed(**{part: value}))
    assert type(caught.value).__module__ == "marketplace.errors"


@pytest.mark.parametrize(
    ("noun", "changes"),
    [
        ("description", {"title": 5}),
        ("description", {"summary": 5}),
        ("description", {"provenance": None}),
        ("description", {"rows_declared": "15000"}),
        ("description", {"unit": "one record"}),
        ("description", {"rows_declared": 15_001}),
        ("description", {"title": " "}),
        ("descriptor", {"provider": "0x12"}),
        ("descriptor", {"provider": 5}),
        ("descriptor", {"endpoint": "http://node.example:8443"}),
        ("descriptor", {"endpoint": "https://node.example"}),
        ("descriptor", {"endpoint": "https://node.example:8443/"}),
        ("descriptor", {"endpoint": "https://user@node.example:8443"}),
        ("descriptor", {"endpoint": "node.example:8443"}),
        ("descriptor", {"certificate": "CC" * 32}),
        ("descriptor", {"certificate": "cc" * 31}),
        ("specification", {"offer": "6F" * 32}),
        ("specification", {"offer": "xyz"}),
        ("specification", {"rows": "1000"}),
        ("specification", {"rows": True}),
        ("specification", {"workload": ["ab"]}),
        ("specification", {"workload": [[1]]}),
        ("specification", {"attestation": 5}),
        ("terms", {"title": 5}),
        ("terms", {"title": ""}),
        ("terms", {"permission": []}),
        ("terms", {"prohibition": []}),
        ("grounds", {"order": "ab"}),
        ("grounds", {"order": "AB" * 32}),
        ("grounds", {"evidence": "ab" * 31}),
        ("grounds", {"because": " \n"}),
        ("grounds", {"because": "a\u202eb"}),
        ("grounds", {"because": "a" * 4_001}),
        ("epoch-reason", {"dataset": "ab"}),
        ("epoch-reason", {"dataset": "AB" * 32}),
        ("epoch-reason", {"total_micro": "5"}),
        ("epoch-reason", {"words": " \n"}),
        ("epoch-reason", {"words": "a\u202eb"}),
        ("epoch-reason", {"words": "a" * 10_001}),
        ("permit", {"act": "lend"}),
        ("permit", {"authority": "0x12"}),
        ("permit", {"holder": "0x" + "g" * 40}),
        ("permit", {"purpose": 256}),
        ("permit", {"purpose": True}),
        ("permit", {"purpose": "4"}),
        ("permit", {"to_s": 1_700_000_000}),
        ("permit", {"to_s": 2**40}),
        ("permit", {"from_s": "1700000000"}),
        ("permit", {"subjects": []}),
        ("permit", {"subjects": ["ab" * 31]}),
        ("permit", {"subjects": ["AB" * 32]}),
        ("permit", {"reference": "two\nlines"}),
        ("permit", {"reference": ""}),
        ("permit", {"words": "\t"}),
    ],
)
def test_a_part_with_another_value_than_it_can_have_is_refused(noun: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Corrupt, match="ask who made"):
        CASES[noun].decode(CASES[noun].changed(**changes))


def test_a_description_of_one_row_that_is_called_true_is_refused() -> None:
    with pytest.raises(Corrupt, match="expected the parts of a description"):
        Description.decode(CASES["description"].changed(rows_declared=True))


@pytest.mark.parametrize("elapsed", ["P-3D", "P0D", "P1_0D", "D", "", 365])
def test_terms_for_less_than_a_day_or_for_another_spelling_of_days_are_refused(elapsed: Any) -> None:
    document = json.loads(CASES["terms"].data)
    document["permission"][0]["constraint"][1]["rightOperand"] = elapsed
    with pytest.raises(Corrupt, match="expected licence terms"):
        Terms.decode(spelled(document))
