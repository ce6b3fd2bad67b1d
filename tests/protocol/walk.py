"""Markets on which anything has happened that the contract allows, chosen at random."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st

from marketplace.protocol.account import OrderView, PermitView
from marketplace.protocol.identity import NOBODY, NOTHING, PermitId
from marketplace.protocol.licence import is_live
from marketplace.protocol.limits import MOST_USERS
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.states import FINAL, DeclineReason, OrderState, Reason

from .examples import address
from .history import ARBITER, AUTHORITY, PROVIDER, PURPOSE, TOKEN, History, market

SECOND = address(5)
ASKING: dict[str, Any] = {"authority": AUTHORITY, "purposes": 1 << PURPOSE}
ARBITRATED: dict[str, Any] = {"arbiter": ARBITER, "rule_window_s": 3_900, "contest_deposit_units": 1_001}
BUYERS = [address(number) for number in range(2, 5)]

Move = Callable[[], Any]


def lived(choices: Random) -> History:
    """A market after up to forty moves that the contract would allow."""
    walk = _Walk(choices)
    for _ in range(choices.randrange(40)):
        choices.choice(list(walk.moves()))()
    return walk.history


LIVES = st.randoms(use_true_random=False).map(lived)


class _Walk:
    """A market of every sort of offer: plain, a pool with an arbiter, one for permits, an exact one, one of stock."""

    def __init__(self, choices: Random) -> None:
        self.choices = choices
        self.history, plain = market(cost_units=7, margin_units=0, compute_fee_bps=333)
        first, second = self.history.register(), self.history.register(provider=SECOND, exact_total=9)
        self.pool = self.history.publish(first, second, **ARBITRATED)
        permitted = self.history.publish(first, bond_units=3, **ASKING)
        exact = self.history.publish(
            second, guarantee=Guarantee.EXACT, delta_atto=0, lead=SECOND, bond_units=0, cost_units=0, **ASKING
        )
        stock = self.history.publish_stock(self.history.settled(plain), bond_units=1, **ARBITRATED)
        self.offers = [plain, self.pool, permitted, exact, stock]
        self.permits = {
            buyer: self.history.grant(permitted.id, exact.members[0].dataset, holder=buyer) for buyer in BUYERS
        }

    def moves(self) -> Iterator[Move]:
        """What can happen now."""
        live = [view for view in self.history.account.orders.values() if view.state not in FINAL]
        for _ in range(min(3, len(live))):
            yield lambda: self._step(self.choices.choice(live))
        yield from (self._place, self._place, self._pay, self._rarely)

    def _place(self) -> None:
        account, offer, buyer = self.history.account, self.choices.choice(self.offers), self.choices.choice(BUYERS)
        permit = self.permits[buyer] if offer.head.authority != NOBODY else PermitId(NOTHING)
        live = permit == NOTHING or account.permits[permit].live(self.history.now_s + 1)
        datasets = [(account.datasets[member.dataset], member.rho_micro) for member in offer.members]
        exact = offer.head.guarantee is Guarantee.EXACT
        enough = all(view.left_micro >= rho_micro and (not exact or view.exact_left) for view, rho_micro in datasets)
        bonded = account.credits.get((TOKEN, offer.head.lead), 0) >= offer.head.bond_units
        if live and enough and bonded:
            self.history.place(offer, buyer, permit=permit)

    def _pay(self) -> None:
        account = self.history.account
        credit = account.credits.get((TOKEN, PROVIDER), 0)
        owing = [
            (offer.id, index)
            for offer in self.offers
            for index in range(len(offer.members))
            if account.offers[offer.id].owed_units(index)
        ]
        if credit < self.pool.head.bond_units:
            self.history.stake(self.choices.randrange(1, 3 * self.pool.head.bond_units))
        elif owing and self.choices.random() < 0.5:
            self.history.withdraw_payout(*self.choices.choice(owing))
        else:
            self.history.withdraw_credit(PROVIDER, self.choices.randrange(1, credit + 1))

    def _rarely(self) -> None:
        history, account = self.history, self.history.account
        permit = account.permits[self.permits[self.choices.choice(BUYERS)]]
        dataset = self.choice_of_dataset()
        match self.choices.randrange(8):
            case 0 if permit.revoked_at_s == 0:
                history.revoke(permit.id)
            case 1 if permit.revoked_at_s == 0 and not permit.extended:
                history.extend(permit.id, permit.to_s + 86_400)
            case 2:
                history.open_epoch(dataset, account.datasets[dataset].total_micro + 5, self.choices.randrange(9))
            case 3:
                history.revise(dataset)
            case 4:
                history.describe(PROVIDER, history.fresh("descriptor"), history.fresh("certificate"))
            case 5:
                history.anchor(SECOND, history.now_s // 86_400, history.fresh("root"))
            case 6:
                self._release()
            case 7:
                self._name_user()

    def choice_of_dataset(self) -> Any:
        """Some dataset's id."""
        return self.choices.choice(list(self.history.account.datasets))

    def _release(self) -> None:
        account = self.history.account
        for view in account.orders.values():
            offer = account.offer_of(view)
            if view.reason not in (Reason.DECLINED, Reason.NOT_DELIVERED) or offer.head.stock != NOTHING:
                continue
            for index, member in enumerate(offer.members):
                if member.dataset not in view.released:
                    return self.history.release(view.id, index)
        return None

    def _name_user(self) -> None:
        account, soon_s = self.history.account, self.history.now_s + 1
        live = [view for view in account.orders.values() if is_live(account, view, soon_s)]
        if live:
            view = self.choices.choice(live)
            user = address(40 + len(view.users))
            if len(view.users) < MOST_USERS:
                self.history.name_user(view.id, user)

    def _step(self, view: OrderView) -> None:
        if self.choices.random() < 0.2:
            self.history.wait(max(0, view.deadline_s - self.history.now_s))
        offer = self.history.account.offer_of(view)
        permit = self.history.account.permits.get(PermitId(view.order.permit))
        late = self.history.now_s >= view.deadline_s
        moves = list((self._lapses if late else self._acts)(view, offer, permit))
        if moves:
            self.choices.choice(moves)()

    def _acts(self, view: OrderView, offer: Offer, permit: PermitView | None) -> Iterator[Move]:
        history, order, soon_s = self.history, view.id, self.history.now_s + 1
        match view.state:
            case OrderState.PLACED:
                made = self._stock_of(offer)
                yield lambda: history.deliver(order, made)
                yield lambda: history.decline(order, self.choices.choice(list(DeclineReason)))
            case OrderState.DELIVERED:
                yield lambda: history.refund(order, Reason.REJECTED)
                if permit is None or (permit.live(soon_s) and permit.to_s >= soon_s + offer.head.reveal_window_s):
                    yield lambda: history.accept(order)
            case OrderState.ACCEPTED:
                if permit is None or permit.live(soon_s):
                    yield lambda: history.reveal(order)
                yield from self._revoked(view, permit)
            case OrderState.REVEALED:
                yield lambda: history.settle(order)
                yield lambda: history.forfeit(order, Reason.WRONG_BYTE)
                if offer.head.arbiter != NOBODY:
                    yield lambda: history.contest(order)
            case OrderState.CONTESTED:
                yield lambda: history.forfeit(order, Reason.WRONG_BYTE)
                price_bps, bond_bps = self.choices.choice([0, 1, 3_333, 10_000]), self.choices.choice([0, 777, 10_000])
                yield lambda: history.rule(order, price_bps, bond_bps)

    def _lapses(self, view: OrderView, _: Offer, permit: PermitView | None) -> Iterator[Move]:
        history, order = self.history, view.id
        match view.state:
            case OrderState.PLACED:
                yield lambda: history.refund(order, Reason.NOT_DELIVERED)
            case OrderState.DELIVERED:
                yield lambda: history.refund(order, Reason.NOT_ACCEPTED)
            case OrderState.ACCEPTED:
                revoked = list(self._revoked(view, permit))
                yield from revoked or [lambda: history.forfeit(order)]
            case OrderState.REVEALED:
                yield lambda: history.settle(order, self.choices.choice([Reason.UNCHALLENGED, Reason.APPROVED]))
            case OrderState.CONTESTED:
                yield lambda: history.settle(order, Reason.NOT_RULED)

    def _revoked(self, view: OrderView, permit: PermitView | None) -> Iterator[Move]:
        if permit is not None and 0 < permit.revoked_at_s <= view.deadline_s:
            yield lambda: self.history.refund(view.id, Reason.PERMIT_REVOKED)

    def _stock_of(self, offer: Offer) -> Any:
        origin = self.history.account.offers[offer.id].origin
        return self.history.view(origin).delivery if origin else None
