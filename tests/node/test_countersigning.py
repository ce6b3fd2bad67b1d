"""What a member signs of its pool's lead: the delivery of the answer that it has itself, and nothing else."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from marketplace.certificate.attacks import PublicAttacks
from marketplace.certificate.certificate import Certificate, Score
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.content.store import put_bytes, read_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger import ids
from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signatures import sign_certificate
from marketplace.protocol import canonical
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState
from marketplace.protocol.threshold import Threshold
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.thresholds import Judgement
from node.pool import together as together_module
from node.pool.answering import Answering, read_ended
from node.pool.countersignature import Countersignature, DeliveryDraft, Presented, objection_to_delivery
from node.pool.joint import JointCommission
from node.pool.statement import Statement, encode_request
from node.sale import SaleSecrets
from node.workers.job import Name
from node.workers.joint import Meeting
from tests.certificate.test_verification import FIGURE
from tests.node.pooled import Hospital, Pool, pooled

SECRETS = SaleSecrets(b"a" * 32, b"b" * 32)
A_SCORE = Score("l1_1way", "0.010000", "0.001000", "0.900000", "0.050000")
ATTACKS = PublicAttacks("masked-sums/1", "ab" * 12, "2026-01-31", (FIGURE,))


@dataclass
class Answered:
    """An order that all hospitals have answered, and that its lead has sealed and not yet delivered."""

    pool: Pool
    order: OrderId
    draft: DeliveryDraft
    notes: list[str] = field(default_factory=list)

    @property
    def member(self) -> Hospital:
        return self.pool.hospitals[1]

    def answering(self, one: Hospital | None = None, late_s: int = 0) -> Answering:
        who, ledger = one or self.member, self.pool.ledger
        account = self.pool.client.account()
        return Answering(
            lambda: account, ledger, who.node.keys.signer, self.pool.store, who.daemon.effects.order_folder,
            lambda: ledger.now_s() + late_s, self.notes.append,
        )  # fmt: skip

    def certified(self, change: Callable[[Certificate], Certificate], by: int = 0) -> DeliveryDraft:
        """The draft with another certificate, signed by the lead or another hospital."""
        stored = read_bytes(self.pool.store, Cid.raw(self.draft.delivery.manifest), 2**20)
        manifest, ledger = Manifest.decode(stored), self.pool.ledger
        changed = change(manifest.certificate)
        digest = sha256(changed.encode()).digest()
        signature = sign_certificate(self.pool.hospitals[by].node.keys.signer, ledger.domain, changed.order, digest)
        altered = replace(manifest, certificate=changed, signature=signature).encode()
        delivery = replace(self.draft.delivery, manifest=put_bytes(self.pool.store, altered).digest)
        return replace(self.draft, delivery=delivery)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    with pooled(tmp_path_factory.mktemp("pool"), persons=(30, 30, 30)) as pool:
        order, lead = pool.place(pool.publish()), pool.lead
        pool.run(lambda: lead.daemon.effects.together.workers.tried(order))
        pool.run(lambda: all((one.folder(order) / Name.OUTCOME).exists() for one in pool.hospitals), but=[0])
        account = pool.client.account()
        made = lead.daemon._desks.papers(account, account.orders[order]).commission
        assert isinstance(made, JointCommission)
        delivery = None
        while delivery is None:
            delivery = lead.daemon.effects.together.seal(made, account, lead.folder(order), SECRETS)
        yield Answered(pool, order, DeliveryDraft(pool.ledger.domain, order, delivery, SECRETS.salts))


def test_a_member_signs_the_answer_that_it_has_itself(answered: Answered) -> None:
    signed = Countersignature.decode(answered.answering().countersign(answered.draft.encode()))
    struct = ids.delivery_struct(answered.order, answered.draft.delivery)
    assert answered.pool.ledger.signed_by(answered.member.address, struct, signed.signature)
    assert (signed.order, signed.member) == (answered.order, answered.member.address)


def refusal(answered: Answered, draft: DeliveryDraft, **who: Any) -> str:
    """Why nothing is signed, in the words for the member's own provider; others are told nothing."""
    answered.notes.clear()
    with pytest.raises(Refused, match=r"does not sign this one; ask its provider$"):
        answered.answering(**who).countersign(draft.encode())
    (note,) = answered.notes
    return note


