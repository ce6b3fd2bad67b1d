"""The verb `quote`: what an order would cost, whether it would be let in, and what is expected of it. No record is opened."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger.ids import quote_hash
from marketplace.ledger.ledger import Ledger
from marketplace.protocol.account import Account, DatasetView, OfferView
from marketplace.protocol.chunks import LONGEST_LIFE_S
from marketplace.protocol.description import Description
from marketplace.protocol.identity import NOTHING, Address, OfferId
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.quote import (
    Expectation,
    ExpectedScore,
    Quote,
    QuoteRequest,
    Refusal,
    SignedQuoteRequest,
    decimal_of,
)
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.specification import Specification
from marketplace.protocol.states import DeclineReason
from node.admission import Application, Holding, Rules, objection, prediction_of, unpredicted
from node.commission import LARGEST_DOCUMENT_BYTES
from node.endpoint.joint_quote import joint_quote, would_ask, would_be
from node.pool.admission import objection_to_joint
from node.pool.joint import is_joint
from node.synthesis.prediction import Predicted, Prediction, fits


@dataclass
class Quotes:
    """Answers for the offers that `provider` leads. Safe to use by several threads at once where `ledger` is.

    `account`: the account as the node last read it; None before it has. `keeps_identifiers`: whether identifiers of a
    dataset, by its name in the vault, are kept. `clock` gives seconds. `note` is told what goes wrong inside the node, which
    nobody else learns.
    """

    provider: Address
    account: Callable[[], Account | None]
    ledger: Ledger
    store: ContentStore
    rules: Rules
    keeps_identifiers: Callable[[bytes], bool]
    clock: Callable[[], float]
    note: Callable[[str], None]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, body: bytes) -> bytes:
        """The quote that the signed request in `body` asks for, from the ledger's account, the dataset's description and
        the provider's rules alone.

        Raises `Invalid` for what is no request, `Refused` where nothing is quoted, `Unreachable` and `Corrupt` for trouble
        in the node, without details.
        """
        signed = SignedQuoteRequest.decode(body)
        request = signed.request
        account = self.account()
        if account is None:
            raise Unreachable("expected a node that has read the ledger, it has only begun; try again soon")
        view = self._offer(account, request)
        with self._untold():
            now_s = max(int(self.clock()), self.ledger.now_s())
        _check_time(request, now_s)
        with self._untold():
            is_signed = self.ledger.signed_by(request.buyer, quote_hash(request), signed.signature)
        if not is_signed:
            raise Refused("expected the signature of the account that asks, for this very request; sign with it")
        with self._one_at_a_time:
            return self._quote(account, view, request, now_s).encode()

    def _offer(self, account: Account, request: QuoteRequest) -> OfferView:
        view = account.offers.get(OfferId(request.specification.offer))
        if view is None or view.offer.head.lead != self.provider:
            raise Refused("expected the id of an offer of this provider, got another; check the id and the ledger")
        if view.offer.head.stock != NOTHING:
            raise Refused("expected an offer of new results, this one sells an earlier one; read its certificate")
        return view

    def _quote(self, account: Account, view: OfferView, request: QuoteRequest, now_s: int) -> Quote:
        if is_joint(view.offer):
            return self._joint_quote(account, view, request, now_s)
        if not isinstance(request.specification, Specification):
            raise Invalid("expected wishes for synthetic rows, got questions of a joint analysis; ask another offer")
        application = self._application(account, view, request, request.specification)
        offer, specification, description = application.offer, application.specification, application.description
        refusal = _closed(view, account.datasets[offer.members[application.index].dataset], application.index, now_s)
        if refusal is None and (found := objection(application, self.rules)):
            refusal = Refusal(found.code, found.words)
        prediction, unknown = None, "it cannot be made as it is asked for"
        try:
            if refusal is None or refusal.code is not DeclineReason.SPECIFICATION:
                specification.check(description.schema)
                prediction = prediction_of(offer, application.index, specification, description)
                unknown = unpredicted(offer, specification, description) or unknown
        except (Invalid, Refused):
            prediction = None
        head, rho_micro = offer.head, offer.members[application.index].rho_micro
        exact = head.guarantee is Guarantee.EXACT
        return Quote(
            specification=request.digest,
            price_units=head.price_units,
            rho_micro=rho_micro,
            delta_atto=head.delta_atto,
            epsilon=None if exact else decimal_of(epsilon_of(rho_micro, delta_of(head.delta_atto))),
            refusal=refusal,
            expectation=_expectation(prediction) if prediction else None,
            unknown=None if prediction else unknown,
        )

    def _application(
        self, account: Account, view: OfferView, request: QuoteRequest, specification: Specification
    ) -> Application:
        """The order as it would come, judged by what the ledger says of the dataset: the vault is not asked."""
        offer, datasets = view.offer, [account.datasets[member.dataset] for member in view.offer.members]
        index = next(place for place, member in enumerate(offer.members) if member.provider == self.provider)
        dataset, newest = datasets[index], datasets[index].versions[-1]
        with self._untold():
            described = read_bytes(self.store, Cid.raw(newest.description), LARGEST_DOCUMENT_BYTES)
            description = Description.decode(described)
        versions = pack_versions([len(each.versions) for each in datasets])
        return Application(
            order=Order(offer.id, request.buyer, request.digest, versions, request.until_s),
            offer=offer,
            specification=specification,
            description=description,
            commitment=newest.commitment,
            holding=Holding(len(dataset.versions), newest.commitment, dataset.left_micro),
            index=index,
        )

    def _joint_quote(self, account: Account, view: OfferView, request: QuoteRequest, now_s: int) -> Quote:
        """The quote of an order that all members would answer together, by the rules of this one."""
        with self._untold():
            made = would_be(account, view.offer, request, self.provider, self.store)
        closed = (_closed(view, source.dataset, place, now_s) for place, source in enumerate(made.sources))
        refusal = next((found for found in closed if found), None)
        identified = self.keeps_identifiers(made.own.dataset.salt)
        if refusal is None and (found := objection_to_joint(would_ask(made, identified), self.rules)):
            refusal = Refusal(found.code, found.words)
        return joint_quote(made, request, refusal)

    @contextmanager
    def _untold(self) -> Iterator[None]:
        """What goes wrong inside is told to the provider alone; the other side learns whether to try again."""
        try:
            yield
        except MarketplaceError as error:
            self.note(f"quote: {error}")
            if isinstance(error, Corrupt):
                raise Corrupt("expected whole documents at this node, some are damaged; ask its provider") from None
            raise Unreachable("expected an answer from this node, it cannot give one now; try again later") from None


def _check_time(request: QuoteRequest, now_s: int) -> None:
    if request.until_s < now_s:
        raise Refused("expected a request that still holds, this one has expired; sign another")
    if request.until_s > now_s + LONGEST_LIFE_S:
        raise Refused(
            f"expected a request that holds for at most {LONGEST_LIFE_S} s, got a longer one; see to your clock"
        )


def _closed(view: OfferView, dataset: DatasetView, index: int, now_s: int) -> Refusal | None:
    """Why the ledger would not let the order be placed; None if it would."""
    head = view.offer.head
    if view.retired or now_s > head.valid_until_s:
        return Refusal(DeclineReason.RULES, "the offer is no longer open")
    if head.guarantee is Guarantee.EXACT and dataset.exact_left < 1:
        return Refusal(DeclineReason.BUDGET, "the dataset's allowance of exact orders is used up in this epoch")
    if dataset.left_micro < view.offer.members[index].rho_micro:
        return Refusal(DeclineReason.BUDGET, "what is left of the dataset's budget does not pay for an order")
    return None


def _expectation(prediction: Prediction) -> Expectation:
    fit = fits()[prediction.generator]
    return Expectation(
        generator=prediction.generator,
        tables=fit.tables,
        runs=fit.runs,
        scores=tuple(_expected(score) for score in prediction.scores),
        decisive=prediction.decisive.name if prediction.decisive else None,
        below_floor=prediction.below_floor,
        rows_needed=prediction.rows_needed,
        beyond=prediction.beyond,
        seconds=max(1, round(prediction.seconds)),
    )


def _expected(score: Predicted) -> ExpectedScore:
    (low, high), (least, most) = score.likely, score.wide
    return ExpectedScore(
        name=score.name,
        value=decimal_of(score.value),
        likely=(decimal_of(low), decimal_of(high)),
        wide=(decimal_of(least), decimal_of(most)),
        floor=None if score.floor is None else decimal_of(score.floor),
        ceiling=decimal_of(score.ceiling),
    )
