"""What one proof of a wrong chunk costs on a ledger, for each hash that could be the stream.

Compiles contracts/prototypes/StreamCost.sol as the contracts are compiled and runs it on py-evm. Used by
scripts/benchmarks/sealing.py.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b, sha256

from eth.vm.forks import CancunVM, PragueVM
from eth_abi import encode
from eth_hash.auto import keccak
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed

from marketplace.sealing import chunk_key
from marketplace.sealing.chunk import key_hash, plain_hash, xor
from scripts.benchmarks.chunk import lone_proof
from scripts.compiling import compiler, packages
from scripts.compiling.sources import collect

SOURCE = "contracts/prototypes/StreamCost.sol"
BASE_GAS = 21_000
LEVELS = 15
INDEX = 12_345
Stream = Callable[[bytes], bytes]


def _counter_stream(digest: Callable[[bytes], bytes], blocks: int) -> Stream:
    counters = tuple(bytes([block]) for block in range(blocks))
    return lambda key: b"".join([digest(b"\5" + key + counter) for counter in counters])


STREAMS: dict[str, Stream] = {
    "Sha256Stream": _counter_stream(lambda data: sha256(data).digest(), 32),
    "Keccak256Stream": _counter_stream(keccak, 32),
    "Blake2bStream": _counter_stream(lambda data: blake2b(data).digest(), 16),
}


@dataclass(frozen=True)
class StreamFigures:
    """One candidate. Gas of one proof of a wrong chunk at 15 levels; Python's speed in MB (10**6 bytes) of stream.

    `execution_gas`: without the transaction's base and calldata. `cancun_gas`: the whole transaction on a Cancun
    ledger. `prague_gas`: the same on a Prague ledger, where calldata has a floor price (EIP-7623).
    """

    name: str
    execution_gas: int
    cancun_gas: int
    prague_gas: int
    stream_mb_per_s: float


def measure_streams() -> tuple[StreamFigures, ...]:
    """Figures of every candidate."""
    code = compiled()
    return tuple(stream_figures(name, code[name]) for name in STREAMS)


def compiled() -> dict[str, bytes]:
    """The creation code of each contract in StreamCost.sol, by name."""
    packages.install()
    found = compiler.compile_sources(collect([SOURCE]), {SOURCE})["contracts"][SOURCE]
    return {name: bytes.fromhex(one["evm"]["bytecode"]["object"]) for name, one in found.items()}


def proof_of_wrong_chunk(ledger: EthereumTester, code: bytes, stream: Stream, *, right: bool) -> tuple[bytes, int]:
    """Calldata of one proof and the gas on its receipt. With `right`, the chunk is right, so `TransactionFailed`."""
    key, chunk = os.urandom(32), os.urandom(1024)
    cipher = xor(chunk, stream(chunk_key(key, INDEX)))
    promised = plain_hash(INDEX, chunk) if right else os.urandom(32)
    proof, root = lone_proof(INDEX, promised, cipher, LEVELS)
    sender = {"from": ledger.get_accounts()[0], "gas": 2_000_000, "gas_price": 10**9}
    creation = code + encode(["bytes32", "bytes32", "uint32"], [root, key_hash(key), 2**LEVELS])
    made = ledger.get_transaction_receipt(ledger.send_transaction({**sender, "data": "0x" + creation.hex()}))
    arguments = encode(
        ["bytes32", "uint32", "bytes32", "bytes", "bytes32[]"], [key, INDEX, promised, cipher, proof.path]
    )
    data = keccak(b"prove(bytes32,uint32,bytes32,bytes,bytes32[])")[:4] + arguments
    request = {**sender, "to": made["contract_address"], "data": "0x" + data.hex()}
    ledger.call(request)
    return data, ledger.get_transaction_receipt(ledger.send_transaction(request))["gas_used"]


def stream_figures(name: str, code: bytes) -> StreamFigures:
    """Measure one candidate; ends the program unless the contract's stream and Python's are one."""
    stream = STREAMS[name]
    cancun, prague = (EthereumTester(PyEVMBackend(vm_configuration=((0, fork),))) for fork in (CancunVM, PragueVM))
    try:
        proof_of_wrong_chunk(cancun, code, stream, right=True)
        sys.exit(f"{name}: the contract does not decrypt as Python encrypts")
    except TransactionFailed as error:
        if error.args[0] != str(keccak(b"ChunkIsRight()")[:4]):
            raise
    data, cancun_gas = proof_of_wrong_chunk(cancun, code, stream, right=False)
    _, prague_gas = proof_of_wrong_chunk(prague, code, stream, right=False)
    execution_gas = cancun_gas - BASE_GAS - sum(16 if byte else 4 for byte in data)
    key, calls = os.urandom(32), range(500)
    times_s = []
    for _ in range(7):
        start_s = time.process_time()
        for _ in calls:
            stream(key)
        times_s.append(time.process_time() - start_s)
    return StreamFigures(name, execution_gas, cancun_gas, prague_gas, len(calls) * 1024 / min(times_s) / 1e6)
