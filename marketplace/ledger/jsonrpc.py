"""Any EVM chain, asked over HTTP by JSON-RPC: Anvil for development, Besu or a public ledger for a consortium."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from web3 import HTTPProvider
from web3.types import RPCEndpoint

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.chain import Block, Fees, Log, Mined, Revert, Sent
from marketplace.ledger.contract import WAIT_S, Contract
from marketplace.ledger.deployment import check
from marketplace.protocol.events import Position
from marketplace.protocol.identity import NOBODY, Address

TIMEOUT_S = 30.0
_BATCH = 100
_PASSING = (408, 429)
"""HTTP statuses of the 400s that pass by themselves: too slow, too many."""


class JsonRpcChain:
    """A `Chain` behind the URL of an RPC endpoint. `timeout_s`: how long to wait for one answer.

    Raises `Unreachable` if nobody answers, and `Refused`, naming both, if it is not the chain `expected_chain_id`.
    No message shows the URL, which may hold a key.
    """

    def __init__(self, url: str, expected_chain_id: int | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._provider = HTTPProvider(url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None)
        self.chain_id = _number(self._ask("eth_chainId"))
        if expected_chain_id not in (None, self.chain_id):
            raise Refused(
                f"expected the chain with id {expected_chain_id}, got the one with id {self.chain_id}; use another RPC URL"
            )

    def head(self) -> Block:
        return _block(self._ask("eth_getBlockByNumber", "latest", False))

    def block(self, number: int) -> Block:
        found = self._ask("eth_getBlockByNumber", hex(number), False) if number >= 0 else None
        if found is None:
            raise Refused(f"expected a block that the chain has, got number {number}; ask for an earlier one")
        return _block(found)

    def code(self, address: Address) -> bytes:
        return _bytes(self._ask("eth_getCode", address, "latest"))

    def gas_balance_wei(self, address: Address) -> int:
        return _number(self._ask("eth_getBalance", address, "latest"))

    def call(self, to: Address | None, data: bytes, sender: Address = NOBODY, block: int | None = None) -> bytes:
        return _bytes(
            self._ask_contract("eth_call", _question(sender, to, data, 0), "latest" if block is None else hex(block))
        )

    def gas_limit(self, sender: Address, to: Address | None, data: bytes, value_wei: int) -> int:
        return _number(self._ask_contract("eth_estimateGas", _question(sender, to, data, value_wei))) * 5 // 4

    def fees(self) -> Fees:
        base_wei = _number(self._ask("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"))
        tip_wei = _number(self._ask("eth_maxPriorityFeePerGas"))
        return Fees(most_wei=2 * base_wei + tip_wei, tip_wei=tip_wei)

    def nonce(self, sender: Address) -> int:
        return _number(self._ask("eth_getTransactionCount", sender, "pending"))

    def broadcast(self, raw: bytes) -> None:
        self._ask("eth_sendRawTransaction", _hex(raw))

    def mined(self, transaction: bytes) -> Mined | None:
        found = self._ask("eth_getTransactionReceipt", _hex(transaction))
        if found is None or found["blockNumber"] is None:
            return None
        created = found.get("contractAddress")
        return Mined(
            block=_number(found["blockNumber"]),
            gas=_number(found["gasUsed"]),
            succeeded=_number(found["status"]) == 1,
            created=checksummed(created) if created else None,
        )

    def sent(self, transaction: bytes) -> Sent | None:
        found = self._ask("eth_getTransactionByHash", _hex(transaction))
        if found is None:
            return None
        to = found.get("to")
        return Sent(checksummed(found["from"]), checksummed(to) if to else None, _bytes(found["input"]))

    def logs(self, contracts: Sequence[Address], first: int, last: int) -> Sequence[Log]:
        wanted = {"address": list(contracts), "fromBlock": hex(first), "toBlock": hex(last)}
        found = self._ask("eth_getLogs", wanted)
        times = self._times(entry["blockNumber"] for entry in found if not entry.get("blockTimestamp"))
        return [_log(entry, times) for entry in found]

    def _times(self, numbers: Iterable[str]) -> dict[str, str]:
        """The times of blocks, for nodes that do not write them into log entries."""
        wanted = list(dict.fromkeys(numbers))
        times: dict[str, str] = {}
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            for number, block in zip(part, self._ask_blocks(part), strict=True):
                times[number] = block["timestamp"]
        return times

    def _ask_blocks(self, numbers: Sequence[str]) -> list[Any]:
        """Several blocks in one request, or in one each where the node takes no more."""
        method = "eth_getBlockByNumber"
        with _spoken():
            answers = self._provider.make_batch_request([(RPCEndpoint(method), [number, False]) for number in numbers])
        if isinstance(answers, list) and len(answers) == len(numbers):
            return [_result(answer) for answer in answers]
        return [self._ask(method, number, False) for number in numbers]

    def _ask(self, method: str, *params: Any) -> Any:
        with _spoken():
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        return _result(answer)

    def _ask_contract(self, method: str, *params: Any) -> Any:
        """As `_ask`, for questions that a contract answers. Raises `Revert` if the contract refuses."""
        with _spoken():
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        reason = _reason(answer)
        if reason is not None:
            raise Revert(reason)
        return _result(answer)


def connect(url: str, address: Address, expected_chain_id: int | None = None, wait_s: float = WAIT_S) -> Contract:
    """The marketplace at `address` of the chain behind `url`, after checking that it is there and is this program's.

    Raises `Unreachable` if nobody answers, `Refused` if the chain is another than expected or if something else stands
    at the address, `Invalid` if it is no address.
    """
    chain = JsonRpcChain(url, expected_chain_id)
    return Contract(chain, check(chain, address), wait_s)


@contextmanager
def _spoken() -> Iterator[None]:
    """Sorts the ways in which a conversation over HTTP fails by what to do about them. Keeps the URL out of all texts."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise _silence(error) from None


