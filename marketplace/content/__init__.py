"""Bytes by the hash of their contents: sealed results, manifests, certificates.

A store is opened by its adapter: `directory.DirectoryStore`, `kubo.KuboStore`, `gateway.GatewayStore` for reading,
`memory.MemoryStore`. All of them give a file the same address.
"""

from marketplace.content.cid import Cid
from marketplace.content.layout import cid_of
from marketplace.content.store import ContentStore, copy, put_bytes, read_bytes

__all__ = ["Cid", "ContentStore", "cid_of", "copy", "put_bytes", "read_bytes"]
