"""A vault with records, and an order's folder in which a worker can begin."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.files import make_folder, write_whole
from node.vault.vault import Vault
from node.work import Made
from node.workers.job import Job, Name
from node.workers.process import ProcessWorkers
from tests.node.dying import DEADLY
from tests.node.examples import DESCRIPTION, ORDER, SCHEMA, records, specification
from tests.protocol.examples import address

ROOT = Path(__file__).parent.parent.parent
QUICK_CHILD = Path(__file__).with_name("quick_child.py")
STORAGE_KEY = bytes(range(100, 132))
RHO_MICRO, TOTAL_MICRO = 20_000, 100_000
LONGEST_S = 600.0
"""How long anything is waited for: many times what it takes on a machine that has much else to do."""


def quick_command(points: Path, mode: str = "alone") -> tuple[str, ...]:
    """The command of a quick worker whose points are in `points`."""
    return (sys.executable, "-P", str(QUICK_CHILD), str(points), mode)


def draw_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on vaults in this process have the same keys, and so the same noise, in every run of a test."""
    monkeypatch.setitem(Vault.__init__.__kwdefaults__, "randomness", Random(7).randbytes)


@dataclass
class Workplace:
    """`folder`: the order's. `points`: where its worker dies. `vault`: the folder of the vault."""

    folder: Path
    points: Path
    vault: Path
    job: Job

    @classmethod
    def prepare(cls, path: Path, rho_micro: int = RHO_MICRO, roster_key: bytes | None = None) -> "Workplace":
        """A workplace in `path`, with a vault of some 400 rows, identifiers if they have a key, and a job of `rho_micro`."""
        with Vault(path / "vault", SecretBox(STORAGE_KEY)) as vault:
            keep = SecretBox(roster_key) if roster_key else None
            taken = vault.take_in(records(path / "records.csv"), SCHEMA, identifiers=keep)
            vault.account.raise_total(taken.dataset, TOTAL_MICRO)
        job = Job(ORDER, taken.dataset, 1, taken.commitment, rho_micro, 10**12, address(1), path / "vault")
        (path / "points").mkdir()
        return cls(path / "orders" / ORDER.hex(), path / "points", path / "vault", job).laid_out()

    def laid_out(self) -> "Workplace":
        """This, with the order's documents in its folder."""
        make_folder(self.folder)
        write_whole(self.folder / Name.SPECIFICATION, specification().encode())
        write_whole(self.folder / Name.DESCRIPTION, DESCRIPTION.encode())
        return self

    def workers(self, mode: str = "alone", places: int = 1) -> ProcessWorkers:
        """Quick workers, which die at this place's points."""
        return ProcessWorkers(places, quick_command(self.points, mode))

    def deadly(self, *points: str) -> None:
        """Where workers die from now on, once at each."""
        (self.points / DEADLY).write_text("\n".join(points))

    def start(self, workers: ProcessWorkers) -> None:
        """Starts the work."""
        workers.start(self.job, self.folder, STORAGE_KEY)

    def pid(self, workers: ProcessWorkers, order: OrderId = ORDER) -> int:
        """The process that works on an order."""
        return workers._children[order].pid

    def finish(self, workers: ProcessWorkers) -> Made:
        """Starts the work as often as it takes, as a daemon does, and gives how it ended."""
        until = time.monotonic() + LONGEST_S
        while (made := workers.made(self.job.order, self.folder)) not in (Made.DONE, Made.FAILED):
            assert time.monotonic() < until, (self.folder / Name.LOG).read_text()
            if made is Made.NOT_BEGUN:
                self.start(workers)
            time.sleep(0.02)
        return made

    def debits(self) -> list[int]:
        """What the order took from the dataset, in micro-rho."""
        with Vault(self.vault, SecretBox(STORAGE_KEY)) as vault:
            return [debit.rho_micro for debit in vault.account.entries() if debit.order == self.job.order]
