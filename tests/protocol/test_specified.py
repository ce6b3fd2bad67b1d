"""Which specification bytes are: told by the format that they name, before anything else is made of them."""

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_sums import decode, encode
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.specified import read_specified, rows_of, thresholds_of
from tests.node.examples import specification

QUESTIONS = AnalysisSpecification(
    b"f" * 32, (Count(),), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32, threshold=2, smallest_cell=12
)


def test_each_kind_is_read_by_the_format_that_it_names() -> None:
    for each in (QUESTIONS, specification()):
        assert read_specified(each.encode()) == each
    assert (rows_of(QUESTIONS), rows_of(specification())) == (0, specification().rows)
    assert thresholds_of(QUESTIONS) == ()


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"5", b"[" * 200_000, b'{"format":' * 50_000, b'{"format":"agora/order/1"}']
)
def test_other_bytes_are_corrupt_however_deep(data: bytes) -> None:
    with pytest.raises(Corrupt, match="expected"):
        read_specified(data)


def test_sums_survive_being_written_and_other_bytes_are_none() -> None:
    opened = ({"0/rows": (3,), "1/cells": (-(2**63), 0, 2**62)}, {"1/more": ()})
    assert decode(encode(opened)) == opened
    for wrong in (
        b"",
        b'{"format":"agora/sums/2"}',
        encode(opened).replace(b'"3"', b'"x"'),
        encode(opened).replace(b'"3"', b'"03"'),
    ):
        with pytest.raises(Corrupt):
            decode(wrong)