def test_another_result_than_its_own_is_not_signed(answered: Answered) -> None:
    draft = answered.draft
    assert "not the answer that you have" in refusal(answered, replace(draft, salts=b"x" * 32))
    swapped = replace(draft, delivery=replace(draft.delivery, plain_root=b"x" * 32))
    assert "its plain root is not the delivery's" in refusal(answered, swapped)


def test_a_result_of_another_length_than_declared_is_not_computed_let_alone_signed(answered: Answered) -> None:
    def longer(certificate: Certificate) -> Certificate:
        return replace(certificate, count=2**32 - 1)

    draft = answered.certified(longer)
    draft = replace(draft, delivery=replace(draft.delivery, count=2**32 - 1))
    assert "has not the length that was declared" in refusal(answered, draft)
    by_nobody = replace(answered.draft, delivery=replace(answered.draft.delivery, count=2**32 - 1))
    assert "its count is not the delivery's" in refusal(answered, by_nobody)


def change_party(number: int, **changes: Any) -> Callable[[Certificate], Certificate]:
    def change(certificate: Certificate) -> Certificate:
        joint = certificate.joint
        assert joint is not None
        parties = list(joint.parties)
        parties[number] = replace(parties[number], **changes)
        return replace(certificate, joint=replace(joint, parties=tuple(parties)))

    return change


def own(answered: Answered) -> int:
    members = answered.pool.client.account().offer_of(answered.pool.order(answered.order)).members
    return [member.provider for member in members].index(answered.member.address)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"register": b"x" * 32}, "what it says of you is not"),
        ({"noise_commitment": b"x" * 32}, "what it says of you is not"),
        ({"rho_micro": 1}, "is not the offer's member"),
        ({"version": 2}, "is not the offer's member"),
        ({"commitment": b"x" * 32}, "records are not those"),
        ({"signature": b"x" * 70}, "has not signed its transcript"),
        ({"tls": b"x" * 70}, "never named on the ledger"),
    ],
)
def test_a_certificate_that_says_something_else_of_the_member_is_not_signed(
    answered: Answered, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(answered, answered.certified(change_party(own(answered), **changes)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: replace(made, joint=None), "the offer charged"),
        (
            lambda made: replace(made, joint=replace(made.joint, parties=made.joint.parties[:2])),
            "are not the offer's members",
        ),
        (lambda made: replace(made, joint=replace(made.joint, transcript=b"x" * 32)), "has not signed its transcript"),
        (lambda made: replace(made, mechanism=replace(made.mechanism, name="other-sums")), "another mechanism"),
        (lambda made: replace(made, privacy=replace(made.privacy, rho_micro=5)), "the offer charged"),
        (lambda made: replace(made, specification=b"x" * 32), "its specification is not"),
        (lambda made: replace(made, rows=5), "its rows is not the specification's"),
        (lambda made: replace(made, privacy=replace(made.privacy, unit="nobody")), "its unit is not the schema's"),
        (lambda made: replace(made, privacy=replace(made.privacy, rows_per_person=2)), "its rows per person is not"),
        (lambda made: replace(made, joint=replace(made.joint, lane="closed")), "its lane or its threshold is not"),
        (lambda made: replace(made, joint=replace(made.joint, threshold=2)), "its lane or its threshold is not"),
        (lambda made: replace(made, scores=(A_SCORE,)), "scores are not those of its rows"),
        (lambda made: replace(made, attacks=ATTACKS), "curves or figures of attacks that you have not"),
        (
            lambda made: replace(made, thresholds=(Judgement(Threshold("l1_1way", "1"), True),)),
            "thresholds do not follow",
        ),
    ],
)
def test_a_certificate_of_something_else_is_not_signed(
    answered: Answered, change: Callable[[Certificate], Certificate], words: str
) -> None:
    assert words in refusal(answered, answered.certified(change))


