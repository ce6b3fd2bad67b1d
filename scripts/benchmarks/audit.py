"""Seconds that an audit of many settled orders takes, on a real Anvil, with a certificate for every order.

`python -m scripts.benchmarks.audit [--orders 1000] [--json]`. Seeding is not counted: it sends unsigned transactions that
Anvil takes in anyone's name. Reading asks the chain and a store in memory; folding and checking ask nobody.
"""

import argparse
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.certificate.certificate import Certificate, Environment, Mechanism, Privacy, Stage, StageKind
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.manifest import Manifest
from marketplace.content.memory import MemoryStore
from marketplace.content.store import put_bytes
from marketplace.errors import Unreachable
from marketplace.ledger.calls import Call
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.ids import delivery_hash, order_id
from marketplace.ledger.jsonrpc import JsonRpcChain, connect
from marketplace.ledger.signatures import sign_certificate
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import fold
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address
from marketplace.protocol.offer import Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.order import CODEC_RAW, Delivery, Order, pack_versions
from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from marketplace.protocol.terms import Terms
from marketplace.sealing.chunk import key_hash
from scripts.ports import take_ports

ANVIL = Path(__file__).parent.parent / "anvil"
START_S, BATCH = 60, 200
EURO, WEEK_S = 1_000_000, 7 * 86_400
RHO_MICRO, ROWS, DELTA_ATTO = 30_560, 1_000, 6 * 10**12
GAS, KEY = 400_000, b"k" * 32
SCHEMA = Schema((Category("sex", ("female", "male"), missing=True),), None, 1)
STAGE = Stage("sex", StageKind.GAUSSIAN, RHO_MICRO, "1", f"{10**6}/{2 * RHO_MICRO}")


@contextmanager
def anvil() -> Iterator[str]:
    """An Anvil of its own; gives its URL."""
    (port,) = take_ports()
    process = subprocess.Popen([ANVIL, "--silent", "--port", str(port)], stdout=subprocess.DEVNULL)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + START_S
    try:
        while True:
            try:
                JsonRpcChain(url)
                break
            except Unreachable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def ask(url: str, questions: Sequence[tuple[str, list[Any]]]) -> list[Any]:
    """The answers to many questions, put in few requests. Raises `SystemExit` with the first that is an error."""
    found = []
    for start in range(0, len(questions), BATCH):
        part = enumerate(questions[start : start + BATCH])
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params} for number, (method, params) in part
        ]
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request) as answers:  # noqa: S310
            found += json.load(answers)
    if wrong := [answer["error"] for answer in found if "error" in answer]:
        raise SystemExit(f"expected Anvil to agree to everything, got {wrong[0]}")
    return [answer["result"] for answer in found]


