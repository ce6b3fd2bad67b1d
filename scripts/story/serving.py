"""A node that serves orders while the demo goes on: in this process, or as `agora-node run` in one of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from marketplace.errors import Refused, Unreachable
from node.daemon import Happened
from node.home import Node
from node.work import Decline, Wait
from scripts.story.options import RULES

PATIENCE_S = 600.0
STOP_S = 30.0


@dataclass(frozen=True)
class Deed:
    """What a node did: the step's name in lower case, why if it says, the gas of its transaction if it sent one."""

    step: str
    why: str | None
    gas: int | None


Audience = Callable[[Deed], None]
"""Hears what the node does."""


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
        self._daemon = node.daemon(lambda happened: audience(_deed(happened)), rules=RULES)

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
    """`agora-node run` as a process of its own, over the node's folder."""

    def __init__(self, folder: Path, passphrase_file: Path, audience: Audience) -> None:
        self._audience, self._deeds, self._words, self._heard = audience, folder / "deeds", folder / "words", 0
        environment = {**os.environ, "AGORA_NODE_HOME": str(folder), "AGORA_PASSPHRASE_FILE": str(passphrase_file)}
        environment["AGORA_BELOW_FLOOR"] = "true"
        program = "from node.commands.main import run_command; run_command()"
        with self._deeds.open("wb") as deeds, self._words.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, "run", "--json"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=deeds,
                stderr=words,
                start_new_session=True,
            )

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        until = time.monotonic() + within_s
        while not reached():
            self._listen()
            if self._process.poll() is not None:
                raise Unreachable(f"expected the node to go on, it ended and said {self._last_words()!r}; start again")
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
        """Passes on what the node has done since."""
        with self._deeds.open("rb") as deeds:
            deeds.seek(self._heard)
            said, end, _ = deeds.read().rpartition(b"\n")
        self._heard += len(said + end)
        for line in said.splitlines():
            deed = json.loads(line)
            self._audience(Deed(deed["step"], deed["why"], deed["gas"]))

    def _last_words(self) -> str:
        return (self._words.read_text(errors="replace").splitlines() or ["nothing"])[-1]


def _deed(happened: Happened) -> Deed:
    step, receipt = happened.step, happened.receipt
    why = step.why if isinstance(step, Decline | Wait) else None
    return Deed(type(step).__name__.lower(), why, receipt.gas if receipt else None)


def _check_patience(until: float, what: str, within_s: float) -> None:
    if time.monotonic() > until:
        raise Refused(f"expected {what} within {within_s:.0f} s, it did not come; start again, or ask for fewer rows")
