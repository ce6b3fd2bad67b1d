"""The node's loop: follow the ledger, decide about each order, perform one effect for each answer, journal it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from marketplace.errors import Invalid, MarketplaceError, Unreachable
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.states import OrderState
from node.admission import Application, Rules, objection
from node.commission import Commission, read_commission
from node.effects import Effects
from node.journal import Mark
from node.vault.vault import Vault
from node.work import Close, Desk, Done, Make, Seal, Step, Wait, next_step


@dataclass(frozen=True)
class Happened:
    """What was done about one order: the step, the receipt where a transaction was sent, whether something was wrong."""

    order: OrderId
    step: Step
    receipt: Receipt | None = None
    trouble: bool = False


@dataclass(frozen=True)
class Papers:
    """What could be read about an order that is to be worked on, and why nothing can come of it, if that is so."""

    commission: Commission | None = None
    objection: str | None = None


def _unwatched(_: Happened) -> None:
    """Nobody is told."""


@dataclass
class Daemon:
    """One provider's node at work. `clock` gives seconds; `observe` is told every effect once it is done, and trouble.

    `account`: as the last `tick` read it; None before the first. Nothing changes an account once it is there.
    `tick` may be called for ever; a new daemon over the same folder goes on where an earlier one was killed.
    """

    provider: Address
    follower: Follower
    vault: Vault
    effects: Effects
    clock: Callable[[], float]
    rules: Rules = field(default_factory=Rules)
    observe: Callable[[Happened], None] = _unwatched
    account: Account | None = None
    _ended: set[OrderId] = field(default_factory=set)
    _troubles: dict[OrderId, str] = field(default_factory=dict)

    def tick(self) -> tuple[Happened, ...]:
        """Looks at the ledger once and does the next thing for every open order of this provider.

        Raises as the ledger does where it cannot be read. Trouble with one order waits for the next tick and does not
        hold the others up.
        """
        account = self.account = self.follower.catch_up()
        mine = [order for order in account.orders.values() if self._is_mine(account, order)]
        return tuple(self._advance(account, order) for order in mine)

    def close(self) -> None:
        """Stops the work in hand; it goes on at the next start."""
        self.effects.stop()

    def _is_mine(self, account: Account, order: OrderView) -> bool:
        return order.id not in self._ended and account.offers[order.order.offer].offer.head.lead == self.provider

    def _advance(self, account: Account, order: OrderView) -> Happened:
        try:
            happened = self._serve(account, order)
        except MarketplaceError as error:
            return self._note_trouble(order.id, error)
        self._troubles.pop(order.id, None)
        if not isinstance(happened.step, Wait | Done):
            self.observe(happened)
        return happened

    def _serve(self, account: Account, order: OrderView) -> Happened:
        papers = self._papers(account, order) if order.state is OrderState.PLACED else Papers()
        now_s = self._now_s()
        step = next_step(self._desk(account, order, papers), now_s=now_s)
        return self._perform(step, account, order, papers.commission, now_s)

    def _now_s(self) -> int:
        """The later of this machine's clock and the ledger's."""
        return max(int(self.clock()), self.effects.ledger.now_s())

    def _papers(self, account: Account, order: OrderView) -> Papers:
        folder = self.effects.order_folder(order.id)
        try:
            commission = read_commission(account, order, folder, self.effects.store)
        except Invalid as error:
            return Papers(objection=str(error))
        return Papers(commission, self._objection(commission) if commission else None)

    def _objection(self, commission: Commission) -> str | None:
        """Why the order is not let in, by the provider's rules and by what is in the vault; None once it was let in."""
        name, versions = commission.dataset.salt, commission.dataset.versions
        if self.vault.account.touched(commission.order.id, name):
            return None
        try:
            held = self.vault.describe(name, len(versions))
        except Invalid:
            return "this node does not hold the dataset"
        if held.commitment != versions[-1].commitment:
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

    def _desk(self, account: Account, order: OrderView, papers: Papers) -> Desk:
        offer = account.offers[order.order.offer].offer
        dataset = account.datasets[offer.members[0].dataset]
        folder = self.effects.order_folder(order.id)
        sealed = self.effects.journal.last(order.id, Mark.SEALED)
        return Desk(
            order=order,
            offer=offer,
            dataset=dataset.id,
            slot_s=papers.commission.specification.slot_s if papers.commission else None,
            objection=papers.objection,
            accounted=self.vault.account.total(dataset.salt) > 0,
            touched=self.vault.account.touched(order.id, dataset.salt),
            made=self.effects.workers.made(order.id, folder),
            closed=self.effects.workers.closed(folder),
            sealed_at_s=sealed.at_s if sealed else None,
        )

    def _perform(
        self, step: Step, account: Account, order: OrderView, commission: Commission | None, now_s: int
    ) -> Happened:
        match step:
            case Wait():
                return Happened(order.id, step)
            case Done():
                self.effects.clear(order.id)
                self._ended.add(order.id)
            case Close():
                self.effects.close(order.id)
            case Make() if commission is not None:
                started = self.effects.make(commission, now_s)
                return Happened(order.id, step if started else Wait("for a place to work"))
            case Seal() if commission is not None:
                self.effects.seal(commission, self._now_s)
            case _:
                receipt = self.effects.send(step, order, account.offers[order.order.offer].offer, now_s)
                return Happened(order.id, step if receipt else Wait("for confirmations"), receipt)
        return Happened(order.id, step)

    def _note_trouble(self, order: OrderId, error: MarketplaceError) -> Happened:
        """Tells of trouble once, and journals what will not pass by itself."""
        happened = Happened(order, Wait(str(error)), trouble=True)
        if self._troubles.get(order) != str(error):
            self._troubles[order] = str(error)
            self.observe(happened)
            if not isinstance(error, Unreachable):
                with suppress(MarketplaceError):  # the journal may be what is in trouble
                    self.effects.journal.add(order, Mark.TROUBLE, str(error).encode(), int(self.clock()))
        return happened
