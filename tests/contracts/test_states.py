"""The table of states on both sides, and that every step keeps to it."""

import json
from collections.abc import Callable

import pytest

from marketplace.protocol.states import FINAL, NEXT, REASONS, DeclineReason, OrderState, Reason
from scripts.benchmarks.evm import Deployed, Evm, Reverted
from scripts.benchmarks.life import Life
from scripts.compiling.artifact import PATH

from .conftest import Stage
from .doubles import double

ORDER = b"\1" * 32


def words(names: list[str]) -> list[str]:
    """`NotDelivered` as `NOT_DELIVERED`."""
    return ["".join(f"_{c}" if c.isupper() else c for c in name).lstrip("_").upper() for name in names]


@pytest.fixture(scope="module")
def books() -> Deployed:
    return Evm().deploy(double("OpenBooks"))


def test_the_contracts_enums_are_those_of_the_protocol() -> None:
    enums = json.loads(PATH.read_text())["enums"]
    assert words(enums["OrderState"]) == [state.name for state in OrderState]
    assert words(enums["Reason"]) == [reason.name for reason in Reason]
    assert words(enums["DeclineReason"]) == [reason.name for reason in DeclineReason]


def test_the_contracts_table_is_that_of_the_protocol(books: Deployed) -> None:
    for before in OrderState:
        following = {after for after in OrderState if books.ask("leads", before, after)}
        assert following == NEXT[before]


def test_advance_moves_along_the_table_and_refuses_everything_else(books: Deployed) -> None:
    someone = books.evm.accounts[0]
    for before in OrderState:
        for after in OrderState:
            start = books.evm.snapshot()
            books.send(someone, "put", ORDER, before)
            if after in NEXT[before]:
                books.send(someone, "move", ORDER, after, Reason.NONE, 0)
                assert books.ask("getOrder", ORDER).state == after
            else:
                with pytest.raises(Reverted, match="4e487b71" + "01".zfill(64)):
                    books.send(someone, "move", ORDER, after, Reason.NONE, 0)
            books.evm.restore(start)


def test_advance_sets_the_deadline_from_the_window(books: Deployed) -> None:
    someone, start = books.evm.accounts[0], books.evm.snapshot()
    books.send(someone, "move", ORDER, OrderState.PLACED, Reason.NONE, 60)
    assert books.ask("getOrder", ORDER).deadline == books.evm.now_s + 60
    books.send(someone, "move", ORDER, OrderState.REFUNDED, Reason.DECLINED, 0)
    assert books.ask("getOrder", ORDER)[:3] == (OrderState.REFUNDED, Reason.DECLINED, 0)
    books.evm.restore(start)


def accept_for(life: Life) -> object:
    return life.accept_for(life.sign_acceptance(life.market.buyer))


def settle_by_another(life: Life) -> object:
    return life.settle(life.market.stranger)


def forfeit_late(life: Life) -> object:
    life.market.evm.travel(life.standing.deadline + 1)
    return life.forfeit()


# How to bring an order into each state, one step after the other.
HONEST = [Life.place, Life.deliver, Life.accept, Life.reveal]
WAYS: dict[OrderState, list[Callable[[Life], object]]] = {
    OrderState.ABSENT: [],
    OrderState.PLACED: HONEST[:1],
    OrderState.DELIVERED: HONEST[:2],
    OrderState.ACCEPTED: HONEST[:3],
    OrderState.REVEALED: HONEST,
    OrderState.CONTESTED: [*HONEST, Life.contest],
    OrderState.SETTLED: [*HONEST, Life.settle],
    OrderState.REFUNDED: [*HONEST[:1], Life.decline],
    OrderState.FORFEITED: [*HONEST[:3], forfeit_late],
}

# Each step, and the states that it starts from, the first of which a refusal names.
STEPS: dict[str, tuple[Callable[[Life], object], tuple[OrderState, ...]]] = {
    "decline": (Life.decline, (OrderState.PLACED,)),
    "deliver": (Life.deliver, (OrderState.PLACED,)),
    "accept": (Life.accept, (OrderState.DELIVERED,)),
    "acceptFor": (accept_for, (OrderState.DELIVERED,)),
    "reject": (Life.reject, (OrderState.DELIVERED,)),
    "reveal": (Life.reveal, (OrderState.ACCEPTED,)),
    "contest": (Life.contest, (OrderState.REVEALED,)),
    "rule": (Life.rule, (OrderState.CONTESTED,)),
    "settle": (Life.settle, (OrderState.REVEALED, OrderState.CONTESTED)),
    "settle by another": (settle_by_another, (OrderState.REVEALED, OrderState.CONTESTED)),
    "complain": (Life.complain, (OrderState.REVEALED, OrderState.CONTESTED)),
    "refund": (Life.refund, (OrderState.PLACED, OrderState.DELIVERED, OrderState.ACCEPTED)),
    "forfeit": (Life.forfeit, (OrderState.ACCEPTED,)),
}


def brought(stage: Stage, state: OrderState) -> Life:
    """An order in this state, of an offer with an arbiter."""
    life = stage.order(terms=stage.disputed)
    for step in WAYS[state]:
        step(life)
    return life


WRONG = [(step, state) for step in STEPS for state in OrderState if state not in STEPS[step][1]]


@pytest.mark.parametrize(("step", "state"), WRONG, ids=lambda value: getattr(value, "name", value))
def test_a_step_from_any_other_state_is_refused_and_says_which(stage: Stage, step: str, state: OrderState) -> None:
    take, expected = STEPS[step]
    life = brought(stage, state)
    with stage.refused("WrongState", life.id, state, expected[0]):
        take(life)


@pytest.mark.parametrize("state", OrderState, ids=lambda state: state.name)
def test_an_order_can_be_brought_into_each_state(stage: Stage, state: OrderState) -> None:
    assert brought(stage, state).standing.state == state


@pytest.mark.parametrize("state", sorted(FINAL), ids=lambda state: state.name)
def test_a_final_state_has_no_deadline(stage: Stage, state: OrderState) -> None:
    assert brought(stage, state).standing.deadline == 0


def test_the_tables_reasons_are_those_of_its_transitions() -> None:
    assert set(REASONS) == {(before, after) for before, following in NEXT.items() for after in following}
