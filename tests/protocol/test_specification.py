from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import (
    ATTESTATION,
    LARGEST_ROWS,
    LARGEST_WORKLOAD,
    SEALING_KEY_BYTES,
    Curve,
    Specification,
    Workload,
    event_code,
)
from marketplace.protocol.threshold import Threshold

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


FOLLOWED = Schema(
    (
        Number("months", Decimal(0), Decimal(120), Decimal(1), missing=False),
        Category("died", ("no", "yes"), missing=False),
        Category("arm", ("a", "b"), missing=True),
    ),
    None,
    1,
)
ONLY = (Condition("arm", values=("a",)), Condition("months", lower=Decimal(6), upper=Decimal("60.5")))
CURVES = (Curve("months", "died", "arm"), Curve("months", "died"))


def test_curves_and_conditions_survive_being_written_and_read() -> None:
    specification = replace(SPECIFICATION, workload=Workload((("arm",),), CURVES), only=ONLY)
    assert Specification.decode(specification.encode()) == specification


def test_another_generator_stands_in_the_bytes_and_the_default_does_not() -> None:
    other = replace(SPECIFICATION, generator="neural-2")
    assert Specification.decode(other.encode()) == other
    assert b"generator" not in SPECIFICATION.encode()
    spelled = SPECIFICATION.encode().replace(b'"nonce"', b'"generator":"private-marginals","nonce"')
    with pytest.raises(Corrupt, match="no more"):
        Specification.decode(spelled)


@pytest.mark.parametrize("name", ["", "Neural", "a b", "-a", "a" * 41, "a/2", "a\n"])
def test_a_generator_has_a_plain_name(name: str) -> None:
    with pytest.raises(Invalid, match="expected a generator's name"):
        replace(SPECIFICATION, generator=name)


def test_a_specification_without_them_is_written_as_it_always_was() -> None:
    assert b"curves" not in SPECIFICATION.encode() and b"only" not in SPECIFICATION.encode()


def test_a_curve_asks_for_the_marginal_that_tells_it() -> None:
    assert Workload((("arm",),), CURVES).all_marginals == (("arm",), ("months", "died", "arm"), ("months", "died"))


def test_conditions_and_curves_are_judged_by_the_schema_alone() -> None:
    replace(SPECIFICATION, workload=Workload((), CURVES), only=ONLY).check(FOLLOWED)
    for faulty in (
        replace(SPECIFICATION, workload=Workload((), (Curve("died", "months"),))),
        replace(SPECIFICATION, workload=Workload((), (Curve("months", "gone"),))),
        replace(SPECIFICATION, workload=Workload((), (Curve("months", "months"),))),
        replace(SPECIFICATION, workload=Workload(), only=(Condition("arm", values=("c",)),)),
        replace(SPECIFICATION, workload=Workload(), only=(Condition("leg", values=("a",)),)),
        replace(SPECIFICATION, workload=Workload(), only=ONLY * 11),
    ):
        with pytest.raises(Invalid, match="expected"):
            faulty.check(FOLLOWED)


@pytest.mark.parametrize(
    ("found", "forged"),
    [
        (b'"arm","in":["a"]', b'"arm","in":"a"'),
        (b'"from":"6"', b'"from":"six"'),
        (b'["months","died","arm"]', b'["months","died"]'),
        (b'["months","died","arm"]', b'["months",1,"arm"]'),
    ],
)
def test_other_parts_in_curves_or_conditions_are_corrupt(found: bytes, forged: bytes) -> None:
    data = replace(SPECIFICATION, workload=Workload((), CURVES), only=ONLY).encode()
    assert found in data
    with pytest.raises(Corrupt):
        Specification.decode(data.replace(found, forged))


# ----------------------------------------------------------------------------------- events, subgroups and thresholds


def test_events_subgroups_and_thresholds_survive_being_written_and_read() -> None:
    curves = (Curve("months", "died", "arm", "no"), *CURVES)
    specification = replace(
        SPECIFICATION,
        workload=Workload((), curves),
        subgroups="arm",
        thresholds=(Threshold("l1_1way", "0.1"), Threshold("curve_0", "0.05")),
    )
    assert Specification.decode(specification.encode()) == specification
    specification.check(FOLLOWED)


def test_a_specification_without_subgroups_and_thresholds_is_written_as_it_always_was() -> None:
    data = SPECIFICATION.encode()
    assert b"subgroups" not in data and b"thresholds" not in data


def test_the_event_of_a_curve_is_the_last_declared_value_or_the_named_one() -> None:
    assert event_code(Curve("months", "died"), FOLLOWED) == 1
    assert event_code(Curve("months", "died", None, "no"), FOLLOWED) == 0
    with pytest.raises(Invalid, match="a declared value of 'died' as a curve's event, got 'perhaps'"):
        event_code(Curve("months", "died", None, "perhaps"), FOLLOWED)


def test_groups_are_few_declared_values() -> None:
    many = Schema((*FOLLOWED.columns, Category("ward", tuple("abcdefghijklm"), missing=False)), None, 1)
    for name in ("months", "ward"):
        for faulty in (
            replace(SPECIFICATION, workload=Workload((), (Curve("months", "died", name),))),
            replace(SPECIFICATION, workload=Workload(), subgroups=name),
        ):
            with pytest.raises(Invalid, match="expected"):
                faulty.check(many)
    with pytest.raises(Invalid, match="got 'height'"):
        replace(SPECIFICATION, workload=Workload(), subgroups="height").check(FOLLOWED)


def test_too_many_thresholds_are_refused() -> None:
    with pytest.raises(Invalid, match="at most 50 thresholds, got 51"):
        replace(SPECIFICATION, workload=Workload(), thresholds=(Threshold("l1_1way", "1"),) * 51).check(FOLLOWED)


@pytest.mark.parametrize(
    ("found", "forged"),
    [
        (b'"subgroups":"arm"', b'"subgroups":1'),
        (b'["l1_1way","0.1"]', b'["l1_1way"]'),
        (b'["l1_1way","0.1"]', b'["l1_1way",0]'),
        (b'["l1_1way","0.1"]', b'["l1_1way","0.1","0.2"]'),
    ],
)
def test_other_parts_in_subgroups_or_thresholds_are_corrupt(found: bytes, forged: bytes) -> None:
    data = replace(SPECIFICATION, subgroups="arm", thresholds=(Threshold("l1_1way", "0.1"),)).encode()
    assert found in data
    with pytest.raises(Corrupt):
        Specification.decode(data.replace(found, forged))
