"""A provider without a node: it makes any result by hand, seals it as a node would, and can be told to cheat."""

import csv
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from marketplace.certificate.certificate import Certificate, Environment, Mechanism, Privacy
from marketplace.certificate.context import sealing_context
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, put_bytes, read_bytes
from marketplace.keys.sealing import SealingPublicKey
from marketplace.ledger.contract import Contract
from marketplace.ledger.ledger import Receipt
from marketplace.ledger.signatures import sign_certificate, sign_consent
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol import result
from marketplace.protocol.account import Account, DatasetView, OrderView, fold
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address, DatasetId, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.order import Delivery
from marketplace.protocol.specification import Specification
from marketplace.protocol.terms import Terms
from marketplace.scores.codes import read_codes
from marketplace.scores.reference import references
from marketplace.scores.score import Score
from marketplace.scores.thresholds import judge
from marketplace.sealing import Commitment, capacity_for, plain_root_of, seal
from marketplace.sealing.chunk import DATA_BYTES, LENGTH_BYTES, crypt, plain_hashes, salt
from marketplace.sealing.commitment import Roots
from marketplace.sealing.header import new_header
from marketplace.sealing.inner import INNER
from marketplace.sealing.segments import SegmentWriter
from tests.certificate.examples import RHO_MICRO, SCORING, STAGES
from tests.protocol.examples import DESCRIPTION, SCHEMA

KEY, SALTS = b"k" * 32, b"s" * 32
HOUR_S, EURO = 3_600, 1_000_000
PRICE_UNITS, BOND_UNITS = 250 * EURO, 100 * EURO
SPARE_BYTES = 800_000
"""So much padding that a sealed object takes several blocks of the store."""

Change = Callable[[Manifest], Manifest]


def as_it_is(manifest: Manifest) -> Manifest:
    """What an honest provider does to its manifest."""
    return manifest


