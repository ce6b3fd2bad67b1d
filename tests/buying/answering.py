"""A node that is only its endpoint: the product's own server and certificate, before verbs that a test makes up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from marketplace.content.store import ContentStore, put_bytes
from marketplace.protocol.chunks import VERB, ChunkKeys, SignedChunkRequest
from marketplace.protocol.descriptor import Described, Descriptor, Place
from marketplace.protocol.identity import NOTHING, Address
from marketplace.sealing import chunk_key
from node.endpoint.exchange import Verb
from node.endpoint.server import Endpoint
from node.endpoint.tls import tls_file
from tests.buying.provider import KEY, HandMadeProvider

STORAGE_KEY = b"storage key of one node, 32 byte"


@dataclass
class Opener:
    """Opens every chunk that anybody asks for, with the key of the hand-made provider, and keeps what was asked.

    `key`: the sale's key to answer with.
    """

    key: bytes = KEY
    asked: list[SignedChunkRequest] = field(default_factory=list)

    def __call__(self, body: bytes) -> bytes:
        signed = SignedChunkRequest.decode(body)
        self.asked.append(signed)
        keys = {index: chunk_key(self.key, index) for index in signed.request.indices}
        return ChunkKeys(signed.request.order, keys).encode()

    @property
    def indices(self) -> list[int]:
        """Every chunk that was asked for, in the order of asking."""
        return [index for each in self.asked for index in each.request.indices]


@contextmanager
def answering(
    folder: Path, provider: Address, store: ContentStore, verb: Verb, shows: bytes | None = None, name: str = VERB
) -> Iterator[Described]:
    """A node of `provider` whose verb `name` is `verb`, described in `store`, for as long as the block runs.

    `shows`: the fingerprint that its descriptor gives, if it is not that of its certificate.
    """
    folder.mkdir(exist_ok=True)
    tls = tls_file(folder, STORAGE_KEY, "127.0.0.1", datetime.now(UTC))
    with Endpoint("127.0.0.1", 0, tls.context(), {name: verb}, lambda _: None) as endpoint:
        fingerprint = shows or tls.fingerprint
        descriptor = Descriptor(provider, Place("127.0.0.1", endpoint.port), fingerprint)
        yield Described(put_bytes(store, descriptor.encode()).digest, fingerprint)


@contextmanager
def silence() -> Iterator[Place]:
    """A place of this machine at which nobody answers, nor begins to, as long as the block runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Place("127.0.0.1", taken.getsockname()[1])


@contextmanager
def silent(provider: Address, store: ContentStore) -> Iterator[Described]:
    """A node of `provider` that is described in `store` and is down."""
    with silence() as place:
        descriptor = Descriptor(provider, place, b"c" * 32)
        yield Described(put_bytes(store, descriptor.encode()).digest, descriptor.certificate)


@contextmanager
def answering_for(folder: Path, provider: HandMadeProvider, verb: Verb, name: str = VERB) -> Iterator[Described]:
    """A node of `provider` as `answering` makes it, which the ledger knows until the block ends."""
    with answering(folder, provider.signer.address, provider.store, verb, name=name) as described:
        provider.ledger.describe(provider.signer, described.descriptor, described.certificate)
        try:
            yield described
        finally:
            provider.ledger.describe(provider.signer, NOTHING, NOTHING)
