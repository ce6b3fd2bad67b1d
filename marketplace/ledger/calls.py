"""The contract's functions as calldata: one method each. Nothing here asks or changes a chain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.ledger.abi import COMPLAINT, DELIVERY, HEAD, MEMBER, ORDER, Row, check, decode, encode
from marketplace.ledger.artifact import Compiled
from marketplace.ledger.ids import members_hash
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash
from marketplace.protocol.offer import Head, Member, Offer
from marketplace.protocol.order import Complaint, Delivery, Order


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
    """The calls of the marketplace at one address. Each raises `Invalid` for a value that its field cannot hold."""

    def __init__(self, contract: Address, compiled: Compiled) -> None:
        self._contract = contract
        self._compiled = compiled

    def register(self, salt: bytes, commitment: bytes, description: bytes, total_micro: int) -> Call:
        """`register` a dataset of the sender."""
        return self._call("register", salt, commitment, description, total_micro)

    def revise(self, dataset: DatasetId, commitment: bytes, description: bytes) -> Call:
        """`revise` a dataset."""
        return self._call("revise", dataset, commitment, description)

    def publish(self, head: Head, members: Sequence[Member]) -> Call:
        """`publish` an offer."""
        return self._call("publish", HEAD.row(head), _rows(members))

    def retire(self, offer: Offer) -> Call:
        """`retire` an offer."""
        return self._call("retire", *_terms(offer))

    def stake(self, token: Address, amount_units: int) -> Call:
        """`stake` token units."""
        return self._call("stake", token, amount_units)

    def withdraw_credit(self, token: Address, amount_units: int) -> Call:
        """`withdrawCredit`."""
        return self._call("withdrawCredit", token, amount_units)

    def withdraw_payout(self, offer: Offer, index: int) -> Call:
        """`withdrawPayout` of member `index`."""
        return self._call("withdrawPayout", HEAD.row(offer.head), _rows(offer.members), index)

    def place(self, offer: Offer, order: Order) -> Call:
        """`place` an order."""
        return self._call("place", HEAD.row(offer.head), _rows(offer.members), ORDER.row(order))

    def decline(self, offer: Offer, order: Order) -> Call:
        """`decline` an order."""
        return self._call("decline", *_terms(offer), ORDER.row(order))

    def deliver(self, offer: Offer, order: Order, delivery: Delivery) -> Call:
        """`deliver` on an order."""
        rows = (HEAD.row(offer.head), _rows(offer.members), ORDER.row(order), DELIVERY.row(delivery))
        return self._call("deliver", *rows)

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

    def release(self, offer: Offer, order: Order, index: int) -> Call:
        """`release` the rho of member `index`."""
        return self._call("release", HEAD.row(offer.head), _rows(offer.members), ORDER.row(order), index)

    def is_licensed(self, offer: Offer, order: Order, who: Address, at_s: int) -> Call:
        """`isLicensed`, a question."""
        return self._call("isLicensed", *_terms(offer), ORDER.row(order), who, at_s)

    def _call(self, name: str, *values: Any) -> Call:
        return call(self._contract, self._compiled, name, *values)


def _rows(members: Iterable[Member]) -> tuple[Row, ...]:
    return tuple(MEMBER.row(member) for member in members)


def _terms(offer: Offer) -> tuple[Row, bytes]:
    return HEAD.row(offer.head), members_hash(offer.members)