class Late:
    """A ledger whose time is long past that of the node's clock."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def now_s(self) -> int:
        return self._ledger.now_s() + 10**6


def test_only_a_member_other_than_the_lead_signs_and_only_in_time(answered: Answered) -> None:
    assert "not for you to sign" in refusal(answered, answered.draft, one=answered.pool.lead)
    assert "its time is over" in refusal(answered, answered.draft, late_s=10**6)
    answering = answered.answering()
    answering.ledger = Late(answering.ledger)  # type: ignore[assignment]
    with pytest.raises(Refused, match="does not sign"):
        answering.countersign(answered.draft.encode())
    assert "its time is over" in answered.notes[-1]


def test_the_certificate_of_another_member_than_the_lead_is_not_signed(answered: Answered) -> None:
    def of_another(certificate: Certificate) -> Certificate:
        joint, address = certificate.joint, answered.pool.hospitals[2].address
        assert joint is not None
        (party,) = (one for one in joint.parties if one.provider == address)
        return replace(
            certificate, provider=address, dataset=party.dataset, version=party.version, commitment=party.commitment,
            description=party.description, register=party.register, noise_commitment=party.noise_commitment,
        )  # fmt: skip

    assert refusal(answered, answered.certified(of_another, by=2)).endswith("not its lead's for all members")


def test_who_is_no_member_answers_nothing_about_an_order(answered: Answered) -> None:
    answering = replace(answered.answering(), signer=answered.pool.client.signer)
    with pytest.raises(Refused, match="not delivered"):
        answering.countersign(answered.draft.encode())


def test_a_delivery_on_another_marketplace_is_not_signed(answered: Answered) -> None:
    other = replace(answered.draft.domain, chain_id=answered.draft.domain.chain_id + 1)
    assert "the ledger has no such order" in refusal(answered, replace(answered.draft, domain=other))


def with_state(presented: Presented, state: OrderState) -> Presented:
    account, view = presented.account, presented.account.orders[presented.draft.order]
    later = replace(view, life=(*view.life, replace(view.life[0], state=state)))
    return replace(presented, account=replace(account, orders={**account.orders, view.id: later}))


def with_outcome(presented: Presented, **changes: Any) -> Presented:
    return replace(presented, outcome=replace(presented.outcome, **changes))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: with_state(one, OrderState.DELIVERED), "its order is Delivered"),
        (lambda one: with_state(one, OrderState.REFUNDED), "its order is Refunded"),
        (lambda one: replace(one, closing=replace(one.closing, transcript=b"x" * 32)), "another transcript than you"),
        (lambda one: replace(one, closing=replace(one.closing, signatures=(b"x",) * 3)), "another transcript than you"),
        (lambda one: with_outcome(one, mechanism=replace(one.outcome.mechanism, version="2")), "another mechanism"),
        (lambda one: with_outcome(one, mechanism=replace(one.outcome.mechanism, generate=())), "another mechanism"),
        (lambda one: with_outcome(one, curves=(NoisyCurve((3,), Fraction(1)),)), "curves or figures of attacks"),
        (lambda one: with_outcome(one, register=b"x" * 32), "what it says of you is not"),
    ],
)
def test_what_a_member_has_itself_is_what_it_signs_for_and_while_the_order_is_placed(
    answered: Answered, change: Callable[[Presented], Presented], words: str
) -> None:
    presented, now_s = answered.answering()._presented(answered.draft), answered.pool.ledger.now_s()
    assert objection_to_delivery(presented, now_s) is None
    assert words in (objection_to_delivery(change(presented), now_s) or "")


def test_what_is_no_draft_or_no_order_of_this_node_is_told_apart(answered: Answered) -> None:
    with pytest.raises(Invalid, match="delivery-draft"):
        answered.answering().countersign(b"{}")
    with pytest.raises(Unreachable, match="try again later"):
        answered.answering().countersign(replace(answered.draft, order=OrderId(b"x" * 32)).encode())
    lost = replace(answered.draft, delivery=replace(answered.draft.delivery, manifest=b"x" * 32))
    with pytest.raises(Unreachable, match="try again later"):
        answered.answering().countersign(lost.encode())


def test_a_statement_is_given_once_there_is_an_answer_and_refused_where_there_never_is(answered: Answered) -> None:
    answering, folder = answered.answering(), answered.member.folder(answered.order)
    said = Statement.decode(answering.statement(encode_request(answered.order)))
    assert said.order == answered.order
    with pytest.raises(Unreachable):
        answering.statement(encode_request(OrderId(b"x" * 32)))
    with pytest.raises(Invalid):
        answering.statement(b"{}")
    for over in (Name.CLOSED, Name.FAILURE):
        (folder / over).touch()
        try:
            with pytest.raises(Refused, match="not delivered"):
                answering.statement(encode_request(answered.order))
        finally:
            (folder / over).unlink()
    with pytest.raises(Corrupt, match="and no more"):
        Statement.decode(canonical.encode({**canonical.decode(said.encode(), "statement", 1), "more": 1}))


@pytest.mark.parametrize("error", [Refused, Unreachable, Corrupt])
def test_what_goes_wrong_inside_a_member_is_not_told_to_its_lead(
    answered: Answered, error: type[MarketplaceError]
) -> None:
    def inside(_: OrderId) -> Path:
        raise error("hush-hush")

    answering = replace(answered.answering(), folder_of=inside)
    for ask in (answering.statement, answering.countersign):
        body = encode_request(answered.order) if ask == answering.statement else answered.draft.encode()
        with pytest.raises((Refused, Unreachable)) as raised:
            ask(body)
        assert "hush" not in str(raised.value)


# ---------------------------------------------------------------------------------------------------------- the lead


def test_a_lead_keeps_only_signatures_that_are_the_members_own(answered: Answered) -> None:
    together, member = answered.pool.lead.daemon.effects.together, answered.member.address
    own, others = (answered.answering(one).countersign(answered.draft.encode()) for one in answered.pool.hospitals[1:])
    for wrong in (replace(Countersignature.decode(own), signature=b"x" * 65).encode(), others):
        with pytest.raises(Corrupt, match="under the delivery, got another"):
            together._keep(answered.draft, member, wrong, 0)
        assert together._kept(answered.draft, member) is None


@pytest.mark.parametrize("part", ["order", "transcript"])
def test_a_lead_seals_nothing_with_a_statement_about_something_else(answered: Answered, part: str) -> None:
    lead, account = answered.pool.lead, answered.pool.client.account()
    made = lead.daemon._desks.papers(account, account.orders[answered.order]).commission
    assert isinstance(made, JointCommission)
    place = (made.index + 1) % 3
    provider = made.sources[place].member.provider
    outcome, closing = read_ended(lead.folder(answered.order))
    right = Statement(answered.order, closing.transcript, b"r" * 32, b"n" * 32)
    answer: Future[bytes] = Future()
    answer.set_result(replace(right, **{part: b"x" * 32}).encode())  # type: ignore[arg-type]
    with pytest.raises(Corrupt, match="signed the same transcript"):
        together_module._statement(made, place, {provider: answer}, outcome, closing)


class Begun:
    """Workers that begin nothing and keep what they were to begin."""

    meeting: Meeting

    def has_place(self, _: OrderId) -> bool:
        return True

    def tried(self, _: OrderId) -> bool:
        return False

    def start(self, meeting: Meeting, _: Path) -> None:
        self.meeting = meeting


def test_a_party_is_told_order_specification_and_others_and_lasts_no_longer_than_the_order(answered: Answered) -> None:
    one, account, begun = answered.member, answered.pool.client.account(), Begun()
    made = one.daemon._desks.papers(account, account.orders[answered.order]).commission
    assert isinstance(made, JointCommission)
    together = replace(one.daemon.effects.together, workers=begun)  # type: ignore[arg-type]
    assert together.make(made, account, one.folder(answered.order), made.order.deadline_s - 7)
    plan, job = begun.meeting.plan, begun.meeting.job
    assert (plan.limits.deadline_s, plan.limits.join_s) == (7.0, 7.0)
    assert (plan.order, plan.specification) == (answered.order, sha256(made.specification.encode()).digest())
    assert (plan.own, plan.threshold, len(plan.peers)) == (made.index, made.threshold, 3)
    assert (job.own.order, job.own.commitment) == (answered.order, made.own.version.commitment)
    assert repr(together.storage_key) not in repr(together)
    assert repr(SECRETS.salts) not in repr(answered.draft)
