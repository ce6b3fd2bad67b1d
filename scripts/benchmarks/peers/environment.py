"""Environments of their own for libraries that ours is compared with: made once per machine under `.tools/peers`."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(".tools/peers")


@dataclass(frozen=True)
class Peer:
    """A library in an environment of its own. `first`: what has to be installed before `packages`. `licence`: its name."""

    name: str
    program: str
    first: tuple[str, ...]
    packages: tuple[str, ...]
    licence: str


DPMM = Peer("dpmm", "dpmm_peer.py", (), ("dpmm==0.1.9",), "Apache-2.0")
SDV = Peer("sdv", "sdv_peer.py", ("torch==2.13.0",), ("sdv>=2.0,<3",), "BUSL-1.1")


def python_of(peer: Peer) -> Path | None:
    """The interpreter of the peer's environment, which is made where it is not there; None where it cannot be."""
    folder = FOLDER / peer.name
    python, stamp = folder / "bin" / "python", folder / "agora-ready"
    wanted = "\n".join((*peer.first, *peer.packages))
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Setting up {folder} (once; a few minutes) ...", file=sys.stderr)
    FOLDER.mkdir(parents=True, exist_ok=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    commands = [[sys.executable, "-m", "venv", str(folder)]]
    commands += [[*pip, *packages] for packages in (peer.first, peer.packages) if packages]
    for command in commands:
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
            return None
    stamp.write_text(wanted)
    return python
