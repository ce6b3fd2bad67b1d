"""The node's loop: follow the ledger, decide about each order, perform one effect for each answer, journal it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.states import FINAL
from node.admission import Application, Rules, objection
from node.commission import Commission, read_commission
from node.effects import Effects
from node.journal import Mark
from node.vault.vault import Vault
from node.work import Desk, Done, Make, Seal, Step, Wait, next_step


@dataclass(frozen=True)
class Happened:
    """What was done about one order: the step, the receipt where a transaction was sent."""

    order: OrderId
    step: Step
    receipt: Receipt | None = None


def _unwatched(_: Happened) -> None:
    """Nobody is told."""


@dataclass
class Daemon:
    """One provider's node at work. `clock` gives seconds; `observe` is told every effect once it is done.

    `tick` may be called for ever; a new daemon over the same folder goes on where an earlier one was killed.
    """

    provider: Address
    follower: Follower
    vault: Vault
    effects: Effects
    clock: Callable[[], float]
    rules: Rules = field(default_factory=Rules)
    observe: Callable[[Happened], None] = _unwatched
    _ended: set[OrderId] = field(default_factory=set)

    def tick(self) -> tuple[Happened, ...]:
        """Looks at the ledger once and does the next thing for every open order of this provider.

        Raises `Unreachable` where the ledger does not answer. Trouble with one order waits for the next tick and does
        not hold the others up.
        """
        account = self.follower.catch_up()
        mine = [order for order in account.orders.values() if self._is_mine(account, order)]
        return tuple(self._advance(account, order) for order in mine)

    def close(self) -> None:
        """Stops the work in hand; it goes on at the next start."""
        self.effects.workers.stop()

    def _is_mine(self, account: Account, order: OrderView) -> bool:
        return order.id not in self._ended and account.offers[order.order.offer].offer.head.lead == self.provider

    def _advance(self, account: Account, order: OrderView) -> Happened:
        now_s = max(int(self.clock()), self.effects.ledger.now_s())
        try:
            commission = read_commission(account, order, self.effects.store)
            step = next_step(self._desk(account, order, commission), now_s=now_s)
            happened = self._perform(step, account, order, commission, now_s)
        except Unreachable as error:
            return Happened(order.id, Wait(str(error)))
        except (Refused, Invalid, Corrupt) as error:
            self._note_failure(order.id, str(error), now_s)
            return Happened(order.id, Wait(str(error)))
        if not isinstance(happened.step, Wait | Done):
            self.observe(happened)
        return happened

    def _desk(self, account: Account, order: OrderView, commission: Commission | None) -> Desk:
        offer = account.offers[order.order.offer].offer
        dataset = account.datasets[offer.members[0].dataset]
        touched = self.vault.account.touched(order.id, dataset.salt)
        undecided = commission is not None and not touched and order.state not in FINAL
        sealed = self.effects.journal.last(order.id, Mark.SEALED)
        return Desk(
            order=order,
            offer=offer,
            dataset=dataset.id,
            specified=commission is not None,
            objection=self._objection(commission) if undecided and commission else None,
            touched=touched,
            made=self.effects.workers.made(order.id, self.effects.order_folder(order.id)),
            sealed_at_s=sealed.at_s if sealed else None,
            slot_s=commission.specification.slot_s if commission else 1,
        )

    def _objection(self, commission: Commission) -> str | None:
        name = commission.dataset.salt
        try:
            held = self.vault.describe(name, len(commission.dataset.versions))
        except Invalid:
            return "this node does not hold the dataset"
        if held.commitment != commission.version.commitment:
            return "this node does not hold these records"
        application = Application(
            order=commission.order.order,
            offer=commission.offer,
            specification=commission.specification,
            description=commission.description,
            held_version=held.version,
            left_micro=self.vault.account.total(name) - self.vault.account.spent(name),
        )
        return objection(application, self.rules)

    def _perform(
        self, step: Step, account: Account, order: OrderView, commission: Commission | None, now_s: int
    ) -> Happened:
        match step:
            case Wait():
                return Happened(order.id, step)
            case Done():
                self.effects.clear(order.id)
                self._ended.add(order.id)
                return Happened(order.id, step)
            case Make() | Seal():
                return self._work(step, commission, order, now_s)
            case _:
                receipt = self.effects.send(step, order, account.offers[order.order.offer].offer, now_s)
                return Happened(order.id, step if receipt else Wait("for confirmations"), receipt)

    def _work(self, step: Make | Seal, commission: Commission | None, order: OrderView, now_s: int) -> Happened:
        if commission is None:
            return Happened(order.id, Wait("for the specification"))
        if isinstance(step, Make):
            self.effects.make(commission)
        else:
            self.effects.seal(commission, now_s)
        return Happened(order.id, step)

    def _note_failure(self, order: OrderId, why: str, now_s: int) -> None:
        last = self.effects.journal.last(order, Mark.FAILED)
        if last is None or last.data != why.encode():
            self.effects.journal.add(order, Mark.FAILED, why.encode(), now_s)
