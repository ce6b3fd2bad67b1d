"""The way of a delivery from the store to the inner file: downloaded, the outer layer taken off, every byte checked."""

import os
from collections.abc import Callable
from pathlib import Path

from marketplace.certificate.folder import INNER
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, copy
from marketplace.errors import Corrupt, Invalid
from marketplace.keys.sealing import SealingPrivateKey
from marketplace.protocol.order import Delivery
from marketplace.sealing import Commitment, unseal
from marketplace.sealing.inner import InnerFile

OBJECT = "object.sealed"
Progress = Callable[[str], None]


def commitment_of(delivery: Delivery) -> Commitment:
    """What the sealed bytes must agree with."""
    return Commitment(delivery.commitment_root, delivery.plain_root, delivery.count, delivery.key_hash)


def is_intact(inner: Path, expected: Commitment) -> bool:
    """Whether the inner file is there and is what the delivery commits to."""
    try:
        with inner.open("rb") as file:
            InnerFile(file).check(expected)
    except (FileNotFoundError, Corrupt, Invalid):
        return False
    return True


def fetch_inner(
    store: ContentStore,
    delivery: Delivery,
    folder: Path,
    reader: SealingPrivateKey,
    context: bytes,
    progress: Progress,
) -> None:
    """Puts the inner file of a delivery into `folder`, going on where an earlier download stopped.

    `context`: what the object is sealed for. Raises `Corrupt` where the object disagrees with the delivery, `Invalid` if it
    is sealed for another key, and as the store does. What an earlier download left may have been damaged since: only an
    object that came as a whole is blamed.
    """
    came_whole = _download(store, delivery, folder / OBJECT, progress)
    try:
        _unseal(folder, reader, context, commitment_of(delivery), progress)
    except Corrupt:
        if came_whole:
            raise
        _download(store, delivery, folder / OBJECT, progress)
        _unseal(folder, reader, context, commitment_of(delivery), progress)


def _download(store: ContentStore, delivery: Delivery, path: Path, progress: Progress) -> bool:
    """Goes on with a download. Whether it began with the object's first byte."""
    cid = Cid(delivery.object, delivery.object_codec)
    size, have = store.size(cid), path.stat().st_size if path.exists() else 0
    if have > size:
        path.unlink()
        have = 0
    if have < size:
        progress(f"downloading {size - have:,} of {size:,} bytes")
        with path.open("ab") as destination:
            copy(store, cid, destination, have)
    return have == 0


def _unseal(folder: Path, reader: SealingPrivateKey, context: bytes, expected: Commitment, progress: Progress) -> None:
    """The sealed object is removed once the inner file is whole, and also where it is wrong, so that it is fetched anew."""
    progress("checking every byte")
    part = folder / (INNER + ".part")
    try:
        with (folder / OBJECT).open("rb") as source, part.open("wb") as inner:
            unseal(source, inner, reader=reader, context=context, expected=expected)
            inner.flush()
            os.fsync(inner.fileno())
    except (Corrupt, Invalid):
        part.unlink(missing_ok=True)
        (folder / OBJECT).unlink()
        raise
    part.replace(folder / INNER)
    (folder / OBJECT).unlink()
