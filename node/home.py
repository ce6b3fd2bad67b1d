"""A node's folder: settings, keys, vault, journal, one folder for each order; and opening it all at once."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from marketplace.content.address import open_store
from marketplace.content.store import ContentStore
from marketplace.errors import Invalid, Refused
from marketplace.keys.keystore import Purpose, create_key, open_key
from marketplace.keys.ledger import create_ledger_key, open_ledger_key
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import connect
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signer import LocalSigner, Signer
from marketplace.protocol.identity import OrderId
from marketplace.settings import Connection, read_connection, write_connection
from node.admission import Rules
from node.daemon import Daemon, Happened
from node.effects import Effects
from node.endpoint.settings import NAMES, EndpointSettings, read_endpoint
from node.endpoint.tls import TlsFile, tls_file
from node.files import make_folder, write_whole
from node.journal import Journal
from node.pool.together import Standpoint, Together
from node.pooling import Pooling
from node.provider import Provider
from node.replay import Replay, Replaying
from node.roster_keys import RosterKeys
from node.rules import NAMES as RULES_NAMES
from node.rules import read_rules
from node.stockroom import Stockroom
from node.synthesis.generator import Generator
from node.synthesis.generators import generator_of
from node.vault.vault import Vault
from node.workers.joint import JointWorkers
from node.workers.process import ProcessWorkers, Workers

SETTINGS, KEYS, VAULT, JOURNAL, ORDERS = "node.toml", "keys", "vault", "journal.sqlite", "orders"
STOCK, ROSTER_KEYS = "stock", "roster-keys"
LEDGER_KEY, STORAGE_KEY = "ledger-key.json", "storage-key.json"


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """The node's folder: `AGORA_NODE_HOME`, or `.agora-node` in the user's home."""
    given = environment.get("AGORA_NODE_HOME")
    return Path(given).expanduser() if given else Path.home() / ".agora-node"


def create(folder: Path, connection: Connection, passphrase: str, endpoint: EndpointSettings | None = None) -> Signer:
    """Makes a node's folder, for its owner only, with new keys and these settings.

    Raises `Refused` if there are keys already, or as the disk says.
    """
    keys = folder / KEYS
    make_folder(keys)
    signer = LocalSigner.random()
    create_ledger_key(keys / LEDGER_KEY, signer.key, passphrase)
    create_key(keys / STORAGE_KEY, os.urandom(32), passphrase, purpose=Purpose.STORAGE_KEY)
    write_whole(folder / SETTINGS, (write_connection(connection) + (endpoint.write() if endpoint else "")).encode())
    return signer


@dataclass(frozen=True)
class Keys:
    """A node's two keys, opened."""

    signer: Signer
    storage_key: bytes = field(repr=False)


def open_keys(folder: Path, passphrase: str) -> Keys:
    """The keys in the node's folder. Raises `Refused` for a wrong passphrase, `Invalid` if there are none."""
    signer = LocalSigner(open_ledger_key(folder / KEYS / LEDGER_KEY, passphrase))
    return Keys(signer, open_key(folder / KEYS / STORAGE_KEY, passphrase, purpose=Purpose.STORAGE_KEY))


