"""From a made result to a delivery: certificate, manifest, sealing, and the bytes into the store. No transaction here."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from marketplace.certificate.certificate import NO_EPSILON, NO_PROMISE, Certificate, Privacy
from marketplace.certificate.context import sealing_context
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.fields import Fields
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import delivery_document, delivery_of
from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Corrupt, Invalid
from marketplace.keys.sealing import SealingPublicKey
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_certificate
from marketplace.ledger.signer import Signer
from marketplace.protocol import canonical, result
from marketplace.protocol.account import OrderView
from marketplace.protocol.order import Delivery
from marketplace.protocol.schema import Schema
from marketplace.protocol.specified import Specified
from marketplace.scores.thresholds import judge
from marketplace.sealing import plain_root_of, seal
from node.commission import Commission
from node.evaluation.public_attacks import public_attacks
from node.files import forget, reading, whole_file, write_whole
from node.outcome import Outcome
from node.sale import SaleSecrets
from node.workers.job import Name

NOUN, VERSION = "delivery", 1


class Made(Protocol):
    """An order whose result was made, and its documents."""

    @property
    def order(self) -> OrderView: ...

    @property
    def specification(self) -> Specified: ...

    @property
    def capacity(self) -> int: ...


def prepare_delivery(
    commission: Commission, folder: Path, secrets: SaleSecrets, ledger: Ledger, signer: Signer, store: ContentStore
) -> Delivery:
    """Seals the result in `folder` for its buyer, puts manifest and object into `store`, returns what to record.

    Doing it again after a crash gives another object (sealing draws fresh randomness) under the same plain root and
    commitment root; the unrecorded one is garbage in the store. Raises as the store and the disk do.
    """
    pack_result(folder, result.names_of(commission.description.schema))
    manifest = _manifest(commission, folder, plain_root(commission, folder, secrets), ledger, signer)
    return seal_result(commission, folder, secrets, manifest, store)


def prepare_sale_of_stock(
    commission: Commission, folder: Path, secrets: SaleSecrets, manifest: bytes, store: ContentStore
) -> Delivery:
    """As `prepare_delivery`, for the earlier result that was copied into `folder`, under its own `manifest`.

    Raises `Corrupt` unless result and salts give the plain root that the offer sells.
    """
    if plain_root(commission, folder, secrets) != commission.offer.head.stock:
        raise Corrupt("expected the very result that the offer sells, got another; restore the node's folder")
    return seal_result(commission, folder, secrets, manifest, store)


def plain_root(commission: Made, folder: Path, secrets: SaleSecrets) -> bytes:
    """The plain root of the packed result in `folder` with the salts of `secrets`."""
    return plain_root_in(folder, commission.capacity, secrets.salts)


def plain_root_in(folder: Path, capacity: int, salts: bytes) -> bytes:
    """The plain root of the packed result in `folder`, padded to `capacity` chunks, with salts from this secret."""
    with reading(folder / Name.RESULT) as plain:
        return plain_root_of(plain, capacity=capacity, secret=salts)


def seal_result(commission: Made, folder: Path, secrets: SaleSecrets, manifest: bytes, store: ContentStore) -> Delivery:
    """Puts `manifest` and the packed result in `folder`, sealed for its buyer, into the store; what to record."""
    manifest_cid = put_bytes(store, manifest)
    write_whole(folder / Name.MANIFEST, manifest)
    with reading(folder / Name.RESULT) as plain, whole_file(folder / Name.SEALED) as sealed:
        commitment = seal(
            plain,
            sealed,
            capacity=commission.capacity,
            secret=secrets.salts,
            key=secrets.key,
            reader=SealingPublicKey(commission.specification.sealing_key),
            context=sealing_context(commission.order.id, sha256(manifest).digest()),
        )
    with reading(folder / Name.SEALED) as sealed_object:
        object_cid = store.put(sealed_object)
    return Delivery(
        commitment_root=commitment.root,
        plain_root=commitment.plain_root,
        key_hash=commitment.key_hash,
        object=object_cid.digest,
        manifest=manifest_cid.digest,
        count=commitment.count,
        object_codec=object_cid.codec,
    )


def clear(folder: Path) -> None:
    """Removes the result and its sealed copy once the order has ended; certificate, reports and measurements stay."""
    for path in (folder / Name.RESULT, folder / Name.SEALED, *folder.glob("*.csv")):
        forget(path)


def pack_result(folder: Path, names: Sequence[str]) -> None:
    """Packs the result's files in `folder` into one archive there."""
    with whole_file(folder / Name.RESULT) as out:
        result.pack({name: folder / name for name in names}, out, names)


def _manifest(commission: Commission, folder: Path, plain_root: bytes, ledger: Ledger, signer: Signer) -> bytes:
    with reading(folder / Name.OUTCOME) as file:
        outcome = Outcome.decode(file.read())
    attacks = public_attacks(f"{outcome.mechanism.name}/{outcome.mechanism.version}")
    member = commission.member
    delta_atto = commission.offer.head.delta_atto
    schema = commission.description.schema
    certificate = Certificate(
        order=commission.order.id,
        offer=commission.offer.id,
        provider=member.provider,
        dataset=member.dataset,
        version=commission.order.order.version(commission.index),
        commitment=commission.version.commitment,
        description=commission.version.description,
        specification=commission.order.order.specification,
        plain_root=plain_root,
        count=commission.capacity,
        rows=commission.specification.rows,
        register=outcome.register,
        noise_commitment=outcome.noise_commitment,
        mechanism=outcome.mechanism,
        privacy=_privacy(schema, member.rho_micro, delta_atto),
        scores=outcome.scores,
        environment=outcome.environment,
        curves=outcome.curves,
        thresholds=judge(commission.specification.thresholds, outcome.scores),
        attacks=attacks if attacks.figures else None,
    )
    signature = sign_certificate(signer, ledger.domain, certificate.order, sha256(certificate.encode()).digest())
    return Manifest(ledger.domain.chain_id, ledger.domain.contract, ledger.source_hash, certificate, signature).encode()


def _privacy(schema: Schema, rho_micro: int, delta_atto: int) -> Privacy:
    """What the offer promises; of an exact one, in words, that it promises nothing."""
    if delta_atto == 0:
        return Privacy(schema.unit, schema.rows_per_person, rho_micro, delta_atto, NO_EPSILON, NO_PROMISE)
    epsilon = quoted_epsilon(rho_micro, delta_atto)
    return Privacy(schema.unit, schema.rows_per_person, rho_micro, delta_atto, epsilon)


def encode_delivery(delivery: Delivery) -> bytes:
    """A delivery as the journal keeps it."""
    return canonical.encode({"format": canonical.format_name(NOUN, VERSION), **delivery_document(delivery)})


def decode_delivery(data: bytes) -> Delivery:
    """The delivery in a journal's entry. Raises `Corrupt` where the bytes are none."""
    fields = Fields(canonical.decode(data, NOUN, VERSION))
    try:
        return delivery_of(fields)
    except Invalid:
        raise Corrupt("expected a delivery in the journal, got other parts; restore it from its backup") from None
