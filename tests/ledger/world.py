"""A marketplace with people in it: what the tests of the ledger act on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count

from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.ids import delivery_hash, order_id
from marketplace.ledger.jsonrpc import JsonRpcChain, connect
from marketplace.ledger.signatures import sign_consent, sign_delivery
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import NOTHING, Address, DatasetId, DeliveryHash, OrderId, PermitId
from marketplace.protocol.offer import Consent, Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.order import CODEC_RAW, Complaint, Delivery, Order, pack_versions
from marketplace.protocol.permit import Grant
from marketplace.sealing.chunk import leaf_hash
from marketplace.sealing.tree import node_hash
from tests.ledger.fixtures import tell_anvil

HOUR_S = 3_600
RHO_MICRO = 1_000
TOTAL_MICRO = 1_000_000
PRICE_UNITS = 1_200_000_007
BOND_UNITS = 50_000_003
DEPOSIT_UNITS = 20_000_009
PURPOSE = 5
RICHES_UNITS = 10**15
KEY = bytes(range(32))
COMPLAINT = Complaint(KEY, 0, plain_hash=b"\5" * 32, cipher=b"\6" * 1024, path=(b"\7" * 32,))


@dataclass
class World:
    """One marketplace. `pass_time` lets seconds pass on its chain. `partner` is a second provider, who never leads."""

    ledger: Contract
    token: Address
    provider: LocalSigner
    partner: LocalSigner
    buyer: LocalSigner
    stranger: LocalSigner
    authority: LocalSigner
    arbiter: LocalSigner
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

    def arbitrated(self, **changes: object) -> Head:
        """Terms with an arbiter."""
        arbitration: dict[str, object] = {
            "arbiter": self.arbiter.address,
            "rule_window_s": HOUR_S,
            "contest_deposit_units": DEPOSIT_UNITS,
        }
        return self.head(**{**arbitration, **changes})

    def permitted(self, **changes: object) -> Head:
        """Terms with an authority."""
        permission: dict[str, object] = {"authority": self.authority.address, "purposes": 1 << PURPOSE}
        return self.head(**{**permission, **changes})

    def dataset(self, total_micro: int = TOTAL_MICRO, by: LocalSigner | None = None, exact_total: int = 0) -> DatasetId:
        """A newly registered dataset of `by` (None: of the provider)."""
        hashes = (self.fresh(), self.fresh(), self.fresh())
        dataset, _ = self.ledger.register(by or self.provider, *hashes, total_micro, exact_total)
        return dataset

    def member(self, dataset: DatasetId, rho_micro: int = RHO_MICRO) -> Member:
        """The provider as the only member."""
        return Member(dataset, self.provider.address, 10_000, rho_micro)

    def pool(self, size: int = 2, rho_micro: int = RHO_MICRO, total_micro: int = TOTAL_MICRO) -> tuple[Member, ...]:
        """Members with a new dataset each, the provider's and for all others the partner's, in the order of their ids."""
        signers = [self.provider, *[self.partner] * (size - 1)]
        datasets = sorted((bytes(self.dataset(total_micro, signer)), signer) for signer in signers)
        share = 10_000 // size
        shares = [share + 10_000 - share * size, *[share] * (size - 1)]
        return tuple(
            Member(DatasetId(dataset), signer.address, bps, rho_micro)
            for (dataset, signer), bps in zip(datasets, shares, strict=True)
        )

    def consents(self, head: Head, members: Sequence[Member]) -> list[Consent]:
        """The partner's consents, good for an hour."""
        until_s = self.ledger.now_s() + HOUR_S
        consent = sign_consent(self.partner, self.ledger.domain, head, members, until_s)
        return [consent for member in members if member.provider == self.partner.address]

    def publish(self, head: Head, members: Sequence[Member]) -> Offer:
        """A newly published offer."""
        offer, _ = self.ledger.publish(self.provider, head, members, self.consents(head, members))
        return offer

    def offer(self, dataset: DatasetId | None = None, **changes: object) -> Offer:
        """A newly published offer on `dataset` (None: a new one)."""
        return self.publish(self.head(**changes), [self.member(self.dataset() if dataset is None else dataset)])

    def grant(self, *subjects: bytes, **changes: object) -> PermitId:
        """A permit of the authority for the buyer, from now on for a long time."""
        now_s = self.ledger.now_s()
        grant = Grant(self.buyer.address, PURPOSE, now_s, now_s + 10_000 * HOUR_S, self.fresh(), subjects)
        permit, _ = self.ledger.grant(self.authority, replace(grant, **changes))  # type: ignore[arg-type]
        return permit

    def order(self, offer: Offer, version: int = 1, permit: bytes = NOTHING) -> Order:
        """An order that has not been placed."""
        limit_s = self.ledger.now_s() + HOUR_S
        versions = pack_versions([version] * len(offer.members)) if offer.head.stock == NOTHING else 0
        return Order(offer.id, self.buyer.address, self.fresh(), versions, limit_s, permit)

    def place(self, offer: Offer, permit: bytes = NOTHING) -> Order:
        """A placed order."""
        order = self.order(offer, permit=permit)
        self.ledger.place(self.buyer, offer, order)
        return order

    def delivery(self) -> Delivery:
        """A delivery of two chunks whose key is `KEY`. The first chunk is wrong, as `COMPLAINT` proves."""
        root = node_hash(leaf_hash(0, COMPLAINT.plain_hash + COMPLAINT.cipher), COMPLAINT.path[0])
        plain_root, object_, manifest = (self.fresh() for _ in range(3))
        return Delivery(root, plain_root, sha256(b"\x03" + KEY).digest(), object_, manifest, 2, CODEC_RAW)

    def signatures(self, offer: Offer, order: Order, delivery: Delivery) -> list[bytes]:
        """The partner's signatures for a delivery."""
        signature = sign_delivery(self.partner, self.ledger.domain, self.id(order), delivery)
        return [signature for member in offer.members if member.provider == self.partner.address]

    def deliver(self, offer: Offer, order: Order, delivery: Delivery | None = None) -> Delivery:
        """A recorded delivery."""
        delivery = delivery or self.delivery()
        self.ledger.deliver(self.provider, offer, order, delivery, self.signatures(offer, order, delivery))
        return delivery

    def id(self, order: Order) -> OrderId:
        """The order's id."""
        return order_id(self.ledger.domain, order)

    def hash(self, order: Order, delivery: Delivery) -> DeliveryHash:
        """The delivery's hash."""
        return delivery_hash(self.ledger.domain, self.id(order), delivery)

    def reach_accepted(self, offer: Offer | None = None, permit: bytes = NOTHING) -> tuple[Offer, Order, Delivery]:
        """An accepted order under `offer` (None: one of its own)."""
        offer = offer or self.offer()
        order = self.place(offer, permit)
        delivery = self.deliver(offer, order)
        self.ledger.accept(self.buyer, offer, order, self.hash(order, delivery))
        return offer, order, delivery

    def reach_revealed(self, offer: Offer | None = None, permit: bytes = NOTHING) -> tuple[Offer, Order, Delivery]:
        """A revealed order under `offer` (None: one of its own)."""
        offer, order, delivery = self.reach_accepted(offer, permit)
        self.ledger.reveal(self.provider, offer, order, delivery, KEY)
        return offer, order, delivery

    def reach_contested(self) -> tuple[Offer, Order, Delivery]:
        """A contested order under an offer of its own."""
        offer = self.publish(self.arbitrated(), [self.member(self.dataset())])
        offer, order, delivery = self.reach_revealed(offer)
        self.ledger.contest(self.buyer, offer, order, self.fresh())
        return offer, order, delivery


def embedded_world() -> World:
    """A world in this process."""
    ledger = EmbeddedLedger()
    people = [ledger.account(RICHES_UNITS) for _ in range(6)]
    return _furnish(World(ledger, ledger.token, *people, ledger.advance))


def anvil_world(url: str) -> World:
    """A world of its own on the Anvil behind `url`."""
    chain = JsonRpcChain(url)
    treasury, *people = (LocalSigner.random() for _ in range(7))
    for signer in (treasury, *people):
        tell_anvil(url, "anvil_setBalance", signer.address, hex(10**24))
    deployed = deploy(chain, treasury)
    ledger = connect(url, deployed.marketplace, chain.chain_id)
    for signer in people:
        ledger.mint(treasury, deployed.euro, signer.address, RICHES_UNITS)

    def pass_time(seconds: int) -> None:
        tell_anvil(url, "evm_increaseTime", seconds)
        tell_anvil(url, "evm_mine")

    return _furnish(World(ledger, deployed.euro, *people, pass_time))


def _furnish(world: World) -> World:
    for signer in (world.provider, world.buyer):
        world.ledger.approve(signer, world.token, RICHES_UNITS)
    world.ledger.stake(world.provider, world.token, 1_000 * BOND_UNITS)
    return world
