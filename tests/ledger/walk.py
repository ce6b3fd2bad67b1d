"""A market on which anything is tried, through the client, beside a model that knows only the rules."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from marketplace.ledger.signatures import sign_acceptance, sign_approval, sign_authorization, sign_order
from marketplace.ledger.signer import LocalSigner
from marketplace.ledger.tokens import approval_nonce, token_domain
from marketplace.protocol.identity import NOTHING, DeliveryHash
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Means, Order, Origin, Payment
from tests.ledger.model import ACTIONS, RULINGS, Life, Permit, Sale
from tests.ledger.scene import PEOPLE, Scene
from tests.ledger.world import BOND_UNITS, COMPLAINT, HOUR_S, KEY, PURPOSE, RICHES_UNITS

WAYS = ("by the buyer", "approved", "EIP-2612", "EIP-3009")
ONWARDS = ("deliver", "accept", "reveal", "contest")
PLACES = st.integers(0, 30)


class Walk(Scene):
    """Every way to do something on the market, by everybody."""

    # ------------------------------------------------------------------------------------------------------------- placing

    @rule(place=PLACES, permit=st.none() | PLACES, way=st.sampled_from(WAYS), again=st.booleans())
    def order(self, place: int, permit: int | None, way: str, again: bool) -> None:
        self.place(place, permit, way, again=again)

    def place(self, place: int, permit: int | None, way: str, *, again: bool) -> None:
        """An order of an offer, or one of its earlier orders again."""
        sale = self.one(self.sales, place)
        chosen = self.permit_for(sale, permit)
        order = self.world.order(sale.offer, permit=chosen.id if chosen else NOTHING)
        earlier = [life for life in self.model.lives if life.sale is sale]
        if again and earlier:
            order, chosen = earlier[place % len(earlier)].order, earlier[place % len(earlier)].permit
        self.keep_clear()
        now_s = self.world.ledger.now_s()
        bars = self.model.bars_placing(sale, order, chosen, now_s)
        if now_s > order.place_by_s:
            bars.add("PlacedTooLate")
        if self.agrees(bars, lambda: self.hand_in(sale.offer, order, way)):
            delivery = self.world.delivery()
            if sale.is_stock:
                delivery = replace(delivery, plain_root=sale.offer.head.stock)
            deadline_s = self.world.ledger.now_s() + sale.offer.head.deliver_window_s
            self.model.place(Life(sale, order, delivery, deadline_s, chosen))

    def permit_for(self, sale: Sale, permit: int | None) -> Permit | None:
        """Mostly one that fits, sometimes any, sometimes none."""
        fitting = [one for one in self.model.permits if one.covers(sale.offer)]
        if permit is None or not self.model.permits:
            return fitting[-1] if fitting and sale.offer.head.purposes else None
        return self.model.permits[permit % len(self.model.permits)] if permit % 3 == 0 else None

    def hand_in(self, offer: Offer, order: Order, way: str) -> None:
        world, ledger = self.world, self.world.ledger
        if way == "by the buyer":
            ledger.place(world.buyer, offer, order)
            return
        signature = sign_order(world.buyer, ledger.domain, order)
        ledger.place_for(world.stranger, offer, order, signature, self.payment(offer, order, way))
        if way == "EIP-2612":
            ledger.approve(world.buyer, world.token, RICHES_UNITS)

    def payment(self, offer: Offer, order: Order, way: str) -> Payment:
        world, chain = self.world, self.world.ledger.chain
        domain, contract = token_domain(chain, world.token), world.ledger.domain.contract
        assert domain is not None
        terms = (world.buyer, domain, contract, offer.head.price_units)
        until_s = world.ledger.now_s() + HOUR_S
        if way == "EIP-2612":
            nonce = approval_nonce(chain, world.token, world.buyer.address)
            return sign_approval(*terms, nonce or 0, until_s)
        if way == "EIP-3009":
            return sign_authorization(*terms, world.id(order), until_s)
        return Payment(Means.APPROVAL)

    # -------------------------------------------------------------------------------------------------------------- moving

    @rule(place=PLACES, which=PLACES, times=st.integers(1, 5))
    def step(self, place: int, which: int, times: int) -> None:
        for number in range(times):
            self.go_on(place, which + number)

    @rule(place=PLACES, which=PLACES, times=st.integers(3, 6))
    def steps(self, place: int, which: int, times: int) -> None:
        self.step(place, which, times)

    def go_on(self, place: int, which: int) -> None:
        """A step that the model allows, if there is one; else time passes."""
        self.keep_clear()
        life = self.life(place, open_only=True)
        if life is None:
            return self.place(place, None, self.one(WAYS, which), again=False)
        now_s = self.world.ledger.now_s()
        possible = [
            (action, name)
            for action in (*ACTIONS, *ONWARDS, *ONWARDS)
            for name in PEOPLE
            if not self.model.bars_moving(life, action, self.person(name).address, now_s)
        ]
        if possible and which % 6:
            return self.attempt(life, *self.one(possible, which))
        return self.world.pass_time(HOUR_S + 1)

    @rule(place=PLACES, action=st.sampled_from(ACTIONS), name=st.sampled_from(PEOPLE))
    def any_step(self, place: int, action: str, name: str) -> None:
        """Any step of any order by anybody, most of which are refused."""
        self.keep_clear()
        life = self.life(place)
        if life is not None:
            self.attempt(life, action, name)

    def attempt(self, life: Life, action: str, name: str) -> None:
        who = self.person(name)
        bars = self.model.bars_moving(life, action, who.address, self.world.ledger.now_s())
        if self.agrees(bars, lambda: self.perform(life, action, who)):
            self.model.move(life, action, who.address, self.world.ledger.now_s())
            self.check_order(life)

    def perform(self, life: Life, action: str, by: LocalSigner) -> None:
        ledger, offer, order = self.world.ledger, life.sale.offer, life.order
        digest = self.world.hash(order, life.delivery) if life.was_delivered else DeliveryHash(NOTHING)
        match action:
            case "deliver":
                ledger.deliver(by, offer, order, life.delivery, self.world.signatures(offer, order, life.delivery))
            case "accept":
                ledger.accept(by, offer, order, digest)
            case "accept for":
                signature = sign_acceptance(self.world.buyer, ledger.domain, self.world.id(order), digest)
                ledger.accept_for(by, offer, order, digest, signature)
            case "reject":
                ledger.reject(by, offer, order, digest)
            case "reveal":
                ledger.reveal(by, offer, order, life.delivery, KEY)
            case "complain":
                ledger.complain(by, offer, order, life.delivery, COMPLAINT)
            case "contest":
                ledger.contest(by, offer, order, digest)
            case "rule" | "rule against":
                ruling = RULINGS[action]
                ledger.rule(by, offer, order, ruling.price_bps, ruling.bond_bps)
            case "decline" | "settle" | "refund" | "forfeit":
                getattr(ledger, action)(by, offer, order)

    @rule(place=PLACES, index=st.integers(0, 2), name=st.sampled_from(PEOPLE[:3]))
    def release(self, place: int, index: int, name: str) -> None:
        life = self.life(place)
        if life is None or index >= len(life.sale.offer.members):
            return
        who = self.person(name)
        bars = self.model.bars_releasing(life, index, who.address)
        if self.agrees(bars, lambda: self.world.ledger.release(who, life.sale.offer, life.order, index)):
            self.model.release(life, index)

    @rule(place=PLACES, user=st.sampled_from(PEOPLE), name=st.sampled_from(("buyer", "buyer", "stranger")))
    def name_user(self, place: int, user: str, name: str) -> None:
        self.keep_clear()
        life = self.life(place)
        if life is None:
            return
        who, named = self.person(name), self.person(user).address
        bars = self.model.bars_naming(life, named, who.address, self.world.ledger.now_s())
        if self.agrees(bars, lambda: self.world.ledger.name_user(who, life.sale.offer, life.order, named)):
            life.users[named] = self.world.ledger.now_s()

    # ---------------------------------------------------------------------------------------------- offers, permits, epochs

    @rule(place=PLACES, index=st.integers(0, 2))
    def retire(self, place: int, index: int) -> None:
        sale = self.sales[place % len(self.sales)]
        if place % 4 or index >= len(sale.offer.members):
            return
        member = sale.offer.members[index]
        by = next(self.person(name) for name in PEOPLE if self.person(name).address == member.provider)
        bars = {"OfferIsRetired"} if sale.retired else set()
        if self.agrees(bars, lambda: self.world.ledger.retire(by, sale.offer, index)):
            sale.retired = True

    @rule(place=PLACES)
    def sell_again(self, place: int) -> None:
        life = self.life(place)
        if life is None:
            return
        offer, delivery = life.sale.offer, life.delivery
        head = replace(offer.head, stock=delivery.plain_root, terms=self.world.fresh(), max_open=2)
        members = [replace(member, rho_micro=0) for member in offer.members]
        origin = Origin(offer.head, offer.members, life.order, delivery)
        consents = self.world.consents(head, members)
        made: list[Offer] = []

        def publish() -> None:
            made.append(self.world.ledger.publish_stock(self.world.provider, head, members, origin, consents)[0])

        if self.agrees(self.model.bars_stocking(life), publish):
            self.keep(made[0])

    @rule(place=PLACES, sort=st.sampled_from(("long", "short", "other purpose", "other holder")))
    def grant_another(self, place: int, sort: str) -> None:
        changes: dict[str, dict[str, Any]] = {
            "other purpose": {"purpose": PURPOSE + 1},
            "other holder": {"holder": self.world.stranger.address},
        }
        self.grant(self.sales[place % len(self.sales)], long=sort != "short", **changes.get(sort, {}))

    @rule(place=PLACES, name=st.sampled_from(("authority", "authority", "buyer")))
    def revoke(self, place: int, name: str) -> None:
        permit = self.model.permits[place % len(self.model.permits)]
        bars = set() if name == "authority" else {"NotTheAuthority"}
        bars |= {"PermitAlreadyRevoked"} if permit.revoked_at_s else set()
        self.keep_clear()
        if self.agrees(bars, lambda: self.world.ledger.revoke(self.person(name), permit.id, self.world.fresh())):
            permit.revoked_at_s = self.world.ledger.now_s()

    @rule(place=PLACES, longer_s=st.sampled_from([-1, 3 * HOUR_S, 3_651 * 24 * HOUR_S]))
    def extend(self, place: int, longer_s: int) -> None:
        permit = self.model.permits[place % len(self.model.permits)]
        to_s, bars = permit.to_s + longer_s, set[str]()
        bars |= {"PermitAlreadyExtended"} if permit.extended else set()
        bars |= {"PermitAlreadyRevoked"} if permit.revoked_at_s else set()
        bars |= {"PermitTermOutOfRange"} if longer_s != 3 * HOUR_S else set()
        authority = self.world.authority
        if self.agrees(bars, lambda: self.world.ledger.extend(authority, permit.id, to_s, self.world.fresh())):
            permit.to_s, permit.extended = to_s, True

    @rule(place=PLACES, raised_micro=st.sampled_from([-1, 0, 1_000]), allowance=st.integers(0, 2))
    def open_epoch(self, place: int, raised_micro: int, allowance: int) -> None:
        dataset, account = list(self.model.datasets.items())[place % len(self.model.datasets)]
        owner = self.world.ledger.dataset(dataset).provider
        by = next(self.person(name) for name in PEOPLE if self.person(name).address == owner)
        total_micro = account.total_micro + raised_micro
        bars = {"OutOfRange"} if raised_micro < 0 else set()
        ledger, reason = self.world.ledger, self.world.fresh()
        if self.agrees(bars, lambda: ledger.open_epoch(by, dataset, total_micro, allowance, reason)):
            account.total_micro, account.exact_total = total_micro, account.exact_used + allowance
            account.epoch += 1

    # --------------------------------------------------------------------------------------------------------------- money

    @rule(place=PLACES, index=st.integers(0, 2))
    def withdraw_payout(self, place: int, index: int) -> None:
        sale = self.sales[place % len(self.sales)]
        index %= len(sale.offer.members)
        owed = self.model.owed_units(sale, index)
        bars = set() if owed else {"NothingToWithdraw"}
        if self.agrees(bars, lambda: self.world.ledger.withdraw_payout(self.world.stranger, sale.offer, index)):
            sale.withdrawn[index] += owed

    @rule(name=st.sampled_from(("buyer", "arbiter", "stranger", "provider")), more=st.integers(-1, 1))
    def withdraw_credit(self, name: str, more: int) -> None:
        """About as much as somebody has; of the provider about a bond."""
        who = self.person(name)
        credit = self.model.credits[who.address]
        amount = max(0, (BOND_UNITS if name == "provider" else credit) + more)
        bars = set() if 0 < amount <= credit else {"NothingToWithdraw", "InsufficientCredit"}
        ledger, token = self.world.ledger, self.world.token
        if self.agrees(bars, lambda: ledger.withdraw_credit(who, token, amount)):
            self.model.credits[who.address] -= amount

    @rule(seconds=st.sampled_from([1, 60, HOUR_S // 2, HOUR_S + 1]))
    def wait(self, seconds: int) -> None:
        self.world.pass_time(seconds)
