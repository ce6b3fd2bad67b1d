"""The contracts' functions as calldata: one method each. Nothing here asks or changes a chain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.ledger.abi import (
    COMPLAINT,
    CONSENT,
    DELIVERY,
    HEAD,
    MEMBER,
    ORDER,
    PAYMENT,
    Row,
    check,
    decode,
    encode,
)
from marketplace.ledger.addresses import Places
from marketplace.ledger.artifact import Artifact, Compiled
from marketplace.ledger.ids import members_hash
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, PermitId
from marketplace.protocol.offer import Consent, Head, Member, Offer
from marketplace.protocol.order import Complaint, Delivery, Order, Origin, Payment
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason


@dataclass(frozen=True)
class Call:
    """One call: the contract it goes to (None: it makes one), the function's name, the calldata, ether in wei."""

    to: Address | None
    function: str
    data: bytes = field(repr=False)
    value_wei: int = 0


def call(contract: Address, compiled: Compiled, name: str, *values: Any) -> Call:
    """The call of function `name` with `values`, structs as rows. Raises `Invalid` where a value does not fit."""
    function = compiled.functions[name]
    checked = [check(item.name, item.type, value) for item, value in zip(function.inputs, values, strict=True)]
    return Call(contract, name, function.selector + encode((item.type for item in function.inputs), checked))


def answer(compiled: Compiled, name: str, data: bytes) -> Row:
    """The values that function `name` returned as `data`. Raises `Corrupt` if they are of other types."""
    return decode((item.type for item in compiled.functions[name].outputs), data)


