"""Where the demo is played: a ledger, a store, three folders with keys, money."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from marketplace.buying.client import Client
from marketplace.content.directory import DirectoryStore
from marketplace.content.store import ContentStore
from marketplace.errors import Invalid, Refused
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
from node.home import Keys, Node
from scripts.story.serving import Serve, ServingApart, ServingHere

ANVIL_ACCOUNT = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""The first account of every fresh Anvil, whose key is public. Another key with gas: the file `AGORA_DEMO_KEY_FILE`."""

GAS_WEI = 10**17
HASTE = 10


@dataclass(frozen=True)
class Stage:
    """`ledger` with the test euro at `token`; `treasury` pays for gas and makes test money. `rpc`: None where embedded.

    `from_block`: where the marketplace's events begin.
    """

    ledger: Ledger
    token: Address
    treasury: Signer
    store_folder: Path
    rpc: str | None
    from_block: int = 0

    @property
    def store(self) -> ContentStore:
        """The directory that all three share."""
        return DirectoryStore(self.store_folder)

    def fund(self, account: Address, euro_units: int) -> None:
        """Gives an account gas and test money."""
        self.ledger.give_gas(self.treasury, account, GAS_WEI)
        self.ledger.mint(self.treasury, self.token, account, euro_units)


def set_up(rpc: str | None, folder: Path) -> Stage:
    """A marketplace of its own: on a chain in this process, or on the chain behind `rpc`."""
    store = folder / "store"
    if rpc is None:
        ledger = EmbeddedLedger(_fast_clock())
        return Stage(ledger, ledger.token, ledger.treasury, store, None)
    treasury, chain = _treasury(os.environ.get("AGORA_DEMO_KEY_FILE")), JsonRpcChain(rpc)
    if not chain.gas_balance_wei(treasury.address):
        raise Refused(
            f"expected ether at {treasury.address} to deploy with, this chain has none there; write the key of an "
            "account that has some into a file, and name the file in AGORA_DEMO_KEY_FILE"
        )
    deployed = deploy(chain, treasury)
    from_block = deployed.receipts[0].block
    return Stage(Contract(chain, deployed.marketplace), deployed.euro, treasury, store, rpc, from_block)


def open_node(stage: Stage, folder: Path) -> tuple[Node, Serve]:
    """The provider's node with fresh keys, and a way to let it serve."""
    if stage.rpc is None:
        keys = Keys(LocalSigner.random(), secrets.token_bytes(32))
        folder.mkdir(mode=0o700, parents=True)
        node = Node.open(folder, keys, stage.ledger, stage.store)
        return node, lambda audience: ServingHere(node, audience)
    passphrase, passphrase_file = secrets.token_urlsafe(18), folder.parent / "node-passphrase"
    connection = Connection(
        rpc=stage.rpc,
        contract=stage.ledger.domain.contract,
        chain_id=stage.ledger.domain.chain_id,
        store=str(stage.store_folder),
        from_block=stage.from_block,
    )
    home.create(folder, connection, passphrase)
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_text(passphrase)
    keys = home.open_keys(folder, passphrase)
    node = Node.open(folder, keys, stage.ledger, stage.store, from_block=stage.from_block)
    return node, lambda audience: ServingApart(folder, passphrase_file, audience)


def open_buyer(stage: Stage, folder: Path) -> Client:
    """A buyer with fresh keys and a wallet of its own."""
    return Client(
        ledger=stage.ledger,
        follower=Follower(stage.ledger, from_block=stage.from_block),
        store=stage.store,
        signer=LocalSigner.random(),
        seed=secrets.token_bytes(32),
        folder=folder / "orders",
        clock=time.time,
    )


def _fast_clock() -> Callable[[], int]:
    """A clock that begins now and goes `HASTE` times as fast, so that nobody waits long for a delivery's slot."""
    began_s, began = time.time(), time.monotonic()
    return lambda: int(began_s + HASTE * (time.monotonic() - began))


def _treasury(key_file: str | None) -> LocalSigner:
    if key_file is None:
        return LocalSigner(ANVIL_ACCOUNT)
    try:
        key = bytes.fromhex(Path(key_file).read_text(encoding="ascii").strip().removeprefix("0x"))
    except (OSError, ValueError):
        raise Invalid(
            "expected a ledger key of 64 hexadecimal digits in the file that AGORA_DEMO_KEY_FILE names, could not read "
            "one; check the file"
        ) from None
    return LocalSigner(key)
