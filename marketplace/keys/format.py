"""How files are recognised: the line that our binary files begin with, and JSON that is safe to parse."""

import json
from typing import Any

from marketplace.errors import Corrupt, Invalid

_MOST_BRACKETS = 64


def require_format(found: bytes, expected: bytes) -> None:
    """Check the first `len(expected)` bytes of a file; `expected` is a line with its end.

    Raises `Invalid` for another format of this family, naming it, and `Corrupt` for anything else.
    """
    if found == expected:
        return
    wanted = expected.decode("ascii").strip()
    name = found.split(b"\n")[0].decode("ascii", "replace")
    whole = len(found) == len(expected)
    if whole and name.startswith("agora/") and name.isascii() and name.isprintable():
        raise Invalid(f"Expected the format {wanted}, found {name}; use a program that reads it.")
    raise Corrupt(f"Expected the format {wanted}, found bytes of another kind; get the file again.")


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises `ValueError` for anything else, and for one that is nested without need."""
    if data.count(b"{") + data.count(b"[") > _MOST_BRACKETS:
        raise ValueError("a key file is not nested so deeply")
    parsed = json.loads(data)
    if not isinstance(parsed, dict):
        raise ValueError("a key file is a JSON object")  # noqa: TRY004 -- the caller tells bad bytes, not bad types
    return parsed
