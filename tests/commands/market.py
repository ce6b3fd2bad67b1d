"""A marketplace on a real Anvil with a hand-made provider, a directory store, and buyers who type `agora`."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from marketplace.buying.client import Client
from marketplace.commands.main import app
from marketplace.commands.session import KEYS, LEDGER_KEY, SEALING_SEED, SETTINGS
from marketplace.content.directory import DirectoryStore
from marketplace.keys.keystore import Purpose, create_key
from marketplace.keys.ledger import create_ledger_key
from marketplace.keys.passphrase import ScryptCost
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import JsonRpcChain, connect
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.offer import Offer
from marketplace.settings import Connection, write_connection
from tests.buying.provider import BOND_UNITS, EURO, HandMadeProvider
from tests.certificate.examples import RHO_MICRO
from tests.ledger.fixtures import ROOT, tell_anvil

PASSPHRASE = "five words nobody else has"
AGORA = Path(sys.executable).with_name("agora")
PURSE_UNITS = 1_000 * EURO
CHEAP = ScryptCost(n=2)


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        assert self.code == 0, self.err
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def error(self) -> str:
        """The one line that says what went wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "expected" in lines[0]
        return lines[0]


@dataclass(frozen=True)
class Buyer:
    """A buyer with a folder of its own. Every run checks that no secret and no traceback is shown."""

    home: Path
    signer: LocalSigner
    seed: bytes
    market: "Market"

    @property
    def settings(self) -> dict[str, str]:
        """What the buyer's environment sets."""
        return {"AGORA_HOME": str(self.home), "AGORA_PASSPHRASE_FILE": str(self.home / "passphrase")}

    def agora(self, *arguments: str, **settings: str) -> Ran:
        """`agora` in this process, with other settings than the folder's if given."""
        runner = CliRunner(env=_cleared() | self.settings | settings)
        result = runner.invoke(app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return self._clean(Ran(result.exit_code, result.stdout, result.stderr))

    def run(self, *arguments: str, cwd: Path | None = None, **settings: str) -> Ran:
        """`agora` in a process of its own, without a keyboard."""
        done = subprocess.run(
            [AGORA, *arguments],
            env=environment(self.settings | settings),
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return self._clean(Ran(done.returncode, done.stdout, done.stderr))

    def client(self) -> Client:
        """The same buyer as a library."""
        ledger = self.market.ledger
        return Client(
            ledger, Follower(ledger, from_block=self.market.provider.from_block), self.market.store, self.signer,
            self.seed, self.home / "orders", lambda: 0.0,
        )  # fmt: skip

    def place(self) -> OrderId:
        """A placed order of five rows."""
        client = self.client()
        return client.place(client.draft(self.market.offer.id, rows=5)).order

    def deliver(self) -> OrderId:
        """An order with a delivery."""
        order = self.place()
        self.market.provider.deliver(order)
        return order

    def reveal(self) -> OrderId:
        """An order whose key is out."""
        order = self.deliver()
        self.client().receive(order)
        self.client().accept(order)
        self.market.provider.reveal(order)
        return order

    def purse_units(self) -> int:
        """What the buyer holds."""
        return self.market.ledger.balance_units(self.market.token, self.signer.address)

    def _clean(self, ran: Ran) -> Ran:
        for secret in (PASSPHRASE, self.signer.key.hex(), self.seed.hex()):
            assert secret not in ran.out + ran.err
        assert "Traceback" not in ran.err
        return ran


@dataclass(frozen=True)
class Market:
    """`offer`: one with room for all tests. `folder`: where the store and the buyers' folders are."""

    url: str
    folder: Path
    ledger: Contract
    token: Address
    treasury: LocalSigner
    provider: HandMadeProvider
    offer: Offer

    @property
    def store(self) -> DirectoryStore:
        """The shared directory."""
        return DirectoryStore(self.folder / "store")

    @property
    def connection(self) -> Connection:
        """What a buyer's settings say."""
        return Connection(
            rpc=self.url,
            contract=self.ledger.domain.contract,
            chain_id=self.ledger.domain.chain_id,
            store=str(self.folder / "store"),
            from_block=self.provider.from_block,
        )

    def fund(self, address: Address) -> None:
        """Gas and test money."""
        tell_anvil(self.url, "anvil_setBalance", address, hex(10**20))
        self.ledger.mint(self.treasury, self.token, address, PURSE_UNITS)

    def buyer(self, home: Path) -> Buyer:
        """A buyer with money, settings and keys whose files open fast."""
        signer, seed = LocalSigner.random(), os.urandom(32)
        (home / KEYS).mkdir(parents=True)
        create_ledger_key(home / KEYS / LEDGER_KEY, signer.key, PASSPHRASE, cost=CHEAP)
        create_key(home / KEYS / SEALING_SEED, seed, PASSPHRASE, purpose=Purpose.SEALING_SEED, cost=CHEAP)
        (home / "passphrase").write_text(PASSPHRASE + "\n")
        (home / SETTINGS).write_text(write_connection(self.connection))
        self.fund(signer.address)
        return Buyer(home, signer, seed, self)

    def pass_time(self, seconds: int) -> None:
        """Lets the ledger's time go on."""
        tell_anvil(self.url, "evm_increaseTime", seconds)
        tell_anvil(self.url, "evm_mine")


def build(url: str, folder: Path) -> Market:
    """A marketplace of its own on the Anvil behind `url`."""
    chain, treasury, signer = JsonRpcChain(url), LocalSigner.random(), LocalSigner.random()
    for each in (treasury, signer):
        tell_anvil(url, "anvil_setBalance", each.address, hex(10**21))
    deployed = deploy(chain, treasury)
    ledger = connect(url, deployed.marketplace)
    ledger.mint(treasury, deployed.euro, signer.address, 1_000 * BOND_UNITS)
    store, from_block = DirectoryStore(folder / "store"), deployed.receipts[0].block
    provider = HandMadeProvider(ledger, deployed.euro, signer, store, from_block=from_block)
    dataset = provider.list_dataset(10_000 * RHO_MICRO)
    offer = provider.offer(dataset, staked_units=500 * BOND_UNITS, max_open=1_000)
    return Market(url, folder, ledger, deployed.euro, treasury, provider, offer)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of ours, and then `settings`. Programs run the code that is tested."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGORA_", "_AGORA"))}
    return kept | {"NO_COLOR": "1", "COLUMNS": "80", "PYTHONPATH": str(ROOT)} | dict(settings)


def _cleared() -> dict[str, str | None]:
    return {name: None for name in os.environ if name.startswith("AGORA_")}
