"""Files that a command reads whole or writes anew."""

from pathlib import Path

from marketplace.errors import Invalid, Refused


def read_file(path: Path, most_bytes: int) -> bytes:
    """The bytes at `path`. Raises `Invalid` if there are none or more than `most_bytes`, and as the disk does."""
    if not path.is_file():
        raise Invalid(f"expected a file at {path.name!r}, found none; check its name")
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise Invalid(
            f"expected a file of at most {most_bytes:,} bytes at {path.name!r}, found more; give the right one"
        )
    return data


def require_new(path: Path) -> None:
    """Raises `Refused` if something is at `path` already."""
    if path.exists():
        raise Refused(f"expected no file at {path.name!r} yet, found one; choose another place")


def write_file(path: Path, data: bytes) -> None:
    """Writes a new file. Raises `Refused` if something is there already, and as the disk does."""
    require_new(path)
    with path.open("xb") as file:
        file.write(data)
