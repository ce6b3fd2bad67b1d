"""Random lives of many orders at once, with the protocol's tables as the model of what must happen."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from marketplace.errors import MarketplaceError
from marketplace.ledger.reader import EventReader
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import fold
from marketplace.protocol.identity import NOTHING, Address, DatasetId, DeliveryHash, OfferId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.settlement import owed_units, split
from marketplace.protocol.states import FINAL, NEXT, REASONS, OrderState, Reason
from tests.ledger.agreement import assert_agrees
from tests.ledger.world import BOND_UNITS, COMPLAINT, HOUR_S, KEY, RHO_MICRO, World, embedded_world

WHOEVER = "whoever"
BY, AFTER, ANY_TIME = "by the deadline", "after the deadline", "at any time"


@dataclass(frozen=True)
class Rule:
    """One way to move an order: from where to where, why, who may, and when."""

    action: str
    before: OrderState
    after: OrderState
    reason: Reason
    who: str
    when: str


RULES = (
    Rule("decline", OrderState.PLACED, OrderState.REFUNDED, Reason.DECLINED, "provider", BY),
    Rule("deliver", OrderState.PLACED, OrderState.DELIVERED, Reason.NONE, "provider", BY),
    Rule("refund", OrderState.PLACED, OrderState.REFUNDED, Reason.NOT_DELIVERED, WHOEVER, AFTER),
    Rule("accept", OrderState.DELIVERED, OrderState.ACCEPTED, Reason.NONE, "buyer", BY),
    Rule("reject", OrderState.DELIVERED, OrderState.REFUNDED, Reason.REJECTED, "buyer", BY),
    Rule("refund", OrderState.DELIVERED, OrderState.REFUNDED, Reason.NOT_ACCEPTED, WHOEVER, AFTER),
    Rule("reveal", OrderState.ACCEPTED, OrderState.REVEALED, Reason.NONE, "provider", BY),
    Rule("forfeit", OrderState.ACCEPTED, OrderState.FORFEITED, Reason.NOT_REVEALED, WHOEVER, AFTER),
    Rule("complain", OrderState.REVEALED, OrderState.FORFEITED, Reason.WRONG_BYTE, "buyer", BY),
    Rule("settle", OrderState.REVEALED, OrderState.SETTLED, Reason.APPROVED, "buyer", ANY_TIME),
    Rule("settle", OrderState.REVEALED, OrderState.SETTLED, Reason.UNCHALLENGED, WHOEVER, AFTER),
)
ACTIONS = sorted({rule.action for rule in RULES})


@dataclass
class Life:
    """What the model knows of one order."""

    offer: Offer
    order: Order
    delivery: Delivery
    deadline_s: int
    state: OrderState = OrderState.PLACED
    reason: Reason = Reason.NONE
    released: bool = False


@dataclass
class Walk:
    """One random walk. Every step is predicted first, then tried, then compared."""

    world: World
    random: Random
    orders_per_dataset: int
    offers: list[Offer] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    credits: Counter[Address] = field(default_factory=Counter)
    accrued: Counter[OfferId] = field(default_factory=Counter)
    withdrawn: Counter[OfferId] = field(default_factory=Counter)
    used: Counter[DatasetId] = field(default_factory=Counter)
    seen: Counter[Reason] = field(default_factory=Counter)
    refused: int = 0

    def begin(self) -> None:
        self.credits[self.world.provider.address] = 1_000 * BOND_UNITS
        for fee_bps in (0, 333, 1_000):
            dataset = self.world.dataset(total_micro=self.orders_per_dataset * RHO_MICRO)
            self.offers.append(self.world.offer(dataset, compute_fee_bps=fee_bps, max_open=4))

    def step(self) -> None:
        kinds: list[tuple[int, Callable[[], None]]] = [
            (4, self.place),
            (12, self.move),
            (2, self.release),
            (1, self.withdraw_payout),
            (1, self.withdraw_credit),
            (2, self.wait),
        ]
        (chosen,) = self.random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        chosen()

    def place(self) -> None:
        offer = self.random.choice(self.offers)
        order = self.world.order(offer)
        dataset = offer.members[0].dataset
        open_ = sum(life.offer is offer and life.state not in FINAL for life in self.lives)
        allowed = open_ < offer.head.max_open and self.used[dataset] < self.orders_per_dataset * RHO_MICRO
        if self.agrees(allowed, lambda: self.world.ledger.place(self.world.buyer, offer, order)):
            deadline_s = self.world.ledger.now_s() + offer.head.deliver_window_s
            self.lives.append(Life(offer, order, self.world.delivery(), deadline_s))
            self.credits[offer.head.lead] -= offer.head.bond_units
            self.used[dataset] += RHO_MICRO

    def move(self) -> None:
        if not self.lives:
            return
        open_ = [life for life in self.lives if life.state not in FINAL]
        life = self.random.choice(open_ or self.lives)
        self.keep_off_the_deadline(life)
        who, action = self.random.choice(["provider", "buyer", "stranger"]), self.random.choice(ACTIONS)
        fitting = [rule for rule in RULES if rule.before is life.state and self.is_time(rule, life)]
        if fitting and self.random.random() < 0.6:
            rule = self.random.choice(fitting)
            who, action = rule.who, rule.action
        expected = self.predict(life, action, who)
        if self.agrees(expected is not None, lambda: self.perform(life, action, who)):
            assert expected is not None
            self.advance(life, expected)

    def predict(self, life: Life, action: str, who: str) -> Rule | None:
        for rule in RULES:
            moves = rule.action == action and rule.before is life.state
            if moves and rule.who in (who, WHOEVER) and self.is_time(rule, life):
                return rule
        return None

    def is_time(self, rule: Rule, life: Life) -> bool:
        in_time = self.world.ledger.now_s() <= life.deadline_s
        return rule.when is ANY_TIME or in_time == (rule.when is BY)

    def perform(self, life: Life, action: str, who: str) -> None:
        ledger, offer, order = self.world.ledger, life.offer, life.order
        by = self.person(who)
        digest = DeliveryHash(NOTHING)
        if life.state is not OrderState.PLACED:
            digest = self.world.hash(order, life.delivery)
        match action:
            case "deliver":
                ledger.deliver(by, offer, order, life.delivery)
            case "accept":
                ledger.accept(by, offer, order, digest)
            case "reject":
                ledger.reject(by, offer, order, digest)
            case "reveal":
                ledger.reveal(by, offer, order, life.delivery, KEY)
            case "complain":
                ledger.complain(by, offer, order, life.delivery, COMPLAINT)
            case "decline":
                ledger.decline(by, offer, order)
            case "settle":
                ledger.settle(by, offer, order)
            case "refund":
                ledger.refund(by, offer, order)
            case "forfeit":
                ledger.forfeit(by, offer, order)

    def advance(self, life: Life, rule: Rule) -> None:
        assert rule.after in NEXT[life.state]
        assert rule.reason in REASONS[life.state, rule.after]
        life.state, life.reason = rule.after, rule.reason
        self.seen[rule.reason] += 1
        standing = self.world.ledger.order(self.world.id(life.order))
        assert (standing.state, standing.reason) == (life.state, life.reason)
        if life.state not in FINAL:
            life.deadline_s = self.world.ledger.now_s() + HOUR_S
            assert standing.deadline_s == life.deadline_s
            return
        head = life.offer.head
        parts = split(head, life.state, life.reason)
        self.accrued[life.offer.id] += parts.price_to_members_units
        self.credits[head.lead] += parts.bond_to_lead_units
        self.credits[life.order.buyer] += parts.price_to_buyer_units + parts.bond_to_buyer_units

    def release(self) -> None:
        if not self.lives:
            return
        life = self.random.choice(self.lives)
        who = self.random.choice(["provider", "provider", "stranger"])
        untouched = life.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
        allowed = who == "provider" and untouched and not life.released
        if self.agrees(allowed, lambda: self.world.ledger.release(self.person(who), life.offer, life.order)):
            life.released = True
            self.used[life.offer.members[0].dataset] -= RHO_MICRO

    def withdraw_payout(self) -> None:
        offer = self.random.choice(self.offers)
        owed = owed_units(self.accrued[offer.id], 10_000, self.withdrawn[offer.id])
        if self.agrees(owed > 0, lambda: self.world.ledger.withdraw_payout(self.world.stranger, offer)):
            self.withdrawn[offer.id] += owed

    def withdraw_credit(self) -> None:
        credit = self.credits[self.world.buyer.address]
        amount = self.random.randint(0, credit + credit // 4 + 1)
        allowed = 0 < amount <= credit
        ledger, token = self.world.ledger, self.world.token
        if self.agrees(allowed, lambda: ledger.withdraw_credit(self.world.buyer, token, amount)):
            self.credits[self.world.buyer.address] -= amount

    def wait(self) -> None:
        self.world.pass_time(self.random.choice([1, 60, HOUR_S // 2, HOUR_S + 1]))

    def keep_off_the_deadline(self, life: Life) -> None:
        """Asked at the deadline's second, sent in the next: such a step may go either way, so it is not tried."""
        if self.world.ledger.now_s() == life.deadline_s:
            self.world.pass_time(2)

    def agrees(self, allowed: bool, attempt: Callable[[], object]) -> bool:
        """Whether `attempt` went through, which must be what the model says."""
        try:
            attempt()
        except MarketplaceError:
            assert not allowed
            self.refused += 1
            return False
        assert allowed
        return True

    def person(self, who: str) -> LocalSigner:
        people = {"provider": self.world.provider, "buyer": self.world.buyer}
        return people.get(who, self.world.stranger)

    def check(self) -> None:
        """Model, fold of the events and contract say the same."""
        ledger, token = self.world.ledger, self.world.token
        assert_agrees(ledger, fold(EventReader(ledger).events()))
        for who, credit in self.credits.items():
            assert ledger.credit_units(token, who) == credit
        for offer in self.offers:
            standing = ledger.offer(offer.id)
            assert standing.accrued_units == self.accrued[offer.id]
            assert ledger.withdrawn_units(offer.id) == self.withdrawn[offer.id]
            assert ledger.dataset(offer.members[0].dataset).used_micro == self.used[offer.members[0].dataset]


def walk(seed: int, steps: int, orders_per_dataset: int) -> Walk:
    walk = Walk(embedded_world(), Random(seed), orders_per_dataset)
    walk.begin()
    for _ in range(steps):
        walk.step()
    walk.check()
    return walk


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_live_as_the_tables_say(seed: int) -> None:
    walked = walk(seed, steps=80, orders_per_dataset=6)
    assert len(walked.lives) >= 5
    assert walked.refused >= 5


@pytest.mark.slow
def test_orders_live_and_end_in_every_way_that_the_tables_say() -> None:
    seen: Counter[Reason] = Counter()
    for seed in range(10, 14):
        walked = walk(seed, steps=500, orders_per_dataset=40)
        assert walked.refused >= 50
        seen += walked.seen
    assert set(seen) == {rule.reason for rule in RULES}
