"""A node that is started again whenever it dies: `python -m tests.node.runner FOLDER`.

Each life of the node is a process of its own that knows only what is on the disk and on the ledger. It dies at the
points in FOLDER/points (see `dying`), which lie around every journal entry, transaction, file and block. FOLDER/ticks has
a byte for each tick that was lived through. Ends when FOLDER/stop is there.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from marketplace.content.cid import Cid
from marketplace.content.directory import DirectoryStore
from marketplace.content.layout import Block
from marketplace.ledger.calls import Call
from marketplace.ledger.contract import Contract
from marketplace.ledger.jsonrpc import JsonRpcChain
from marketplace.ledger.ledger import Prepared, Receipt
from marketplace.ledger.signer import LocalSigner, Signer
from marketplace.protocol.identity import Address, OrderId
from node import commission, delivery, files
from node.admission import Rules
from node.home import JOURNAL, Keys, Node
from node.journal import Journal
from node.workers.job import Job
from node.workers.process import ProcessWorkers
from tests.node.dying import Points
from tests.node.workplace import STORAGE_KEY, quick_command

SETTINGS, STOP, TICKS, LOG = "settings.json", "stop", "ticks", "node.log"
PAUSE_S = 0.05
COUNTED_BLOCKS = 3
CONFIRMATIONS = 4


@dataclass(frozen=True)
class Settings:
    """Where the node finds its ledger and its key. `lets_in`: whether it lets anybody in. `real`: its own generator."""

    rpc: str
    contract: str
    key: str
    lets_in: bool = True
    real: bool = False

    def write(self, folder: Path) -> None:
        (folder / SETTINGS).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        return cls(**json.loads((folder / SETTINGS).read_text()))


class DyingContract(Contract):
    """A marketplace around whose transactions the node dies."""

    def __init__(self, chain: JsonRpcChain, address: Address, points: Points) -> None:
        super().__init__(chain, address)
        self._points = points

    def prepare(self, by: Signer, call: Call) -> Prepared:
        prepared = super().prepare(by, call)
        self._points(f"{call.function} signed")
        return prepared

    def send(self, prepared: Prepared) -> Receipt:
        self._points(f"{prepared.function} before sending")
        receipt = super().send(prepared)
        self._points(f"{prepared.function} sent")
        return receipt


class DyingJournal(Journal):
    """A journal around whose entries the node dies."""

    def __init__(self, path: Path, points: Points) -> None:
        super().__init__(path)
        self._points = points

    def add(self, order: OrderId, mark: str, data: bytes, at_s: int) -> None:
        self._points(f"journal before {mark}")
        super().add(order, mark, data, at_s)
        self._points(f"journal after {mark}")


class DyingStore(DirectoryStore):
    """A store around whose first blocks, and after whose files, the node dies."""

    def __init__(self, path: Path, points: Points) -> None:
        super().__init__(path)
        self._points = points
        self._count = 0

    def put_block(self, block: Block) -> None:
        self._count += 1
        number = self._count
        if number <= COUNTED_BLOCKS:
            self._points(f"block {number} before")
        super().put_block(block)
        if number <= COUNTED_BLOCKS:
            self._points(f"block {number} after")

    def keep(self, root: Cid) -> None:
        super().keep(root)
        self._points(f"stored after {self._count} blocks" if self._count == 1 else "stored the object")


class DyingWorkers(ProcessWorkers):
    """Workers around whose start and end the node dies."""

    def __init__(self, points: Path, real: bool) -> None:
        super().__init__(1, *(() if real else (quick_command(points, "both"),)))
        self._points = Points(points)

    def start(self, job: Job, folder: Path, storage_key: bytes) -> None:
        self._points("worker before start")
        super().start(job, folder, storage_key)
        self._points("worker after start")

    def close(self, order: OrderId, folder: Path) -> None:
        self._points("worker before close")
        super().close(order, folder)
        self._points("worker after close")


def watch_files(points: Points) -> None:
    """Lets the node die around every file that it writes itself into an order's folder."""
    whole_file = files.whole_file

    @contextmanager
    def watched(path: Path) -> Iterator[BinaryIO]:
        points(f"file before {path.name}")
        with whole_file(path) as out:
            yield out
            points(f"file unfinished {path.name}")
        points(f"file after {path.name}")

    def write_whole(path: Path, data: bytes) -> None:
        with watched(path) as out:
            out.write(data)

    commission.write_whole = write_whole  # type: ignore[attr-defined]
    delivery.write_whole = write_whole  # type: ignore[attr-defined]
    delivery.whole_file = watched  # type: ignore[attr-defined]


def live(folder: Path) -> None:
    """One life of the node. Returns when it is told to stop."""
    settings, points = Settings.read(folder), Points(folder / "points")
    watch_files(points)
    chain = JsonRpcChain(settings.rpc)
    ledger = DyingContract(chain, Address(settings.contract), points)
    keys = Keys(LocalSigner(bytes.fromhex(settings.key)), STORAGE_KEY)
    store = DyingStore(folder / "store", points)
    node = Node.open(folder / "node", keys, ledger, store, confirmations=CONFIRMATIONS)
    rules = Rules(below_floor=True) if settings.lets_in else Rules(buyers=frozenset())
    daemon = node.daemon(
        lambda happened: print(happened.step, happened.trouble, flush=True),
        clock=lambda: 0,
        rules=rules,
        workers=DyingWorkers(folder / "points", settings.real),
    )
    daemon.effects.journal.close()
    journal = DyingJournal(folder / "node" / JOURNAL, points)
    daemon = replace(daemon, effects=replace(daemon.effects, journal=journal))
    while not (folder / STOP).exists():
        daemon.tick()
        with (folder / TICKS).open("a") as ticks:
            ticks.write(".")
        time.sleep(PAUSE_S)
    daemon.close()


def main(folder: Path) -> int:
    """Lets the node live until it is told to stop. Returns 0, or 1 if a life ended in another way than by being killed."""
    while True:
        life = os.fork()
        if life == 0:
            live(folder)
            os._exit(0)
        _, status = os.waitpid(life, 0)
        code = os.waitstatus_to_exitcode(status)
        if code != -signal.SIGKILL:
            return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
