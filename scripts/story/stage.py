"""Where the demo is played: a ledger, a store, three folders, and a node that serves orders."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from marketplace.buying.client import Client
from marketplace.content.directory import DirectoryStore
from marketplace.content.store import ContentStore
from marketplace.errors import Refused, Unreachable
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import JsonRpcChain
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signer import LocalSigner, Signer
from marketplace.protocol.identity import Address
from marketplace.settings import Connection
from node import home
from node.daemon import Happened
from node.home import Keys, Node

ANVIL_ACCOUNT = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""The first account of every fresh Anvil, whose key is public. Another key with gas: the file `AGORA_DEMO_KEY_FILE`."""

GAS_WEI = 10**17


@dataclass(frozen=True)
class Stage:
    """`ledger` with the test euro at `token`; `treasury` pays for gas and makes test money. `rpc`: None where embedded."""

    ledger: Ledger
    token: Address
    treasury: Signer
    store_folder: Path
    rpc: str | None

    @property
    def store(self) -> ContentStore:
        """The directory that all three share."""
        return DirectoryStore(self.store_folder)

    def fund(self, account: Address, euro_units: int) -> None:
        """Gives an account gas and test money."""
        self.ledger.give_gas(self.treasury, account, GAS_WEI)
        if euro_units:
            self.ledger.mint(self.treasury, self.token, account, euro_units)


def set_up(rpc: str | None, folder: Path) -> Stage:
    """A marketplace of its own: on a chain in this process, or on the chain behind `rpc`."""
    store = folder / "store"
    if rpc is None:
        ledger = EmbeddedLedger(lambda: int(time.time()))
        return Stage(ledger, ledger.token, ledger.treasury, store, None)
    name = os.environ.get("AGORA_DEMO_KEY_FILE")
    key = bytes.fromhex(Path(name).read_text().strip().removeprefix("0x")) if name else ANVIL_ACCOUNT
    treasury, chain = LocalSigner(key), JsonRpcChain(rpc)
    deployed = deploy(chain, treasury)
    return Stage(Contract(chain, deployed.marketplace), deployed.euro, treasury, store, rpc)


class Serving(Protocol):
    """A node that serves orders."""

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = 600) -> None:
        """Returns once `reached`. Raises `Refused` if that takes longer than `within_s` seconds."""

    def stop(self) -> None:
        """Ends the node."""


Serve = Callable[[Callable[[Happened], None]], Serving]
"""Lets a node serve, telling what it does where that can be seen."""


class ServingHere:
    """The node's loop in this process, for a ledger that lives in it. Its work runs in a child all the same."""

    def __init__(self, node: Node, observe: Callable[[Happened], None]) -> None:
        self._daemon = node.daemon(observe)

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = 600) -> None:
        until = time.monotonic() + within_s
        while not reached():
            if time.monotonic() > until:
                raise Refused(f"expected {what} within {within_s:.0f} s, it did not come; look into the node's folder")
            self._daemon.tick()
            if not reached():
                time.sleep(0.2)

    def stop(self) -> None:
        self._daemon.close()


class ServingApart:
    """`agora-node run` as a process of its own."""

    def __init__(self, folder: Path, passphrase_file: Path) -> None:
        self._log = (folder / "run.log").open("wb")
        environment = {**os.environ, "AGORA_NODE_HOME": str(folder), "AGORA_PASSPHRASE_FILE": str(passphrase_file)}
        command = [sys.executable, "-c", "from node.commands.main import run_command; run_command()", "run"]
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)

    def wait_for(self, reached: Callable[[], bool], what: str, within_s: float = 600) -> None:
        until = time.monotonic() + within_s
        while not reached():
            if self._process.poll() is not None:
                raise Unreachable(f"expected the node to go on, it ended with {self._process.returncode}; see run.log")
            if time.monotonic() > until:
                raise Refused(f"expected {what} within {within_s:.0f} s, it did not come; look into the node's folder")
            time.sleep(0.5)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)
        self._log.close()


def open_node(stage: Stage, folder: Path) -> tuple[Node, Serve]:
    """The provider's node with fresh keys, and a way to let it serve."""
    if stage.rpc is None:
        keys = Keys(LocalSigner.random(), secrets.token_bytes(32))
        folder.mkdir(mode=0o700, parents=True)
        node = Node.open(folder, keys, stage.ledger, stage.store)
        return node, lambda observe: ServingHere(node, observe)
    passphrase, passphrase_file = secrets.token_urlsafe(18), folder.parent / "node-passphrase"
    connection = Connection(rpc=stage.rpc, contract=stage.ledger.domain.contract, store=str(stage.store_folder))
    home.create(folder, connection, passphrase)
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_text(passphrase)
    node = Node.open(folder, home.open_keys(folder, passphrase), stage.ledger, stage.store)
    return node, lambda _: ServingApart(folder, passphrase_file)


def open_buyer(stage: Stage, folder: Path) -> Client:
    """A buyer with fresh keys and a wallet of its own."""
    return Client(
        ledger=stage.ledger,
        follower=Follower(stage.ledger),
        store=stage.store,
        signer=LocalSigner.random(),
        seed=secrets.token_bytes(32),
        folder=folder / "orders",
        clock=time.time,
    )
