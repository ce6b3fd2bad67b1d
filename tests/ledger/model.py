"""What the rules say must happen to orders, without a chain: the tables of states and of money, and who may do what when.

The model answers every step with the names of the errors that it may be refused by; a step without any must go through.
"""

from collections import Counter
from dataclasses import dataclass, field

from marketplace.protocol.identity import NOTHING, Address, DatasetId, OfferId, PermitId
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.permit import Grant
from marketplace.protocol.settlement import Ruling, owed_units, split
from marketplace.protocol.states import FINAL, NEXT, REASONS, OrderState, Reason

BY, AFTER, ANY_TIME = "by the deadline", "after the deadline", "at any time"
LEAD, BUYER, ARBITER, WHOEVER = "lead", "buyer", "arbiter", "whoever"
NOT_THE = {LEAD: "NotTheLead", BUYER: "NotTheBuyer", ARBITER: "NotTheArbiter"}
UNTOUCHED = (Reason.DECLINED, Reason.NOT_DELIVERED)
LIVE = (OrderState.REVEALED, OrderState.SETTLED)


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
    Rule("decline", OrderState.PLACED, OrderState.REFUNDED, Reason.DECLINED, LEAD, BY),
    Rule("deliver", OrderState.PLACED, OrderState.DELIVERED, Reason.NONE, LEAD, BY),
    Rule("refund", OrderState.PLACED, OrderState.REFUNDED, Reason.NOT_DELIVERED, WHOEVER, AFTER),
    Rule("accept", OrderState.DELIVERED, OrderState.ACCEPTED, Reason.NONE, BUYER, BY),
    Rule("accept for", OrderState.DELIVERED, OrderState.ACCEPTED, Reason.NONE, WHOEVER, BY),
    Rule("reject", OrderState.DELIVERED, OrderState.REFUNDED, Reason.REJECTED, BUYER, BY),
    Rule("refund", OrderState.DELIVERED, OrderState.REFUNDED, Reason.NOT_ACCEPTED, WHOEVER, AFTER),
    Rule("reveal", OrderState.ACCEPTED, OrderState.REVEALED, Reason.NONE, LEAD, BY),
    Rule("refund", OrderState.ACCEPTED, OrderState.REFUNDED, Reason.PERMIT_REVOKED, WHOEVER, ANY_TIME),
    Rule("forfeit", OrderState.ACCEPTED, OrderState.FORFEITED, Reason.NOT_REVEALED, WHOEVER, AFTER),
    Rule("contest", OrderState.REVEALED, OrderState.CONTESTED, Reason.NONE, BUYER, BY),
    Rule("complain", OrderState.REVEALED, OrderState.FORFEITED, Reason.WRONG_BYTE, BUYER, BY),
    Rule("settle", OrderState.REVEALED, OrderState.SETTLED, Reason.APPROVED, BUYER, ANY_TIME),
    Rule("settle", OrderState.REVEALED, OrderState.SETTLED, Reason.UNCHALLENGED, WHOEVER, AFTER),
    Rule("rule", OrderState.CONTESTED, OrderState.SETTLED, Reason.RULED, ARBITER, BY),
    Rule("rule against", OrderState.CONTESTED, OrderState.REFUNDED, Reason.RULED, ARBITER, BY),
    Rule("complain", OrderState.CONTESTED, OrderState.FORFEITED, Reason.WRONG_BYTE, BUYER, BY),
    Rule("settle", OrderState.CONTESTED, OrderState.SETTLED, Reason.NOT_RULED, WHOEVER, AFTER),
)
ACTIONS = sorted({rule.action for rule in RULES})
RULINGS = {"rule": Ruling(3_333, 6_667), "rule against": Ruling(0, 10_000)}


@dataclass
class Permit:
    """A permit as it stands."""

    id: PermitId
    grant: Grant
    to_s: int
    extended: bool = False
    revoked_at_s: int = 0

    def live(self, at_s: int) -> bool:
        return self.grant.from_s <= at_s <= self.to_s and not 0 < self.revoked_at_s <= at_s

    def covers(self, offer: Offer) -> bool:
        every = all(member.dataset in self.grant.subjects for member in offer.members)
        return offer.id in self.grant.subjects or every


@dataclass
class Dataset:
    """The account of a dataset."""

    total_micro: int
    exact_total: int
    used_micro: int = 0
    exact_used: int = 0
    epoch: int = 1


@dataclass
class Sale:
    """What stands of an offer."""

    offer: Offer
    withdrawn: list[int]
    retired: bool = False
    open: int = 0
    accrued_units: int = 0

    @property
    def is_stock(self) -> bool:
        return self.offer.head.stock != NOTHING


