"""The marketplace at one address of any chain: each function of the contract as one typed method."""

from collections.abc import Iterator, Sequence
from typing import Any

from marketplace.ledger import artifact, ids, sending
from marketplace.ledger.abi import STANDING, Row
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.artifact import Compiled
from marketplace.ledger.calls import Call, Calls, answer, call
from marketplace.ledger.chain import Block, Chain, Revert
from marketplace.ledger.events import decode_event
from marketplace.ledger.ledger import DatasetStanding, OfferStanding, Prepared, Receipt
from marketplace.ledger.refusals import refusal
from marketplace.ledger.signer import Signer
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId
from marketplace.protocol.offer import Head, Member, Offer
from marketplace.protocol.order import Complaint, Delivery, Order, Standing

WAIT_S = 120.0
_UNNAMED = "a transaction of something else"


class Contract:
    """A `Ledger` on `chain`. Whether the marketplace stands at `address` is checked by `deployment.check`.

    `wait_s`: how long `send` waits for a block.
    """

    def __init__(self, chain: Chain, address: Address, wait_s: float = WAIT_S) -> None:
        self.chain = chain
        self.domain = ids.Domain(chain.chain_id, checksummed(address))
        compiled = artifact.load()
        self.source_hash = compiled.source_hash
        self._marketplace, self._euro = compiled.marketplace, compiled.euro
        self._names = {item.selector: item.name for item in compiled.marketplace.functions.values()}
        self._names |= {compiled.euro.functions[name].selector: name for name in ("approve", "mint")}
        self.calls = Calls(self.domain.contract, compiled.marketplace)
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
        self, by: Signer, salt: bytes, commitment: bytes, description: bytes, total_micro: int
    ) -> tuple[DatasetId, Receipt]:
        receipt = self._do(by, self.calls.register(salt, commitment, description, total_micro))
        return ids.dataset_id(self.domain, by.address, salt), receipt

    def revise(self, by: Signer, dataset: DatasetId, commitment: bytes, description: bytes) -> Receipt:
        return self._do(by, self.calls.revise(dataset, commitment, description))

    def publish(self, by: Signer, head: Head, members: Sequence[Member]) -> tuple[Offer, Receipt]:
        receipt = self._do(by, self.calls.publish(head, members))
        return ids.offer(self.domain, head, members), receipt

    def retire(self, by: Signer, offer: Offer) -> Receipt:
        return self._do(by, self.calls.retire(offer))

    def stake(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, self.calls.stake(token, amount_units))

    def withdraw_credit(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, self.calls.withdraw_credit(token, amount_units))

    def withdraw_payout(self, by: Signer, offer: Offer, index: int = 0) -> Receipt:
        return self._do(by, self.calls.withdraw_payout(offer, index))

    def place(self, by: Signer, offer: Offer, order: Order) -> tuple[OrderId, Receipt]:
        receipt = self._do(by, self.calls.place(offer, order))
        return ids.order_id(self.domain, order), receipt

    def decline(self, by: Signer, offer: Offer, order: Order) -> Receipt:
        return self._do(by, self.calls.decline(offer, order))

    def deliver(self, by: Signer, offer: Offer, order: Order, delivery: Delivery) -> Receipt:
        return self._do(by, self.calls.deliver(offer, order, delivery))

    def accept(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        return self._do(by, self.calls.accept(offer, order, delivery))

    def accept_for(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash, signature: bytes) -> Receipt:
        return self._do(by, self.calls.accept_for(offer, order, delivery, signature))

    def reject(self, by: Signer, offer: Offer, order: Order, delivery: DeliveryHash) -> Receipt:
        return self._do(by, self.calls.reject(offer, order, delivery))

    def reveal(self, by: Signer, offer: Offer, order: Order, delivery: Delivery, key: bytes) -> Receipt:
        return self._do(by, self.calls.reveal(offer, order, delivery, key))

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

    # ------------------------------------------------------------------------------------------------------- what stands

    def dataset(self, dataset: DatasetId) -> DatasetStanding:
        ((provider, total, used, version),) = self._ask("getDataset", dataset)
        return DatasetStanding(checksummed(provider), total, used, version)

    def offer(self, offer: OfferId) -> OfferStanding:
        (row,) = self._ask("getOffer", offer)
        return OfferStanding(*row)

    def order(self, order: OrderId) -> Standing:
        (row,) = self._ask("getOrder", order)
        return STANDING.value(row)

    def credit_units(self, token: Address, who: Address) -> int:
        return self._number("getCredit", token, who)

    def withdrawn_units(self, offer: OfferId, index: int = 0) -> int:
        return self._number("getWithdrawn", offer, index)

    def is_licensed(self, offer: Offer, order: Order, who: Address, at_s: int) -> bool:
        (licensed,) = self._answer(self._marketplace, self.calls.is_licensed(offer, order, who, at_s))
        return bool(licensed)

    def now_s(self) -> int:
        return self.chain.head().at_s

    def head_block(self) -> int:
        return self.chain.head().number

    def block(self, number: int) -> Block:
        return self.chain.block(number)

    def events(self, first: int, last: int) -> Iterator[Event]:
        logs = self.chain.logs(self.domain.contract, first, last)
        return (decode_event(log, self._marketplace.events) for log in logs)

    # ------------------------------------------------------------------------------------------------------------- tokens

    def balance_units(self, token: Address, who: Address) -> int:
        return self._token_number(token, "balanceOf", who)

    def allowance_units(self, token: Address, owner: Address) -> int:
        return self._token_number(token, "allowance", owner, self.domain.contract)

    def approve(self, by: Signer, token: Address, amount_units: int) -> Receipt:
        return self._do(by, call(token, self._euro, "approve", self.domain.contract, amount_units))

    def mint(self, by: Signer, token: Address, to: Address, amount_units: int) -> Receipt:
        return self._do(by, call(token, self._euro, "mint", to, amount_units))

    def gas_balance_wei(self, who: Address) -> int:
        return self.chain.gas_balance_wei(who)

    def give_gas(self, by: Signer, to: Address, amount_wei: int) -> Receipt:
        return self._do(by, Call(checksummed(to), "transfer of ether", b"", amount_wei))

    # ------------------------------------------------------------------------------------------------------------- asking

    def _ask(self, name: str, *values: Any) -> Row:
        return self._answer(self._marketplace, call(self.domain.contract, self._marketplace, name, *values))

    def _number(self, name: str, *values: Any) -> int:
        (number,) = self._ask(name, *values)
        return int(number)

    def _token_number(self, token: Address, name: str, *values: Any) -> int:
        (number,) = self._answer(self._euro, call(token, self._euro, name, *values))
        return int(number)

    def _answer(self, compiled: Compiled, question: Call) -> Row:
        try:
            data = self.chain.call(question.to, question.data)
        except Revert as revert:
            raise refusal(revert.data) from revert
        return answer(compiled, question.function, data)
