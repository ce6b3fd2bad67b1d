"""Check of what providers say about themselves."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOTHING
from marketplace.protocol.views import ProviderView

DAY_S = 86_400


def described(evidence: Evidence) -> Check:
    """Check 23, of those whose offers somebody ordered: anyone else may say anything about itself."""
    account = evidence.account
    leads = {account.offer_of(order).head.lead for order in account.orders.values()}
    views = [account.providers[lead] for lead in sorted(leads) if lead in account.providers]
    rotations = sum(max(0, len({said.certificate for said in view.descriptors if not said.gone}) - 1) for view in views)
    return finding(
        23,
        "Providers with orders name descriptor and certificate together, or neither, and anchor no root of a day that "
        "has not begun.",
        [fault for view in views for fault in _faults(view)],
        f"{len(views):,} of {counted(len(leads), 'provider')}, {counted(rotations, 'rotation')}, "
        f"{counted(sum(len(view.anchors) for view in views), 'root')}",
    )


def _faults(view: ProviderView) -> Iterator[str]:
    for said in view.descriptors:
        if (said.descriptor == NOTHING) != (said.certificate == NOTHING):
            yield f"{short(view.provider)} named one of descriptor and certificate without the other"
    for anchor in view.anchors:
        if anchor.day * DAY_S > anchor.position.at_s:
            yield f"{short(view.provider)} anchored a root of day {anchor.day:,}, which had not begun"
