"""What a buyer does with a delivery: download, take the outer layer off, check every byte, and later open it.

An order's folder fills in this order; each file is whole or absent, so that a fetch goes on where it was interrupted.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.buying.documents import Documents, delivery_of, read_documents
from marketplace.buying.fetching import Progress, commitment_of, fetch_inner, is_intact
from marketplace.buying.listing import read_document
from marketplace.certificate.agreement import disagreements
from marketplace.certificate.context import sealing_context
from marketplace.certificate.folder import DELIVERY, DESCRIPTION, EVIDENCE, INNER, MANIFEST, SPECIFICATION
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.content.disk import explained
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.sealing import SealingPrivateKey, order_key
from marketplace.ledger.ids import Domain
from marketplace.protocol import result
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import DeliveryHash
from marketplace.protocol.order import Complaint
from marketplace.protocol.specified import Specified, names_of, read_specified
from marketplace.scores.score import Score
from marketplace.sealing import Commitment, WrongChunk, open_chunks, proof_of

CHECKED, LOCK, MADE_BY = "checked", "lock", "made-by.json"
OPENING, OPENED = ".opening", "result.tar"


@dataclass(frozen=True)
class Received:
    """A delivery that was checked against the ledger: the manifest, and the inner file waiting for its key."""

    manifest: Manifest
    inner: Path


def keep_specification(specification: Specified, folder: Path) -> None:
    """Puts a specification into its order's folder: its nonce is half of what makes the sealing key again."""
    with _on_disk(folder):
        _write(folder / SPECIFICATION, specification.encode())


def keep_documents(documents: Documents, folder: Path) -> None:
    """Puts the documents of a delivery into its order's folder, beside the order's own specification."""
    _write(folder / MANIFEST, documents.manifest)
    _write(folder / DESCRIPTION, documents.description)
    own = folder / SPECIFICATION
    if not own.exists() or own.read_bytes() != documents.specification:
        _write(folder / MADE_BY, documents.specification)


def documents_of(folder: Path) -> tuple[Description, Specified]:
    """The description and the specification that the result was made by, as `receive` has checked them."""
    with _on_disk(folder):
        made_by = MADE_BY if (folder / MADE_BY).exists() else SPECIFICATION
        described, specified = ((folder / name).read_bytes() for name in (DESCRIPTION, made_by))
    return Description.decode(described), read_specified(specified)


def scores_of(folder: Path) -> tuple[Score, ...]:
    """The released scores of the delivery, as `receive` has checked its manifest."""
    with _on_disk(folder):
        return Manifest.decode((folder / MANIFEST).read_bytes()).certificate.scores


