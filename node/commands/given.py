"""Files that are given to a command."""

from pathlib import Path

from marketplace.errors import Invalid
from node.files import reading


def read_given(path: Path, most_bytes: int) -> bytes:
    """The bytes at `path`. Raises `Invalid` if there is no such file or it has more, and as `files.reading` does."""
    if not path.is_file():
        raise Invalid(f"expected a file at {path.name!r}, found none; check its name")
    with reading(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise Invalid(f"expected a file of at most {most_bytes:,} bytes at {path.name!r}, got a larger one; check it")
    return data
