"""Several joint orders at once, at real nodes: each in processes of its own, whatever others do to another of them."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.protocol.descriptor import Descriptor
from marketplace.protocol.states import OrderState
from node.mpc.gate import naming
from node.pool import together
from node.work import Wait
from node.workers.job import Name
from node.workers.joint import JointWorkers
from tests.node import stumbling
from tests.node.pooled import Pool, pooled
from tests.node.workplace import LONGEST_S

CULPRIT = 2


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with pooled(tmp_path, persons=(30, 30, 30)) as made:
        yield made


def test_an_order_that_hangs_and_a_flood_of_strangers_hold_no_other_order_up(pool: Pool) -> None:
    offer = pool.publish()
    pool.limit(stall_s=LONGEST_S, join_s=LONGEST_S)
    workers = pool.hospitals[CULPRIT].daemon.effects.together.workers
    workers.party = (sys.executable, "-P", stumbling.__file__, "middle", "stopped")
    hanging = pool.place(offer)
    pool.run(lambda: (pool.hospitals[CULPRIT].folder(hanging) / "party" / stumbling.STUMBLED).exists())
    workers.party = None
    settings = pool.lead.node.endpoint
    assert settings is not None and settings.party is not None
    place = (settings.party.host, settings.party.port)
    flood = [socket.create_connection(place) for _ in range(100)]
    for caller in flood[::2]:
        caller.sendall(naming(hanging))
    orders = [pool.place(offer) for _ in range(2)]
    pool.run(lambda: all(pool.order(order).state is OrderState.DELIVERED for order in orders))
    assert all(one.daemon.effects.together.workers.running(hanging) for one in pool.hospitals)
    assert pool.order(hanging).state is OrderState.PLACED
    for caller in flood:
        caller.close()


def test_a_member_whose_endpoint_hangs_holds_no_tick_of_the_lead_up(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, real, hung = threading.Event(), together.ask, pool.hospitals[CULPRIT].address

    def slow(descriptor: Descriptor, *rest: Any) -> bytes:
        assert descriptor.provider != hung or answered.wait(LONGEST_S)
        return real(descriptor, *rest)

    monkeypatch.setattr(together, "ask", slow)
    order = pool.place(pool.publish())
    pool.run(lambda: all((one.folder(order) / Name.OUTCOME).exists() for one in pool.hospitals))
    begun = time.monotonic()
    waits = [happened.step for _ in range(20) for happened in pool.lead.daemon.tick()]
    assert time.monotonic() - begun < 20 * together.PATIENCE_S / 2
    assert Wait("for the other members' nodes") in waits
    assert not pool.lead.troubles(order)
    answered.set()
    assert pool.run_until(order, OrderState.DELIVERED).state is OrderState.DELIVERED


@pytest.mark.slow
def test_nodes_with_room_for_one_order_answer_several_in_turn(pool: Pool) -> None:
    for number in range(3):
        pool.restart(number, joint=JointWorkers(at_once=1))
    offer = pool.publish()
    orders = [pool.place(offer) for _ in range(2)]
    busy = set()

    def delivered() -> bool:
        busy.add(sum(pool.lead.daemon.effects.together.workers.running(order) for order in orders))
        return all(pool.order(order).state is OrderState.DELIVERED for order in orders)

    pool.run(delivered)
    assert max(busy) == 1
