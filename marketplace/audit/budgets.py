"""Checks of budgets: what datasets have revealed, at every moment, and what each provider's patients face at worst."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, listed, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, DatasetView
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOTHING, Address, DatasetId, OrderId
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.rho import MICRO, epsilon_of
from marketplace.protocol.states import Reason

READ_AT_DELTA = 1e-5
UNTOUCHED = (Reason.DECLINED, Reason.NOT_DELIVERED)


def kept(evidence: Evidence) -> Check:
    """Check 6, event by event, counted apart from the fold."""
    walk = _Spending(evidence.account)
    offenders = [offence for event in evidence.events for offence in walk.take(event)]
    for dataset, view in evidence.account.datasets.items():
        for left, unit, used in (
            (walk.rho_micro, "micro-rho", view.used_micro),
            (walk.exact, "exact", view.exact_used),
        ):
            if left.used[dataset] != used:
                offenders.append(f"dataset {short(dataset)} has used {left.used[dataset]:,} {unit}, not what it says")
    return finding(
        6,
        "No dataset was ever used above its total or allowance, which only a new epoch changes, the total never "
        "downwards; only one release of an undelivered order gives back what it took.",
        offenders,
        f"{counted(len(evidence.account.datasets), 'dataset')}, {counted(walk.releases, 'release')}, "
        f"{counted(walk.epochs, 'epoch')} opened",
    )


@dataclass
class _Budget:
    """What datasets may and did give, and what each order was charged."""

    total: Counter[DatasetId] = field(default_factory=Counter)
    used: Counter[DatasetId] = field(default_factory=Counter)
    charged: dict[tuple[OrderId, DatasetId], int] = field(default_factory=dict)


class _Spending:
    """What datasets have used at each moment of history."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._ended: dict[OrderId, Reason] = {}
        self._epoch: Counter[DatasetId] = Counter()
        self.rho_micro = _Budget()
        self.exact = _Budget()
        self.releases = 0
        self.epochs = 0

    def take(self, event: ev.Event) -> Iterator[str]:
        """The next event; gives what is wrong with it."""
        match event:
            case ev.DatasetRegistered(_, dataset):
                if dataset in self._epoch:
                    yield f"dataset {short(dataset)} was registered twice"
                if event.total_micro < 1:
                    yield f"dataset {short(dataset)} was registered without a budget"
                self._epoch[dataset] = 1
                self.rho_micro.total[dataset], self.exact.total[dataset] = event.total_micro, event.exact_total
            case ev.EpochOpened():
                yield from self._open(event)
            case ev.OrderPlaced(_, order_id, order):
                yield from self._place(order_id, self._account.offers[order.offer].offer)
            case ev.OrderRefunded(_, order_id, reason):
                self._ended[order_id] = reason
            case ev.RhoReleased(_, order_id, dataset, rho_micro):
                yield from self._release(self.rho_micro, order_id, dataset, rho_micro)
            case ev.ExactReleased(_, order_id, dataset):
                yield from self._release(self.exact, order_id, dataset, 1)

    def _open(self, event: ev.EpochOpened) -> Iterator[str]:
        dataset = event.dataset
        self.epochs += 1
        self._epoch[dataset] += 1
        if event.epoch != self._epoch[dataset]:
            yield f"dataset {short(dataset)} skipped an epoch"
        if event.total_micro < self.rho_micro.total[dataset]:
            yield f"an epoch lowered the total of dataset {short(dataset)}"
        if event.exact_total < self.exact.used[dataset]:
            yield f"an epoch lowered the allowance of dataset {short(dataset)} below what was used"
        self.rho_micro.total[dataset], self.exact.total[dataset] = event.total_micro, event.exact_total

    def _place(self, order: OrderId, offer: Offer) -> Iterator[str]:
        if offer.head.stock != NOTHING:
            return
        exact = offer.head.guarantee is Guarantee.EXACT
        for member in offer.members:
            budget, amount = (self.exact, 1) if exact else (self.rho_micro, member.rho_micro)
            budget.used[member.dataset] += amount
            budget.charged[order, member.dataset] = amount
            if budget.used[member.dataset] > budget.total[member.dataset]:
                above = "allowance" if exact else "total"
                yield f"order {short(order)} took dataset {short(member.dataset)} above its {above}"

    def _release(self, budget: _Budget, order: OrderId, dataset: DatasetId, amount: int) -> Iterator[str]:
        self.releases += 1
        budget.used[dataset] -= amount
        if self._ended.get(order) not in UNTOUCHED:
            yield f"order {short(order)} was released though it was not refunded before a delivery"
        if budget.charged.pop((order, dataset), None) != amount:
            yield f"order {short(order)} released what dataset {short(dataset)} was not charged"


def at_worst(evidence: Evidence) -> Check:
    """Check 13: a figure to read. One person may be in all datasets of one provider, so their rho is summed."""
    held: dict[Address, list[DatasetView]] = defaultdict(list)
    for view in evidence.account.datasets.values():
        held[view.provider].append(view)
    offenders = [
        f"dataset {short(view.id)} of {short(provider)} has used more than its total"
        for provider, views in held.items()
        for view in views
        if not 0 <= view.used_micro <= view.total_micro
    ]
    return finding(
        13,
        f"What one person faces at worst over all datasets of a provider, at delta {READ_AT_DELTA:g}, to be read.",
        offenders,
        listed([_figures(provider, views) for provider, views in held.items()]) or "no datasets",
    )


def _figures(provider: Address, views: list[DatasetView]) -> str:
    used_micro, total_micro = (sum(view.used_micro for view in views), sum(view.total_micro for view in views))
    used, total = (
        f"rho {micro / MICRO:.6f} (epsilon {epsilon_of(max(0, micro), READ_AT_DELTA):.3f})"
        for micro in (used_micro, total_micro)
    )
    exact = sum(view.exact_used for view in views)
    beside = f", and {counted(exact, 'exact result')}, which no epsilon bounds" if exact else ""
    return f"{short(provider)}: {used} of {total} over {counted(len(views), 'dataset')}{beside}"
