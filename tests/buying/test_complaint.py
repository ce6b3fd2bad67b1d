"""A wrong chunk: the buyer's side finds it by itself, proves it, and gets price and bond."""

import pytest

from marketplace.certificate.folder import INNER
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason
from tests.buying.provider import BOND_UNITS, HOUR_S
from tests.buying.world import PURSE_UNITS, World


def wronged(world: World, chunk: int) -> OrderId:
    """An order whose key is out and whose delivery has a wrong chunk."""
    world.provider.cheats_on_chunk = chunk
    return world.revealed()


@pytest.mark.parametrize("chunk", [0, 3, 64, -1])
def test_a_wrong_chunk_is_found_proven_and_paid_for(world: World, chunk: int) -> None:
    order, client = wronged(world, chunk), world.client()
    assert client.is_licensed(order)
    assert client.complain(order).function == "complain"
    view = client.order(order)
    assert (view.state, view.reason) == (OrderState.FORFEITED, Reason.WRONG_BYTE)
    assert not client.is_licensed(order)
    assert client.account().offers[view.order.offer].owed_units(0) == 0
    client.withdraw(order)
    assert world.purse_units() == PURSE_UNITS + BOND_UNITS


def test_the_delivery_can_be_fetched_after_the_reveal_and_then_complained_of(world: World) -> None:
    order, client = wronged(world, 5), world.client()
    (world.wallet / order.hex() / INNER).unlink()
    with pytest.raises(Invalid, match="fetch the order first"):
        client.complain(order)
    client.receive(order)
    client.complain(order)
    assert client.order(order).reason is Reason.WRONG_BYTE


def test_a_result_whose_chunks_are_right_is_not_complained_of(world: World) -> None:
    order, client = world.revealed(), world.client()
    with pytest.raises(Refused, match="expected a wrong chunk, the revealed key opens every one"):
        client.complain(order)
    assert client.order(order).state is OrderState.REVEALED


def test_what_this_disk_has_damaged_is_not_complained_of(world: World) -> None:
    order, client = wronged(world, 5), world.client()
    inner = world.wallet / order.hex() / INNER
    data = inner.read_bytes()
    inner.write_bytes(data[:2_000] + bytes([data[2_000] ^ 1]) + data[2_001:])
    with pytest.raises(Corrupt, match="altered after it was checked; fetch the object again"):
        client.complain(order)
    client.receive(order)
    client.complain(order)
    assert client.order(order).reason is Reason.WRONG_BYTE


@pytest.mark.parametrize("reached", ["placed", "accepted"])
def test_complaining_before_the_reveal_is_refused(world: World, reached: str) -> None:
    order = {"placed": world.place, "accepted": world.accepted}[reached]()
    with pytest.raises(Refused, match=r"the order is (Placed|Accepted); wait for the provider"):
        world.client().complain(order)


def test_complaining_twice_or_after_settling_is_refused(world: World) -> None:
    client, first, second = world.client(), wronged(world, 1), wronged(world, 1)
    client.complain(first)
    with pytest.raises(Refused, match="it is Forfeited"):
        client.complain(first)
    client.settle(second)
    with pytest.raises(Refused, match="it is Settled"):
        client.complain(second)


def test_complaining_too_late_is_refused(world: World) -> None:
    order = wronged(world, 1)
    world.ledger.advance(HOUR_S + 60)
    with pytest.raises(Refused, match="the deadline has passed"):
        world.client().complain(order)


def test_nobody_complains_for_another(world: World) -> None:
    order = wronged(world, 1)
    with pytest.raises(Refused, match="expected the order's buyer"):
        world.client(signer=world.ledger.account()).complain(order)