@dataclass
class Market:
    """A marketplace on Anvil with one offer, whose orders all settle."""

    url: str
    ledger: Contract
    store: MemoryStore
    provider: LocalSigner
    buyer: LocalSigner
    offer: Offer
    description: bytes
    numbers: "count[int]" = field(default_factory=count)

    @classmethod
    def open(cls, url: str, orders: int) -> "Market":
        """Deploys, lists and publishes, with bonds and money for so many orders."""
        chain, (treasury, provider, buyer) = JsonRpcChain(url), (LocalSigner.random() for _ in range(3))
        people = [signer.address for signer in (treasury, provider, buyer)]
        ask(url, [("anvil_setBalance", [address, hex(10**24)]) for address in people])
        ask(url, [("anvil_autoImpersonateAccount", [True])])
        deployed = deploy(chain, treasury)
        ledger, store = connect(url, deployed.marketplace, chain.chain_id), MemoryStore()
        for signer in (provider, buyer):
            ledger.mint(treasury, deployed.euro, signer.address, orders * 1_000 * EURO)
            ledger.approve(signer, deployed.euro, orders * 1_000 * EURO)
        description = put_bytes(store, Description("Benchmark", "None.", "None.", SCHEMA, 10_000).encode()).digest
        dataset, _ = ledger.register(provider, bytes(32), sha256(b"records").digest(), description, orders * RHO_MICRO)
        head = _head(provider.address, deployed.euro, ledger.now_s(), orders)
        head = replace(head, terms=put_bytes(store, Terms("Benchmark", 365).encode()).digest)
        offer, _ = ledger.publish(provider, head, [Member(dataset, provider.address, 10_000, RHO_MICRO)])
        ledger.stake(provider, deployed.euro, orders * head.bond_units)
        return cls(url, ledger, store, provider, buyer, offer, description)

    def seed(self, number: int) -> None:
        """Takes `number` orders through all five steps."""
        calls, orders = self.ledger.calls, [self._order() for _ in range(number)]
        self._send(self.buyer, [calls.place(self.offer, order) for order in orders])
        pairs = [(order, self._delivery(order)) for order in orders]
        self._send(self.provider, [calls.deliver(self.offer, *pair) for pair in pairs])
        domain = self.ledger.domain
        hashes = [(order, delivery_hash(domain, order_id(domain, order), delivery)) for order, delivery in pairs]
        self._send(self.buyer, [calls.accept(self.offer, *pair) for pair in hashes])
        self._send(self.provider, [calls.reveal(self.offer, *pair, KEY) for pair in pairs])
        self._send(self.buyer, [calls.settle(self.offer, order) for order in orders])

    def _send(self, by: LocalSigner, calls: list[Call]) -> None:
        chain = self.ledger.chain
        nonces = count(chain.nonce(by.address))
        last = 0
        questions = []
        for call, last in zip(calls, nonces, strict=False):
            what = {
                "from": by.address,
                "to": call.to,
                "data": f"0x{call.data.hex()}",
                "gas": hex(GAS),
                "nonce": hex(last),
            }
            questions.append(("eth_sendTransaction", [what]))
        ask(self.url, [("evm_setAutomine", [False]), *questions])
        until = time.monotonic() + START_S
        while ask(self.url, [("txpool_status", [])]) != [{"pending": "0x0", "queued": "0x0"}]:
            if time.monotonic() > until:
                raise SystemExit("expected Anvil to put every transaction into a block, it did not")
            ask(self.url, [("evm_mine", [])])
        ask(self.url, [("evm_setAutomine", [True])])

    def _order(self) -> Order:
        nonce = sha256(str(next(self.numbers)).encode()).digest()
        wish = Specification(self.offer.id, ROWS, Workload(), 600, bytes(SEALING_KEY_BYTES), nonce)
        specification = put_bytes(self.store, wish.encode()).digest
        limit_s = self.ledger.now_s() + WEEK_S
        return Order(self.offer.id, self.buyer.address, specification, pack_versions([1]), limit_s)

    def _delivery(self, order: Order) -> Delivery:
        roots = [sha256(part + order.specification).digest() for part in (b"root", b"plain")]
        sealed = put_bytes(self.store, b"sealed" + order.specification)
        manifest = put_bytes(self.store, self._manifest(order, roots[1]))
        return Delivery(roots[0], roots[1], key_hash(KEY), sealed.digest, manifest.digest, 1, CODEC_RAW)

    def _manifest(self, order: Order, plain_root: bytes) -> bytes:
        domain, (member,) = self.ledger.domain, self.offer.members
        certificate = Certificate(
            order=order_id(domain, order),
            offer=self.offer.id,
            provider=member.provider,
            dataset=member.dataset,
            version=1,
            commitment=sha256(b"records").digest(),
            description=self.description,
            specification=order.specification,
            plain_root=plain_root,
            count=1,
            rows=ROWS,
            register=bytes(32),
            noise_commitment=bytes(32),
            mechanism=Mechanism("none", "1", (), (STAGE,), ()),
            privacy=Privacy(SCHEMA.unit, 1, RHO_MICRO, DELTA_ATTO, quoted_epsilon(RHO_MICRO, DELTA_ATTO)),
            scores=(),
            environment=Environment("", "", "", ""),
        )
        digest = sha256(certificate.encode()).digest()
        signature = sign_certificate(self.provider, domain, certificate.order, digest)
        return Manifest(domain.chain_id, domain.contract, self.ledger.source_hash, certificate, signature).encode()


def _head(lead: Address, token: Address, now_s: int, orders: int) -> Head:
    return Head(
        lead=lead,
        kind=Kind.SYNTHETIC,
        guarantee=Guarantee.DIFFERENTIALLY_PRIVATE,
        token=token,
        cost_units=400 * EURO,
        margin_units=100 * EURO,
        delta_atto=DELTA_ATTO,
        deliver_window_s=WEEK_S,
        accept_window_s=WEEK_S,
        reveal_window_s=WEEK_S,
        challenge_window_s=WEEK_S,
        rule_window_s=0,
        licence_s=52 * WEEK_S,
        compute_fee_bps=500,
        bond_units=50 * EURO,
        contest_deposit_units=0,
        max_open=orders,
        terms=bytes(32),
        valid_until_s=now_s + 52 * WEEK_S,
    )


def seconds(action: Callable[[], Any]) -> tuple[Any, float]:
    """What `action` gives, and its wall time."""
    start_s = time.monotonic()
    return action(), time.monotonic() - start_s


def measure(orders: int) -> dict[str, Any]:
    """Seconds of each part of an audit of `orders` settled orders, and whether it passed."""
    with anvil() as url:
        market, seeding_s = seconds(lambda: Market.open(url, orders))
        _, more_s = seconds(lambda: market.seed(orders))
        bare, ledger_s = seconds(lambda: gather(market.ledger, None, lambda _: None))
        whole, both_s = seconds(lambda: gather(market.ledger, market.store, lambda _: None))
    _, folding_s = seconds(lambda: fold(bare.events))
    without, checking_s = seconds(lambda: judge(bare))
    audit, documents_s = seconds(lambda: judge(whole))
    if not (audit.passed and without.passed and all(check.passed for check in audit.checks)):
        raise SystemExit(f"expected an audit that passes, got {[check for check in audit.checks if not check.passed]}")
    return {
        "orders": len(bare.account.orders),
        "events": len(bare.events),
        "seeding_s": round(seeding_s + more_s, 2),
        "reading_ledger_s": round(ledger_s, 2),
        "reading_store_s": round(max(0.0, both_s - ledger_s), 2),
        "folding_s": round(folding_s, 3),
        "checking_without_store_s": round(checking_s, 2),
        "checking_with_store_s": round(documents_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="audit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--orders", type=int, default=1_000, help="how many settled orders")
    given = parser.parse_args()
    figures = measure(given.orders)
    if given.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):28} {figure:>12,}")


if __name__ == "__main__":
    main()
