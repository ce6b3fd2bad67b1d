"""Stock MPyC as a peer: a program of local parties, in a process group of its own, with ports of its own and a limit.

A party of it that ends leaves the others waiting for ever, so the whole group is ended and begun again. MPyC starts the other
parties by their file, so they are told where the repository is.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.ports import take_ports

ROOT = Path(__file__).resolve().parents[2]

LIMIT_S, TRIALS = 240.0, 3


def run_stock(module: str, parties: int, *arguments: str, limit_s: float = LIMIT_S) -> Any:
    """The JSON value that party 0 of `module` prints. Ends with an error where it ends badly or late three times."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    for _ in range(TRIALS):
        command = [sys.executable, "-m", module, f"-M{parties}", f"-B{take_ports(parties)[0]}", "--no-log", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        ) as running:  # fmt: skip
            try:
                said, _ = running.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                said = ""
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
        if running.returncode == 0:
            return json.loads(said)
    sys.exit(f"expected stock MPyC to end within {limit_s:.0f} s, got none of {TRIALS} that did")
