"""A whole sale without a chain: a real result, sealed, signed and opened, in the folder that its buyer keeps."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from random import Random

from marketplace.certificate.certificate import Certificate, Environment, Mechanism, Privacy, Stage, StageKind
from marketplace.certificate.context import sealing_context
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.folder import DELIVERY, DESCRIPTION, INNER, MANIFEST, SPECIFICATION
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.keys.sealing import order_key
from marketplace.ledger.signatures import sign_certificate
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol import result
from marketplace.protocol.account import OrderView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import CODEC_RAW, Delivery
from marketplace.protocol.specification import Specification, Workload
from marketplace.protocol.terms import Terms
from marketplace.scores.codes import read_codes
from marketplace.scores.reference import references
from marketplace.scores.score import Score
from marketplace.sealing import capacity_for, plain_root_of, seal, unseal

from ..protocol.examples import DESCRIPTION as DESCRIBED
from ..protocol.examples import SCHEMA
from ..protocol.history import KEY, RHO_MICRO, History, some

SIGNER = LocalSigner(b"\x07" * 32)
SEED, NONCE = b"s" * 32, b"n" * 32
ROWS = 40
LICENCE = Terms("Research licence", 365)
STAGES = (
    Stage("pairs", StageKind.GAUSSIAN, 20_000, "3", str(Fraction(9 * 10**6, 2 * 20_000))),
    Stage("tree", StageKind.EXPONENTIAL, 5_000, "3", "1/5"),
)
SCORING = Stage("l1_1way", StageKind.GAUSSIAN, 5_560, "9", str(Fraction(81 * 10**6, 2 * 5_560)))


@dataclass(frozen=True)
class Sale:
    """One sale. `history` ends with the reveal of the key."""

    history: History
    offer: Offer
    id: OrderId
    description: Description
    specification: Specification
    manifest: Manifest
    folder: Path
    sealed: bytes

    @property
    def order(self) -> OrderView:
        return self.history.view(self.id)


def unchanged(certificate: Certificate) -> Certificate:
    return certificate


def sell(folder: Path, change: Callable[[Certificate], Certificate] = unchanged, signer: LocalSigner = SIGNER) -> Sale:
    """A sale whose buyer keeps the result in `folder`. `change` is what the provider does to the certificate before signing."""
    history = History(SIGNER.address)
    dataset = history.register(description=sha256(DESCRIBED.encode()).digest())
    offer = history.publish(dataset, terms=sha256(LICENCE.encode()).digest())
    history.stake(offer.head.bond_units)
    return buy(history, offer, folder, change, signer)


def buy(
    history: History,
    offer: Offer,
    folder: Path,
    change: Callable[[Certificate], Certificate] = unchanged,
    signer: LocalSigner = SIGNER,
) -> Sale:
    """One more order of `offer`, up to the reveal of its key."""
    nonce = history.fresh("nonce")
    reader = order_key(SEED, nonce)
    specification = Specification(offer.id, ROWS, Workload((("sex", "age"),)), 600, reader.public_key.raw, nonce)
    order = history.place(offer, specification=sha256(specification.encode()).digest())
    plain = _result(folder)
    capacity = capacity_for(len(plain) + 5_000)
    root = plain_root_of(io.BytesIO(plain), capacity=capacity, secret=some("salts"))
    certificate = change(_certificate(history, offer, order, specification, root, capacity, folder))
    signature = sign_certificate(signer, history.domain, order, sha256(certificate.encode()).digest())
    domain = history.domain
    manifest = Manifest(domain.chain_id, domain.contract, some("sources"), certificate, signature)
    digest = sha256(manifest.encode()).digest()
    context, sealed, inner = sealing_context(order, digest), io.BytesIO(), io.BytesIO()
    commitment = seal(
        io.BytesIO(plain),
        sealed,
        capacity=capacity,
        secret=some("salts"),
        key=KEY,
        reader=reader.public_key,
        context=context,
    )
    sealed.seek(0)
    unseal(sealed, inner, reader=reader, context=context, expected=commitment)
    object_digest = sha256(sealed.getvalue()).digest()
    roots = (commitment.root, commitment.plain_root, commitment.key_hash)
    delivery = Delivery(*roots, object_digest, digest, commitment.count, CODEC_RAW)
    history.deliver(order, delivery)
    history.accept(order)
    history.reveal(order)
    (folder / MANIFEST).write_bytes(manifest.encode())
    (folder / DESCRIPTION).write_bytes(DESCRIBED.encode())
    (folder / SPECIFICATION).write_bytes(specification.encode())
    (folder / INNER).write_bytes(inner.getvalue())
    (folder / DELIVERY).write_bytes(Opening(delivery, KEY).encode())
    return Sale(history, offer, order, DESCRIBED, specification, manifest, folder, sealed.getvalue())


def _result(folder: Path) -> bytes:
    choices, out = Random(5), io.BytesIO()
    with (folder / result.TABLE).open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table)
        writer.writerow(SCHEMA.names)
        for _ in range(ROWS):
            codes = [choices.randrange(-1 if column.missing else 0, column.size) for column in SCHEMA.columns]
            cells = zip(SCHEMA.columns, codes, strict=True)
            writer.writerow(["" if code < 0 else column.text(code) for column, code in cells])
    (folder / result.REPORT).write_text("<p>A report.</p>")
    (folder / result.PICTURE).write_bytes(b"\x89PNG and so on")
    result.pack({name: folder / name for name in result.NAMES}, out)
    return out.getvalue()


def _certificate(
    history: History,
    offer: Offer,
    order: OrderId,
    specification: Specification,
    plain_root: bytes,
    count: int,
    folder: Path,
) -> Certificate:
    named, dataset = history.view(order).order, offer.members[0].dataset
    codes = read_codes((folder / result.TABLE).read_bytes(), SCHEMA)
    beside = references(codes, SCHEMA, specification.workload, named.specification, DESCRIBED.rows_declared)
    delta_atto = offer.head.delta_atto
    epsilon = quoted_epsilon(RHO_MICRO, delta_atto)
    return Certificate(
        order=order,
        offer=offer.id,
        provider=offer.members[0].provider,
        dataset=dataset,
        version=named.version(),
        commitment=history.account.datasets[dataset].versions[named.version() - 1].commitment,
        description=sha256(DESCRIBED.encode()).digest(),
        specification=named.specification,
        plain_root=plain_root,
        count=count,
        rows=ROWS,
        register=some("register"),
        noise_commitment=some("noise"),
        mechanism=Mechanism("marginals", "1", (("pairs", "3"), ("rounds", "500")), STAGES, (SCORING,)),
        privacy=Privacy(SCHEMA.unit, SCHEMA.rows_per_person, RHO_MICRO, delta_atto, epsilon),
        scores=tuple(Score(one.name, "0.200000", "0.010000", one.floor, one.ceiling) for one in beside),
        environment=Environment("c0de", "d3b5", "3.11", "x86_64"),
    )


assert sum(stage.rho_micro for stage in (*STAGES, SCORING)) == RHO_MICRO
assert all(stage.rho_micro == stage.cost_micro() for stage in (*STAGES, SCORING))
assert math.isclose(float(Fraction(STAGES[0].parameter)), 225)
