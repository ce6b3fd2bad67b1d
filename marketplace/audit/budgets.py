"""Checks of budgets: what datasets have revealed, at every moment, and what each provider's patients face at worst."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, listed, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, DatasetView
from marketplace.protocol.check import Check
from marketplace.protocol.identity import Address, DatasetId, OrderId
from marketplace.protocol.rho import MICRO, epsilon_of
from marketplace.protocol.states import Reason

READ_AT_DELTA = 1e-5
UNTOUCHED = (Reason.DECLINED, Reason.NOT_DELIVERED)


def kept(evidence: Evidence) -> Check:
    """Check 6, event by event."""
    walk = _Spending(evidence.account)
    offenders = [offence for event in evidence.events for offence in walk.take(event)]
    for dataset, view in evidence.account.datasets.items():
        if walk.used_micro[dataset] != view.used_micro:
            offenders.append(
                f"dataset {short(dataset)} has used {walk.used_micro[dataset]:,} micro-rho, not what it says"
            )
    return finding(
        6,
        "What a dataset has used is the sum over its orders less releases, and was never above its total.",
        offenders,
        f"{counted(len(evidence.account.datasets), 'dataset')}, {counted(walk.releases, 'release')}",
    )


class _Spending:
    """What datasets have used at each moment of history."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._ended: dict[OrderId, Reason] = {}
        self._charged: dict[tuple[OrderId, DatasetId], int] = {}
        self.used_micro: Counter[DatasetId] = Counter()
        self.releases = 0

    def take(self, event: ev.Event) -> Iterator[str]:
        """The next event; gives what is wrong with it."""
        match event:
            case ev.OrderPlaced(_, order_id, order):
                for member in self._account.offers[order.offer].offer.members:
                    yield from self._spend(order_id, member.dataset, member.rho_micro)
            case ev.OrderRefunded(_, order_id, reason):
                self._ended[order_id] = reason
            case ev.RhoReleased(_, order_id, dataset, rho_micro):
                yield from self._release(order_id, dataset, rho_micro)

    def _spend(self, order: OrderId, dataset: DatasetId, rho_micro: int) -> Iterator[str]:
        self.used_micro[dataset] += rho_micro
        self._charged[order, dataset] = rho_micro
        if self.used_micro[dataset] > self._account.datasets[dataset].total_micro:
            yield f"order {short(order)} took dataset {short(dataset)} above its total"

    def _release(self, order: OrderId, dataset: DatasetId, rho_micro: int) -> Iterator[str]:
        self.releases += 1
        self.used_micro[dataset] -= rho_micro
        if self._ended.get(order) not in UNTOUCHED:
            yield f"rho of order {short(order)} was released though it was not refunded before a delivery"
        if self._charged.pop((order, dataset), None) != rho_micro:
            yield f"order {short(order)} released rho that dataset {short(dataset)} was not charged"


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
    return f"{short(provider)}: {used} of {total} over {counted(len(views), 'dataset')}"
