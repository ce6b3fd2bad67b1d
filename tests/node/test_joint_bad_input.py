"""Joint orders among real nodes of which one has something else than the others: a document, a clock, no rows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.protocol import analysis_answer
from marketplace.protocol.states import OrderState, Reason
from node.skew import MOST_SKEW_S
from node.work import Abstain, Make
from node.workers.job import Name
from tests.node.pooled import Pool, pooled

CULPRIT, FEW = 2, 20


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with pooled(tmp_path, persons=(30, 30, FEW)) as made:
        yield made


def test_a_party_that_was_given_another_document_ends_the_order_before_any_record_and_only_providers_know(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = pool.hospitals[CULPRIT].daemon.effects.together
    make = together.make

    def with_another(made: Any, *rest: Any) -> bool:
        return make(
            replace(made, specification=replace(made.specification, slot_s=made.specification.slot_s + 1)), *rest
        )

    monkeypatch.setattr(together, "make", with_another)
    order = pool.place(pool.publish())
    pool.run(lambda: all("worked on something else" in " ".join(one.troubles(order)) for one in pool.hospitals))
    assert [one.debits(order) for one in pool.hospitals] == [[], [], []]
    view = pool.run_out(order)
    assert (view.state, view.declined) == (OrderState.REFUNDED, None)
    assert view.reason is Reason.NOT_DELIVERED
    assert [one.used_micro() for one in pool.hospitals] == [0, 0, 0]
    pool.assert_sound()


def test_a_document_that_was_altered_in_a_nodes_folder_is_not_worked_by(pool: Pool) -> None:
    order = pool.place(pool.publish())
    one = pool.hospitals[CULPRIT]
    one.folder(order).mkdir(parents=True)
    (one.folder(order) / Name.SPECIFICATION).write_bytes(b"{}")
    account = pool.client.account()
    read = one.daemon._desks.papers(account, account.orders[order]).commission
    assert read is not None
    assert read.specification == pool.lead.daemon._desks.papers(account, account.orders[order]).commission.specification  # type: ignore[union-attr]


@pytest.mark.parametrize(("off_s", "which"), [(-MOST_SKEW_S - 60, "behind"), (MOST_SKEW_S + 60, "ahead of")])
def test_a_node_whose_clock_is_off_says_so_to_its_provider_and_begins_nothing(
    pool: Pool, off_s: int, which: str
) -> None:
    one = pool.hospitals[CULPRIT]
    one.daemon._skew.clock = lambda: pool.ledger.now_s() + off_s
    pool.limit(stall_s=10.0, join_s=1.0)
    offer = pool.publish()
    pool.tick()
    order = pool.place(offer)
    pool.run(lambda: Abstain in one.steps(order))
    (said,) = [each.step.why for each in one.happened if isinstance(each.step, Abstain)]
    assert re.match(rf"this node's clock is 3\d\d s {which} the ledger's", said)
    pool.run_until(order, OrderState.REFUNDED)
    assert Make not in one.steps(order)
    assert "clock" not in (pool.order(order).declined or "")
    assert all(each.debits(order) == [] for each in pool.hospitals)


def test_clocks_that_differ_by_less_and_a_party_without_rows_end_no_order(pool: Pool) -> None:
    for one, off_s in zip(pool.hospitals, (MOST_SKEW_S - 50, 0, 50 - MOST_SKEW_S), strict=True):
        one.daemon._skew.clock = lambda off_s=off_s: pool.ledger.now_s() + off_s  # type: ignore[misc]
    one, now_s = pool.hospitals[CULPRIT], pool.ledger.now_s()
    persons = [f"hush-{CULPRIT}-{person}" for person in range(FEW)]
    assert one.node.provider().note_opt_outs(one.listed.dataset, persons, out=True, now_s=now_s) == FEW
    out = pool.buy(pool.place(pool.publish(epsilon=10.0)))
    count, _ = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    assert abs(count["answer"]["rows"] - 60) < 7 * float(count["answer"]["error"]) < 20
