"""The proof of a wrong byte: what a complaint ends, and everything that it cannot be about."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.protocol.states import OrderState, Reason
from marketplace.sealing import proof_of
from marketplace.sealing.tree import depth_of
from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.life import Complaint, Life, delivery
from tests.sealing.sale import KEY, fetch, flipped, honest_records, sell_records

from .conftest import Stage

OTHER = b"\7" * 32
COUNTS = (1, 2, 3, 4, 5, 8, 9)
PLACES = [(count, index) for count in COUNTS for index in sorted({0, count // 2, count - 1})]


def records(count: int, *wrong: int) -> list[bytes]:
    """`count` records, of which those at `wrong` have a bit of their ciphertext turned."""
    honest = honest_records([bytes([index]) * 992 for index in range(count)])
    return [flipped(record, 8 * 700) if index in wrong else record for index, record in enumerate(honest)]


class Sold:
    """An order whose key is out, with the inner file that its buyer has."""

    def __init__(self, life: Life, of: Sequence[bytes]) -> None:
        sale = sell_records(of)
        self.inner = fetch(sale.sealed, sale.commitment).getvalue()
        self.life, self.count = life, len(of)
        roots = {"commitmentRoot": sale.commitment.root, "plainRoot": sale.commitment.plain_root}
        life.made = delivery(**roots, keyHash=sale.commitment.key_hash, count=len(of))
        life.__post_init__()
        for step in (life.place, life.deliver, life.accept):
            step()
        life.reveal(key=KEY)

    def proof(self, place: int, **changes: Any) -> Any:
        """The proof for the chunk at `place`, with changes."""
        found = proof_of(io.BytesIO(self.inner), place)
        usual = Complaint(KEY, found.index, found.plain_hash, found.cipher, list(found.path))
        return usual._replace(**changes)


def sold(stage: Stage, of: Sequence[bytes], number: int = 0) -> Sold:
    return Sold(stage.order(number), of)


# ------------------------------------------------------------------------------------------------------- a wrong chunk


@pytest.mark.parametrize(("count", "index"), PLACES)
def test_a_wrong_chunk_gives_price_and_bond_to_the_buyer(stage: Stage, count: int, index: int) -> None:
    sale = sold(stage, records(count, index))
    life, revealed_s = sale.life, stage.market.evm.now_s
    (event,) = life.complain(about=sale.proof(index)).events
    assert (event.name, event.values) == ("OrderForfeited", {"order": life.id, "reason": Reason.WRONG_BYTE})
    assert life.standing == (OrderState.FORFEITED, Reason.WRONG_BYTE, 0, revealed_s, 0, 0, 0, life.digest)
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond)
    assert stage.standing == (True, False, 0, 0)


def test_a_wrong_hash_is_as_good_as_wrong_bytes(stage: Stage) -> None:
    of = records(3)
    sale = sold(stage, [of[0], flipped(of[1], 0), of[2]])
    sale.life.complain(about=sale.proof(1))
    assert sale.life.standing.reason == Reason.WRONG_BYTE


def test_a_chunk_that_is_right_at_another_place_is_wrong(stage: Stage) -> None:
    of = records(4)
    sale = sold(stage, [of[0], of[2], of[1], of[3]])
    sale.life.complain(about=sale.proof(2))
    assert sale.life.standing.reason == Reason.WRONG_BYTE


def test_any_of_several_wrong_chunks_will_do(stage: Stage) -> None:
    for number, index in enumerate((1, 4)):
        sale = sold(stage, records(5, 1, 4), number)
        sale.life.complain(about=sale.proof(index))
        assert sale.life.standing.state == OrderState.FORFEITED


def test_the_buyer_can_withdraw_what_it_got(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    sale.life.complain(about=sale.proof(1))
    token, before = stage.market.euro, stage.market.euro.ask("balanceOf", stage.buyer)
    stage.rules.send(stage.buyer, "withdrawCredit", token.address, stage.price + stage.bond)
    assert token.ask("balanceOf", stage.buyer) == before + stage.price + stage.bond
    with stage.refused("NothingToWithdraw"):
        sale.life.withdraw_payout()


def test_the_licence_is_void_and_the_rho_stays_spent(stage: Stage) -> None:
    sale = sold(stage, records(2, 0))
    now_s = stage.market.evm.now_s
    assert sale.life.is_licensed(stage.buyer, now_s)
    sale.life.complain(about=sale.proof(0))
    assert not sale.life.is_licensed(stage.buyer, now_s)
    with stage.refused("NotReleasable", sale.life.id, OrderState.FORFEITED, Reason.WRONG_BYTE):
        sale.life.release()
    assert stage.used == 100


def test_a_contested_order_can_still_be_complained_of_and_the_deposit_comes_back(stage: Stage) -> None:
    sale = Sold(stage.order(terms=stage.disputed), records(3, 1))
    sale.life.contest()
    with stage.refused("ChunkIsRight", sale.life.id, 0):
        sale.life.complain(about=sale.proof(0))
    (event,) = sale.life.complain(about=sale.proof(1)).events
    assert (event.name, event.values["reason"]) == ("OrderForfeited", Reason.WRONG_BYTE)
    deposit = sale.life.terms.head.contestDeposit
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond + deposit)


@pytest.mark.parametrize("left_s", [0, -1])
def test_a_contested_order_is_complained_of_until_the_arbiters_last_second(stage: Stage, left_s: int) -> None:
    sale = Sold(stage.order(terms=stage.disputed), records(3, 1))
    sale.life.contest()
    deadline_s = sale.life.standing.deadline
    stage.market.evm.travel(deadline_s - left_s)
    if left_s == 0:
        assert sale.life.complain(about=sale.proof(1)).events
    else:
        with stage.refused("TooLate", sale.life.id, deadline_s):
            sale.life.complain(about=sale.proof(1))


# ------------------------------------------------------------------------------------------------------ who, and when


def test_only_the_buyer_complains(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    for account in (stage.provider, stage.stranger):
        with stage.refused("NotTheBuyer", stage.buyer, account):
            sale.life.complain(account, sale.proof(1))


@pytest.mark.parametrize("left_s", [1, 0])
def test_a_complaint_is_in_time_until_the_last_second(stage: Stage, left_s: int) -> None:
    sale = sold(stage, records(2, 1))
    stage.market.evm.travel(sale.life.standing.deadline - left_s)
    assert sale.life.complain(about=sale.proof(1)).events


def test_a_complaint_is_late_a_second_later(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    deadline_s = sale.life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", sale.life.id, deadline_s):
        sale.life.complain(about=sale.proof(1))


def test_a_complaint_ends_an_order_once(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    sale.life.complain(about=sale.proof(1))
    with stage.refused("WrongState", sale.life.id, OrderState.FORFEITED, OrderState.REVEALED):
        sale.life.complain(about=sale.proof(1))
    with stage.refused("WrongState", sale.life.id, OrderState.FORFEITED, OrderState.REVEALED):
        sale.life.settle()


def test_who_has_settled_complains_no_more(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    sale.life.settle()
    with stage.refused("WrongState", sale.life.id, OrderState.SETTLED, OrderState.REVEALED):
        sale.life.complain(about=sale.proof(1))


def test_a_complaint_takes_nothing_from_another_order(stage: Stage) -> None:
    other, sale = stage.revealed(1), sold(stage, records(2, 1), 2)
    before = other.standing
    sale.life.complain(about=sale.proof(1))
    assert other.standing == before
    other.settle()
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond)
    assert stage.standing == (True, False, 0, stage.price)


# ------------------------------------------------------------------------------------------------ what is no wrong chunk


@pytest.mark.parametrize("count", COUNTS)
def test_a_right_chunk_is_refused(stage: Stage, count: int) -> None:
    sale = sold(stage, records(count))
    for index in range(count):
        with stage.refused("ChunkIsRight", sale.life.id, index):
            sale.life.complain(about=sale.proof(index))


def test_the_right_chunks_beside_a_wrong_one_are_refused(stage: Stage) -> None:
    sale = sold(stage, records(5, 3))
    for index in (0, 1, 2, 4):
        with stage.refused("ChunkIsRight", sale.life.id, index):
            sale.life.complain(about=sale.proof(index))


@pytest.mark.parametrize("count", COUNTS)
def test_an_index_is_below_the_count(stage: Stage, count: int) -> None:
    sale = sold(stage, records(count, 0))
    padding = {"plainHash": bytes(32), "cipher": bytes(1024)}
    for index in (count, count + 1, 2**32 - 1):
        for changes in ({}, padding):
            with stage.refused("OutOfRange", "index", index, 0, count - 1):
                sale.life.complain(about=sale.proof(0, index=index, **changes))


@pytest.mark.parametrize("count", COUNTS)
def test_a_path_is_as_long_as_the_tree_is_deep(stage: Stage, count: int) -> None:
    sale = sold(stage, records(count, 0))
    right, depth = sale.proof(0), depth_of(count)
    for path in ([*right.path, bytes(32)], right.path[1:], right.path[:-1], [], [OTHER] * 33):
        if len(path) != depth:
            with stage.refused("OutOfRange", "path", len(path), depth, depth):
                sale.life.complain(about=right._replace(path=path))


@pytest.mark.parametrize("length", [0, 1, 32, 1023, 1025, 2048])
def test_a_chunk_has_1024_bytes(stage: Stage, length: int) -> None:
    sale = sold(stage, records(2, 0))
    cipher = (sale.proof(0).cipher * 2)[:length]
    with stage.refused("OutOfRange", "cipher", length, 1024, 1024):
        sale.life.complain(about=sale.proof(0, cipher=cipher))


def test_bytes_that_the_delivery_does_not_commit_to_are_refused(stage: Stage) -> None:
    sale = sold(stage, records(5, 3))
    right = sale.proof(3)
    forged = (
        right._replace(plainHash=OTHER),
        right._replace(cipher=bytes(1024)),
        right._replace(path=[OTHER, *right.path[1:]]),
        right._replace(path=right.path[::-1]),
    )
    for about in forged:
        with stage.refused("ChunkNotCommitted", sale.life.id, 3):
            sale.life.complain(about=about)
    for index in (0, 1, 2, 4):
        with stage.refused("ChunkNotCommitted", sale.life.id, index):
            sale.life.complain(about=right._replace(index=index))


def test_an_inner_node_is_no_leaf(stage: Stage) -> None:
    sale = sold(stage, records(4))
    children = sale.proof(1).path[0] + sale.proof(0).path[0]
    node = sale.proof(0, plainHash=children[:32], cipher=children[32:].ljust(1024, b"\0"))
    for index in range(4):
        with stage.refused("OutOfRange", "path", 1, 2, 2):
            sale.life.complain(about=node._replace(index=index, path=node.path[1:]))
        for path in ([node.path[1], bytes(32)], [bytes(32), node.path[1]], node.path):
            with stage.refused("ChunkNotCommitted", sale.life.id, index):
                sale.life.complain(about=node._replace(index=index, path=path))


def test_a_key_that_was_not_promised_is_refused(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    with stage.refused("WrongKey", sale.life.id, sale.life.made.keyHash):
        sale.life.complain(about=sale.proof(1, key=OTHER))


def test_another_delivery_than_the_recorded_one_is_refused(stage: Stage) -> None:
    sale, other = sold(stage, records(3)), sold(stage, records(3, 1), 1)
    for made in (other.life.made, sale.life.made._replace(count=2), sale.life.made._replace(commitmentRoot=OTHER)):
        digest = stage.rules.ask("deliveryHash", sale.life.id, made)
        with stage.refused("WrongDelivery", sale.life.id, sale.life.digest, digest):
            sale.life.complain(about=other.proof(1), made=made)


def test_the_proof_of_another_order_is_refused(stage: Stage) -> None:
    sale, other = sold(stage, records(3)), sold(stage, records(3, 1), 1)
    with stage.refused("ChunkNotCommitted", sale.life.id, 1):
        sale.life.complain(about=other.proof(1))


def test_the_terms_of_another_offer_are_refused(stage: Stage) -> None:
    sale = sold(stage, records(2, 1))
    own = sale.life.terms
    sale.life.terms = stage.market.terms(own.head._replace(cost=1), own.members)
    with stage.refused("WrongOffer", own.offer, sale.life.terms.offer):
        sale.life.complain(about=sale.proof(1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_proof_with_any_bit_turned_proves_nothing(stage: Stage, data: st.DataObject) -> None:
    before = stage.market.evm.snapshot()
    sale = sold(stage, records(5, 3))
    right = sale.proof(3)
    part = data.draw(st.sampled_from(["key", "index", "plainHash", "cipher", "path"]))
    if part == "index":
        about = right._replace(index=right.index ^ 1 << data.draw(st.integers(0, 31)))
    elif part == "path":
        level = data.draw(st.integers(0, 2))
        turned = flipped(right.path[level], data.draw(st.integers(0, 255)))
        about = right._replace(path=[*right.path[:level], turned, *right.path[level + 1 :]])
    else:
        value = getattr(right, part)
        about = right._replace(**{part: flipped(value, data.draw(st.integers(0, 8 * len(value) - 1)))})
    with pytest.raises(Reverted) as raised:
        sale.life.complain(about=about)
    assert raised.value.name in {"WrongKey", "OutOfRange", "ChunkNotCommitted"}
    stage.market.evm.restore(before)
