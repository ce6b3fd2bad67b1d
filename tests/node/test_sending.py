"""Transactions that are sent once, wherever the node is interrupted."""

from pathlib import Path
from typing import cast

import pytest

from marketplace.errors import Corrupt, Refused, Unreachable
from marketplace.ledger.calls import Call
from marketplace.ledger.ledger import Ledger, Prepared, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Order
from marketplace.protocol.states import OrderState
from node.journal import Journal, Mark
from node.sending import Sender
from tests.ledger.world import KEY, World, embedded_world


class Killed(BaseException):
    """Stands for the end of the process: nothing of the node's catches it."""


class Interrupted:
    """A ledger in front of another whose `send` ends in `trouble`, before or after the transaction is sent.

    `prepared`: what it signs, whatever it is asked to.
    """

    def __init__(
        self, ledger: Ledger, trouble: BaseException, *, before: bool = True, prepared: Prepared | None = None
    ) -> None:
        self._ledger = ledger
        self._trouble = trouble
        self._before = before
        self._prepared = prepared

    def prepare(self, by: Signer, call: Call) -> Prepared:
        return self._prepared or self._ledger.prepare(by, call)

    def send(self, prepared: Prepared) -> Receipt:
        if not self._before:
            self._ledger.send(prepared)
        raise self._trouble


@pytest.fixture(scope="module")
def world() -> World:
    return embedded_world()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def sender(world: World, journal: Journal, ledger: Interrupted | None = None) -> Sender:
    return Sender(cast(Ledger, ledger or world.ledger), world.provider, journal)


def delivering(world: World) -> tuple[OrderId, Offer, Order, Call]:
    """A placed order and the call that delivers on it."""
    offer = world.offer()
    order = world.place(offer)
    return world.id(order), offer, order, world.ledger.calls.deliver(offer, order, world.delivery())


def nonce(world: World) -> int:
    return world.ledger.chain.nonce(world.provider.address)


def marks(journal: Journal) -> list[str]:
    return [entry.mark for entry in journal.entries()]


def test_a_transaction_is_signed_journalled_and_sent_once(world: World, journal: Journal) -> None:
    order, _, _, call = delivering(world)
    before = nonce(world)
    receipt = sender(world, journal).send(order, call, 1)
    assert receipt is not None
    assert receipt.function == "deliver"
    assert sender(world, journal).send(order, call, 2) is None
    assert nonce(world) == before + 1
    assert marks(journal) == ["signed:deliver", "sent:deliver"]


def test_calls_of_one_function_for_one_order_are_told_apart(world: World, journal: Journal) -> None:
    order, offer, placed, _ = delivering(world)
    world.ledger.decline(world.provider, offer, placed)
    release = world.ledger.calls.release(offer, placed, 0)
    assert sender(world, journal).send(order, release, 1, part=1) is not None
    with pytest.raises(Refused):
        sender(world, journal).send(order, release, 2)
    assert sender(world, journal).send(order, release, 3, part=1) is None
    assert marks(journal) == ["signed:release.1", "sent:release.1"]


@pytest.mark.parametrize("before", [True, False], ids=["signed, not sent", "sent, not journalled"])
def test_an_interrupted_transaction_is_the_one_that_is_sent(world: World, journal: Journal, before: bool) -> None:
    order, _, _, call = delivering(world)
    number = nonce(world)
    with pytest.raises(Killed):
        sender(world, journal, Interrupted(world.ledger, Killed(), before=before)).send(order, call, 1)
    assert marks(journal) == ["signed:deliver"]
    receipt = sender(world, journal).send(order, call, 2)
    assert receipt is not None
    assert nonce(world) == number + 1
    assert marks(journal) == ["signed:deliver", "sent:deliver"]
    assert receipt.transaction.hex().encode() in journal.entries()[0].data
    assert world.ledger.order(order).state is OrderState.DELIVERED


def test_a_transaction_whose_number_is_gone_is_signed_anew(world: World, journal: Journal) -> None:
    order, _, _, call = delivering(world)
    with pytest.raises(Killed):
        sender(world, journal, Interrupted(world.ledger, Killed())).send(order, call, 1)
    world.ledger.approve(world.provider, world.token, 10**15)
    receipt = sender(world, journal).send(order, call, 2)
    assert receipt is not None
    assert marks(journal) == ["signed:deliver", "signed:deliver", "sent:deliver"]
    assert world.ledger.order(order).state is OrderState.DELIVERED


def test_what_the_contract_no_longer_takes_is_refused_and_not_sent(world: World, journal: Journal) -> None:
    order, offer, placed, call = delivering(world)
    world.ledger.decline(world.provider, offer, placed)
    before = nonce(world)
    with pytest.raises(Refused, match="to be Placed, it is Refunded"):
        sender(world, journal).send(order, call, 1)
    assert nonce(world) == before
    assert marks(journal) == []


def test_a_transaction_that_was_undone_in_its_block_is_not_taken_for_one_that_was_sent(
    world: World, journal: Journal
) -> None:
    order, offer, placed, call = delivering(world)
    prepared = world.ledger.prepare(world.provider, call)
    with pytest.raises(Killed):
        sender(world, journal, Interrupted(world.ledger, Killed(), prepared=prepared)).send(order, call, 1)
    world.pass_time(2 * 3_600)
    with pytest.raises(Refused, match="deadline has passed"):
        sender(world, journal).send(order, call, 2)
    with pytest.raises(Refused, match="deadline has passed"):
        sender(world, journal).send(order, call, 3)
    assert marks(journal) == ["signed:deliver"]
    assert sender(world, journal).send(order, world.ledger.calls.refund(offer, placed), 4) is not None


def test_nobody_answering_leaves_the_transaction_for_later(world: World, journal: Journal) -> None:
    order, _, _, call = delivering(world)
    with pytest.raises(Unreachable):
        sender(world, journal, Interrupted(world.ledger, Unreachable("nobody answered"))).send(order, call, 1)
    assert sender(world, journal).send(order, call, 2) is not None
    assert marks(journal) == ["signed:deliver", "sent:deliver"]


def test_functions_of_one_order_do_not_take_each_other_for_done(world: World, journal: Journal) -> None:
    offer = world.offer()
    placed = world.place(offer)
    order, delivery = world.id(placed), world.delivery()
    calls = world.ledger.calls
    assert sender(world, journal).send(order, calls.deliver(offer, placed, delivery), 1) is not None
    world.ledger.accept(world.buyer, offer, placed, world.hash(placed, delivery))
    assert sender(world, journal).send(order, calls.reveal(offer, placed, delivery, KEY), 2) is not None
    assert marks(journal) == ["signed:deliver", "sent:deliver", "signed:reveal", "sent:reveal"]


def test_a_damaged_entry_is_corrupt_and_says_so(world: World, journal: Journal) -> None:
    order, _, _, call = delivering(world)
    journal.add(order, f"{Mark.SIGNED}:deliver", b"{}", 1)
    with pytest.raises(Corrupt):
        sender(world, journal).send(order, call, 2)
