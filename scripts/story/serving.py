"""A node that serves orders while the demo goes on: in this process, or as `agora-node run` in one of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from marketplace.errors import Refused, Unreachable
from node.daemon import Happened
from node.home import Node

PATIENCE_S = 600.0
STOP_S = 30.0


class Audience(Protocol):
    """Who hears what the node does."""

    def observe(self, happened: Happened) -> None:
        """What a node in this process did."""

    def overhear(self, line: str) -> None:
        """What a node in another process said."""


class Serving(Protocol):
    """A node that serves orders."""

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Returns once `reached`. Raises `Refused` if that takes longer than `within_s` seconds."""

    def stop(self) -> None:
        """Ends the node."""


Serve = Callable[[Audience], Serving]
"""Lets a node serve before an audience."""


class ServingHere:
    """The node's loop in this process, for a ledger that lives in it. Its work runs in a child all the same."""

    def __init__(self, node: Node, audience: Audience) -> None:
        self._daemon = node.daemon(audience.observe)

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        until = time.monotonic() + within_s
        while not reached():
            _check_patience(until, what, within_s)
            self._daemon.tick()
            if not reached():
                time.sleep(0.2)

    def stop(self) -> None:
        self._daemon.close()


class ServingApart:
    """`agora-node run` as a process of its own."""

    def __init__(self, folder: Path, passphrase_file: Path, audience: Audience) -> None:
        self._audience, self._log, self._heard, self._last = audience, folder / "run.log", 0, "nothing"
        environment = {**os.environ, "AGORA_NODE_HOME": str(folder), "AGORA_PASSPHRASE_FILE": str(passphrase_file)}
        command = [sys.executable, "-c", "from node.commands.main import run_command; run_command()", "run"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        until = time.monotonic() + within_s
        while not reached():
            self._listen()
            if self._process.poll() is not None:
                raise Unreachable(f"expected the node to go on, it ended and said {self._last!r}; start again")
            _check_patience(until, what, within_s)
            time.sleep(0.2)
        self._listen()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listen()

    def _listen(self) -> None:
        """Passes on the whole lines that the node has said since."""
        with self._log.open("rb") as log:
            log.seek(self._heard)
            said, end, _ = log.read().rpartition(b"\n")
        self._heard += len(said + end)
        for line in said.decode(errors="replace").splitlines():
            self._last = line
            self._audience.overhear(line)


def _check_patience(until: float, what: str, within_s: float) -> None:
    if time.monotonic() > until:
        raise Refused(f"expected {what} within {within_s:.0f} s, it did not come; start again, or ask for fewer rows")
