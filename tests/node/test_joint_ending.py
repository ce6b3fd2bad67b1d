"""Joint orders that end badly: each node says why to its own provider, the order is Refunded, no budget comes back once a
vault was asked, and nothing is drawn twice."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason
from node.admission import Rules
from node.serving import rotate
from node.vault.database import query
from node.work import Abstain, Close, Decline, Release
from node.workers.joint import JointWorkers
from tests.node import pooled as market
from tests.node import stumbling
from tests.node.pooled import Hospital, Pool, pooled

CULPRIT = 2


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with pooled(tmp_path, persons=(30, 30, 30)) as made:
        yield made


def stumble(pool: Pool, moment: str, how: str) -> None:
    """From now on the culprit's party process ends badly. Where it is stopped, the others' patience has to end, which is still
    longer than one who has not stopped can be late."""
    command = (sys.executable, "-P", stumbling.__file__, moment, how)
    pool.restart(CULPRIT, joint=JointWorkers(party=command))
    if how == "stopped":
        pool.limit(stall_s=60.0, join_s=300.0)


def said(one: Hospital, order: OrderId) -> str:
    return " | ".join(one.troubles(order))


def all_said(pool: Pool, order: OrderId, but: Sequence[int] = ()) -> Callable[[], bool]:
    """Whether every node, but those, has told its provider of trouble."""
    return lambda: all(said(one, order) for number, one in enumerate(pool.hospitals) if number not in but)


def party(pool: Pool, order: OrderId, number: int) -> str:
    """How others call a hospital: by its place in the offer."""
    members = pool.client.account().offer_of(pool.order(order)).members
    address = pool.hospitals[number].address
    return f"party {[member.provider for member in members].index(address)} ({address})"


def assert_refunded(pool: Pool, order: OrderId, touched: Sequence[int], perhaps: Sequence[int] = ()) -> None:
    """The order is Refunded; those who were asked, and perhaps some more, keep their debit, the others have released, and
    nobody drew twice."""
    view = pool.run_out(order)
    assert view.state is OrderState.REFUNDED
    assert view.reason is Reason.NOT_DELIVERED or not pool.lead.debits(order)
    for number, one in enumerate(pool.hospitals):
        assert len(one.debits(order)) == (one.used_micro() > 0), number
        assert number in perhaps or len(one.debits(order)) == (number in touched), number
    assert (
        pool.ledger.balance_units(pool.token, pool.client.signer.address)
        + pool.ledger.credit_units(pool.token, pool.client.signer.address)
        == market.PURSE_UNITS
    )
    pool.assert_sound()


@pytest.mark.parametrize(
    ("moment", "how", "did"),
    [
        ("middle", "killed", "was cut off"),
        *(
            pytest.param(moment, how, did, marks=pytest.mark.slow)
            for how, did in (("killed", "cut off"), ("stopped", "silent"), ("cut", ""), ("rubbish", ""))
            for moment in ("start", "middle", "end")
            if (moment, how) != ("middle", "killed")
        ),
    ],
)
def test_a_party_that_ends_badly_is_named_and_the_order_is_refunded(
    pool: Pool, moment: str, how: str, did: str
) -> None:
    stumble(pool, moment, how)
    order = pool.place(pool.publish())
    pool.run(all_said(pool, order, but=[CULPRIT]))
    assert (pool.hospitals[CULPRIT].folder(order) / "party" / stumbling.STUMBLED).exists()
    for number in (0, 1):
        words = said(pool.hospitals[number], order)
        assert did in words
        assert (party(pool, order, CULPRIT) in words) or how == "cut"
        assert ("not delivered" in words) == (moment != "start")
    if moment == "start":  # who stumbles may have heard all that it needs to begin
        assert_refunded(pool, order, touched=[], perhaps=[CULPRIT])
    else:
        assert_refunded(pool, order, touched=[0, 1, 2])


@pytest.mark.slow
def test_a_process_that_counts_and_dies_is_told_to_its_own_provider_alone(pool: Pool) -> None:
    dying = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    pool.restart(CULPRIT, joint=JointWorkers(counter=dying))
    order = pool.place(pool.publish())
    pool.run(all_said(pool, order))
    assert "the process that counts" in said(pool.hospitals[CULPRIT], order)
    for number in (0, 1):
        assert "the process that counts" not in said(pool.hospitals[number], order)
        assert party(pool, order, CULPRIT) in said(pool.hospitals[number], order)
    assert_refunded(pool, order, touched=[0, 1])


def test_a_member_that_does_not_answer_such_questions_ends_the_order_before_any_record(pool: Pool) -> None:
    pool.restart(1, rules=Rules(analyses=frozenset({"mean"})))
    pool.limit(stall_s=10.0, join_s=1.0)
    order = pool.place(pool.publish())
    pool.run_until(order, OrderState.REFUNDED)
    assert pool.order(order).reason is Reason.DECLINED
    pool.run(lambda: all(order in one.daemon._ended for one in pool.hospitals))
    assert pool.hospitals[1].steps(order)[0] is Abstain
    (abstained,) = (each.step for each in pool.hospitals[1].happened if isinstance(each.step, Abstain))
    assert "answers no analysis of the kind 'count'" in abstained.why
    assert pool.lead.steps(order)[-3:] == [Close, Decline, Release]
    assert "takes no part" not in (pool.order(order).declined or "")
    assert [one.used_micro() for one in pool.hospitals] == [0, 0, 0]
    assert [one.debits(order) for one in pool.hospitals] == [[], [], []]
    pool.assert_sound()


def test_a_certificate_that_the_ledger_does_not_name_takes_no_part(pool: Pool) -> None:
    one = pool.hospitals[1]
    rotate(one.node)
    pool.limit(stall_s=10.0, join_s=10.0)
    order = pool.place(pool.publish())
    awaited = f"{party(pool, order, 1)} was not reached"
    pool.run(lambda: said(one, order) and all(awaited in said(pool.hospitals[n], order) for n in (0, CULPRIT)))
    assert "run `agora-node endpoint describe`" in said(one, order)
    assert_refunded(pool, order, touched=[])


def test_a_node_that_is_restarted_in_the_middle_draws_nothing_again(pool: Pool) -> None:
    stumble(pool, "middle", "stopped")
    order = pool.place(pool.publish())
    one = pool.hospitals[1]
    pool.run(
        lambda: bool(one.debits(order)) and (pool.hospitals[CULPRIT].folder(order) / "party" / "stumbled").exists()
    )
    pool.restart(1)
    for _ in range(10):
        pool.tick()
    assert not one.daemon.effects.together.workers.running(order)
    assert _opened(one, order) == 1
    assert_refunded(pool, order, touched=[0, 1, 2])


def _opened(one: Hospital, order: OrderId) -> int:
    """How often records were opened for an order, by the access log."""
    lines = query(one.node.vault._connection, "SELECT access FROM access WHERE order_id = ?", (order,))
    assert {line[0] for line in lines} <= {"opened"}
    return len(lines)


@pytest.mark.slow
def test_the_same_question_again_is_charged_again_until_the_budget_ends_it(pool: Pool) -> None:
    offer = pool.publish()
    before = pool.client.account().datasets[pool.lead.listed.dataset].left_micro
    for times in (1, 2):
        pool.buy(pool.place(offer))
        left = pool.client.account().datasets[pool.lead.listed.dataset].left_micro
        assert before - left == times * offer.members[0].rho_micro
