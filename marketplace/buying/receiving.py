"""What a buyer does with a delivery: download, take the outer layer off, check every byte, and later open it.

An order's folder fills in this order; each file is whole or absent, so that a fetch goes on where it was interrupted.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from marketplace.buying.listing import read_document
from marketplace.certificate.agreement import disagreements
from marketplace.certificate.context import sealing_context
from marketplace.certificate.folder import DELIVERY, DESCRIPTION, INNER, MANIFEST, SPECIFICATION
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, copy
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.sealing import SealingPrivateKey, order_key
from marketplace.ledger.ids import Domain
from marketplace.protocol import result
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.order import Delivery
from marketplace.protocol.specification import Specification
from marketplace.sealing import Commitment, open_chunks, unseal

OBJECT, OPENED = "object.sealed", "result.tar"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Received:
    """A delivery that was checked against the ledger: the manifest, and the inner file waiting for its key."""

    manifest: Manifest
    inner: Path


def receive(
    account: Account,
    order: OrderView,
    domain: Domain,
    store: ContentStore,
    seed: bytes,
    folder: Path,
    progress: Progress,
) -> Received:
    """Fetches a delivery and checks it as far as it can be checked before it is accepted.

    Raises `Refused` while there is no delivery, `Corrupt` where bytes or documents disagree with the ledger (do not
    accept then), `Invalid` if the wallet has another sealing key, and as the store does.
    """
    delivery = delivery_of(order)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    specification = read_document(store, order.order.specification)
    _write(folder / SPECIFICATION, specification)
    reader = sealing_key(seed, Specification.decode(specification))
    offer = account.offers[order.order.offer].offer
    dataset = account.datasets[offer.members[0].dataset]
    description = read_document(store, dataset.versions[order.order.version() - 1].description)
    _write(folder / DESCRIPTION, description)
    manifest_bytes = read_document(store, delivery.manifest)
    manifest = Manifest.decode(manifest_bytes)
    found = disagreements(manifest, account=account, order=order, domain=domain)
    if found:
        raise Corrupt(f"expected a certificate that agrees with the ledger: {found[0]}; reject the delivery")
    _write(folder / MANIFEST, manifest_bytes)
    inner = folder / INNER
    if not inner.exists():
        _download(store, delivery, folder / OBJECT, progress)
        progress("checking every byte")
        _unseal(folder, reader, sealing_context(order.id, delivery.manifest), commitment_of(delivery))
    return Received(manifest, inner)


def open_result(order: OrderView, folder: Path, out: Path) -> dict[str, Path]:
    """Decrypts a received result with the revealed key into `out`; gives the files by name.

    Raises `Refused` while the key is not revealed, `WrongChunk` (a `Corrupt`) for bytes that can be proven wrong.
    """
    delivery = delivery_of(order)
    if order.key is None:
        raise Refused(f"expected a revealed key, the order is {order.state.name.lower()}; wait for the provider")
    inner = folder / INNER
    if not inner.exists():
        raise Invalid("expected a received delivery in the wallet, found none; fetch the order first")
    out.mkdir(parents=True, exist_ok=True)
    opened = folder / OPENED
    with inner.open("rb") as source, opened.open("wb") as plain:
        open_chunks(source, plain, key=order.key, expected=commitment_of(delivery))
    with opened.open("rb") as plain:
        files = result.unpack(plain, out)
    opened.unlink()
    return files


def sealing_key(seed: bytes, specification: Specification) -> SealingPrivateKey:
    """The private key for a specification of this wallet.

    Raises `Invalid` if the wallet's seed did not make the specification's sealing key: without the seed that did, the
    result can never be read.
    """
    key = order_key(seed, specification.nonce)
    if key.public_key.raw != specification.sealing_key:
        raise Invalid(
            "expected the sealing key of this order in the wallet, it is not there; restore it with "
            "`agora keys restore`: without it the result is lost"
        )
    return key


def delivery_of(order: OrderView) -> Delivery:
    """The delivery on the ledger. Raises `Refused` if there is none."""
    if order.delivery is None:
        raise Refused(f"expected a delivery, the order is {order.state.name.lower()}; wait for the provider")
    return order.delivery


def commitment_of(delivery: Delivery) -> Commitment:
    """What the sealed bytes must agree with."""
    return Commitment(delivery.commitment_root, delivery.plain_root, delivery.count, delivery.key_hash)


def _download(store: ContentStore, delivery: Delivery, path: Path, progress: Progress) -> None:
    cid = Cid(delivery.object, delivery.object_codec)
    have = path.stat().st_size if path.exists() else 0
    size = store.size(cid)
    if have > size:
        path.unlink()
        have = 0
    if have < size:
        progress(f"downloading {size - have:,} of {size:,} bytes")
        with path.open("ab") as destination:
            copy(store, cid, destination, have)


def _unseal(folder: Path, reader: SealingPrivateKey, context: bytes, expected: Commitment) -> None:
    """The sealed object is removed once the inner file is whole, and also where it is wrong, so that it is fetched anew."""
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


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def keep_evidence(order: OrderView, folder: Path, out: Path) -> None:
    """Puts beside an opened result what `agora verify` needs to check it offline, the revealed key among it."""
    delivery = delivery_of(order)
    for name in (MANIFEST, DESCRIPTION, SPECIFICATION, INNER):
        shutil.copyfile(folder / name, out / name)
    _write(out / DELIVERY, Opening(delivery, order.key or b"").encode())
