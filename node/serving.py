"""A node's endpoint put together from the node: served beside the daemon, described for others, its certificate rotated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from marketplace.content.store import put_bytes
from marketplace.errors import Invalid
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.chunks import VERB as CHUNKS
from marketplace.protocol.descriptor import Described, Descriptor, PartyPlace
from marketplace.protocol.quote import VERB as QUOTE
from node.daemon import Daemon
from node.endpoint.chunks import Chunks
from node.endpoint.quote import Quotes
from node.endpoint.server import Endpoint
from node.endpoint.settings import EndpointSettings
from node.endpoint.tls import rotate_tls_file
from node.files import make_folder
from node.home import KEYS, Node
from node.pool.answering import Answering
from node.pool.countersignature import VERB as COUNTERSIGN
from node.pool.statement import VERB as STATEMENT


@contextmanager
def serving(node: Node, daemon: Daemon, note: Callable[[str], None]) -> Iterator[Endpoint | None]:
    """The endpoint that the node's settings name, answering while the block runs; None where they name none.

    `note` is told what goes wrong inside. Raises as `Endpoint` does, and `Corrupt` for a certificate without its key.
    """
    if node.endpoint is None:
        yield None
        return
    effects = daemon.effects
    chunks = Chunks(
        provider=daemon.provider,
        account=lambda: daemon.account,
        ledger=node.ledger,
        store=node.store,
        journal=effects.journal,
        box=SecretBox(node.keys.storage_key),
        folder_of=effects.order_folder,
        clock=daemon.clock,
        note=note,
    )
    quotes = Quotes(
        provider=daemon.provider,
        account=lambda: daemon.account,
        ledger=node.ledger,
        store=node.store,
        rules=daemon.rules,
        keeps_identifiers=node.roster_keys.has,
        clock=daemon.clock,
        note=note,
    )
    answering = Answering(
        account=lambda: daemon.account,
        ledger=node.ledger,
        signer=node.keys.signer,
        store=node.store,
        folder_of=effects.order_folder,
        clock=daemon.clock,
        note=note,
    )
    place = node.endpoint.listen
    verbs = {
        CHUNKS: chunks.answer,
        QUOTE: quotes.answer,
        STATEMENT: answering.statement,
        COUNTERSIGN: answering.countersign,
    }
    with Endpoint(place.host, place.port, node.tls.context(), verbs, note) as endpoint:
        yield endpoint


def describe(node: Node) -> tuple[Descriptor, Described]:
    """Puts the descriptor of the node's endpoint into the store, and gives it with what the ledger is to say of it.

    Raises `Invalid` where the settings name no endpoint, and as the store does.
    """
    settings, tls = _settings(node), node.tls
    party = None if settings.party is None else PartyPlace(settings.party, tls.certificate())
    descriptor = Descriptor(node.keys.signer.address, settings.public, tls.fingerprint, party)
    return descriptor, Described(put_bytes(node.store, descriptor.encode()).digest, tls.fingerprint)


def tell(node: Node, described: Described) -> Receipt | None:
    """Lets the ledger say this of the node's descriptor; None if that is what it says already. Raises as the ledger does."""
    view = node.follower.catch_up().providers.get(node.keys.signer.address)
    said = view.descriptor if view else None
    if said is not None and Described(said.descriptor, said.certificate) == described:
        return None
    return node.ledger.describe(node.keys.signer, described.descriptor, described.certificate)


def rotate(node: Node) -> tuple[Descriptor, Described]:
    """Makes another TLS certificate and describes the node with it.

    A node that runs keeps the old one until it is started again; then is the time to `tell` the ledger. Raises as
    `describe`.
    """
    host = _settings(node).public.host
    rotate_tls_file(_keys(node), node.keys.storage_key, host, _now())
    return describe(node)


def _settings(node: Node) -> EndpointSettings:
    if node.endpoint is None:
        raise Invalid("expected the setting endpoint, as in node.example:8443; write it into node.toml")
    return node.endpoint


def _keys(node: Node) -> Path:
    make_folder(node.folder / KEYS)
    return node.folder / KEYS


def _now() -> datetime:
    return datetime.now(UTC)