@dataclass(frozen=True)
class Node:
    """A node with its folder, keys, ledger and store. Its vault is opened when it is first asked for.

    `endpoint`: where it answers others; None if it does not. `rules`: its provider's own, unless others are given.
    """

    folder: Path
    keys: Keys
    ledger: Ledger
    follower: Follower
    store: ContentStore
    endpoint: EndpointSettings | None = None
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def open(
        cls,
        folder: Path,
        keys: Keys,
        ledger: Ledger,
        store: ContentStore,
        confirmations: int = 0,
        from_block: int = 0,
        endpoint: EndpointSettings | None = None,
        rules: Rules | None = None,
    ) -> "Node":
        """The node in `folder` on this ledger and store."""
        make_folder(folder)
        return cls(folder, keys, ledger, Follower(ledger, confirmations, from_block), store, endpoint, rules or Rules())

    @classmethod
    def from_settings(cls, folder: Path, passphrase: str, environment: Mapping[str, str] = os.environ) -> "Node":
        """The node in `folder` on the ledger and the store that its settings name, overridden by `AGORA_*`."""
        connection = read_connection(folder / SETTINGS, environment, (*NAMES, *RULES_NAMES))
        rules = read_rules(folder / SETTINGS, environment)
        endpoint = read_endpoint(folder / SETTINGS, environment)
        if connection.rpc is None or connection.contract is None or connection.store is None:
            raise Invalid(
                "expected the settings rpc, contract and store; write node.toml or set AGORA_RPC and the others"
            )
        keys = open_keys(folder, passphrase)
        ledger = connect(connection.rpc, checksummed(connection.contract), connection.chain_id)
        store = open_store(connection.store)
        return cls.open(folder, keys, ledger, store, connection.confirmations, connection.from_block, endpoint, rules)

    @cached_property
    def vault(self) -> Vault:
        """The node's vault."""
        return Vault(self.folder / VAULT, SecretBox(self.keys.storage_key))

    @property
    def _stock(self) -> Stockroom:
        return Stockroom(self.folder / STOCK, SecretBox(self.keys.storage_key))

    @property
    def roster_keys(self) -> RosterKeys:
        """The keys to identifiers that the provider wants kept."""
        return RosterKeys(self.folder / ROSTER_KEYS, SecretBox(self.keys.storage_key))

    def provider(self) -> Provider:
        """What the provider does by hand."""
        return Provider(
            self.ledger,
            self.follower,
            self.keys.signer,
            self.store,
            self._stock,
            lambda: self.vault,
            self.roster_keys,
        )

    def pooling(self, rules: Rules | None = None) -> Pooling:
        """What the provider does by hand about pools."""
        return Pooling(
            self.ledger,
            self.follower,
            self.keys.signer,
            self.store,
            self.provider(),
            lambda: self.vault,
            rules or self.rules,
        )

    def replay(
        self,
        order: OrderId,
        note: Callable[[str], None],
        given: Path | None = None,
        generators: Callable[[str], Generator] = generator_of,
    ) -> Replay:
        """The draw of a delivered order made again. `given`: a result's folder to compare with as well.

        Raises `Refused` if another process serves this folder, and as `Replaying.replay` does.
        """
        with closing(Journal(self.folder / JOURNAL)) as journal:
            return self._replaying(journal, given, generators).replay(order, note)

    def review(
        self,
        order: OrderId,
        note: Callable[[str], None],
        generators: Callable[[str], Generator] = generator_of,
    ) -> Path:
        """What a reviewer asks of a delivered result, on real records: where its page is. Raises as `Replaying.review`."""
        with closing(Journal(self.folder / JOURNAL)) as journal:
            return self._replaying(journal, None, generators).review(order, note)

    @property
    def tls(self) -> TlsFile:
        """The node's TLS certificate. Raises `Invalid` where its settings name no endpoint."""
        if self.endpoint is None:
            raise Invalid("expected the setting endpoint, as in node.example:8443; write it into node.toml")
        make_folder(self.folder / KEYS)
        return tls_file(self.folder / KEYS, self.keys.storage_key, self.endpoint.public.host, datetime.now(UTC))

    def _standpoint(self) -> Standpoint:
        if self.endpoint is None or self.endpoint.party_listen is None:
            raise Refused(
                "expected the setting party, as in node.example:8444, to answer with others; set it in node.toml"
            )
        return Standpoint(self.endpoint.party_listen, self.tls)

    def _together(self, journal: Journal, workers: JointWorkers) -> Together:
        return Together(
            ledger=self.ledger,
            signer=self.keys.signer,
            store=self.store,
            journal=journal,
            workers=workers,
            vault_folder=self.folder / VAULT,
            storage_key=self.keys.storage_key,
            roster_keys=self.roster_keys,
            standpoint=self._standpoint,
        )

    def _replaying(self, journal: Journal, given: Path | None, generators: Callable[[str], Generator]) -> Replaying:
        return Replaying(
            account=self.follower.catch_up(),
            provider=self.keys.signer.address,
            store=self.store,
            journal=journal,
            storage_key=self.keys.storage_key,
            orders=self.folder / ORDERS,
            vault=self.folder / VAULT,
            given=given,
            generators=generators,
        )

    def daemon(
        self,
        observe: Callable[[Happened], None],
        *,
        clock: Callable[[], float] = time.time,
        rules: Rules | None = None,
        workers: Workers | None = None,
        joint: JointWorkers | None = None,
    ) -> Daemon:
        """The loop that serves orders. `workers`: where their work runs; one process of this machine if not given. `joint`:
        where it takes part in those that several nodes answer.

        Raises `Refused` if another process serves this folder.
        """
        journal = Journal(self.folder / JOURNAL)
        effects = Effects(
            ledger=self.ledger,
            signer=self.keys.signer,
            store=self.store,
            journal=journal,
            workers=workers or ProcessWorkers(),
            folder=self.folder / ORDERS,
            vault_folder=self.folder / VAULT,
            storage_key=self.keys.storage_key,
            stock=self._stock,
            vault=lambda: self.vault,
            together=self._together(journal, joint or JointWorkers(at_once=(rules or self.rules).joint_at_once)),
        )
        return Daemon(
            provider=self.keys.signer.address,
            follower=self.follower,
            effects=effects,
            clock=clock,
            rules=rules or self.rules,
            observe=observe,
        )
