"""Certificate, manifest and opening: canonical bytes with a format, refused by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from marketplace.certificate.certificate import Certificate
from marketplace.certificate.folder import DELIVERY
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.errors import Corrupt

from .examples import Sale

NOUNS = ("certificate", "manifest", "opening")
DECODE: dict[str, Callable[[bytes], Any]] = {
    "certificate": Certificate.decode,
    "manifest": Manifest.decode,
    "opening": Opening.decode,
}


def encoded(sale: Sale, noun: str) -> bytes:
    if noun == "opening":
        return (sale.folder / DELIVERY).read_bytes()
    return sale.manifest.encode() if noun == "manifest" else sale.manifest.certificate.encode()


def spelled(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every part of a document, however deep."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        found += places(part, (*path, key))
    return found


def holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


@pytest.fixture(params=NOUNS)
def noun(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_bytes_name_their_format_and_decode_to_what_they_say(sold: Sale, noun: str) -> None:
    data = encoded(sold, noun)
    assert json.loads(data)["format"] == f"agora/{noun}/1"
    assert DECODE[noun](data).encode() == data


def test_another_format_or_spelling_is_refused(sold: Sale, noun: str) -> None:
    data = encoded(sold, noun)
    other = f'"format":"agora/{noun}/9"'.encode()
    with pytest.raises(Corrupt, match=f"expected a document agora/{noun}/1, got 'agora/{noun}/9'"):
        DECODE[noun](data.replace(f'"format":"agora/{noun}/1"'.encode(), other))
    with pytest.raises(Corrupt, match="expected canonical JSON"):
        DECODE[noun](data + b" ")


def test_no_part_can_be_left_out_at_any_depth(sold: Sale, noun: str) -> None:
    data = encoded(sold, noun)
    for path in places(json.loads(data)):
        document = json.loads(data)
        del holder(document, path)[path[-1]]
        if isinstance(path[-1], int) or path[-2:-1] == ("parameters",):
            assert DECODE[noun](spelled(document)).encode() != data
        else:
            with pytest.raises(Corrupt):
                DECODE[noun](spelled(document))


def test_no_part_can_be_added_at_any_depth(sold: Sale, noun: str) -> None:
    data = encoded(sold, noun)
    for path in [(), *places(json.loads(data))]:
        document = json.loads(data)
        part = holder(document, path)[path[-1]] if path else document
        if isinstance(part, dict) and path[-1:] != ("parameters",):
            part["more"] = "parts"
            with pytest.raises(Corrupt):
                DECODE[noun](spelled(document))


@pytest.mark.parametrize("value", [None, True, -1, 1.5, "?", [1], {"a": 1}], ids=repr)
def test_a_part_of_another_kind_is_refused_or_read_as_itself(sold: Sale, noun: str, value: Any) -> None:
    data = encoded(sold, noun)
    for path in places(json.loads(data)):
        document = json.loads(data)
        holder(document, path)[path[-1]] = value
        changed = spelled(document)
        try:
            assert DECODE[noun](changed).encode() == changed
        except Corrupt:
            continue
        assert isinstance(value, str), f"{path} took {value!r}"


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text[:-2], lambda text: text + "00", lambda text: f" {text[1:]}"]
)
def test_hexadecimal_in_another_spelling_is_refused(sold: Sale, change: Callable[[str], str]) -> None:
    for noun, part in (("certificate", "plain_root"), ("manifest", "signature"), ("opening", "key_hash")):
        document = json.loads(encoded(sold, noun))
        document[part] = change("ab" + document[part][2:])
        with pytest.raises(Corrupt, match="expected"):
            DECODE[noun](spelled(document))


def test_parameters_come_back_sorted_by_name(sold: Sale) -> None:
    certificate = Certificate.decode(sold.manifest.certificate.encode())
    assert certificate == sold.manifest.certificate
    assert certificate.mechanism.parameters == (("pairs", "3"), ("rounds", "500"))
