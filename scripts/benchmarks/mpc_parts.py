"""Parts of the benchmark of joint analyses, each in a process of its own, within a time for all of them together.

Figures of a part are written as soon as it has ended, and a second start goes on behind them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_RUN_S = 120.0
"""What is left for the last run of a twin that was begun in time."""
GRACE_S = 15.0
"""Within which a part ends what it has started."""


@dataclass(frozen=True)
class Parts:
    """`names`: in the order in which they are run. `going_on`: those that begin no run after their minutes by themselves, keep
    their runs, and so are begun again at each start. `options`: of each. `until_s`: on the monotonic clock. `folder`: where
    figures are written."""

    module: str
    names: Sequence[str]
    going_on: Sequence[str]
    options: Sequence[str]
    until_s: float
    folder: Path

    def found(self) -> Iterator[tuple[str, Any]]:
        """Each part with its figures; None for one that did not end in time. Ends the program if one fails."""
        for place, name in enumerate(self.names):
            file = self.folder / f"mpc-{name}.json"
            figures = None if name in self.going_on else self._written(file)
            if figures is None and (figures := self._run(name, len(self.names) - place)) is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps({"options": list(self.options), "figures": figures}))
            yield name, figures

    def _written(self, file: Path) -> Any:
        """The figures of an earlier start with these options."""
        if not file.exists() or (kept := json.loads(file.read_text()))["options"] != list(self.options):
            return None
        print(f"{file}: kept from an earlier start; remove it to measure again", file=sys.stderr, flush=True)
        return kept["figures"]

    def _run(self, name: str, parts: int) -> Any:
        """What a part finds that may take its share of the time, if so many `parts` are left, and all of it at most."""
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            return None
        minutes = (left_s - LONGEST_RUN_S) / parts / 60
        command = [sys.executable, "-m", self.module, name, "--json", "--minutes", f"{minutes:.2f}", *self.options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
            try:
                said, _ = running.communicate(timeout=left_s)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(running)
        if running.returncode:
            sys.exit(f"expected the part {name} to end well, it ended with {running.returncode}")
        return json.loads(said)[name]


def _end(running: subprocess.Popen[str]) -> None:
    """Ends a part and what it has started."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            running.wait(GRACE_S)
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
