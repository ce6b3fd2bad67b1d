"""A provider's record: how the orders of its offers went, counted from the account. Numbers to read, never a score."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from marketplace.protocol.account import Account
from marketplace.protocol.identity import NOTHING, Address
from marketplace.protocol.settlement import Ruling
from marketplace.protocol.states import FINAL, DeclineReason, OrderState, Reason
from marketplace.protocol.views import OrderView


@dataclass(frozen=True)
class Record:
    """What became of the orders on the offers that `provider` leads.

    `orders`: all of them, which are the `open` ones and the sum of `ends`, by the reason of their end. `delivered`: how many
    got a delivery, whatever came after it. `contested`: how many their buyers brought before the arbiter. `declined`: by the
    provider's reason. `rulings`: in the order in which they were made. `joined`: orders on offers that others lead and
    that have a dataset of its. `permit_holders`: how many different buyers placed any of all these under a permit.
    """

    provider: Address
    orders: int = 0
    open: int = 0
    delivered: int = 0
    contested: int = 0
    ends: Mapping[Reason, int] = field(default_factory=Counter)
    declined: Mapping[DeclineReason, int] = field(default_factory=Counter)
    rulings: tuple[Ruling, ...] = ()
    joined: int = 0
    permit_holders: int = 0

    @property
    def late(self) -> int:
        """Orders that ended because no delivery came in time."""
        return self.ends.get(Reason.NOT_DELIVERED, 0)

    @property
    def forfeited(self) -> int:
        """Orders that ended because the key did not come in time."""
        return self.ends.get(Reason.NOT_REVEALED, 0)

    @property
    def wrong_bytes(self) -> int:
        """Orders that ended because their buyer proved a wrong byte."""
        return self.ends.get(Reason.WRONG_BYTE, 0)


def record_of(account: Account, provider: Address) -> Record:
    """The record of `provider`: nothing but zeros for one of whom nothing is known."""
    return records(account).get(provider, Record(provider))


def records(account: Account) -> dict[Address, Record]:
    """The records of all who have a dataset or lead an offer."""
    led: dict[Address, list[OrderView]] = {view.provider: [] for view in account.datasets.values()}
    joined: dict[Address, list[OrderView]] = {provider: [] for provider in led}
    for order in account.orders.values():
        offer = account.offer_of(order)
        led.setdefault(offer.head.lead, []).append(order)
        for provider in {member.provider for member in offer.members} - {offer.head.lead}:
            joined.setdefault(provider, []).append(order)
    return {provider: _record(provider, orders, joined.get(provider, ())) for provider, orders in led.items()}


def _record(provider: Address, orders: list[OrderView], joined: Iterable[OrderView]) -> Record:
    ended = [order for order in orders if order.state in FINAL]
    ruled = sorted((order for order in ended if order.ruling), key=lambda order: order.life[-1].position)
    joined = list(joined)
    return Record(
        provider,
        orders=len(orders),
        open=len(orders) - len(ended),
        delivered=sum(order.delivery is not None for order in orders),
        contested=sum(order.at(OrderState.CONTESTED) is not None for order in orders),
        ends=Counter(order.reason for order in ended),
        declined=Counter(order.declined for order in ended if order.declined is not None),
        rulings=tuple(order.ruling for order in ruled if order.ruling),
        joined=len(joined),
        permit_holders=len({order.order.buyer for order in (*orders, *joined) if order.order.permit != NOTHING}),
    )