@dataclass
class HandMadeProvider:
    """One provider with one dataset. `signer` needs gas and test money of `token`.

    `cheats_on_chunk`: one that decrypts to other bytes than its hash says. `spoil`: what is done to the packed result
    before it is sealed, consistently.
    """

    ledger: Contract
    token: Address
    signer: LocalSigner
    store: ContentStore
    description: Description = DESCRIPTION
    cheats_on_chunk: int | None = None
    spoil: Callable[[bytes], bytes] = bytes
    from_block: int = 0

    def list_dataset(self, total_micro: int = 100 * RHO_MICRO) -> DatasetId:
        """Registers a dataset with its description in the store."""
        digest = put_bytes(self.store, self.description.encode()).digest
        dataset, _ = self.ledger.register(self.signer, os.urandom(32), sha256(b"records").digest(), digest, total_micro)
        return dataset

    def revise(self, dataset: DatasetId) -> None:
        """Puts a next version under the dataset's budget."""
        digest = put_bytes(self.store, self.description.encode()).digest
        self.ledger.revise(self.signer, dataset, sha256(b"other records").digest(), digest)

    def offer(
        self, dataset: DatasetId | None = None, *, staked_units: int = 10 * BOND_UNITS, **changes: object
    ) -> Offer:
        """Stakes and publishes an offer on `dataset`; None for a new one."""
        if staked_units:
            self.ledger.approve(self.signer, self.token, staked_units)
            self.ledger.stake(self.signer, self.token, staked_units)
        dataset = self.list_dataset() if dataset is None else dataset
        member = Member(dataset, self.signer.address, 10_000, RHO_MICRO)
        offer, _ = self.ledger.publish(self.signer, self._head(**changes), [member])
        return offer

    def pool(self, *others: "HandMadeProvider", **changes: object) -> Offer:
        """Publishes an offer of joint analyses on a new dataset of this provider and of each of the `others`, led by this."""
        providers = (self, *others)
        listed = sorted(((each.list_dataset(), each) for each in providers), key=lambda pair: pair[0])
        share, rest = divmod(10_000, len(listed))
        members = [
            Member(dataset, each.signer.address, share + rest * (each is self), RHO_MICRO) for dataset, each in listed
        ]
        head = self._head(**{"kind": Kind.ANALYSIS, **changes})
        until_s = self.ledger.now_s() + HOUR_S
        consents = [
            sign_consent(each.signer, self.ledger.domain, head, members, until_s)
            for _, each in listed
            if each is not self
        ]
        offer, _ = self.ledger.publish(self.signer, head, members, consents)
        return offer

    def deliver(self, order: OrderId, change: Change = as_it_is, context: bytes | None = None) -> Delivery:
        """Makes, seals and delivers. `change` is done to the manifest before it is stored; `context` seals for another."""
        view = self.view(order)
        specification = Specification.decode(read_bytes(self.store, Cid.raw(view.order.specification), 2**20))
        plain, files = _result(specification)
        plain = self.spoil(plain)
        capacity = capacity_for(len(plain) + SPARE_BYTES)
        root = plain_root_of(io.BytesIO(plain), capacity=capacity, secret=SALTS)
        certificate = self._certificate(view, specification, root, capacity, files)
        manifest = change(self._signed(certificate)).encode()
        digest = put_bytes(self.store, manifest).digest
        context = sealing_context(order, digest) if context is None else context
        sealed, commitment = self._seal(plain, capacity, specification, context)
        return self.record(order, self.store.put(io.BytesIO(sealed)), digest, commitment)

    def record(self, order: OrderId, cid: Cid, manifest: bytes, commitment: Commitment) -> Delivery:
        """Records a delivery on the ledger, whatever is behind it."""
        delivery = Delivery(
            commitment.root,
            commitment.plain_root,
            commitment.key_hash,
            cid.digest,
            manifest,
            commitment.count,
            cid.codec,
        )
        view = self.view(order)
        self.ledger.deliver(self.signer, self._offer(view), view.order, delivery)
        return delivery

    def decline(self, order: OrderId) -> None:
        """Turns a placed order down."""
        view = self.view(order)
        self.ledger.decline(self.signer, self._offer(view), view.order)

    def reveal(self, order: OrderId) -> Receipt:
        """Publishes the key of an accepted delivery."""
        view = self.view(order)
        assert view.delivery is not None
        return self.ledger.reveal(self.signer, self._offer(view), view.order, view.delivery, KEY)

    def resigned(self, manifest: Manifest, **changes: object) -> Manifest:
        """The manifest with another certificate, signed anew."""
        return self._signed(replace(manifest.certificate, **changes))  # type: ignore[arg-type]

    def view(self, order: OrderId) -> OrderView:
        """Where an order stands."""
        return self._account().orders[order]

    def _account(self) -> Account:
        return fold(self.ledger.events(self.from_block, self.ledger.head_block()))

    def _offer(self, view: OrderView) -> Offer:
        return self._account().offers[view.order.offer].offer

    def _signed(self, certificate: Certificate) -> Manifest:
        domain, document = self.ledger.domain, sha256(certificate.encode()).digest()
        signature = sign_certificate(self.signer, domain, certificate.order, document)
        return Manifest(domain.chain_id, domain.contract, self.ledger.source_hash, certificate, signature)

    def _seal(
        self, plain: bytes, capacity: int, specification: Specification, context: bytes
    ) -> tuple[bytes, Commitment]:
        out, reader = io.BytesIO(), SealingPublicKey(specification.sealing_key)
        commitment = seal(
            io.BytesIO(plain), out, capacity=capacity, secret=SALTS, key=KEY, reader=reader, context=context
        )
        if self.cheats_on_chunk is None:
            return out.getvalue(), commitment
        return _with_a_wrong_chunk(plain, commitment, self.cheats_on_chunk, reader, context)

    def _head(self, **changes: object) -> Head:
        head = Head(
            lead=self.signer.address,
            kind=Kind.SYNTHETIC,
            guarantee=Guarantee.DIFFERENTIALLY_PRIVATE,
            token=self.token,
            cost_units=PRICE_UNITS - 50 * EURO,
            margin_units=50 * EURO,
            delta_atto=6 * 10**12,
            deliver_window_s=HOUR_S,
            accept_window_s=HOUR_S,
            reveal_window_s=HOUR_S,
            challenge_window_s=HOUR_S,
            rule_window_s=0,
            licence_s=365 * 24 * HOUR_S,
            compute_fee_bps=500,
            bond_units=BOND_UNITS,
            contest_deposit_units=0,
            max_open=8,
            terms=put_bytes(self.store, Terms("Licence terms", 365).encode()).digest,
            valid_until_s=self.ledger.now_s() + 100_000 * HOUR_S,
        )
        return replace(head, **changes)  # type: ignore[arg-type]

    def _certificate(
        self, view: OrderView, specification: Specification, root: bytes, count: int, files: dict[str, bytes]
    ) -> Certificate:
        offer = self._offer(view)
        dataset: DatasetView = self._account().datasets[offer.members[0].dataset]
        version = dataset.versions[view.order.version() - 1]
        schema, delta_atto = self.description.schema, offer.head.delta_atto
        codes = read_codes(files[result.TABLE], schema)
        beside = references(
            codes, schema, specification.workload, view.order.specification, self.description.rows_declared
        )
        scores = tuple(Score(one.name, "0.200000", "0.010000", one.floor, one.ceiling) for one in beside)
        return Certificate(
            order=view.id,
            offer=offer.id,
            provider=self.signer.address,
            dataset=dataset.id,
            version=view.order.version(),
            commitment=version.commitment,
            description=version.description,
            specification=view.order.specification,
            plain_root=root,
            count=count,
            rows=specification.rows,
            register=sha256(b"register").digest(),
            noise_commitment=sha256(b"noise").digest(),
            mechanism=Mechanism("by-hand", "1", (), STAGES, (SCORING,)),
            privacy=Privacy(
                schema.unit, schema.rows_per_person, RHO_MICRO, delta_atto, quoted_epsilon(RHO_MICRO, delta_atto)
            ),
            scores=scores,
            environment=Environment("c0de", "d3b5", "3.11", "x86_64"),
            thresholds=judge(specification.thresholds, scores),
        )