@dataclass
class Life:
    """What stands of one order."""

    sale: Sale
    order: Order
    delivery: Delivery
    deadline_s: int
    permit: Permit | None = None
    state: OrderState = OrderState.PLACED
    reason: Reason = Reason.NONE
    revealed_at_s: int = 0
    was_delivered: bool = False
    ruling: Ruling | None = None
    released: set[int] = field(default_factory=set)
    users: dict[Address, int] = field(default_factory=dict)

    def was_revoked(self) -> bool:
        return self.permit is not None and 0 < self.permit.revoked_at_s <= self.deadline_s

    def licensed(self, who: Address, at_s: int) -> bool:
        holds = who == self.order.buyer or 0 < self.users.get(who, 0) <= at_s
        end_s = self.revealed_at_s + self.sale.offer.head.licence_s
        in_term = self.revealed_at_s <= at_s <= end_s
        return self.state in LIVE and holds and in_term and (self.permit is None or self.permit.live(at_s))


@dataclass
class Model:
    """Everything that the rules keep. `credits` is by account, in one token."""

    sales: dict[OfferId, Sale] = field(default_factory=dict)
    datasets: dict[DatasetId, Dataset] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    permits: list[Permit] = field(default_factory=list)
    credits: Counter[Address] = field(default_factory=Counter)
    reached: Counter[Reason] = field(default_factory=Counter)

    # ------------------------------------------------------------------------------------------------------------- placing

    def bars_placing(self, sale: Sale, order: Order, permit: Permit | None, now_s: int) -> set[str]:
        """Why an order of an offer would be refused."""
        head, bars = sale.offer.head, set[str]()
        if sale.retired:
            bars.add("OfferIsRetired")
        if sale.open >= head.max_open:
            bars.add("TooManyOpen")
        if any(life.order == order for life in self.lives):
            bars.add("OrderExists")
        if self.credits[head.lead] < head.bond_units:
            bars.add("InsufficientCredit")
        return bars | self._bars_of_budgets(sale) | _bars_of_permit(sale, order, permit, now_s)

    def _bars_of_budgets(self, sale: Sale) -> set[str]:
        if sale.is_stock:
            return set()
        accounts = [(self.datasets[member.dataset], member.rho_micro) for member in sale.offer.members]
        if sale.offer.head.guarantee is Guarantee.EXACT:
            return {"AllowanceExceeded" for account, _ in accounts if account.exact_used >= account.exact_total}
        return {"BudgetExceeded" for account, rho in accounts if account.total_micro - account.used_micro < rho}

    def place(self, life: Life) -> None:
        """The order was placed."""
        head = life.sale.offer.head
        self.lives.append(life)
        life.sale.open += 1
        self.credits[head.lead] -= head.bond_units
        self._take(life, 1)

    def _take(self, life: Life, times: int, index: int | None = None) -> None:
        exact = life.sale.offer.head.guarantee is Guarantee.EXACT
        for number, member in enumerate(life.sale.offer.members):
            if life.sale.is_stock or index not in (None, number):
                continue
            account = self.datasets[member.dataset]
            account.exact_used += times if exact else 0
            account.used_micro += 0 if exact else times * member.rho_micro

    # -------------------------------------------------------------------------------------------------------------- moving

    def bars_moving(self, life: Life, action: str, who: Address, now_s: int) -> set[str]:
        """Why a step of an order would be refused."""
        named = [rule for rule in RULES if rule.action == action]
        bars = {NOT_THE[rule.who] for rule in named if rule.who in NOT_THE and not _is(life, rule.who, who)}
        if any(_is(life, rule.who, who) for rule in named):
            bars = set()
        here = [rule for rule in named if rule.before is life.state]
        if not here:
            return bars | {"WrongState"}
        mine = [rule for rule in here if _is(life, rule.who, who)]
        if not any(_in_time(rule, life, now_s) for rule in mine or here):
            bars.add("TooLate" if here[0].when is BY else "TooEarly")
        return bars | _bars_of_step(life, action, now_s)

    def move(self, life: Life, action: str, who: Address, now_s: int) -> None:
        """The step was taken at `now_s`."""
        rule = next(
            rule
            for rule in RULES
            if rule.action == action and rule.before is life.state and _is(life, rule.who, who)
            if _in_time(rule, life, now_s)
        )
        assert rule.after in NEXT[life.state]
        assert rule.reason in REASONS[life.state, rule.after]
        contested = life.state is OrderState.CONTESTED
        life.state, life.reason = rule.after, rule.reason
        life.ruling = RULINGS.get(action)
        self.reached[rule.reason] += 1
        head = life.sale.offer.head
        windows = {
            OrderState.DELIVERED: head.accept_window_s,
            OrderState.ACCEPTED: head.reveal_window_s,
            OrderState.REVEALED: head.challenge_window_s,
            OrderState.CONTESTED: head.rule_window_s,
        }
        life.deadline_s = now_s + windows[life.state] if life.state in windows else 0
        life.was_delivered = life.was_delivered or life.state is OrderState.DELIVERED
        life.revealed_at_s = now_s if life.state is OrderState.REVEALED else life.revealed_at_s
        if life.state in FINAL:
            self._divide(life, contested)

    def _divide(self, life: Life, contested: bool) -> None:
        head = life.sale.offer.head
        parts = split(head, life.state, life.reason, life.ruling, contested=contested)
        deposit = head.contest_deposit_units if contested else 0
        given = (parts.to_buyer_units, parts.price_to_members_units, parts.bond_to_lead_units)
        assert sum(given) + parts.deposit_to_arbiter_units == head.price_units + head.bond_units + deposit
        life.sale.open -= 1
        life.sale.accrued_units += parts.price_to_members_units
        self.credits[life.order.buyer] += parts.to_buyer_units
        self.credits[head.lead] += parts.bond_to_lead_units
        self.credits[head.arbiter] += parts.deposit_to_arbiter_units

    # ------------------------------------------------------------------------------------------- releasing, stock, licences

    def bars_releasing(self, life: Life, index: int, who: Address) -> set[str]:
        """Why a member's release of an order would be refused."""
        bars = set[str]()
        if who != life.sale.offer.members[index].provider:
            bars.add("NotTheProvider")
        if life.reason not in UNTOUCHED or life.sale.is_stock:
            bars.add("NotReleasable")
        if index in life.released:
            bars.add("AlreadyReleased")
        return bars

    def release(self, life: Life, index: int) -> None:
        """The release was recorded."""
        life.released.add(index)
        self._take(life, -1, index)

    def bars_stocking(self, life: Life) -> set[str]:
        """Why what an order delivered cannot be sold again."""
        return set() if life.was_delivered and life.reason is not Reason.WRONG_BYTE else {"NotStock"}

    def bars_naming(self, life: Life, user: Address, who: Address, now_s: int) -> set[str]:
        """Why a further user would be refused."""
        bars = set[str]()
        if who != life.order.buyer:
            bars.add("NotTheBuyer")
        if not life.licensed(life.order.buyer, now_s):
            bars.add("NotLicensed")
        if user == life.order.buyer or user in life.users:
            bars.add("UserIsNamed")
        return bars

    # -------------------------------------------------------------------------------------------------------------- payouts

    def owed_units(self, sale: Sale, index: int) -> int:
        """What a member of an offer may withdraw."""
        return owed_units(sale.accrued_units, sale.offer.members[index].share_bps, sale.withdrawn[index])


