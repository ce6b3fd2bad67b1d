"""The compiler and the libraries of contracts/package.json, installed where they are missing."""

import json
import shutil
import subprocess
import sys

from scripts.compiling.sources import CONTRACTS, PACKAGES


def install() -> None:
    """Bring contracts/node_modules to what package-lock.json says; nothing happens where it is already so."""
    if _is_current():
        return
    _say("installing the contracts' packages (npm)")
    lock_before = (CONTRACTS / "package-lock.json").read_bytes()
    subprocess.run([_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CONTRACTS, check=True)
    if (CONTRACTS / "package-lock.json").read_bytes() != lock_before:
        sys.exit("npm has changed contracts/package-lock.json; restore it and try again")


def _npm() -> str:
    found = shutil.which("npm")
    if found is None or shutil.which("node") is None:
        sys.exit("expected node and npm on the PATH; start this by scripts/compile or scripts/test, which bring them")
    return found


def _is_current() -> bool:
    wanted = json.loads((CONTRACTS / "package.json").read_text())["dependencies"]
    return all(_installed_version(name) == version for name, version in wanted.items())


def _installed_version(name: str) -> str | None:
    description = PACKAGES / name / "package.json"
    if not description.exists():
        return None
    version: str = json.loads(description.read_text())["version"]
    return version


def _say(text: str) -> None:
    print(f"compile: {text}", file=sys.stderr)
