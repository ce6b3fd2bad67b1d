"""Check of licences: whom buyers named beside themselves."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.licence import is_live
from marketplace.protocol.limits import MOST_USERS


class Users:
    """Check 21. Whether the contract answers for licences as the account does is part of check 3."""

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        if isinstance(event, ev.UserNamed):
            yield from _faults(event, before)

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            21,
            f"Users of a licence were named while it was live, at most {MOST_USERS} beside the buyer, and none of them "
            "twice.",
            offenders,
            counted(sum(len(order.users) for order in evidence.account.orders.values()), "user"),
        )


def _faults(event: ev.UserNamed, before: Account) -> Iterator[str]:
    order = before.orders[event.order]
    if not is_live(before, order, event.position.at_s):
        yield f"a user of order {short(order.id)} was named while its licence was not live"
    if event.user == order.order.buyer or any(user.who == event.user for user in order.users):
        yield f"{short(event.user)} was named for order {short(order.id)} though it had its licence"
    if len(order.users) >= MOST_USERS:
        yield f"more than {MOST_USERS} users were named for order {short(order.id)}"
