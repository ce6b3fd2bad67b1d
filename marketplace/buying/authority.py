"""What an authority does about permits: each decision becomes a public document, and then an entry of the ledger."""

from dataclasses import dataclass

from marketplace.content.store import ContentStore, put_bytes
from marketplace.errors import Invalid
from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account, PermitView
from marketplace.protocol.decision import Act, Decision
from marketplace.protocol.identity import Address, DatasetId, OfferId, PermitId
from marketplace.protocol.permit import Grant


@dataclass(frozen=True)
class Request:
    """What a permit is to be. `purpose`: its code. `subjects`: ids of offers or datasets. Times in seconds, both inclusive."""

    holder: Address
    purpose: int
    from_s: int
    to_s: int
    subjects: tuple[bytes, ...]


@dataclass(frozen=True)
class Reasons:
    """Why it is decided so, for everybody to read: the authority's own file number, and reasons and conditions in words."""

    reference: str
    words: str


@dataclass(frozen=True)
class Authority:
    """One account that grants permits. Every method stores the document first, and raises as store and ledger do."""

    ledger: Ledger
    store: ContentStore
    signer: Signer

    def grant(self, account: Account, request: Request, reasons: Reasons) -> tuple[PermitId, Receipt]:
        """Grants a permit.

        Raises `Invalid` for a subject that is neither an offer that asks for this authority's permits nor a dataset.
        """
        for subject in request.subjects:
            self._check_subject(account, subject)
        decision = self._decision(Act.GRANT, request, reasons)
        document = put_bytes(self.store, decision.encode()).digest
        grant = Grant(request.holder, request.purpose, request.from_s, request.to_s, document, tuple(request.subjects))
        return self.ledger.grant(self.signer, grant)

    def extend(self, permit: PermitView, to_s: int, reasons: Reasons) -> Receipt:
        """Moves the end of a permit to `to_s`, once."""
        decision = self._decision(Act.EXTEND, _request(permit, to_s), reasons)
        document = put_bytes(self.store, decision.encode()).digest
        return self.ledger.extend(self.signer, permit.id, to_s, document)

    def revoke(self, permit: PermitView, reasons: Reasons) -> Receipt:
        """Ends a permit now and for ever."""
        decision = self._decision(Act.REVOKE, _request(permit, permit.to_s), reasons)
        document = put_bytes(self.store, decision.encode()).digest
        return self.ledger.revoke(self.signer, permit.id, document)

    def _decision(self, act: Act, request: Request, reasons: Reasons) -> Decision:
        return Decision(act, self.signer.address, **vars(request), **vars(reasons))

    def _check_subject(self, account: Account, subject: bytes) -> None:
        offer = account.offers.get(OfferId(subject))
        if offer is not None and offer.offer.head.authority != self.signer.address:
            raise Invalid(
                f"expected an offer that asks for permits of {self.signer.address}, {subject.hex()[:16]}... asks for "
                "another's or for none; name another"
            )
        if offer is None and DatasetId(subject) not in account.datasets:
            raise Invalid(
                f"expected the id of an offer or a dataset, the ledger has none of {subject.hex()[:16]}...; copy it again"
            )


def expected_decisions(permit: PermitView) -> tuple[tuple[bytes, Act, int], ...]:
    """What the documents of a permit should say: for each its digest, what was decided, and the end of the term then."""
    acts = [(Act.GRANT, permit.grant.to_s)]
    acts += [(Act.EXTEND, permit.to_s)] if permit.extended else []
    acts += [(Act.REVOKE, permit.to_s)] if permit.revoked_at_s else []
    return tuple((digest, act, to_s) for digest, (act, to_s) in zip(permit.documents, acts, strict=True))


def decision_faults(decision: Decision, permit: PermitView, act: Act, to_s: int) -> tuple[str, ...]:
    """Where a document says something else than the ledger about the permit as it stood after `act`."""
    grant = permit.grant
    pairs = (
        ("act", decision.act, act),
        ("authority", decision.authority, permit.authority),
        ("holder", decision.holder, grant.holder),
        ("purpose", decision.purpose, grant.purpose),
        ("beginning", decision.from_s, grant.from_s),
        ("end", decision.to_s, to_s),
        ("subjects", decision.subjects, grant.subjects),
    )
    return tuple(name for name, said, recorded in pairs if said != recorded)


def _request(permit: PermitView, to_s: int) -> Request:
    """The permit as it stands, with another end."""
    grant = permit.grant
    return Request(grant.holder, grant.purpose, grant.from_s, to_s, grant.subjects)
