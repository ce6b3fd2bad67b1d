"""The sources that a contract is made of, by their names in imports."""

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
PACKAGES = CONTRACTS / "node_modules"

_IMPORT = re.compile(r"""^\s*import\s+(?:\{[^}]*\}\s*from\s+)?["']([^"']+)["'];""", re.MULTILINE)


def collect(names: Iterable[str]) -> dict[str, str]:
    """Texts of the named sources and of all that they import, sorted by name.

    Our own are named by their path from the root of this repository, a package's by its import. Raises
    `FileNotFoundError` for a source that is neither.
    """
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _read(name)
        waiting += [_resolve(name, target) for target in _IMPORT.findall(found[name])]
    return dict(sorted(found.items()))


def digest(sources: Mapping[str, str]) -> str:
    """SHA-256, in hex, of what `sha256sum` prints for these files in the order of their names."""
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(sources.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _resolve(importer: str, target: str) -> str:
    if target.startswith("."):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))
    return target


def _read(name: str) -> str:
    folder = PACKAGES if name.startswith("@") else ROOT
    return (folder / name).read_bytes().decode().replace("\r\n", "\n")