class Calls:
    """The calls of one marketplace. Each raises `Invalid` for a value that its field cannot hold."""

    def __init__(self, places: Places, compiled: Artifact) -> None:
        self._places = places
        self._compiled = compiled

    def register(
        self, salt: bytes, commitment: bytes, description: bytes, total_micro: int, exact_total: int = 0
    ) -> Call:
        """`register` a dataset of the sender."""
        return self._call("register", salt, commitment, description, total_micro, exact_total)

    def revise(self, dataset: DatasetId, commitment: bytes, description: bytes) -> Call:
        """`revise` a dataset."""
        return self._call("revise", dataset, commitment, description)

    def open_epoch(self, dataset: DatasetId, total_micro: int, allowance: int, reason: bytes) -> Call:
        """`openEpoch` of a dataset."""
        return self._call("openEpoch", dataset, total_micro, allowance, reason)

    def publish(self, head: Head, members: Sequence[Member], consents: Sequence[Consent] = ()) -> Call:
        """`publish` an offer."""
        return self._call("publish", HEAD.row(head), _rows(members), _signed(consents))

    def publish_stock(
        self, head: Head, members: Sequence[Member], origin: Origin, consents: Sequence[Consent] = ()
    ) -> Call:
        """`publishStock`, an offer of an earlier delivery."""
        earlier = (
            HEAD.row(origin.head),
            _rows(origin.members),
            ORDER.row(origin.order),
            DELIVERY.row(origin.delivery),
        )
        return self._call("publishStock", HEAD.row(head), _rows(members), _signed(consents), earlier)

    def retire(self, offer: Offer, index: int = 0) -> Call:
        """`retire` an offer as its member `index`."""
        return self._call("retire", *_whole(offer), index)

    def stake(self, token: Address, amount_units: int) -> Call:
        """`stake` token units."""
        return self._call("stake", token, amount_units)

    def withdraw_credit(self, token: Address, amount_units: int) -> Call:
        """`withdrawCredit`."""
        return self._call("withdrawCredit", token, amount_units)

    def withdraw_payout(self, offer: Offer, index: int) -> Call:
        """`withdrawPayout` of member `index`."""
        return self._call("withdrawPayout", *_whole(offer), index)

    def place(self, offer: Offer, order: Order) -> Call:
        """`place` an order."""
        return self._call("place", *_whole(offer), ORDER.row(order))

    def place_for(self, offer: Offer, order: Order, signature: bytes, payment: Payment) -> Call:
        """`placeFor`, an order with its buyer's signature."""
        return self._call("placeFor", *_whole(offer), ORDER.row(order), signature, PAYMENT.row(payment))

    def decline(self, offer: Offer, order: Order, why: DeclineReason = DeclineReason.UNSTATED) -> Call:
        """`decline` an order."""
        return self._call("decline", *_terms(offer), ORDER.row(order), why)

    def deliver(self, offer: Offer, order: Order, delivery: Delivery, signatures: Sequence[bytes] = ()) -> Call:
        """`deliver` on an order."""
        rows = (ORDER.row(order), DELIVERY.row(delivery))
        return self._call("deliver", *_whole(offer), *rows, tuple(signatures))

    def accept(self, offer: Offer, order: Order, delivery: DeliveryHash) -> Call:
        """`accept` a delivery."""
        return self._call("accept", *_terms(offer), ORDER.row(order), delivery)

    def accept_for(self, offer: Offer, order: Order, delivery: DeliveryHash, signature: bytes) -> Call:
        """`acceptFor` with the buyer's signature."""
        return self._call("acceptFor", *_terms(offer), ORDER.row(order), delivery, signature)

    def reject(self, offer: Offer, order: Order, delivery: DeliveryHash) -> Call:
        """`reject` a delivery."""
        return self._call("reject", *_terms(offer), ORDER.row(order), delivery)

    def reveal(self, offer: Offer, order: Order, delivery: Delivery, key: bytes) -> Call:
        """`reveal` the key (32 bytes) of a delivery."""
        return self._call("reveal", *_terms(offer), ORDER.row(order), DELIVERY.row(delivery), key)

    def contest(self, offer: Offer, order: Order, grounds: bytes) -> Call:
        """`contest` a revealed order."""
        return self._call("contest", *_terms(offer), ORDER.row(order), grounds)

    def rule(self, offer: Offer, order: Order, price_bps: int, bond_bps: int) -> Call:
        """`rule` a contested order."""
        return self._call("rule", *_terms(offer), ORDER.row(order), price_bps, bond_bps)

    def settle(self, offer: Offer, order: Order) -> Call:
        """`settle` an order."""
        return self._call("settle", *_terms(offer), ORDER.row(order))

    def refund(self, offer: Offer, order: Order) -> Call:
        """`refund` an order."""
        return self._call("refund", *_terms(offer), ORDER.row(order))

    def forfeit(self, offer: Offer, order: Order) -> Call:
        """`forfeit` an order."""
        return self._call("forfeit", *_terms(offer), ORDER.row(order))

    def complain(self, offer: Offer, order: Order, delivery: Delivery, complaint: Complaint) -> Call:
        """`complain` about a chunk of a delivery."""
        rows = (ORDER.row(order), DELIVERY.row(delivery), COMPLAINT.row(complaint))
        return self._call("complain", *_terms(offer), *rows)

    def release(self, offer: Offer, order: Order, index: int = 0) -> Call:
        """`release` what an order took of member `index`."""
        return self._call("release", *_whole(offer), ORDER.row(order), index)

    def grant(self, grant: Grant) -> Call:
        """`grant` a permit of the sender."""
        term = (grant.holder, grant.purpose, grant.from_s, grant.to_s)
        return self._permits("grant", *term, grant.document, grant.subjects)

    def extend(self, permit: PermitId, to_s: int, document: bytes) -> Call:
        """`extend` a permit."""
        return self._permits("extend", permit, to_s, document)

    def revoke(self, permit: PermitId, document: bytes) -> Call:
        """`revoke` a permit."""
        return self._permits("revoke", permit, document)

    def describe(self, descriptor: bytes, certificate: bytes) -> Call:
        """`describe` the sender's node."""
        return call(self._places.providers, self._compiled.providers, "describe", descriptor, certificate)

    def anchor(self, day: int, root: bytes) -> Call:
        """`anchor` a root of the sender's."""
        return call(self._places.providers, self._compiled.providers, "anchor", day, root)

    def name_user(self, offer: Offer, order: Order, user: Address) -> Call:
        """`nameUser` of a licence."""
        return self._licences("nameUser", *_terms(offer), ORDER.row(order), user)

    def show_licence(self, offer: Offer, order: Order) -> Call:
        """`show` a licence as a token."""
        return self._licences("show", *_terms(offer), ORDER.row(order))

    def is_licensed(self, offer: Offer, order: Order, who: Address, at_s: int) -> Call:
        """`isLicensed`, a question."""
        return self._licences("isLicensed", *_terms(offer), ORDER.row(order), who, at_s)

    def _call(self, name: str, *values: Any) -> Call:
        return call(self._places.marketplace, self._compiled.marketplace, name, *values)

    def _permits(self, name: str, *values: Any) -> Call:
        return call(self._places.permits, self._compiled.permits, name, *values)

    def _licences(self, name: str, *values: Any) -> Call:
        return call(self._places.licences, self._compiled.licences, name, *values)


def _rows(members: Iterable[Member]) -> tuple[Row, ...]:
    return tuple(MEMBER.row(member) for member in members)


def _terms(offer: Offer) -> tuple[Row, bytes]:
    return HEAD.row(offer.head), members_hash(offer.members)


def _whole(offer: Offer) -> tuple[Row, tuple[Row, ...]]:
    return HEAD.row(offer.head), _rows(offer.members)


def _signed(consents: Iterable[Consent]) -> tuple[Row, ...]:
    return tuple(CONSENT.row(consent) for consent in consents)
