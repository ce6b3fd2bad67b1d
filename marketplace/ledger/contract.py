"""The marketplace at one address of any chain: each function of the contract as one typed method."""

from collections.abc import Iterator, Sequence
from typing import Any

from marketplace.ledger import artifact, ids, sending, wallets
from marketplace.ledger.abi import PERMIT, STANDING, Row
from marketplace.ledger.addresses import checksummed, places_of
from marketplace.ledger.artifact import Artifact, Compiled
from marketplace.ledger.calls import Call, Calls, answer, call
from marketplace.ledger.chain import Block, Chain, Revert
from marketplace.ledger.events import decode_events, entries_at
from marketplace.ledger.ledger import DatasetStanding, OfferStanding, Prepared, Receipt
from marketplace.ledger.payment import Debt, sign_payment
from marketplace.ledger.refusals import refusal
from marketplace.ledger.signer import Signer
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Consent, Head, Member, Offer
from marketplace.protocol.order import Complaint, Delivery, Order, Origin, Payment, Standing
from marketplace.protocol.permit import Grant, PermitStanding
from marketplace.protocol.states import DeclineReason

WAIT_S = 120.0
_UNNAMED = "a transaction of something else"


class Contract:
    """A `Ledger` on `chain`. Whether the marketplace stands at `address` is checked by `deployment.check`.

    `wait_s`: how long `send` waits for a block.
    """

    def __init__(self, chain: Chain, address: Address, wait_s: float = WAIT_S) -> None:
        self.chain = chain
        self.domain = ids.Domain(chain.chain_id, checksummed(address))
        self.places = places_of(self.domain.contract)
        self._compiled = artifact.load()
        self.source_hash = self._compiled.source_hash
        self.calls = Calls(self.places, self._compiled)
        self._names = _function_names(self._compiled)
        self._entries = entries_at(self.places, self._compiled)
        self._wait_s = wait_s

    # ---------------------------------------------------------------------------------------------- sending in two steps

    def prepare(self, by: Signer, call: Call) -> Prepared:
        return sending.prepare(self.chain, by, call)

    def send(self, prepared: Prepared) -> Receipt:
        return sending.send(self.chain, prepared, self._wait_s)

    def receipt(self, transaction: bytes) -> Receipt | None:
        mined = self.chain.mined(transaction)
        if mined is None:
            return None
        sent = self.chain.sent(transaction)
        function = self._names.get(sent.data[:4], _UNNAMED) if sent else _UNNAMED
        return sending.receipt(self.chain, transaction, mined, function)

    def _do(self, by: Signer, call: Call) -> Receipt:
        return self.send(self.prepare(by, call))

    # ------------------------------------------------------------------------------------------------------------ changes

    def register(
        self, by: Signer, salt: bytes, commitment: bytes, description: bytes, total_micro: int, exact_total: int = 0
    ) -> tuple[DatasetId, Receipt]:
        receipt = self._do(by, self.calls.register(salt, commitment, description, total_micro, exact_total))
        return ids.dataset_id(self.domain, by.address, salt), receipt

    def revise(self, by: Signer, dataset: DatasetId, commitment: bytes, description: bytes) -> Receipt:
        return self._do(by, self.calls.revise(dataset, commitment, description))

    def open_epoch(self, by: Signer, dataset: DatasetId, total_micro: int, allowance: int, reason: bytes) -> Receipt:
        return self._do(by, self.calls.open_epoch(dataset, total_micro, allowance, reason))

    def publish(
        self, by: Signer, head: Head, members: Sequence[Member], consents: Sequence[Consent] = ()
    ) -> tuple[Offer, Receipt]:
        receipt = self._do(by, self.calls.publish(head, members, consents))
        return ids.offer(self.domain, head, members), receipt

    def publish_stock(
        self, by: Signer, head: Head, members: Sequence[Member], origin: Origin, consents: Sequence[Consent] = ()
    ) -> tuple[Offer, Receipt]:
        receipt = self._do(by, self.calls.publish_stock(head, members, origin, consents))
        return ids.offer(self.domain, head, members), receipt

    def retire(self, by: Signer, offer: Offer, index: int = 0) -> Receipt:
        return self._do(by, self.calls.retire(offer, index))

    def stake(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, self.calls.stake(token, amount_units))

    def withdraw_credit(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, self.calls.withdraw_credit(token, amount_units))

    def withdraw_payout(self, by: Signer, offer: Offer, index: int = 0) -> Receipt:
        return self._do(by, self.calls.withdraw_payout(offer, index))

    def place(self, by: Signer, offer: Offer, order: Order) -> tuple[OrderId, Receipt]:
        receipt = self._do(by, self.calls.place(offer, order))
        return ids.order_id(self.domain, order), receipt

    def place_for(
        self, by: Signer, offer: Offer, order: Order, signature: bytes, payment: Payment
    ) -> tuple[OrderId, Receipt]:
        receipt = self._do(by, self.calls.place_for(offer, order, signature, payment))
        return ids.order_id(self.domain, order), receipt

    def decline(self, by: Signer, offer: Offer, order: Order, why: DeclineReason = DeclineReason.UNSTATED) -> Receipt:
        return self._do(by, self.calls.decline(offer, order, why))

    def deliver(
        self, by: Signer, offer: Offer, order: Order, delivery: Delivery, signatures: Sequence[bytes] = ()
    ) -> Receipt:
        return self._do(by, self.calls.deliver(offer, order, delivery, signatures))

    def accept(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        return self._do(by, self.calls.accept(offer, order, delivery))

    def accept_for(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash, signature: bytes) -> Receipt:
        return self._do(by, self.calls.accept_for(offer, order, delivery, signature))

    def reject(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        return self._do(by, self.calls.reject(offer, order, delivery))

    def reveal(self, by: Signer, offer: Offer, order: Order, delivery: Delivery, key: bytes) -> Receipt:
        return self._do(by, self.calls.reveal(offer, order, delivery, key))

    def contest(self, by: Signer, offer: Offer, order: Order, grounds: bytes) -> Receipt:
        return self._do(by, self.calls.contest(offer, order, grounds))

    def rule(self, by: Signer, offer: Offer, order: Order, price_bps: int, bond_bps: int) -> Receipt:
        return self._do(by, self.calls.rule(offer, order, price_bps, bond_bps))

    def settle(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        return self._do(by, self.calls.settle(offer, order))

    def refund(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        return self._do(by, self.calls.refund(offer, order))

    def forfeit(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        return self._do(by, self.calls.forfeit(offer, order))

    def complain(self, by: Signer, offer: Offer, order: Order, delivery: Delivery, complaint: Complaint) -> Receipt:
        return self._do(by, self.calls.complain(offer, order, delivery, complaint))

    def release(self, by: Signer, offer: Offer, order: Order, index: int = 0) -> Receipt:
        return self._do(by, self.calls.release(offer, order, index))

    # ------------------------------------------------------------------------------------------------ permits, licences

    def grant(self, by: Signer, grant: Grant) -> tuple[PermitId, Receipt]:
        receipt = self._do(by, self.calls.grant(grant))
        return ids.permit_id(self.domain, by.address, grant), receipt

    def extend(self, by: Signer, permit: PermitId, to_s: int, document: bytes) -> Receipt:
        return self._do(by, self.calls.extend(permit, to_s, document))

    def revoke(self, by: Signer, permit: PermitId, document: bytes) -> Receipt:
        return self._do(by, self.calls.revoke(permit, document))

    def describe(self, by: Signer, descriptor: bytes, certificate: bytes) -> Receipt:
        return self._do(by, self.calls.describe(descriptor, certificate))

    def anchor(self, by: Signer, day: int, root: bytes) -> Receipt:
        return self._do(by, self.calls.anchor(day, root))

    def name_user(self, by: Signer, offer: Offer, order: Order, user: Address) -> Receipt:
        return self._do(by, self.calls.name_user(offer, order, user))

    def show_licence(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        return self._do(by, self.calls.show_licence(offer, order))

    # ------------------------------------------------------------------------------------------------------- what stands

    def dataset(self, dataset: DatasetId) -> DatasetStanding:
        ((provider, *numbers),) = self._ask("getDataset", dataset)
        return DatasetStanding(checksummed(provider), *numbers)

    def offer(self, offer: OfferId) -> OfferStanding:
        (row,) = self._ask("getOffer", offer)
        return OfferStanding(*row)

    def order(self, order: OrderId) -> Standing:
        (row,) = self._ask("getOrder", order)
        return STANDING.value(row)

    def permit(self, permit: PermitId) -> PermitStanding:
        (row,) = self._ask_permits("getPermit", permit)
        return PERMIT.value(row)

    def permit_covers(self, permit: PermitId, subject: bytes) -> bool:
        (covered,) = self._ask_permits("isFor", permit, subject)
        return bool(covered)

    def credit_units(self, token: Address, who: Address) -> int:
        return self._number("getCredit", token, who)

    def withdrawn_units(self, offer: OfferId, index: int = 0) -> int:
        return self._number("getWithdrawn", offer, index)

    def is_licensed(self, offer: Offer, order: Order, who: Address, at_s: int) -> bool:
        (licensed,) = self._answer(self._compiled.licences, self.calls.is_licensed(offer, order, who, at_s))
        return bool(licensed)

    def signed_by(self, account: Address, struct: bytes, signature: bytes) -> bool:
        return wallets.signed_by(self.chain, self.domain, account, struct, signature)

    def now_s(self) -> int:
        return self.chain.head().at_s

    def head_block(self) -> int:
        return self.chain.head().number

    def block(self, number: int) -> Block:
        return self.chain.block(number)

    def events(self, first: int, last: int) -> Iterator[Event]:
        return decode_events(self.chain.logs(tuple(self._entries), first, last), self._entries)

    # ------------------------------------------------------------------------------------------------------------- tokens

    def balance_units(self, token: Address, who: Address) -> int:
        return self._token_number(token, "balanceOf", who)

    def allowance_units(self, token: Address, owner: Address) -> int:
        return self._token_number(token, "allowance", owner, self.domain.contract)

    def approve(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, call(token, self._compiled.euro, "approve", self.domain.contract, amount_units))

    def sign_payment(self, by: Signer, token: Address, amount_units: int, order: OrderId, place_by_s: int) -> Payment:
        debt = Debt(self.domain.contract, amount_units, order, place_by_s)
        return sign_payment(self.chain, by, checksummed(token), debt)

    def mint(self, by: Signer, token: Address, to: Address, amount_units: int) -> Receipt:
        return self._do(by, call(token, self._compiled.euro, "mint", to, amount_units))

    def gas_balance_wei(self, who: Address) -> int:
        return self.chain.gas_balance_wei(who)

    def give_gas(self, by: Signer, to: Address, amount_wei: int) -> Receipt:
        return self._do(by, Call(checksummed(to), "transfer of ether", b"", amount_wei))

    # ------------------------------------------------------------------------------------------------------------- asking

    def _ask(self, name: str, *values: Any) -> Row:
        compiled = self._compiled.marketplace
        return self._answer(compiled, call(self.places.marketplace, compiled, name, *values))

    def _ask_permits(self, name: str, *values: Any) -> Row:
        compiled = self._compiled.permits
        return self._answer(compiled, call(self.places.permits, compiled, name, *values))

    def _number(self, name: str, *values: Any) -> int:
        (number,) = self._ask(name, *values)
        return int(number)

    def _token_number(self, token: Address, name: str, *values: Any) -> int:
        (number,) = self._answer(self._compiled.euro, call(token, self._compiled.euro, name, *values))
        return int(number)

    def _answer(self, compiled: Compiled, question: Call) -> Row:
        try:
            data = self.chain.call(question.to, question.data)
        except Revert as revert:
            raise refusal(revert.data) from revert
        return answer(compiled, question.function, data)


def _function_names(compiled: Artifact) -> dict[bytes, str]:
    """The names of the functions that this program sends to, by selector."""
    whole = [
        item
        for contract in (compiled.marketplace, compiled.permits, compiled.providers)
        for item in contract.functions.values()
    ]
    some = [compiled.licences.functions[name] for name in ("nameUser", "show")]
    some += [compiled.euro.functions[name] for name in ("approve", "mint")]
    return {item.selector: item.name for item in (*whole, *some)}
