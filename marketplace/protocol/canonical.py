"""Canonical JSON: one value, one sequence of bytes, so that a document can be named by its hash."""

import json
import re
from collections.abc import Mapping
from typing import Any

from marketplace.errors import Corrupt, Invalid

Document = Mapping[str, Any]

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 32
_ESCAPE_QUOTE_OR_BRACKET = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)


def encode(document: Document) -> bytes:
    """The canonical bytes of a document: UTF-8, keys sorted by code point, no spaces, no floats.

    Whatever is not a whole number of at most 53 bits is written as a string by its owner. Raises `Invalid` for a
    value that has no canonical form. Source: a subset of RFC 8785 in which both agree.
    """
    _check(document, 1)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Invalid("expected text in Unicode in a document; write it without half characters") from None


def decode(data: bytes, noun: str, version: int) -> dict[str, Any]:
    """The document in `data`, which must be canonical and begin with `format: "agora/<noun>/<version>"`.

    Raises `Corrupt` if the bytes are not canonical JSON or are of another format, which it names.
    """
    expected = format_name(noun, version)
    if _depth(data) > DEEPEST:
        raise Corrupt(f"expected a document {expected} of at most {DEEPEST} levels, got a deeper one; ask who made it")
    try:
        document = json.loads(data.decode())
    except ValueError:
        raise Corrupt(
            f"expected a document {expected}, got {len(data)} bytes that are not JSON; fetch it again"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("format"), str):
        raise Corrupt(f"expected a document {expected}, got one that names no format; ask who made it")
    if document["format"] != expected:
        raise Corrupt(f"expected a document {expected}, got {document['format'][:60]!r}; update this program")
    try:
        canonical = encode(document)
    except Invalid as error:
        raise Corrupt(f"expected canonical JSON in a document {expected}: {error}") from None
    if canonical != data:
        raise Corrupt(f"expected canonical JSON in a document {expected}, got another spelling; ask who made it")
    return document


def parse(data: bytes) -> Any:
    """The JSON value in `data`, canonical or not. Raises `ValueError` where there is none, or one of too many levels."""
    if _depth(data) > DEEPEST:
        raise ValueError("expected fewer levels")
    return json.loads(data.decode())


def format_name(noun: str, version: int) -> str:
    """The `format` that a stored document of this noun and version carries."""
    return f"agora/{noun}/{version}"


def whole(value: object) -> int:
    """`value` if it is a whole number. Raises `TypeError` for anything else, a truth value too."""
    if type(value) is not int:
        raise TypeError
    return value


def text(value: object) -> str:
    """`value` if it is text. Raises `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError
    return value


def _depth(data: bytes) -> int:
    """How many brackets are open at once at most: asked before a parser that calls itself for each sees the bytes."""
    depth = deepest = 0
    quoted = False
    for match in _ESCAPE_QUOTE_OR_BRACKET.finditer(data):
        match match[0]:
            case b'"':
                quoted = not quoted
            case b"[" | b"{" if not quoted:
                depth += 1
                deepest = max(deepest, depth)
            case b"]" | b"}" if not quoted:
                depth -= 1
    return deepest


def _check(value: object, depth: int) -> None:
    if depth > DEEPEST and isinstance(value, Mapping | list | tuple):
        raise Invalid(f"expected at most {DEEPEST} levels of nesting in a document; write it flatter")
    if isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise Invalid("expected whole numbers of at most 53 bits in a document; write a larger one as a string")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Invalid("expected names to be strings in a document; use strings")
            _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    else:
        raise Invalid(f"expected strings, whole numbers, lists and objects in a document, got {type(value).__name__}")
