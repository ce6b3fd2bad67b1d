"""Several hospitals' nodes that serve in this process: each has a folder, keys, a vault, an endpoint and a daemon of its own."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from marketplace.errors import Refused
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.descriptor import Place
from node.admission import Rules
from node.daemon import Happened
from node.endpoint.settings import EndpointSettings
from node.home import Keys, Node
from node.serving import describe, serving, tell
from scripts.ports import HOST, take_ports
from scripts.story.narration import Narrator
from scripts.story.stage import Stage

PATIENCE_S = 900.0
PAUSE_S = 0.05
WORDS = {
    "make": "let the order in and began its part",
    "seal": "sealed the answer, signed by every party's transcript, and stored the bytes",
    "deliver": "recorded the delivery, which every member has signed",
    "reveal": "revealed the key",
    "decline": "declined the order",
    "abstain": "takes no part",
}


def open_nodes(stage: Stage, count: int, folder: Path, rules: Rules) -> tuple[Node, ...]:
    """The nodes, each described on the ledger, so that the others find it."""
    nodes = []
    for number in range(1, count + 1):
        keys = Keys(LocalSigner.random(), secrets.token_bytes(32))
        endpoint, party = (Place(HOST, port) for port in take_ports(2))
        settings = EndpointSettings(endpoint, endpoint, party, party)
        stage.fund(keys.signer.address, 0)
        node = Node.open(
            folder / f"hospital-{number}",
            keys,
            stage.ledger,
            stage.store,
            from_block=stage.from_block,
            endpoint=settings,
            rules=rules,
        )
        tell(node, describe(node)[1])
        nodes.append(node)
    return tuple(nodes)


class ServingTogether:
    """The nodes at work, until it is closed. Their parties and counters are processes of their own all the same."""

    def __init__(self, nodes: Sequence[Node], clock: Callable[[], float], say: Narrator) -> None:
        self._say, self._troubles = say, list[str]()
        with ExitStack() as opening:
            self._daemons = []
            for number, node in enumerate(nodes, 1):
                daemon = node.daemon(self._hearing(number), clock=clock)
                opening.callback(daemon.close)
                opening.enter_context(serving(node, daemon, self._troubles.append))
                self._daemons.append(daemon)
            self._opened = opening.pop_all()

    def wait_for(self, reached: Callable[[], bool], what: str) -> None:
        """Returns once `reached`. Raises `Refused` if that takes longer than fifteen minutes, or a node says why it will not."""
        until = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > until:
                last = f"; the last that a node said is {self._troubles[-1]!r}" if self._troubles else ""
                raise Refused(f"expected {what} within {PATIENCE_S:.0f} s, it did not come{last}; start again")
            for daemon in self._daemons:
                daemon.tick()
            time.sleep(PAUSE_S)

    def close(self) -> None:
        """Ends the nodes."""
        self._opened.close()

    def _hearing(self, number: int) -> Callable[[Happened], None]:
        def hear(happened: Happened) -> None:
            name, why = type(happened.step).__name__.lower(), getattr(happened.step, "why", None)
            if name in WORDS:
                gas = happened.receipt.gas if happened.receipt else None
                self._say.step(f"hospital {number} {WORDS[name]}", gas)
            if name in ("decline", "abstain") and why:
                raise Refused(f"expected every hospital to take part, hospital {number} does not: {why}")

        return hear
