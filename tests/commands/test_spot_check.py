"""`agora check`: a look into a delivery before it is accepted."""

from pathlib import Path
from random import Random

import pytest

from marketplace.protocol.descriptor import Described
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState
from tests.buying.answering import Opener, answering, answering_for, silent
from tests.commands.market import Buyer, Ran

ROWS = 5_000


def delivered(buyer: Buyer) -> OrderId:
    """An order with a delivery that is large enough to be opened in part."""
    client = buyer.client()
    order = client.place(client.draft(buyer.market.offer.id, rows=ROWS)).order
    buyer.market.provider.deliver(order)
    return order


def check(buyer: Buyer, order: str, described: Described, *more: str, run: bool = False) -> Ran:
    """`agora check`, in a process of its own if told to."""
    digests = ("--descriptor", described.descriptor.hex(), "--certificate", described.certificate.hex())
    return (buyer.run if run else buyer.agora)("check", order, *digests, *more)


def test_an_honest_delivery_passes_and_can_then_be_fetched(buyer: Buyer, tmp_path: Path) -> None:
    order, opener, market = delivered(buyer), Opener(), buyer.market
    with answering(tmp_path / "node", market.provider.signer.address, market.store, opener) as described:
        shown = check(buyer, order.hex(), described, "--json", run=True).json()
        spoken = check(buyer, order.hex(), described)
    assert (shown["order"], shown["passed"], shown["finding"]) == (order.hex(), True, "right")
    assert len(shown["chunks"]) == 4
    assert opener.indices == shown["chunks"] * 2
    assert spoken.code == 0
    assert spoken.out.startswith("Right: 4 of the ")
    assert f"agora fetch {order.hex()}" in spoken.err
    assert buyer.client().order(order).state is OrderState.DELIVERED


def test_the_ledger_says_whom_to_ask(buyer: Buyer, tmp_path: Path) -> None:
    order, opener, market = delivered(buyer), Opener(), buyer.market
    never = buyer.agora("check", order.hex())
    assert (never.code, "describes its node on the ledger" in never.error()) == (3, True)
    with answering_for(tmp_path / "node", market.provider, opener):
        assert buyer.agora("check", order.hex(), "--json").json()["passed"] is True
    assert len(opener.asked) == 2
    for half in ("--descriptor", "--certificate"):
        ran = buyer.agora("check", order.hex(), half, "00" * 32)
        assert (ran.code, "together, or neither" in ran.error()) == (2, True)


def test_rubbish_ends_with_the_reason_and_what_to_do(
    buyer: Buyer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = buyer.market
    monkeypatch.setattr(market.provider, "spoil", lambda plain: plain[:2_000] + Random(1).randbytes(len(plain) - 2_000))
    order = delivered(buyer)
    with answering(tmp_path / "node", market.provider.signer.address, market.store, Opener()) as described:
        ran = check(buyer, order.hex(), described, "--chunks", "8", "--json")
    assert ran.code == 4
    assert "outside the schema: chunk " in ran.error()
    assert f"reject the delivery: `agora reject {order.hex()}`" in ran.error()
    assert '"passed": false' in ran.out
    assert buyer.agora("reject", order.hex()).code == 0


def test_no_answer_is_unreachable_and_says_when_to_reject(buyer: Buyer) -> None:
    order, market = delivered(buyer), buyer.market
    with silent(market.provider.signer.address, market.store) as described:
        ran = check(buyer, order.hex(), described)
    assert ran.code == 5
    assert ran.out == ""
    assert f"if that stays so, reject the delivery: `agora reject {order.hex()}`" in ran.error()


def test_another_provider_is_corrupt_and_digests_that_are_none_are_invalid(buyer: Buyer, tmp_path: Path) -> None:
    order, opener = delivered(buyer), Opener()
    with answering(tmp_path / "node", buyer.signer.address, buyer.market.store, opener) as described:
        assert check(buyer, order.hex(), described).code == 4
    ran = buyer.agora("check", order.hex(), "--descriptor", "12", "--certificate", "00" * 32)
    assert (ran.code, "64 hexadecimal digits" in ran.error()) == (2, True)
    assert opener.asked == []


@pytest.mark.parametrize("order", ["", "12", "0x" + "g" * 64])
def test_an_order_that_is_none_is_invalid(buyer: Buyer, order: str) -> None:
    ran = check(buyer, order, Described(bytes(32), bytes(32)))
    assert ran.code == 2
    assert "the order's id, 64 hexadecimal digits" in ran.error()


def test_an_order_that_nobody_delivered_or_placed_is_told(buyer: Buyer) -> None:
    nowhere = Described(bytes(32), bytes(32))
    placed = check(buyer, buyer.place().hex(), nowhere)
    assert placed.code == 3
    assert "expected a delivery, the order is Placed" in placed.error()
    assert check(buyer, "ab" * 32, nowhere).code == 2


def test_a_result_that_is_too_small_to_be_opened_in_part_is_refused(buyer: Buyer, tmp_path: Path) -> None:
    order, market = buyer.deliver(), buyer.market
    with answering(tmp_path / "node", market.provider.signer.address, market.store, Opener()) as described:
        ran = check(buyer, order.hex(), described)
    assert ran.code == 3
    assert "too small to be opened in part" in ran.error()
