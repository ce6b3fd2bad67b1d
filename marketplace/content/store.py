"""The port: bytes by the hash of their contents, and what can be done with any such store."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, Protocol

from marketplace.content import disk
from marketplace.content.cid import Cid
from marketplace.errors import Corrupt


class ContentStore(Protocol):
    """Files that are called by the hash of their contents. Every method may raise `Unreachable`; it is safe to retry.

    Both ways run in constant memory, whatever the size. A store may be used by several threads at once.
    """

    def put(self, source: BinaryIO | Iterable[bytes]) -> Cid:
        """Store the bytes of `source` from where it stands; they are kept for good once this returns.

        The same bytes always get the same address, and putting them again changes nothing. Raises `Refused` if this
        store takes nothing from us, `Corrupt` if it calls the bytes otherwise.
        """
        ...

    def read(self, cid: Cid, offset: int = 0) -> Iterator[bytes]:
        """The bytes of `cid` from byte `offset` on, in pieces; what lies before it is not fetched.

        No byte is handed out before its block has been checked against its address. Raises, while iterating, `Corrupt`
        naming the block that is wrong, `Unreachable` naming the block that is missing, `Invalid` if `offset` lies
        beyond the end.
        """
        ...

    def size(self, cid: Cid) -> int:
        """How many bytes `cid` has, by its root block. Raises as `read` does."""
        ...

    def has(self, cid: Cid) -> bool:
        """Whether `cid` is here as `put` leaves it, so that all of it can be read from here.

        What came in another way may count as absent; a gateway answers for the root block alone.
        """
        ...


def put_bytes(store: ContentStore, data: bytes) -> Cid:
    """Store `data`. Raises as `ContentStore.put` does."""
    return store.put(BytesIO(data))


def read_bytes(store: ContentStore, cid: Cid, limit: int) -> bytes:
    """All bytes of `cid`. Raises `Corrupt` if there are more than `limit`, else as `ContentStore.read` does."""
    data = bytearray()
    for piece in store.read(cid):
        data += piece
        if len(data) > limit:
            raise Corrupt(f"expected at most {limit} bytes in {cid}, got more; ask its author for a smaller one")
    return bytes(data)


def copy(store: ContentStore, cid: Cid, destination: BinaryIO, offset: int = 0) -> int:
    """Write the bytes of `cid` from byte `offset` on to `destination`, where it stands; returns how many.

    `destination` is a buffered file, flushed before this returns. To go on with a download, open the file for
    appending and give its length as `offset`. Raises as `ContentStore.read` does, and as `disk.explained` says if the
    disk does not take the bytes.
    """
    written = 0
    try:
        for piece in store.read(cid, offset):
            written += destination.write(piece)
        destination.flush()
    except OSError as error:
        raise disk.explained(error, f"the copy of {cid}") from error
    return written
