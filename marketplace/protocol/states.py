"""The life of an order: one enum, one total table. A test compares both with the contract."""

from enum import IntEnum


class OrderState(IntEnum):
    """Where an order stands. `ABSENT` is what the ledger answers for an order that was never placed."""

    ABSENT = 0
    PLACED = 1
    DELIVERED = 2
    ACCEPTED = 3
    REVEALED = 4
    CONTESTED = 5
    SETTLED = 6
    REFUNDED = 7
    FORFEITED = 8

    @property
    def word(self) -> str:
        """The state as people see it, as in the contract: `Placed`."""
        return self.name.capitalize()


class Reason(IntEnum):
    """Why an order moved to the state it is in."""

    NONE = 0
    DECLINED = 1
    NOT_DELIVERED = 2
    REJECTED = 3
    NOT_ACCEPTED = 4
    NOT_REVEALED = 5
    PERMIT_REVOKED = 6
    APPROVED = 7
    UNCHALLENGED = 8
    WRONG_BYTE = 9
    RULED = 10
    NOT_RULED = 11


class DeclineReason(IntEnum):
    """Why a provider turned an order down before it touched records."""

    UNSTATED = 0
    SPECIFICATION = 1
    RULES = 2
    BUDGET = 3
    RECORDS = 4
    CAPACITY = 5


NEXT: dict[OrderState, frozenset[OrderState]] = {
    OrderState.ABSENT: frozenset({OrderState.PLACED}),
    OrderState.PLACED: frozenset({OrderState.DELIVERED, OrderState.REFUNDED}),
    OrderState.DELIVERED: frozenset({OrderState.ACCEPTED, OrderState.REFUNDED}),
    OrderState.ACCEPTED: frozenset({OrderState.REVEALED, OrderState.REFUNDED, OrderState.FORFEITED}),
    OrderState.REVEALED: frozenset({OrderState.SETTLED, OrderState.FORFEITED, OrderState.CONTESTED}),
    OrderState.CONTESTED: frozenset({OrderState.SETTLED, OrderState.REFUNDED, OrderState.FORFEITED}),
    OrderState.SETTLED: frozenset(),
    OrderState.REFUNDED: frozenset(),
    OrderState.FORFEITED: frozenset(),
}

REASONS: dict[tuple[OrderState, OrderState], frozenset[Reason]] = {
    (OrderState.ABSENT, OrderState.PLACED): frozenset({Reason.NONE}),
    (OrderState.PLACED, OrderState.DELIVERED): frozenset({Reason.NONE}),
    (OrderState.PLACED, OrderState.REFUNDED): frozenset({Reason.DECLINED, Reason.NOT_DELIVERED}),
    (OrderState.DELIVERED, OrderState.ACCEPTED): frozenset({Reason.NONE}),
    (OrderState.DELIVERED, OrderState.REFUNDED): frozenset({Reason.REJECTED, Reason.NOT_ACCEPTED}),
    (OrderState.ACCEPTED, OrderState.REVEALED): frozenset({Reason.NONE}),
    (OrderState.ACCEPTED, OrderState.REFUNDED): frozenset({Reason.PERMIT_REVOKED}),
    (OrderState.ACCEPTED, OrderState.FORFEITED): frozenset({Reason.NOT_REVEALED}),
    (OrderState.REVEALED, OrderState.SETTLED): frozenset({Reason.APPROVED, Reason.UNCHALLENGED}),
    (OrderState.REVEALED, OrderState.FORFEITED): frozenset({Reason.WRONG_BYTE}),
    (OrderState.REVEALED, OrderState.CONTESTED): frozenset({Reason.NONE}),
    (OrderState.CONTESTED, OrderState.SETTLED): frozenset({Reason.RULED, Reason.NOT_RULED}),
    (OrderState.CONTESTED, OrderState.REFUNDED): frozenset({Reason.RULED}),
    (OrderState.CONTESTED, OrderState.FORFEITED): frozenset({Reason.WRONG_BYTE}),
}

FINAL: frozenset[OrderState] = frozenset(state for state, following in NEXT.items() if not following)
