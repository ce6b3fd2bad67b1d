"""An EVM in this process for measuring and testing contracts: no blocks, no signatures, any time, any snapshot.

Addresses are lower-case hex, as the ABI's decoder gives them.
"""

import json
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from keyword import iskeyword
from pathlib import Path
from typing import Any

from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_tester import PyEVMBackend  # type: ignore[import-untyped]
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector
from eth_utils.address import to_canonical_address, to_normalized_address
from eth_utils.crypto import keccak

Abi = Any

_ARTIFACT = Path(__file__).resolve().parents[2] / "marketplace" / "ledger" / "artifact.json"
_GAS = 16_000_000
_FEE_WEI = 10**9
_BALANCE_WEI = 10**30
_ACCOUNTS = 24


@dataclass(frozen=True)
class Event:
    """An event of the contract that was called."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A transaction that succeeded: gas used (refunds and calldata's floor counted), the callee's events, its answer."""

    gas: int
    events: tuple[Event, ...]
    value: Any


class Reverted(Exception):
    """A call that was refused: the custom error's name and arguments. Without one, what the EVM says, and no arguments."""

    def __init__(self, name: str, arguments: tuple[Any, ...] = ()) -> None:
        super().__init__(f"{name}{arguments}")
        self.name, self.arguments = name, arguments


class Compiled:
    """A contract from the compiler: its JSON interface and the code that creates it."""

    def __init__(self, abi: list[Abi], bytecode: bytes) -> None:
        self.abi, self.bytecode = abi, bytecode

    @cached_property
    def functions(self) -> dict[str, Abi]:
        """By name; of several of one name, the one with the most parameters."""
        entries = [entry for entry in self.abi if entry["type"] == "function"]
        return {entry["name"]: entry for entry in sorted(entries, key=lambda entry: len(entry["inputs"]))}

    @cached_property
    def errors(self) -> dict[bytes, Abi]:
        return {function_abi_to_4byte_selector(entry): entry for entry in self.abi if entry["type"] == "error"}

    @cached_property
    def events(self) -> dict[bytes, Abi]:
        return {event_abi_to_log_topic(entry): entry for entry in self.abi if entry["type"] == "event"}

    def struct(self, name: str) -> Any:
        """A named tuple with the fields of a struct of the interface, in their order; `from` becomes `from_`."""
        parts = (part for entry in self.abi for side in ("inputs", "outputs") for part in _parts(entry.get(side, [])))
        return _struct(next(part for part in parts if _name(part) == name))

    def creation(self, arguments: tuple[Any, ...]) -> bytes:
        inputs: list[Abi] = next((entry["inputs"] for entry in self.abi if entry["type"] == "constructor"), [])
        return self.bytecode + encode(_types(inputs), arguments)

    def call(self, function: str, arguments: tuple[Any, ...]) -> bytes:
        abi = self.functions[function]
        return function_abi_to_4byte_selector(abi) + encode(_types(abi["inputs"]), arguments)

    def answer(self, function: str, output: bytes) -> Any:
        outputs = self.functions[function]["outputs"]
        values = [_named(*pair) for pair in zip(outputs, decode(_types(outputs), output), strict=True)]
        return values[0] if len(values) == 1 else values

    def event(self, topics: tuple[int, ...], data: bytes) -> Event:
        abi = self.events[topics[0].to_bytes(32)]
        parts = sorted(abi["inputs"], key=lambda part: not part["indexed"])
        indexed = [
            decode([part["type"]], topic.to_bytes(32))[0] for part, topic in zip(parts, topics[1:], strict=False)
        ]
        plain = decode(_types(parts[len(indexed) :]), data)
        pairs = zip(parts, [*indexed, *plain], strict=True)
        return Event(abi["name"], {part["name"]: _named(part, value) for part, value in pairs})

    def refusal(self, computation: Any) -> Reverted:
        data: bytes = computation.output
        if data[:4] not in self.errors:
            return Reverted(f"{type(computation.error).__name__} {data.hex()}")
        abi = self.errors[data[:4]]
        return Reverted(abi["name"], decode(_types(abi["inputs"]), data[4:]))


