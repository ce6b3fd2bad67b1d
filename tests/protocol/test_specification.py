from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.specification import (
    ATTESTATION,
    LARGEST_ROWS,
    LARGEST_WORKLOAD,
    SEALING_KEY_BYTES,
    Specification,
    Workload,
)

from .examples import NAMES, SCHEMA, SPECIFICATION


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(1, LARGEST_ROWS),
    st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=4),
    st.integers(1, 86_400),
    st.binary(min_size=SEALING_KEY_BYTES, max_size=SEALING_KEY_BYTES),
)
def test_a_specification_survives_being_written_and_read(
    some: bytes, rows: int, marginals: list[list[str]], slot_s: int, key: bytes
) -> None:
    specification = Specification(some, rows, Workload(tuple(map(tuple, marginals))), slot_s, key, some)
    assert Specification.decode(specification.encode()) == specification


def test_the_attestation_is_in_the_bytes_that_the_order_names() -> None:
    assert ATTESTATION.encode() in SPECIFICATION.encode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 0}, "expected 1 to 10000000 rows, got 0"),
        ({"rows": LARGEST_ROWS + 1}, "expected 1 to 10000000 rows"),
        ({"slot_s": 0}, "a delivery slot of 1 to 86400 seconds, got 0"),
        ({"slot_s": 86_401}, "a delivery slot of 1 to 86400 seconds, got 86401"),
        ({"offer": b"o" * 31}, "an offer's id and a nonce of 32 bytes each"),
        ({"nonce": b"n" * 33}, "an offer's id and a nonce of 32 bytes each"),
        ({"sealing_key": b"k" * 1_215}, "a sealing key of 1216 bytes, got 1215"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        replace(SPECIFICATION, **changes)


def test_a_document_with_such_a_wish_is_refused_too() -> None:
    with pytest.raises(Invalid, match="expected 1 to 10000000 rows, got 0"):
        Specification.decode(SPECIFICATION.encode().replace(b'"rows":1000', b'"rows":0'))


def test_the_workload_of_the_example_fits_its_schema() -> None:
    assert SPECIFICATION.workload.check(SCHEMA) is None
    assert Workload().check(SCHEMA) is None


@pytest.mark.parametrize("marginal", [(), ("sex", "sex"), ("sex", "age", "ward", "height")])
def test_a_marginal_of_no_or_four_or_repeated_columns_is_refused(marginal: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="expected marginals of 1 to 3 different columns"):
        Workload((marginal,)).check(SCHEMA)


def test_a_marginal_of_an_unknown_column_is_refused() -> None:
    with pytest.raises(Invalid, match="got 'height'"):
        Workload((("height",),)).check(SCHEMA)


def test_too_many_marginals_are_refused() -> None:
    Workload((("sex",),) * LARGEST_WORKLOAD).check(SCHEMA)
    with pytest.raises(Invalid, match=f"at most {LARGEST_WORKLOAD} marginals in a workload"):
        Workload((("sex",),) * (LARGEST_WORKLOAD + 1)).check(SCHEMA)


def test_bytes_that_are_none_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="expected a document agora/specification/1"):
        Specification.decode(b"agora")
