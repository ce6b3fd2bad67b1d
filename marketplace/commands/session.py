"""What a command works with: settings, ledger, store, and the buyer's keys once they are needed."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.buying.client import Client
from marketplace.content.address import open_store
from marketplace.content.store import ContentStore
from marketplace.errors import Invalid
from marketplace.keys.keystore import Purpose, open_key
from marketplace.keys.ledger import open_ledger_key
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import connect
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signer import LocalSigner
from marketplace.settings import Connection, read_connection
from marketplace.terminal import ask_passphrase

SETTINGS, KEYS, ORDERS = "agora.toml", "keys", "orders"
LEDGER_KEY, SEALING_SEED = "ledger-key.json", "sealing-seed.json"


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """The buyer's folder: `AGORA_HOME`, or `.agora` in the user's home. Raises `Invalid` where there is no such home."""
    given = environment.get("AGORA_HOME")
    try:
        return Path(given).expanduser() if given else Path.home() / ".agora"
    except RuntimeError:
        raise Invalid("expected a home folder that there is, found none; set AGORA_HOME to a folder") from None


@dataclass(frozen=True)
class Session:
    """The buyer's folder and the settings in it."""

    home: Path
    connection: Connection

    @classmethod
    def begin(cls, environment: Mapping[str, str] = os.environ) -> "Session":
        """Settings from the buyer's folder and `AGORA_*`."""
        folder = home(environment)
        return cls(folder, read_connection(folder / SETTINGS, environment))

    @property
    def keys(self) -> Path:
        """Where the keys lie, encrypted."""
        return self.home / KEYS

    def ledger(self) -> Ledger:
        """The marketplace on the ledger that the settings name. Raises `Invalid` where they name none."""
        connection = self.connection
        if connection.rpc is None or connection.contract is None:
            raise Invalid(
                "expected the settings rpc and contract; set AGORA_RPC and AGORA_CONTRACT, or write agora.toml"
            )
        return connect(connection.rpc, checksummed(connection.contract), connection.chain_id)

    def follower(self, ledger: Ledger) -> Follower:
        """The account of the marketplace, behind the confirmations that the settings ask for."""
        return Follower(ledger, self.connection.confirmations, self.connection.from_block)

    def store(self) -> ContentStore:
        """The content store that the settings name. Raises `Invalid` where they name none."""
        if self.connection.store is None:
            raise Invalid("expected the setting store; set AGORA_STORE or write it into agora.toml")
        return open_store(self.connection.store)

    def signer(self) -> LocalSigner:
        """The account that signs, after the passphrase of its keys. It may have no sealing seed."""
        return LocalSigner(open_ledger_key(self.keys / LEDGER_KEY, ask_passphrase("your keys")))

    def client(self) -> Client:
        """The buyer, after the passphrase of its keys."""
        ledger, store = self.ledger(), self.store()
        passphrase = ask_passphrase("the buyer's keys")
        return Client(
            ledger=ledger,
            follower=self.follower(ledger),
            store=store,
            signer=LocalSigner(open_ledger_key(self.keys / LEDGER_KEY, passphrase)),
            seed=open_key(self.keys / SEALING_SEED, passphrase, purpose=Purpose.SEALING_SEED),
            folder=self.home / ORDERS,
            clock=time.time,
        )
