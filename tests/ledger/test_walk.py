"""Whole lives of orders at random, through the client on every adapter, beside a model that knows only the rules."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from marketplace.ledger.reader import EventReader
from marketplace.protocol.account import fold
from tests.ledger.agreement import assert_agrees
from tests.ledger.model import RULES
from tests.ledger.walk import Walk
from tests.ledger.world import World


def walk(world: World, **how: object) -> type[Walk]:
    """Many markets on one ledger, each at random; then everything that was recorded is folded and compared."""
    walked = type("Walked", (Walk,), {"world": world, "reached": Counter(), "refused": Counter()})
    run_state_machine_as_test(walked, settings=settings(**how))  # type: ignore[arg-type]
    assert_agrees(world.ledger, fold(EventReader(world.ledger).events()))
    return walked


def test_orders_live_as_the_tables_say(world: World) -> None:
    walked = walk(world, max_examples=3, stateful_step_count=35, derandomize=True, database=None)
    assert walked.reached.total() >= 3
    assert walked.refused.total() >= 10


@pytest.mark.slow
def test_orders_live_and_end_in_every_way_that_the_tables_say(world: World) -> None:
    walked = walk(world, max_examples=60, stateful_step_count=60)
    assert set(walked.reached) == {rule.reason for rule in RULES if rule.reason}
    assert walked.refused.total() >= 500
