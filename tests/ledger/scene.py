"""A market beside a model that knows only the rules: how both begin, and how they are compared."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from marketplace.errors import MarketplaceError
from marketplace.ledger.refusals import error_name
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address
from marketplace.protocol.offer import Guarantee, Member, Offer
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import FINAL, OrderState, Reason
from tests.ledger.model import Dataset, Life, Model, Permit, Sale
from tests.ledger.world import HOUR_S, PURPOSE, RICHES_UNITS, World

PEOPLE = ("provider", "partner", "buyer", "stranger", "arbiter", "authority")
CLOSE_S = 45
Thing = TypeVar("Thing")


class Scene(RuleBasedStateMachine):
    """One market. Every step is predicted first, then tried, then compared: what happens, or by which error not."""

    world: World
    reached: Counter[Reason]
    refused: Counter[str]
    """How orders ended and steps were refused, in all runs together."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.turn = 0

    @property
    def sales(self) -> list[Sale]:
        return list(self.model.sales.values())

    def person(self, name: str) -> LocalSigner:
        signer: LocalSigner = getattr(self.world, name)
        return signer

    def life(self, place: int, *, open_only: bool = False) -> Life | None:
        """One of the orders, if there is any."""
        lives = [life for life in self.model.lives if not open_only or life.state not in FINAL]
        return self.one(lives, place) if lives else None

    def one(self, things: Sequence[Thing], place: int) -> Thing:
        """One of these, another one each time: small numbers come more often than large ones."""
        self.turn += 1
        return things[(place + 7 * self.turn) % len(things)]

    def agrees(self, bars: Iterable[str], attempt: Callable[[], Any]) -> bool:
        """Whether `attempt` went through, which must be what the model says, or refused for a reason that it gives."""
        bars = set(bars)
        try:
            attempt()
        except MarketplaceError as error:
            assert error_name(error) in bars, f"{error_name(error)} is none of {sorted(bars)}: {error}"
            self.refused[error_name(error) or ""] += 1
            return False
        assert not bars, f"went through, though the model says {sorted(bars)}"
        return True

    # -------------------------------------------------------------------------------------------------------------- setting

    @initialize(fee_bps=st.sampled_from([0, 333, 1_000]), total_micro=st.sampled_from([2_500, 20_000]))
    def begin(self, fee_bps: int, total_micro: int) -> None:
        """Offers of one, three and two members; with an arbiter, an authority or both; and an exact one, for nothing."""
        world, token = self.world, self.world.token
        world.ledger.approve(world.buyer, token, RICHES_UNITS)
        for name in PEOPLE:
            who = self.person(name).address
            self.model.credits[who] = world.ledger.credit_units(token, who)
        terms = {"compute_fee_bps": fee_bps, "max_open": 3}
        self.publish(world.head(**terms), world.pool(1, total_micro=total_micro), total_micro)
        self.publish(world.arbitrated(**terms), world.pool(3, total_micro=total_micro), total_micro)
        court = world.arbitrated(**terms)
        asking = {"authority": world.authority.address, "purposes": 1 << PURPOSE}
        self.publish(replace(court, **asking), world.pool(2, total_micro=total_micro), total_micro)
        free = world.permitted(**terms, guarantee=Guarantee.EXACT, delta_atto=0, cost_units=0, margin_units=0)
        dataset = world.dataset(total_micro, exact_total=2)
        self.model.datasets[dataset] = Dataset(total_micro, 2)
        self.publish(free, (Member(dataset, world.provider.address, 10_000, 0),), total_micro)
        for sale in self.sales[2:]:
            self.grant(sale, long=True)

    def publish(self, head: Any, members: tuple[Member, ...], total_micro: int) -> None:
        for member in members:
            self.model.datasets.setdefault(member.dataset, Dataset(total_micro, 0))
        self.keep(self.world.publish(head, members))

    def keep(self, offer: Offer) -> None:
        self.model.sales[offer.id] = Sale(offer, [0] * len(offer.members))

    def grant(self, sale: Sale, *, long: bool, **changes: Any) -> None:
        """A permit for an offer or for its datasets, long or just long enough to place."""
        now_s = self.world.ledger.now_s()
        datasets = tuple(member.dataset for member in sale.offer.members)
        subjects = (sale.offer.id,) if len(self.model.permits) % 2 else datasets
        to_s = now_s + (5_000 * HOUR_S if long else HOUR_S // 2)
        grant = Grant(self.world.buyer.address, PURPOSE, now_s, to_s, self.world.fresh(), subjects)
        grant = replace(grant, **changes)
        permit, _ = self.world.ledger.grant(self.world.authority, grant)
        self.model.permits.append(Permit(permit, grant, grant.to_s))

    def keep_clear(self) -> None:
        """Asked at a deadline's second, sent in a later one: such a step may go either way, so time moves past it first."""
        while any(0 <= time_s - self.world.ledger.now_s() <= CLOSE_S for time_s in self.turning_points()):
            self.world.pass_time(CLOSE_S + 1)

    def turning_points(self) -> Iterable[int]:
        for life in self.model.lives:
            yield life.deadline_s
            if life.permit and life.state is OrderState.DELIVERED:
                yield life.permit.to_s - life.sale.offer.head.reveal_window_s
        for permit in self.model.permits:
            yield permit.to_s

    # ------------------------------------------------------------------------------------------------------------ comparing

    def check_order(self, life: Life) -> None:
        """What the ledger keeps of an order is what the model says."""
        standing = self.world.ledger.order(self.world.id(life.order))
        assert (standing.state, standing.reason) == (life.state, life.reason)
        assert (standing.deadline_s, standing.revealed_at_s) == (life.deadline_s, life.revealed_at_s)
        ruling = life.ruling
        assert (standing.price_bps, standing.bond_bps) == ((ruling.price_bps, ruling.bond_bps) if ruling else (0, 0))
        assert standing.released == sum(1 << index for index in life.released)
        if life.state in FINAL:
            self.reached[life.reason] += 1

    def teardown(self) -> None:
        """At the end the ledger says of everything what the model says."""
        ledger, now_s = self.world.ledger, self.world.ledger.now_s()
        for life in self.model.lives:
            standing = ledger.order(self.world.id(life.order))
            assert (standing.state, standing.reason) == (life.state, life.reason)
            for name in ("buyer", "stranger", "provider"):
                who: Address = self.person(name).address
                assert ledger.is_licensed(life.sale.offer, life.order, who, now_s) == life.licensed(who, now_s)
        for sale in self.sales:
            found = ledger.offer(sale.offer.id)
            assert (found.retired, found.open, found.accrued_units) == (sale.retired, sale.open, sale.accrued_units)
            assert [
                ledger.withdrawn_units(sale.offer.id, index) for index in range(len(sale.withdrawn))
            ] == sale.withdrawn
        for dataset, account in self.model.datasets.items():
            budget = ledger.dataset(dataset)
            assert (budget.total_micro, budget.used_micro) == (account.total_micro, account.used_micro)
            assert (budget.exact_total, budget.exact_used) == (account.exact_total, account.exact_used)
            assert (budget.epoch, budget.used_micro <= budget.total_micro) == (account.epoch, True)
        for who, credit in self.model.credits.items():
            assert ledger.credit_units(self.world.token, who) == credit
