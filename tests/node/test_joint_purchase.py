"""An analysis bought of three hospitals that answer together, end to end: real nodes, real processes, mutual TLS."""

from pathlib import Path

from marketplace.protocol.states import OrderState
from tests.node.pooled import pooled


def test_three_hospitals_answer_one_order_together(tmp_path: Path) -> None:
    with pooled(tmp_path) as pool:
        order = pool.place(pool.publish())
        out = pool.buy(order)
        pool.client.settle(order)
        assert pool.order(order).state is OrderState.SETTLED
        assert {path.name for path in out.iterdir()} >= {"answers.json", "sums.json", "report.html", "manifest.json"}
        used = {one.used_micro() for one in pool.hospitals}
        assert used == {one.debits(order)[0] for one in pool.hospitals} != {0}
        pool.assert_sound()