class Evm:
    """The state of a ledger. A snapshot is a value; one may go back to any of them, any number of times."""

    def __init__(self) -> None:
        keys = [keccak(text=f"account {number}") for number in range(_ACCOUNTS)]
        self.keys = {to_normalized_address(Account.from_key(key).address): key for key in keys}
        self.accounts = tuple(self.keys)
        riches = {"balance": _BALANCE_WEI, "nonce": 0, "code": b"", "storage": {}}
        backend = PyEVMBackend(genesis_state={to_canonical_address(account): riches for account in self.accounts})
        self._chain = backend.chain
        self._header = self._chain.header
        self.chain_id: int = self._chain.chain_id

    @property
    def now_s(self) -> int:
        """The time of the next transaction, in seconds."""
        return int(self._header.timestamp)

    def travel(self, time_s: int) -> None:
        """Let it be `time_s` from now on; the past will do too."""
        self._header = self._header.copy(timestamp=time_s)

    def snapshot(self) -> Any:
        return self._header

    def restore(self, snapshot: Any) -> None:
        self._header = snapshot

    def deploy(self, contract: Compiled, *arguments: Any) -> "Deployed":
        """Create a contract. Raises `Reverted` if its constructor refuses."""
        computation, _ = self.execute(self.accounts[0], "", contract.creation(arguments), keep=True)
        if computation.is_error:
            raise contract.refusal(computation)
        return Deployed(self, contract, to_normalized_address(computation.msg.storage_address))

    def word(self, address: str, slot: int) -> int:
        """A word of a contract's storage."""
        return int(self._chain.get_vm(self._header).state.get_storage(to_canonical_address(address), slot))

    def put(self, address: str, words: Mapping[int, int]) -> None:
        """Let these words stand in a contract's storage from now on, by slot."""
        state = self._chain.get_vm(self._header).state
        for slot, value in words.items():
            state.set_storage(to_canonical_address(address), slot, value)
        state.persist()
        self._header = self._header.copy(state_root=state.make_state_root())

    def execute(self, sender: str, to: str, data: bytes, *, keep: bool) -> tuple[Any, int]:
        """Run one transaction. Gives the computation and the gas used; what was refused leaves no trace."""
        vm = self._chain.get_vm(self._header)
        account = to_canonical_address(sender)
        plain = self._chain.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
            chain_id=self.chain_id,
            nonce=vm.state.get_nonce(account),
            max_priority_fee_per_gas=_FEE_WEI,
            max_fee_per_gas=_FEE_WEI,
            gas=_GAS,
            to=to_canonical_address(to) if to else b"",
            value=0,
            data=data,
            access_list=(),
        )
        transaction = SpoofTransaction(plain, from_=account)
        computation = vm.state.apply_transaction(transaction)
        if keep and not computation.is_error:
            vm.state.persist()
            self._header = self._header.copy(state_root=vm.state.make_state_root())
        return computation, vm.finalize_gas_used(transaction, computation)


@dataclass(frozen=True)
class Deployed:
    """A contract at an address."""

    evm: Evm = field(repr=False)
    contract: Compiled = field(repr=False)
    address: str

    def send(self, sender: str, function: str, *arguments: Any) -> Outcome:
        """Call, and keep what it changes. Raises `Reverted`."""
        return self._run(sender, function, arguments, keep=True)

    def ask(self, function: str, *arguments: Any) -> Any:
        """The answer of a view. Raises `Reverted`."""
        return self._run(self.evm.accounts[0], function, arguments, keep=False).value

    def _run(self, sender: str, function: str, arguments: tuple[Any, ...], *, keep: bool) -> Outcome:
        data = self.contract.call(function, arguments)
        computation, gas = self.evm.execute(sender, self.address, data, keep=keep)
        if computation.is_error:
            raise self.contract.refusal(computation)
        here = to_canonical_address(self.address)
        logs = [entry for entry in computation.get_log_entries() if entry[0] == here]
        events = tuple(self.contract.event(topics, data) for _, topics, data in logs)
        return Outcome(gas, events, self.contract.answer(function, computation.output))


def product(name: str) -> Compiled:
    """One of the product's contracts, from its artifact."""
    entry = json.loads(_ARTIFACT.read_text())["contracts"][name]
    return Compiled(entry["abi"], bytes.fromhex(entry["bytecode"].removeprefix("0x")))


def _types(parts: list[Abi]) -> list[str]:
    return [_type(part) for part in parts]


def _parts(parts: list[Abi]) -> Iterator[Abi]:
    for part in parts:
        yield part
        yield from _parts(part.get("components", []))


def _name(part: Abi) -> str:
    """A struct's own name, from what the compiler says of its type."""
    return str(part.get("internalType", "")).removesuffix("[]").split(".")[-1]


def _struct(part: Abi) -> Any:
    return _tuple_type(_name(part), tuple(component["name"] for component in part["components"]))


@cache
def _tuple_type(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, [f"{field}_" if iskeyword(field) else field for field in fields])


def _named(part: Abi, value: Any) -> Any:
    return _struct(part)(*value) if part["type"] == "tuple" else value


def _type(part: Abi) -> str:
    kind: str = part["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(part['components']))}){kind.removeprefix('tuple')}"
