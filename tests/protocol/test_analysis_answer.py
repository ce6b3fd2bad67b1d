"""The document of an analysis's answers: the same bytes from the same sums, and nothing else is one."""

from decimal import Decimal

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.analysis_answer import decode, encode
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.offer import Guarantee
from tests.protocol.test_analysis import GRID, SCHEMA, specification

ASKED = specification(Count(), Survival("days", "outcome", "dead", GRID))
RESULTS = ASKED.results(SCHEMA, [{"0/rows": [2**60], "1/leaving": [1, 2, 3, 4, 5, 6, 7, 8]}])


def test_every_answer_stands_beside_its_question() -> None:
    count, survival = decode(encode(ASKED, Guarantee.EXACT, RESULTS))
    assert count == {"asked": {"kind": "count"}, "answer": {"rows": str(2**60), "error": "0"}}
    assert survival["asked"] == ASKED.analyses[1].document()
    (curve,) = survival["answer"]["curves"]
    step = curve["steps"][1]
    share = 34 / 36 * 29 / 33
    assert float(step.pop("low")) < share < float(step.pop("high"))
    assert step == {"time": "250.5", "at_risk": 33, "events": 4, "survival": f"{share:.12g}"}
    assert survival["answer"]["log_rank"] is None


def test_the_last_bits_of_a_machine_change_no_byte() -> None:
    near = Decimal(1) / 3
    first, second = (encode(specification(Count()), Guarantee.EXACT, [value]) for value in (1 / 3, 1 / 3 + 2**-54))
    assert first == second
    assert abs(Decimal(decode(first)[0]["answer"]) - near) < Decimal("1e-12")


def test_both_guarantees_are_named() -> None:
    assert b'"guarantee":"exact"' in encode(ASKED, Guarantee.EXACT, RESULTS)
    assert b'"guarantee":"dp"' in encode(ASKED, Guarantee.DIFFERENTIALLY_PRIVATE, RESULTS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"format":"agora/answers/2"}',
        b'{"format":"agora/answers/1"}',
        b'{"answers":3,"format":"agora/answers/1","guarantee":"dp"}',
        b'{"answers":[{"answer":1}],"format":"agora/answers/1","guarantee":"dp"}',
        b'{"answers":[],"format":"agora/answers/1","guarantee":"dp","more":1}',
    ],
)
def test_other_bytes_are_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt, match="expected"):
        decode(data)
