"""Every objection that a node can have, each told from declared facts alone."""

from dataclasses import fields, replace

import pytest

from marketplace.protocol.description import Description
from marketplace.protocol.offer import Guarantee, Kind, Offer
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.specification import Specification, Workload
from node.admission import Application, Rules, objection
from node.spending import LEAST_EVALUATE_MICRO
from tests.node.examples import DESCRIPTION, HIDDEN, ROWS_DECLARED, offer, order, specification
from tests.protocol.examples import address

APPLICATION = Application(order(), offer(), specification(), DESCRIPTION, held_version=1, left_micro=20_000)


def test_an_order_that_asks_for_nothing_unusual_is_let_in() -> None:
    assert objection(APPLICATION, Rules()) is None


def test_the_budget_may_be_spent_to_the_last_micro_rho() -> None:
    assert objection(replace(APPLICATION, left_micro=20_000), Rules()) is None
    assert "does not pay" in str(objection(replace(APPLICATION, left_micro=19_999), Rules()))


def test_a_named_buyer_is_let_in() -> None:
    assert objection(APPLICATION, Rules(buyers=frozenset({address(2)}))) is None


@pytest.mark.parametrize(
    ("changes", "rules", "expected"),
    [
        ({"offer": offer(kind=Kind.ANALYSIS)}, Rules(), "makes synthetic twins"),
        ({"offer": offer(guarantee=Guarantee.EXACT)}, Rules(), "makes synthetic twins"),
        ({}, Rules(epsilon_at_most=0.5), "an epsilon of at most 0.5"),
        ({"held_version": 2}, Rules(), "holds version 2"),
        ({"order": order(versions=pack_versions([2]))}, Rules(), "holds version 1"),
        ({}, Rules(buyers=frozenset()), "sells to named buyers only"),
        ({"specification": specification(attestation="We will do as we please.")}, Rules(), "lacks the attestation"),
        ({"specification": specification(offer=b"x" * 32)}, Rules(), "is for another offer"),
        ({"specification": specification(rows=10 * ROWS_DECLARED + 1)}, Rules(), "at most 10 synthetic rows"),
        ({"specification": specification(slot_s=4)}, Rules(slot_s_at_least=5), "delivery slot does not fit"),
        ({"specification": specification(slot_s=3_601)}, Rules(), "delivery slot does not fit"),
        ({"specification": specification(workload=Workload((("height",),)))}, Rules(), "expected one of the columns"),
        ({"specification": specification(workload=Workload((("sex",) * 2,)))}, Rules(), "different columns"),
        ({"left_micro": 0}, Rules(), "budget in this node's own account"),
        ({"offer": offer(rho_micro=LEAST_EVALUATE_MICRO)}, Rules(), "micro-rho for a result and its scores"),
        ({"offer": offer(rho_micro=LEAST_EVALUATE_MICRO + 1)}, Rules(), "expected a rho of at least"),
    ],
)
def test_what_cannot_be_served_meets_an_objection(changes: dict[str, object], rules: Rules, expected: str) -> None:
    found = objection(replace(APPLICATION, **changes), rules)  # type: ignore[arg-type]
    assert found is not None
    assert expected in found
    assert "\n" not in found


def test_nothing_that_was_read_from_records_can_reach_the_decision() -> None:
    assert {field.type for field in fields(Application)} == {Order, Offer, Specification, Description, int}
    assert HIDDEN not in repr(APPLICATION)