def _result(specification: Specification) -> tuple[bytes, dict[str, bytes]]:
    """Any table of the wished size that follows the schema, packed, and the files in it."""
    choices, table = Random(5), io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(SCHEMA.names)
    for _ in range(specification.rows):
        codes = [choices.randrange(-1 if column.missing else 0, column.size) for column in SCHEMA.columns]
        cells = zip(SCHEMA.columns, codes, strict=True)
        writer.writerow(["" if code < 0 else column.text(code) for column, code in cells])
    files = {
        result.TABLE: table.getvalue().encode(),
        result.REPORT: b"<p>A report.</p>",
        result.PICTURE: b"\x89PNG and so on",
    }
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        result.pack({name: Path(folder) / name for name in files}, packed)
    return packed.getvalue(), files


def _with_a_wrong_chunk(
    plain: bytes, honest: Commitment, wrong: int, reader: SealingPublicKey, context: bytes
) -> tuple[bytes, Commitment]:
    """A sealed object, consistent in itself, whose chunk `wrong` decrypts to other bytes than its hash says."""
    data = (len(plain).to_bytes(LENGTH_BYTES, "big") + plain).ljust(honest.count * DATA_BYTES, b"\0")
    chunks = [salt(SALTS, index) + data[index * DATA_BYTES :][:DATA_BYTES] for index in range(honest.count)]
    hashes, ciphers = plain_hashes(0, chunks), crypt(0, chunks, KEY)
    ciphers[wrong] = bytes([ciphers[wrong][0] ^ 1]) + ciphers[wrong][1:]
    records = [of_plain + cipher for of_plain, cipher in zip(hashes, ciphers, strict=True)]
    header, file_key = new_header(reader, len(records), context)
    out = io.BytesIO()
    out.write(bytes(header))
    segments = SegmentWriter(out, file_key, header.prefix, header.bound)
    segments.write(INNER + b"".join(records))
    segments.finish()
    roots = Roots(len(records))
    roots.add(records)
    root, plain_root = roots.values()
    assert plain_root == honest.plain_root
    return out.getvalue(), Commitment(root, plain_root, len(records), honest.key_hash)