def _silence(error: OSError | ValueError) -> MarketplaceError:
    if isinstance(error, OSError) and isinstance(error, ValueError):
        return Invalid(
            "expected the URL of an RPC endpoint, as in http://127.0.0.1:8545, got something else; change it"
        )
    if isinstance(error, ValueError):
        return Corrupt("expected JSON from the ledger's RPC endpoint, got something else; check its URL")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None and 400 <= status < 500 and status not in _PASSING:
        return Refused(f"expected the ledger's RPC endpoint to agree, it said HTTP {status}; check its URL")
    came = "no answer" if status is None else f"HTTP {status}"
    return Unreachable(f"expected an answer from the ledger's RPC endpoint, got {came}; check that it runs, try again")


def _result(answer: Any) -> Any:
    if isinstance(answer, Mapping) and "error" not in answer and "result" in answer:
        return answer["result"]
    raise _refused(answer)


def _refused(answer: Any) -> MarketplaceError:
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if not isinstance(error, Mapping):
        return _nonsense()
    said = " ".join(str(error.get("message", "nothing")).split())[:200]
    return Refused(f"expected the ledger's node to agree, it said {said!r}; change what you ask, or ask another node")


def _nonsense() -> Corrupt:
    return Corrupt("expected an answer by JSON-RPC from the ledger's endpoint, got something else; check its URL")


def _reason(answer: Any) -> bytes | None:
    """What a contract gave as its reason for undoing a call; None if `answer` tells of no such thing."""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    data = error.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return _bytes(data)
    return b"" if "revert" in str(error.get("message", "")).lower() else None


def _question(sender: Address, to: Address | None, data: bytes, value_wei: int) -> dict[str, str]:
    question = {"from": sender, "data": _hex(data), "value": hex(value_wei)}
    return question if to is None else {**question, "to": to}


def _block(found: Mapping[str, Any]) -> Block:
    return Block(_number(found["number"]), _bytes(found["hash"]), _number(found["timestamp"]))


def _log(entry: Mapping[str, Any], times: Mapping[str, str]) -> Log:
    position = Position(
        block=_number(entry["blockNumber"]),
        index=_number(entry["logIndex"]),
        transaction=_bytes(entry["transactionHash"]),
        at_s=_number(entry.get("blockTimestamp") or times[entry["blockNumber"]]),
    )
    return Log(
        position,
        checksummed(entry["address"]),
        tuple(_bytes(topic) for topic in entry["topics"]),
        _bytes(entry["data"]),
    )


def _number(text: Any) -> int:
    try:
        return int(text, 16)
    except (TypeError, ValueError):
        raise _nonsense() from None


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise _nonsense()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise _nonsense() from None


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
