"""The node's loop: follow the ledger, decide about each order, perform one effect for each answer, journal it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from marketplace.errors import Corrupt, MarketplaceError, Refused, Unreachable
from marketplace.ledger.follower import Follower
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import Address, OrderId
from node.admission import Rules
from node.commission import Commission
from node.desks import Desks
from node.effects import Effects
from node.journal import Mark
from node.pool.joint import JointCommission
from node.shelves import Shelves
from node.skew import Skew
from node.stock import Care
from node.work import Abstain, Close, Deliver, Done, Make, Seal, Step, Wait, next_step


@dataclass(frozen=True)
class Happened:
    """What was done about one order or its result: the step, the receipt where a transaction was sent, whether something
    was wrong."""

    order: OrderId
    step: Step | Care
    receipt: Receipt | None = None
    trouble: bool = False


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
    effects: Effects
    clock: Callable[[], float]
    rules: Rules = field(default_factory=Rules)
    observe: Callable[[Happened], None] = _unwatched
    account: Account | None = None
    _ended: set[OrderId] = field(default_factory=set)
    _troubles: dict[tuple[OrderId, bool], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._skew = Skew(self.clock, self.effects.ledger)
        self._desks = Desks(self.provider, self.effects.vault, self.effects, self.rules, self._skew)
        self._shelves = Shelves(self.provider, self.effects)

    def tick(self) -> tuple[Happened, ...]:
        """Looks at the ledger once and does the next thing for every open order of this provider.

        Raises as the ledger does where it cannot be read. Trouble with one order waits for the next tick and does not
        hold the others up.
        """
        account = self.account = self.follower.catch_up()
        self._skew.look()
        mine = [order for order in account.orders.values() if self._is_mine(account, order)]
        served = tuple(self._guarded(order.id, partial(self._serve, account, order)) for order in mine)
        for order in self._shelves.orders(account):
            self._guarded(order, partial(self._tend, account, order), tending=True)
        for attempted, words in self.effects.together.workers.told():
            self._note_trouble(attempted, False, Refused(words))
        return served

    def close(self) -> None:
        """Stops the work in hand; it goes on at the next start."""
        self.effects.stop()

    def _is_mine(self, account: Account, order: OrderView) -> bool:
        members = account.offer_of(order).members
        return order.id not in self._ended and any(member.provider == self.provider for member in members)

    def _guarded(self, order: OrderId, act: Callable[[], Happened], *, tending: bool = False) -> Happened:
        try:
            happened = act()
        except MarketplaceError as error:
            return self._note_trouble(order, tending, error)
        except Exception as error:  # noqa: BLE001 -- one order that this program cannot cope with must not stop the others
            words = f"expected to serve the order, got a fault: {type(error).__name__}; report it with the order's documents"
            return self._note_trouble(order, tending, Corrupt(words))
        self._troubles.pop((order, tending), None)
        if not isinstance(happened.step, Wait | Done):
            self.observe(happened)
        return happened

    def _serve(self, account: Account, order: OrderView) -> Happened:
        papers = self._desks.papers(account, order)
        now_s = self._skew.now_s()
        step = next_step(self._desks.desk(account, order, papers), now_s=now_s)
        return self._perform(step, account, order, papers.commission, now_s)

    def _perform(
        self,
        step: Step,
        account: Account,
        order: OrderView,
        commission: Commission | JointCommission | None,
        now_s: int,
    ) -> Happened:
        match step:
            case Wait():
                return Happened(order.id, step)
            case Done():
                self.effects.clear(order.id)
                self._ended.add(order.id)
            case Close():
                self.effects.close(order.id)
            case Abstain(objection):
                self.effects.abstain(order.id, objection.words, now_s)
            case Make() if isinstance(commission, JointCommission):
                started = self.effects.make_together(commission, account, now_s)
                return Happened(order.id, step if started else Wait("for a place to work"))
            case Seal() if isinstance(commission, JointCommission):
                sealed = self.effects.seal_together(commission, account, self._skew.now_s)
                return Happened(order.id, step if sealed else Wait("for the other members' nodes"))
            case Deliver() if isinstance(commission, JointCommission):
                receipt = self.effects.deliver_together(commission, account, now_s)
                return Happened(order.id, step if receipt else Wait("for signatures or confirmations"), receipt)
            case Make() if isinstance(commission, Commission):
                started = self.effects.make(commission, now_s)
                return Happened(order.id, step if started else Wait("for a place to work"))
            case Seal() if isinstance(commission, Commission):
                self.effects.seal(commission, self._skew.now_s)
            case _:
                receipt = self.effects.send(step, order, account.offer_of(order), now_s)
                return Happened(order.id, step if receipt else Wait("for confirmations"), receipt)
        return Happened(order.id, step)

    def _tend(self, account: Account, order: OrderId) -> Happened:
        """What is to be done about the kept result of an order."""
        care, receipt = self._shelves.tend(account, account.orders[order], self._skew.now_s())
        return Happened(order, care, receipt)

    def _note_trouble(self, order: OrderId, tending: bool, error: MarketplaceError) -> Happened:
        """Tells of trouble once, and journals what will not pass by itself."""
        happened = Happened(order, Wait(str(error)), trouble=True)
        if self._troubles.get((order, tending)) != str(error):
            self._troubles[order, tending] = str(error)
            self.observe(happened)
            if not isinstance(error, Unreachable):
                with suppress(MarketplaceError):  # the journal may be what is in trouble
                    self.effects.journal.add(order, Mark.TROUBLE, str(error).encode(), int(self.clock()))
        return happened