def _bars_of_permit(sale: Sale, order: Order, permit: Permit | None, now_s: int) -> set[str]:
    head = sale.offer.head
    if not head.purposes:
        return {"OutOfRange"} if permit else set()
    if permit is None:
        return {"UnknownPermit"}
    bars = set[str]()
    if permit.grant.holder != order.buyer:
        bars.add("NotTheHolder")
    if not head.purposes >> permit.grant.purpose & 1:
        bars.add("WrongPurpose")
    if not permit.live(now_s):
        bars.add("PermitNotLive")
    if not permit.covers(sale.offer):
        bars.add("NotPermitted")
    return bars


def _bars_of_step(life: Life, action: str, now_s: int) -> set[str]:
    """What a step asks beyond the table."""
    permit, head = life.permit, life.sale.offer.head
    bars = set[str]()
    if action in ("accept", "accept for", "reveal") and permit and not permit.live(now_s):
        bars.add("PermitNotLive")
    if action in ("accept", "accept for") and permit and permit.to_s < now_s + head.reveal_window_s:
        bars.add("PermitEndsTooEarly")
    if action == "refund" and life.state is OrderState.ACCEPTED and not life.was_revoked():
        bars.add("PermitNotRevoked")
    if action == "forfeit" and life.was_revoked():
        bars.add("PermitWasRevoked")
    if action == "contest" and not head.rule_window_s:
        bars.add("NoArbiter")
    return bars


def _is(life: Life, role: str, who: Address) -> bool:
    head = life.sale.offer.head
    return who == {LEAD: head.lead, BUYER: life.order.buyer, ARBITER: head.arbiter, WHOEVER: who}[role]


def _in_time(rule: Rule, life: Life, now_s: int) -> bool:
    return rule.when is ANY_TIME or (now_s <= life.deadline_s) == (rule.when is BY)
