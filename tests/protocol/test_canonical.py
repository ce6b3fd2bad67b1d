import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.LARGEST_INTEGER, canonical.LARGEST_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)
FORMAT = b'"format":"agora/thing/1"'


def nested(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES))
def test_what_is_encoded_decodes_to_itself(document: dict[str, object]) -> None:
    document["format"] = "agora/thing/1"
    assert canonical.decode(canonical.encode(document), "thing", 1) == document


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES))
def test_the_order_of_names_does_not_matter(document: dict[str, object]) -> None:
    assert canonical.encode(document) == canonical.encode(dict(reversed(document.items())))


def test_the_bytes_are_sorted_tight_utf8() -> None:
    assert (
        canonical.encode({"b": [1, True, None], "a": "é\n\x01/"}) == '{"a":"é\\n\\u0001/","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"{" + FORMAT + b"} ",
        b"{ " + FORMAT + b"}",
        b'{"a":1,"a":1,' + FORMAT + b"}",
        b"{" + FORMAT + b',"a":1}',
        b'{"a":"\\u0041",' + FORMAT + b"}",
        b'{"a":-0,' + FORMAT + b"}",
        b'{"a":1.0,' + FORMAT + b"}",
        b'{"a":NaN,' + FORMAT + b"}",
        b'{"a":"\\ud800",' + FORMAT + b"}",
        b'{"a":9007199254740992,' + FORMAT + b"}",
    ],
)
def test_another_spelling_of_the_same_document_is_refused(data: bytes) -> None:
    with pytest.raises(Corrupt, match="expected canonical JSON in a document agora/thing/1"):
        canonical.decode(data, "thing", 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b'{"a":' + b"1" * 5_000 + b"}", b"[" * 32, b'{"a":1}garbage'],
)
def test_bytes_that_are_no_json_are_refused(data: bytes) -> None:
    with pytest.raises(Corrupt, match=f"expected a document agora/thing/1, got {len(data)} bytes that are not JSON"):
        canonical.decode(data, "thing", 1)


@pytest.mark.parametrize("data", [b"[]", b"1", b'"x"', b"{}", b'{"format":1}'])
def test_a_document_without_a_format_is_refused(data: bytes) -> None:
    with pytest.raises(Corrupt, match="names no format"):
        canonical.decode(data, "thing", 1)


@pytest.mark.parametrize("name", ["agora/thing/2", "agora/other/1", "something"])
def test_another_format_is_refused_by_name(name: str) -> None:
    with pytest.raises(Corrupt, match=f"expected a document agora/thing/1, got '{name}'"):
        canonical.decode(json.dumps({"format": name}, separators=(",", ":")).encode(), "thing", 1)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, "got float"),
        (b"x", "got bytes"),
        ({1: 2}, "names to be strings"),
        (2**53, "at most 53 bits"),
        (-(2**53), "at most 53 bits"),
        ("\ud800", "text in Unicode"),
    ],
)
def test_a_value_without_a_canonical_form_is_refused(value: object, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        canonical.encode({"a": value})


def deep(levels: int) -> bytes:
    """A document of so many levels."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"," + FORMAT + b"}"


def test_a_document_may_have_32_levels_whatever_its_texts_hold() -> None:
    document = canonical.decode(deep(32), "thing", 1)
    assert canonical.encode(document) == deep(32)
    brackets = {"a": '[{"\\' * 100, "format": "agora/thing/1"}
    assert canonical.decode(canonical.encode(brackets), "thing", 1) == brackets


@pytest.mark.parametrize("levels", [33, 1_000, 10**6])
def test_a_deeper_document_is_refused_before_it_is_parsed(levels: int) -> None:
    for data in (deep(levels), b"[" * levels, b'{"a":' * levels, b'["\\"",' * levels):
        with pytest.raises(Corrupt, match="of at most 32 levels, got a deeper one"):
            canonical.decode(data, "thing", 1)


def test_a_deeper_value_is_not_encoded() -> None:
    canonical.encode({"a": nested(30)})
    for levels in (31, 100_000):
        with pytest.raises(Invalid, match="at most 32 levels of nesting"):
            canonical.encode({"a": nested(levels)})