def keep_once(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """What an order's folder keeps under `name`; made, and kept before it is given, if there is nothing yet."""
    with _alone(folder):
        if not (folder / name).exists():
            _write(folder / name, make())
        return (folder / name).read_bytes()


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

    Raises `Refused` while there is no delivery or another fetch runs, `Corrupt` where bytes or documents disagree with
    the ledger (do not accept then), `Invalid` if the wallet has another sealing key, and as store and disk do.
    """
    delivery = delivery_of(order)
    with _alone(folder):
        specification = specification_of(order, store, folder)
        reader = sealing_key(seed, specification)
        documents = read_documents(account, order, store, specification.encode())
        manifest = _judged(account, order, domain, documents)
        keep_documents(documents, folder)
        expected = commitment_of(delivery)
        if not is_intact(folder / INNER, expected):
            fetch_inner(store, delivery, folder, reader, sealing_context(order.id, delivery.manifest), progress)
        _write(folder / CHECKED, _hash_of(order).hex().encode())
    return Received(manifest, folder / INNER)


def checked_delivery(folder: Path) -> DeliveryHash | None:
    """The hash of the delivery that `receive` has checked into this folder; None if there is none."""
    try:
        return DeliveryHash(bytes.fromhex((folder / CHECKED).read_text(encoding="ascii")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise Corrupt("expected the hash of a checked delivery in the order's folder; fetch the order again") from None


def open_result(order: OrderView, folder: Path, out: Path) -> dict[str, Path]:
    """Decrypts a received result with the revealed key into the folder `out`, beside what `agora verify` needs to check
    it offline, the revealed key among it. Gives the result's files by name.

    Nothing of `out` is changed if it raises: `Refused` while the key is not revealed, `Invalid` where nothing was received
    or `out` is a file, `WrongChunk` (a `Corrupt`) for bytes that can be proven wrong, and as the disk does.
    """
    delivery, key = delivery_of(order), _key_to(order, folder)
    if out.exists() and not out.is_dir():
        raise Invalid(f"expected a folder for the result, found a file at {out.name!r}; choose another place")
    with _alone(folder), _on_disk(out), _waiting_room(out) as waiting:
        made_by = folder / (MADE_BY if (folder / MADE_BY).exists() else SPECIFICATION)
        schema = Description.decode((folder / DESCRIPTION).read_bytes()).schema
        joint = Manifest.decode((folder / MANIFEST).read_bytes()).certificate.joint is not None
        names = names_of(read_specified(made_by.read_bytes()), schema, joint=joint)
        _decrypt(folder / INNER, waiting, key, commitment_of(delivery), names)
        for name in (MANIFEST, DESCRIPTION, INNER):
            shutil.copyfile(folder / name, waiting / name)
        shutil.copyfile(made_by, waiting / SPECIFICATION)
        _write(waiting / DELIVERY, Opening(delivery, key).encode())
        for name in (*names, *EVIDENCE):
            (waiting / name).replace(out / name)
    return {name: out / name for name in names}


def complaint_of(order: OrderView, folder: Path) -> Complaint:
    """The proof for the first chunk of a received result that the revealed key does not open to its committed hash.

    Raises `Refused` while the key is not revealed or if every chunk is right, `Invalid` where nothing was received, and
    `Corrupt` for an inner file that is not as it was delivered, and for a result that is wrong in a way that no chunk
    proves.
    """
    expected, key = commitment_of(delivery_of(order)), _key_to(order, folder)
    with _alone(folder), (folder / INNER).open("rb") as inner, Path(os.devnull).open("wb") as nowhere:
        try:
            open_chunks(inner, nowhere, key=key, expected=expected)
        except WrongChunk as wrong:
            proof = proof_of(inner, wrong.index)
            return Complaint(key, proof.index, proof.plain_hash, proof.cipher, proof.path)
    raise Refused("expected a wrong chunk, the revealed key opens every one to its committed hash; fetch the result")


def specification_of(order: OrderView, store: ContentStore, folder: Path) -> Specified:
    """The specification that the order names, from its folder or else from the store, and then kept in the folder."""
    kept, digest = folder / SPECIFICATION, order.order.specification
    data = kept.read_bytes() if kept.exists() else b""
    if sha256(data).digest() != digest:
        data = read_document(store, digest)
    specification = read_specified(data)
    keep_specification(specification, folder)
    return specification


def sealing_key(seed: bytes, specification: Specified) -> SealingPrivateKey:
    """The private key for a specification of this wallet.

    Raises `Invalid` if the wallet's seed did not make the specification's sealing key: without the seed that did, the
    result can never be read.
    """
    key = order_key(seed, specification.nonce)
    if key.public_key.raw != specification.sealing_key:
        raise Invalid(
            "expected the sealing seed that this order's key was made from, the wallet has another; restore it with "
            "`agora keys restore`: without it the result is lost"
        )
    return key


def _judged(account: Account, order: OrderView, domain: Domain, documents: Documents) -> Manifest:
    """The delivery's manifest, which agrees with all that is known of the order."""
    manifest = Manifest.decode(documents.manifest)
    found = disagreements(
        manifest,
        account=account,
        order=order,
        domain=domain,
        description=Description.decode(documents.description),
        specification=read_specified(documents.specification),
    )
    if found:
        raise Corrupt(f"expected a certificate that agrees with the ledger: {found[0]}; reject the delivery")
    return manifest


@contextmanager
def _waiting_room(out: Path) -> Iterator[Path]:
    """A folder inside `out` for files that are not whole yet. Gone afterwards, and so is `out` where it stayed empty."""
    waiting = out / OPENING
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    try:
        yield waiting
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
        if not any(out.iterdir()):
            out.rmdir()


def _decrypt(inner: Path, waiting: Path, key: bytes, expected: Commitment, names: Sequence[str]) -> None:
    archive = waiting / OPENED
    with inner.open("rb") as source, archive.open("wb") as plain:
        open_chunks(source, plain, key=key, expected=expected)
    with archive.open("rb") as plain:
        result.unpack(plain, waiting, names)


def _key_to(order: OrderView, folder: Path) -> bytes:
    """The revealed key to what was received into the folder."""
    if order.key is None:
        raise Refused(f"expected a revealed key, the order is {order.state.word}; wait for the provider")
    if not (folder / INNER).exists():
        raise Invalid("expected a received delivery in the wallet, found none; fetch the order first")
    return order.key


def _hash_of(order: OrderView) -> bytes:
    if order.delivery_hash is None:
        raise Refused(f"expected a delivery, the order is {order.state.word}; wait for the provider")
    return order.delivery_hash


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The order's folder for one process at a time. Raises `Refused` while another has it."""
    with _on_disk(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("expected one fetch of an order at a time, another is at work; wait for it") from None
            yield


@contextmanager
def _on_disk(folder: Path) -> Iterator[None]:
    """What the disk refuses, in this product's errors."""
    try:
        yield
    except OSError as error:
        raise explained(error, f"the folder {folder.name!r}") from None


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
