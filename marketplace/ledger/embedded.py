"""A chain inside this process, without any server: eth-tester on py-evm. Everything is gone when the process ends."""

import ast
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_tester import PyEVMBackend  # type: ignore[import-untyped]
from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped]

from marketplace.errors import Refused
from marketplace.ledger.abi import encode
from marketplace.ledger.addresses import address_of
from marketplace.ledger.chain import Block, Fees, Log, Mined, Revert, Sent
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.refusals import MESSAGE
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.events import Position
from marketplace.protocol.identity import NOBODY, Address

GAS_LIMIT = 10_000_000
TREASURY_WEI = 10**30
ALLOWANCE_WEI = 10**21


class EmbeddedChain:
    """A `Chain` that puts every transaction into a block of its own at once.

    Its time moves by one second with each block and by `advance`; given a `clock` (in seconds), it never lags behind
    that. `treasury` starts with all the ether there is, and questions that come from nobody are asked in its name.
    """

    def __init__(self, treasury: Address, clock: Callable[[], int] | None = None) -> None:
        account = {"balance": TREASURY_WEI, "nonce": 0, "code": b"", "storage": {}}
        self._backend = PyEVMBackend(genesis_state={_raw(treasury): account})
        self._treasury = treasury
        self._clock = clock
        self._mined: dict[bytes, Mined] = {}
        self._sent: dict[bytes, Sent] = {}
        self._logs: list[Log] = []

    @property
    def chain_id(self) -> int:
        return int(self._backend.chain.chain_id)

    def head(self) -> Block:
        self._follow_clock()
        return self._block()

    def block(self, number: int) -> Block:
        return self._block(number)

    def code(self, address: Address) -> bytes:
        return bytes(self._backend.get_code(_raw(address)))

    def gas_balance_wei(self, address: Address) -> int:
        return int(self._backend.get_balance(_raw(address)))

    def call(self, to: Address | None, data: bytes, sender: Address = NOBODY, block: int | None = None) -> bytes:
        self._follow_clock()
        asker = self._treasury if sender == NOBODY else sender
        fee_wei = self._base_fee_wei()
        self._require_wei(asker, GAS_LIMIT * fee_wei)
        question = {
            "from": _raw(asker),
            "to": _raw(to) if to else b"",
            "data": data,
            "gas": GAS_LIMIT,
            "max_fee_per_gas": fee_wei,
            "max_priority_fee_per_gas": 0,
        }
        try:
            return bytes(self._backend.call(question, "latest" if block is None else block))
        except TransactionFailed as failure:
            raise Revert(_reason(str(failure))) from None

    def gas_limit(self, sender: Address, to: Address | None, data: bytes, value_wei: int) -> int:
        return GAS_LIMIT

    def fees(self) -> Fees:
        return Fees(most_wei=2 * self._base_fee_wei(), tip_wei=0)

    def nonce(self, sender: Address) -> int:
        return int(self._backend.get_nonce(_raw(sender)))

    def broadcast(self, raw: bytes) -> None:
        self._follow_clock()
        transaction = self._backend.chain.get_transaction_builder().decode(raw)
        sender = address_of(transaction.sender)
        expected = self.nonce(sender)
        if transaction.nonce != expected:
            raise Refused(
                f"expected transaction {expected} of {sender}, got number {transaction.nonce}; prepare it again"
            )
        self._require_wei(sender, transaction.value + transaction.gas * transaction.max_fee_per_gas)
        digest = bytes(self._backend.send_raw_transaction(raw))
        self._backend.mine_blocks()
        to = address_of(transaction.to) if transaction.to else None
        self._sent[digest] = Sent(sender, to, transaction.data)
        self._keep(digest)

    def mined(self, transaction: bytes) -> Mined | None:
        return self._mined.get(transaction)

    def sent(self, transaction: bytes) -> Sent | None:
        return self._sent.get(transaction)

    def logs(self, contracts: Sequence[Address], first: int, last: int) -> Sequence[Log]:
        start, end = (bisect_left(self._logs, number, key=_block_of) for number in (first, last + 1))
        return [log for log in self._logs[start:end] if log.contract in contracts]

    def advance(self, seconds: int) -> None:
        """Mines a block whose time is `seconds` (1 or more) after the latest block's."""
        self._backend.time_travel(self._block().at_s + seconds + 1)

    def _keep(self, digest: bytes) -> None:
        """Remembers what will be asked for, because the backend finds a transaction only by going through all blocks."""
        receipt = self._backend.get_transaction_receipt(digest)
        created = receipt["contract_address"]
        number: int = receipt["block_number"]
        self._mined[digest] = Mined(
            number, receipt["gas_used"], receipt["status"] == 1, address_of(created) if created else None
        )
        at_s = self._block(number).at_s
        for entry in receipt["logs"]:
            position = Position(number, entry["log_index"], digest, at_s)
            self._logs.append(Log(position, address_of(entry["address"]), tuple(entry["topics"]), entry["data"]))

    def _block(self, number: int | None = None) -> Block:
        """The block of this number, or the latest."""
        latest = self._backend.chain.get_block().number - 1
        if number is not None and not 0 <= number <= latest:
            raise Refused(f"expected a block that the chain has, got number {number}; ask for one up to {latest}")
        block: Mapping[str, Any] = self._backend.get_block_by_number(latest if number is None else number, False)
        return Block(block["number"], bytes(block["hash"]), block["timestamp"])

    def _require_wei(self, who: Address, cost_wei: int) -> None:
        held_wei = self.gas_balance_wei(who)
        if held_wei < cost_wei:
            raise Refused(f"expected {who} to hold {cost_wei} wei for gas, it holds {held_wei}; send it some ether")

    def _base_fee_wei(self) -> int:
        return int(self._backend.get_base_fee())

    def _follow_clock(self) -> None:
        if self._clock is not None and (behind_s := self._clock() - self._block().at_s) > 0:
            self.advance(behind_s)


class EmbeddedLedger(Contract):
    """A marketplace, a test euro at `token` and a treasury that pays for gas, on an embedded chain of their own."""

    def __init__(self, clock: Callable[[], int] | None = None) -> None:
        self.treasury = LocalSigner.random()
        chain = EmbeddedChain(self.treasury.address, clock)
        deployed = deploy(chain, self.treasury)
        super().__init__(chain, deployed.marketplace)
        self.token = deployed.euro
        self._chain = chain

    def account(self, euro_units: int = 0) -> LocalSigner:
        """A new account with gas for a long time and with this much of the test euro."""
        signer = LocalSigner.random()
        self.give_gas(self.treasury, signer.address, ALLOWANCE_WEI)
        if euro_units:
            self.mint(self.treasury, self.token, signer.address, euro_units)
        return signer

    def advance(self, seconds: int) -> None:
        """Lets `seconds` (1 or more) pass on the ledger."""
        self._chain.advance(seconds)


def _raw(address: Address) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))


def _block_of(log: Log) -> int:
    return log.position.block


def _reason(text: str) -> bytes:
    """What a contract gave as its reason. The backend hands bytes over as Python spells them, texts as they are."""
    try:
        data = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        data = None
    return data if isinstance(data, bytes) else MESSAGE + encode(["string"], [text])
