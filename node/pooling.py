"""What a provider does about pools by hand: draft an offer, consent to one, publish it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, put_bytes, read_bytes
from marketplace.errors import Invalid, Refused
from marketplace.ledger import ids
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_consent
from marketplace.ledger.signer import Signer
from marketplace.protocol import limits
from marketplace.protocol.account import Account, DatasetView
from marketplace.protocol.description import Description
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Kind, Member
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.terms import Terms
from marketplace.protocol.unit import PrivacyUnit
from node.admission import Rules
from node.commission import LARGEST_DOCUMENT_BYTES
from node.conditions import Conditions
from node.holdings import holding_of
from node.pool.consent import Asked, SignedConsent, Stake, consents_of, objection_to_consent, own_places
from node.pool.draft import OfferDraft
from node.provider import Provider, Published
from node.vault.vault import Vault


@dataclass(frozen=True)
class Part:
    """A dataset in a pool and what its provider gets of each payout, in basis points."""

    dataset: DatasetId
    share_bps: int


@dataclass(frozen=True)
class Pooling:
    """One provider among others. Every method raises as ledger, store and vault do."""

    ledger: Ledger
    follower: Follower
    signer: Signer
    store: ContentStore
    provider: Provider
    open_vault: Callable[[], Vault]
    rules: Rules

    def draft(self, parts: Sequence[Part], conditions: Conditions, now_s: int) -> OfferDraft:
        """An offer of what several datasets give together, which this provider would lead.

        Of the unit that is a person everywhere, the rho of `conditions.epsilon` is divided among the members in equal parts,
        rounded down; of a person at one provider, each is charged all of it. The delta is small enough for all rows together.
        Raises `Invalid` for what the marketplace would not take, or this node would not answer.
        """
        if conditions.epsilon is None and conditions.kind is not Kind.ANALYSIS:
            raise Invalid(
                "expected an epsilon for synthetic twins of several datasets, no exact ones are made; give one"
            )
        if conditions.unit not in self.rules.units:
            raise Invalid(
                f"expected a privacy unit that this node answers for, got {conditions.unit.word}; add it to its privacy_units "
                "if no person has records at several of the providers, or draft without it"
            )
        account = self.follower.catch_up()
        datasets = [_dataset(account, part.dataset) for part in parts]
        described = [self._description(dataset) for dataset in datasets]
        delta_atto = largest_delta_atto(max(1, sum(each.rows_declared for each in described)))
        exact, delta = conditions.epsilon is None, delta_of(delta_atto)
        paying = len(parts) if conditions.unit is PrivacyUnit.PERSON else 1
        rho_micro = 0 if exact else largest_rho_micro(conditions.epsilon or 0.0, delta) // max(1, paying)
        terms = Terms(f"Licence terms: {' + '.join(each.title for each in described)}", conditions.licence_days)
        head = conditions.head(self.signer.address, put_bytes(self.store, terms.encode()).digest, delta_atto, now_s)
        members = sorted(
            (
                Member(dataset.id, dataset.provider, part.share_bps, rho_micro)
                for dataset, part in zip(datasets, parts, strict=True)
            ),
            key=lambda member: member.dataset,
        )
        draft = OfferDraft(self.ledger.domain, ids.offer(self.ledger.domain, head, members))
        fault = next(limits.faults(draft.offer, now_s), None)
        if fault is not None:
            raise Invalid(f"expected an offer that the marketplace takes: {fault}; change the draft")
        return draft

    def asked(self, draft: OfferDraft) -> Asked:
        """The draft with all that the decision about a consent depends on."""
        account, me = self.follower.catch_up(), self.signer.address
        places = own_places(draft.offer, me)
        stakes = tuple(self._stake(account, index, draft.offer.members[index].dataset) for index in places)
        return Asked(draft, self.ledger.domain, me, account, stakes)

    def check(self, asked: Asked, until_s: int, now_s: int) -> None:
        """Raises `Refused`, saying why, where a consent up to `until_s` is not given."""
        objection = objection_to_consent(asked, self.rules, until_s, now_s)
        if objection is not None:
            raise Refused(f"expected an offer that you can consent to: {objection}; nothing was signed")

    def consent(self, asked: Asked, until_s: int, now_s: int) -> SignedConsent:
        """Signs a consent, good for publishing up to `until_s`. Raises as `check`."""
        self.check(asked, until_s, now_s)
        offer = asked.draft.offer
        consent = sign_consent(self.signer, self.ledger.domain, offer.head, offer.members, until_s)
        return SignedConsent(offer.id, self.signer.address, consent)

    def publish(self, draft: OfferDraft, consents: Sequence[SignedConsent], now_s: int) -> Published:
        """Publishes a draft of this provider's with the others' consents, and stakes what its bond lacks.

        Raises as `consents_of`, and `Invalid` for a draft of another lead or marketplace.
        """
        if draft.domain != self.ledger.domain or draft.offer.head.lead != self.signer.address:
            raise Invalid("expected a draft of your own for this marketplace; its lead publishes it")
        given = consents_of(draft, consents, now_s)
        return self.provider.publish_pool(draft.offer, given)

    def _stake(self, account: Account, index: int, dataset: DatasetId) -> Stake:
        view = account.datasets.get(dataset)
        if view is None:
            return Stake(index, None, 1)
        holding = holding_of(self.open_vault(), view.salt, len(view.versions))
        return Stake(index, holding, self._description(view).rows_declared)

    def _description(self, dataset: DatasetView) -> Description:
        digest = dataset.versions[-1].description
        return Description.decode(read_bytes(self.store, Cid.raw(digest), LARGEST_DOCUMENT_BYTES))


def _dataset(account: Account, dataset: DatasetId) -> DatasetView:
    if dataset not in account.datasets:
        raise Invalid(
            f"expected registered datasets, the ledger has none with the id {dataset.hex()[:16]}...; check it"
        )
    return account.datasets[dataset]
