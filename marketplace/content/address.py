"""Which store an address means."""

from pathlib import Path

from marketplace.content.directory import DirectoryStore
from marketplace.content.gateway import GatewayStore
from marketplace.content.kubo import KuboStore
from marketplace.content.store import ContentStore
from marketplace.errors import Invalid


def open_store(address: str) -> ContentStore:
    """The store at `address`: a multiaddress of an IPFS daemon's RPC (`/ip4/127.0.0.1/tcp/5001`), the URL of a gateway
    (`https://...`, for reading only), or else a directory of blocks.

    Raises `Invalid` if it is empty or none of these.
    """
    if not address.strip():
        raise Invalid("expected the address of a content store: a directory, a multiaddress or a gateway's URL")
    if address.startswith(("/ip4/", "/ip6/", "/dns/", "/dns4/", "/dns6/", "/unix/")):
        return KuboStore(address)
    if address.startswith(("http://", "https://")):
        return GatewayStore(address)
    if "://" in address or not address.isprintable():
        raise Invalid("expected a directory, a multiaddress or a gateway's URL as content store, got another address")
    try:
        return DirectoryStore(Path(address).expanduser())
    except RuntimeError:
        raise Invalid("expected a content store in a home folder that there is, got ~ with another name") from None
