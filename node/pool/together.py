"""The effects of a joint order at one node: take part, have the members speak, seal as the lead, gather their signatures."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from marketplace.buying.asking import described_by
from marketplace.buying.endpoint import ask, read_descriptor
from marketplace.certificate.certificate import NO_EPSILON, NO_PROMISE, Certificate, Privacy
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.joint import Joint, Party, assumptions
from marketplace.certificate.manifest import Manifest
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Refused
from marketplace.ledger import ids
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_certificate
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account
from marketplace.protocol.descriptor import Descriptor, Place
from marketplace.protocol.identity import Address
from marketplace.protocol.order import Delivery
from marketplace.protocol.specified import rows_of, thresholds_of
from marketplace.scores.thresholds import judge
from node.delivery import plain_root, seal_result
from node.endpoint.tls import TlsFile
from node.files import write_whole
from node.journal import Journal, Mark
from node.mpc.plan import Limits, Peer, Plan
from node.outcome import Outcome
from node.pool import countersignature, statement
from node.pool.answering import read_ended
from node.pool.closing import JointClosing
from node.pool.countersignature import Countersignature, DeliveryDraft
from node.pool.inquiries import Inquiries
from node.pool.joint import JointCommission
from node.pool.statement import Statement, encode_request
from node.roster_keys import RosterKeys
from node.sale import SaleSecrets
from node.workers.job import Name
from node.workers.joint import JointWorkers, Meeting

PATIENCE_S = 15.0
LONGEST_S = 600


@dataclass(frozen=True)
class Standpoint:
    """Where and as whom a node takes part: `listen`, for other parties, and the TLS certificate that the ledger names."""

    listen: Place
    tls: TlsFile


@dataclass
class Together:
    """What a node does about joint orders. `standpoint`: raises `Refused` where the settings name none. `limits`: of each
    party's process, but for the time that is left until the order's deadline."""

    ledger: Ledger
    signer: Signer
    store: ContentStore
    journal: Journal
    workers: JointWorkers
    vault_folder: Path
    storage_key: bytes = field(repr=False)
    roster_keys: RosterKeys
    standpoint: Callable[[], Standpoint]
    limits: Limits = field(default_factory=Limits)
    inquiries: Inquiries = field(default_factory=Inquiries)

    def make(self, made: JointCommission, account: Account, folder: Path, at_s: int) -> bool:
        """Starts, or starts again, this node's part. False while there is no place, or as the lead, before it starts again,
        while it asks the others whether they take part.

        Raises `Refused` where a party, this node among them, cannot be found by what the ledger says of it.
        """
        order = made.order.id
        if not self.workers.has_place(order):
            return False
        if self.workers.tried(order) and made.offer.head.lead == self.signer.address:
            asked = self._asked(made, account, statement.VERB, encode_request(order))
            if asked is not None and (gone := _abstainers(made, asked)):
                write_whole(folder / Name.FAILURE, f"party {gone[0]} takes no part, says its node".encode())
            if asked is None or gone:
                return False
        standpoint, peers = self.standpoint(), self._peers(made, account)
        if peers[made.index].fingerprint != standpoint.tls.fingerprint:
            raise Refused(
                "expected this node's TLS certificate to be the one on the ledger, it names another; "
                "run `agora-node endpoint describe`"
            )
        left_s = float(min(LONGEST_S, made.order.deadline_s - at_s))
        limits = Limits(self.limits.stall_s, left_s, self.limits.memory_bytes, min(self.limits.join_s, left_s))
        digest = sha256(made.specification.encode()).digest()
        plan = Plan(order, digest, made.index, made.threshold, peers, standpoint.tls.path, limits)
        made.lay_out(folder)
        if self.journal.last(order, Mark.STARTED) is None:
            self.journal.add(order, Mark.STARTED, b"", at_s)
        parties = tuple(source.member.provider for source in made.sources)
        job, password = made.job(self.vault_folder), standpoint.tls.password
        roster_key = self.roster_keys.open(job.own.dataset) if made.matches else b""
        keys = password, self.storage_key, roster_key
        meeting = Meeting(plan, job, made.questions, made.table, parties, standpoint.listen, *keys)
        self.workers.start(meeting, folder)
        return True

    def seal(self, made: JointCommission, account: Account, folder: Path, secrets: SaleSecrets) -> Delivery | None:
        """As the lead: asks every member for its statement, seals the answer, stores the bytes; what to record. None while
        statements are awaited.

        Raises `Corrupt` where a member's transcript is another, and as `ask` does where one does not answer.
        """
        outcome, closing = read_ended(folder)
        answers = self._asked(made, account, statement.VERB, encode_request(made.order.id))
        if answers is None:
            return None
        said = [_statement(made, place, answers, outcome, closing) for place in range(len(made.sources))]
        certificate = self._certificate(made, account, said, outcome, closing, plain_root(made, folder, secrets))
        digest, domain = sha256(certificate.encode()).digest(), self.ledger.domain
        signature = sign_certificate(self.signer, domain, certificate.order, digest)
        manifest = Manifest(domain.chain_id, domain.contract, self.ledger.source_hash, certificate, signature)
        return seal_result(made, folder, secrets, manifest.encode(), self.store)

    def signatures(
        self, made: JointCommission, account: Account, delivery: Delivery, salts: bytes, at_s: int
    ) -> list[bytes] | None:
        """The signature of each member but the lead under the delivery, in their order, each kept; None while some are
        awaited.

        Raises as `ask` does where a member does not sign or does not answer, `Corrupt` for a signature that is not its own.
        """
        draft = DeliveryDraft(self.ledger.domain, made.order.id, delivery, salts)
        missing = [provider for provider in self._others(made) if self._kept(draft, provider) is None]
        if missing:
            answers = self._asked(made, account, countersignature.VERB, draft.encode(), missing)
            if answers is None:
                return None
            for provider in sorted(answers, key=lambda one: answers[one].exception() is not None):
                self._keep(draft, provider, answers[provider].result(), at_s)
        return [kept for provider in self._others(made) if (kept := self._kept(draft, provider)) is not None]

    def _others(self, made: JointCommission) -> list[Address]:
        providers = [source.member.provider for source in made.sources]
        return [provider for provider in providers if provider != self.signer.address]

    def _asked(
        self, made: JointCommission, account: Account, verb: str, body: bytes, whom: Sequence[Address] | None = None
    ) -> Mapping[Address, Future[bytes]] | None:
        """What the nodes of the other members, or those of `whom`, say to `verb`; None while it is awaited."""

        def question(provider: Address) -> bytes:
            return ask(self._descriptor(account, provider), verb, body, PATIENCE_S)

        questions = {provider: partial(question, provider) for provider in whom or self._others(made)}
        return self.inquiries.answers(made.order.id, verb, questions)

    def _kept(self, draft: DeliveryDraft, provider: Address) -> bytes | None:
        entry = self.journal.last(draft.order, _signed_mark(provider))
        return None if entry is None else entry.data

    def _keep(self, draft: DeliveryDraft, provider: Address, answer: bytes, at_s: int) -> None:
        signed = Countersignature.decode(answer)
        struct = ids.delivery_struct(draft.order, draft.delivery)
        if not self.ledger.signed_by(provider, struct, signed.signature):
            raise Corrupt(f"expected the signature of {provider} under the delivery, got another; ask its provider")
        self.journal.add(draft.order, _signed_mark(provider), signed.signature, at_s)

    def _certificate(
        self,
        made: JointCommission,
        account: Account,
        said: list[Statement],
        outcome: Outcome,
        closing: JointClosing,
        root: bytes,
    ) -> Certificate:
        own, order = made.own, made.order
        parties = tuple(
            Party(
                provider=source.member.provider,
                dataset=source.member.dataset,
                version=order.order.version(place),
                commitment=source.version.commitment,
                description=source.version.description,
                rho_micro=source.member.rho_micro,
                register=said[place].register,
                noise_commitment=said[place].noise_commitment,
                tls=ssl.PEM_cert_to_DER_cert(peer.certificate),
                signature=closing.signatures[place],
            )
            for place, (source, peer) in enumerate(zip(made.sources, self._peers(made, account), strict=True))
        )
        return Certificate(
            order=order.id,
            offer=made.offer.id,
            provider=own.member.provider,
            dataset=own.member.dataset,
            version=order.order.version(made.index),
            commitment=own.version.commitment,
            description=own.version.description,
            specification=order.order.specification,
            plain_root=root,
            count=made.capacity,
            rows=rows_of(made.specification),
            register=outcome.register,
            noise_commitment=outcome.noise_commitment,
            mechanism=outcome.mechanism,
            privacy=_privacy(made),
            scores=outcome.scores,
            environment=outcome.environment,
            curves=outcome.curves,
            thresholds=judge(thresholds_of(made.specification), outcome.scores),
            joint=Joint(
                made.lane.value, made.threshold, made.offer.head.unit, closing.transcript, parties, made.halves
            ),
        )

    def _peers(self, made: JointCommission, account: Account) -> tuple[Peer, ...]:
        return tuple(self._peer(account, place, source.member.provider) for place, source in enumerate(made.sources))

    def _peer(self, account: Account, place: int, provider: Address) -> Peer:
        descriptor = self._descriptor(account, provider)
        if descriptor.party is None:
            raise Refused(
                f"expected party {place} ({provider}) to say where it takes part in joint analyses, it does not; ask it to set "
                "`party` in node.toml and to describe its node anew"
            )
        where = descriptor.party.place
        return Peer(
            where.host, where.port, descriptor.certificate, ssl.DER_cert_to_PEM_cert(descriptor.party.certificate)
        )

    def _descriptor(self, account: Account, provider: Address) -> Descriptor:
        return read_descriptor(described_by(account, provider), provider, self.store)


def _signed_mark(provider: Address) -> str:
    return f"{Mark.COUNTERSIGNED}:{provider}"


def _abstainers(made: JointCommission, answers: Mapping[Address, Future[bytes]]) -> list[int]:
    """The members whose nodes say that this order is not delivered by them."""
    refusing = {provider for provider, one in answers.items() if isinstance(one.exception(), Refused)}
    return [place for place, source in enumerate(made.sources) if source.member.provider in refusing]


def _statement(
    made: JointCommission,
    place: int,
    answers: Mapping[Address, Future[bytes]],
    outcome: Outcome,
    closing: JointClosing,
) -> Statement:
    order, provider = made.order.id, made.sources[place].member.provider
    if place == made.index:
        return Statement(order, closing.transcript, outcome.register, outcome.noise_commitment)
    said = Statement.decode(answers[provider].result())
    if (said.order, said.transcript) != (order, closing.transcript):
        raise Corrupt(f"expected party {place} ({provider}) to have signed the same transcript, it names another")
    return said


def _privacy(made: JointCommission) -> Privacy:
    """What the offer promises about its privacy unit; of an exact one, in words, that it promises nothing."""
    schema, delta_atto, unit = made.schema, made.offer.head.delta_atto, made.offer.head.unit
    if made.is_exact:
        return Privacy(schema.unit, schema.rows_per_person, 0, 0, NO_EPSILON, NO_PROMISE)
    rho_micro = unit.promised_micro([member.rho_micro for member in made.offer.members])
    words, epsilon = unit.of(schema.unit), quoted_epsilon(rho_micro, delta_atto)
    return Privacy(words, schema.rows_per_person, rho_micro, delta_atto, epsilon, assumptions(unit))
