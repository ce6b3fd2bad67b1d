"""A marketplace with people in it: what the tests of the ledger act on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count

from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.ids import delivery_hash, order_id
from marketplace.ledger.jsonrpc import JsonRpcChain, connect
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.order import CODEC_RAW, Complaint, Delivery, Order, pack_versions
from marketplace.sealing.chunk import leaf_hash
from marketplace.sealing.tree import node_hash
from tests.ledger.fixtures import tell_anvil

HOUR_S = 3_600
RHO_MICRO = 1_000
TOTAL_MICRO = 1_000_000
PRICE_UNITS = 1_200_000_007
BOND_UNITS = 50_000_003
RICHES_UNITS = 10**15
KEY = bytes(range(32))
COMPLAINT = Complaint(KEY, 0, plain_hash=b"\5" * 32, cipher=b"\6" * 1024, path=(b"\7" * 32,))


@dataclass
class World:
    """One marketplace. `pass_time` lets seconds pass on its chain."""

    ledger: Contract
    token: Address
    provider: LocalSigner
    buyer: LocalSigner
    stranger: LocalSigner
    pass_time: Callable[[int], None]
    numbers: "count[int]" = field(default_factory=count)

    def fresh(self) -> bytes:
        """32 bytes that were not used before."""
        return sha256(b"fresh %d" % next(self.numbers)).digest()

    def head(self, **changes: object) -> Head:
        """Terms that the contract takes, but for `changes`."""
        head = Head(
            lead=self.provider.address,
            kind=Kind.SYNTHETIC,
            guarantee=Guarantee.DIFFERENTIALLY_PRIVATE,
            token=self.token,
            cost_units=PRICE_UNITS - 7,
            margin_units=7,
            delta_atto=10**12,
            deliver_window_s=HOUR_S,
            accept_window_s=HOUR_S,
            reveal_window_s=HOUR_S,
            challenge_window_s=HOUR_S,
            rule_window_s=0,
            licence_s=24 * HOUR_S,
            compute_fee_bps=750,
            bond_units=BOND_UNITS,
            contest_deposit_units=0,
            max_open=1_000,
            terms=self.fresh(),
            valid_until_s=self.ledger.now_s() + 10_000 * HOUR_S,
        )
        return replace(head, **changes)  # type: ignore[arg-type]

    def dataset(self, total_micro: int = TOTAL_MICRO) -> DatasetId:
        """A newly registered dataset."""
        dataset, _ = self.ledger.register(self.provider, self.fresh(), self.fresh(), self.fresh(), total_micro)
        return dataset

    def member(self, dataset: DatasetId, rho_micro: int = RHO_MICRO) -> Member:
        """The provider as the only member."""
        return Member(dataset, self.provider.address, 10_000, rho_micro)

    def offer(self, dataset: DatasetId | None = None, **changes: object) -> Offer:
        """A newly published offer on `dataset` (None: a new one)."""
        member = self.member(self.dataset() if dataset is None else dataset)
        offer, _ = self.ledger.publish(self.provider, self.head(**changes), [member])
        return offer

    def order(self, offer: Offer, version: int = 1) -> Order:
        """An order that has not been placed."""
        limit_s = self.ledger.now_s() + HOUR_S
        return Order(offer.id, self.buyer.address, self.fresh(), pack_versions([version]), limit_s)

    def place(self, offer: Offer) -> Order:
        """A placed order."""
        order = self.order(offer)
        self.ledger.place(self.buyer, offer, order)
        return order

    def delivery(self) -> Delivery:
        """A delivery of two chunks whose key is `KEY`. The first chunk is wrong, as `COMPLAINT` proves."""
        root = node_hash(leaf_hash(0, COMPLAINT.plain_hash + COMPLAINT.cipher), COMPLAINT.path[0])
        plain_root, object_, manifest = (self.fresh() for _ in range(3))
        return Delivery(root, plain_root, sha256(b"\x03" + KEY).digest(), object_, manifest, 2, CODEC_RAW)

    def deliver(self, offer: Offer, order: Order) -> Delivery:
        """A recorded delivery."""
        delivery = self.delivery()
        self.ledger.deliver(self.provider, offer, order, delivery)
        return delivery

    def id(self, order: Order) -> OrderId:
        """The order's id."""
        return order_id(self.ledger.domain, order)

    def hash(self, order: Order, delivery: Delivery) -> DeliveryHash:
        """The delivery's hash."""
        return delivery_hash(self.ledger.domain, self.id(order), delivery)

    def reach_accepted(self) -> tuple[Offer, Order, Delivery]:
        """An accepted order under an offer of its own."""
        offer = self.offer()
        order = self.place(offer)
        delivery = self.deliver(offer, order)
        self.ledger.accept(self.buyer, offer, order, self.hash(order, delivery))
        return offer, order, delivery

    def reach_revealed(self) -> tuple[Offer, Order, Delivery]:
        """A revealed order under an offer of its own."""
        offer, order, delivery = self.reach_accepted()
        self.ledger.reveal(self.provider, offer, order, delivery, KEY)
        return offer, order, delivery


def embedded_world() -> World:
    """A world in this process."""
    ledger = EmbeddedLedger()
    provider, buyer, stranger = (ledger.account(RICHES_UNITS) for _ in range(3))
    return _furnish(World(ledger, ledger.token, provider, buyer, stranger, ledger.advance))


def anvil_world(url: str) -> World:
    """A world of its own on the Anvil behind `url`."""
    chain = JsonRpcChain(url)
    treasury, provider, buyer, stranger = (LocalSigner.random() for _ in range(4))
    for signer in (treasury, provider, buyer, stranger):
        tell_anvil(url, "anvil_setBalance", signer.address, hex(10**24))
    deployed = deploy(chain, treasury)
    ledger = connect(url, deployed.marketplace, chain.chain_id)
    for signer in (provider, buyer, stranger):
        ledger.mint(treasury, deployed.euro, signer.address, RICHES_UNITS)

    def pass_time(seconds: int) -> None:
        tell_anvil(url, "evm_increaseTime", seconds)
        tell_anvil(url, "evm_mine")

    return _furnish(World(ledger, deployed.euro, provider, buyer, stranger, pass_time))


def _furnish(world: World) -> World:
    for signer in (world.provider, world.buyer):
        world.ledger.approve(signer, world.token, RICHES_UNITS)
    world.ledger.stake(world.provider, world.token, 1_000 * BOND_UNITS)
    return world
