"""`agora order`, `fetch`, `settle`, `complain`, `reject` and `refund`."""

import re
from pathlib import Path

import pytest

from marketplace.certificate.folder import EVIDENCE
from marketplace.commands.display import time_text
from marketplace.errors import Refused
from marketplace.protocol import result
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState
from tests.buying.answering import Opener, answering_for
from tests.buying.provider import BOND_UNITS, PRICE_UNITS
from tests.commands.market import PURSE_UNITS, Buyer

FEE_UNITS = PRICE_UNITS * 500 // 10_000


def steps(shown: dict[str, object]) -> list[str]:
    transactions = shown["transactions"]
    assert isinstance(transactions, list)
    for transaction in transactions:
        assert set(transaction) == {"step", "hash", "gas"}
        assert re.fullmatch(r"0x[0-9a-f]{64}", transaction["hash"])
        assert transaction["gas"] > 21_000
    return [transaction["step"] for transaction in transactions]


def test_order_shows_the_life_in_the_contracts_words(buyer: Buyer) -> None:
    order = buyer.reveal()
    ran = buyer.agora("order", order.hex())
    assert ran.code == 0
    words = [line.split("UTC  ")[1] for line in ran.out.splitlines()]
    assert words[:4] == ["Placed", "Delivered", "Accepted", "Revealed"]
    assert words[4:] == ["deadline of the next step", "end of the licence, which is live"]
    shown = buyer.agora("order", "0x" + order.hex(), "--json").json()
    assert shown["id"] == order.hex()
    assert shown["buyer"] == buyer.signer.address
    assert shown["state"] == "Revealed"
    assert [step["state"] for step in shown["life"]] == ["Placed", "Delivered", "Accepted", "Revealed"]
    assert shown["licence"]["live"] is True


def test_order_needs_no_keys(buyer: Buyer) -> None:
    order = buyer.place()
    for path in (buyer.home / "keys").iterdir():
        path.unlink()
    assert buyer.agora("order", order.hex(), "--json").json()["licence"] == {"live": False, "until_s": None}


def test_fetch_goes_on_where_it_stopped_up_to_the_open_and_settled_result(buyer: Buyer, tmp_path: Path) -> None:
    order, out = buyer.place(), tmp_path / "result"
    command = ("fetch", order.hex(), "--wait", "0", "--out", str(out), "--settle", "--json")

    early = buyer.agora(*command)
    assert early.code == 3
    assert "expected the delivery while waiting" in early.error()
    assert early.out == ""

    buyer.market.provider.deliver(order)
    accepted = buyer.agora(*command)
    assert accepted.code == 3
    assert "expected the key while waiting" in accepted.error()
    assert buyer.client().order(order).state is OrderState.ACCEPTED
    assert not out.exists()

    again = buyer.agora(*command)
    assert again.code == 3
    assert "downloading" not in again.err

    buyer.market.provider.reveal(order)
    shown = buyer.agora(*command).json()
    assert (shown["order"], shown["state"]) == (order.hex(), "Settled")
    assert shown["files"] == {name: str(out / name) for name in result.NAMES}
    assert steps(shown) == ["settle"]
    assert {path.name for path in out.iterdir()} == {*result.NAMES, *EVIDENCE}

    once_more = buyer.agora(*command).json()
    assert (once_more["state"], once_more["transactions"]) == ("Settled", [])


def large(buyer: Buyer) -> OrderId:
    """An order with a delivery that is large enough to be opened in part."""
    client = buyer.client()
    order = client.place(client.draft(buyer.market.offer.id, rows=5_000)).order
    buyer.market.provider.deliver(order)
    return order


def test_fetch_accepts_what_a_look_into_it_finds_right_and_says_where_none_is_possible(
    buyer: Buyer, tmp_path: Path
) -> None:
    looked, skipped, lonely, opener = large(buyer), large(buyer), large(buyer), Opener()
    with answering_for(tmp_path / "node", buyer.market.provider, opener):
        ran = buyer.agora("fetch", looked.hex(), "--wait", "0")
        assert "spot check: 4 of the " in ran.err
        assert len(opener.indices) == 4
        unchecked = buyer.agora("fetch", skipped.hex(), "--wait", "0", "--no-check")
        assert "unchecked" in unchecked.err
        assert len(opener.indices) == 4
    alone = buyer.agora("fetch", lonely.hex(), "--wait", "0")
    assert "no spot check: expected a provider that describes its node" in alone.err
    for order in (looked, skipped, lonely):
        assert buyer.client().order(order).state is OrderState.ACCEPTED


def test_fetch_rejects_what_a_look_into_it_finds_wrong(buyer: Buyer, tmp_path: Path) -> None:
    order = large(buyer)
    with answering_for(tmp_path / "node", buyer.market.provider, Opener(key=b"x" * 32)):
        ran = buyer.agora("fetch", order.hex(), "--wait", "0")
    assert (ran.code, ran.out) == (3, "")
    assert "wrong key" in ran.error()
    assert f"`agora refund {order.hex()}`" in ran.error()
    assert buyer.client().order(order).state is OrderState.REFUNDED
    assert buyer.agora("refund", order.hex()).code == 0
    assert buyer.purse_units() == PURSE_UNITS - FEE_UNITS


def test_fetch_says_what_it_does_on_standard_error_and_what_came_on_standard_output(
    buyer: Buyer, tmp_path: Path
) -> None:
    order = buyer.reveal()
    ran = buyer.agora("fetch", order.hex(), "--out", str(tmp_path / "result"))
    assert ran.code == 0
    assert ran.out == f"Result in {tmp_path / 'result'}: {', '.join(result.NAMES)}\n"
    assert f"agora verify {tmp_path / 'result'}" in ran.err
    assert f"agora settle {order.hex()}" in ran.err


def test_fetch_does_not_settle_a_result_that_does_not_hold(buyer: Buyer, tmp_path: Path) -> None:
    order = buyer.place()
    provider = buyer.market.provider
    provider.deliver(order, lambda manifest: provider.resigned(manifest, scores=()))
    assert buyer.agora("fetch", order.hex(), "--wait", "0").code == 3
    provider.reveal(order)
    ran = buyer.agora("fetch", order.hex(), "--settle", "--out", str(tmp_path / "result"))
    assert ran.code == 4
    assert "not settled" in ran.error()
    assert buyer.client().order(order).state is OrderState.REVEALED
    assert (tmp_path / "result" / result.TABLE).exists()


def wronged(buyer: Buyer) -> OrderId:
    """An order whose key is out and whose chunk 7 is wrong."""
    provider = buyer.market.provider
    provider.cheats_on_chunk = 7
    try:
        return buyer.reveal()
    finally:
        provider.cheats_on_chunk = None


def test_fetch_names_the_chunk_that_is_wrong_and_what_to_do(buyer: Buyer, tmp_path: Path) -> None:
    order = wronged(buyer)
    fetch = ("fetch", order.hex(), "--settle", "--out", str(tmp_path / "result"))
    ran = buyer.agora(*fetch)
    deadline = time_text(buyer.client().order(order).deadline_s)
    assert ran.code == 4
    assert "chunk 7 does not" in ran.error()
    assert f"`agora complain {order.hex()}` by {deadline}" in ran.error()
    assert not (tmp_path / "result").exists()
    assert buyer.client().order(order).state is OrderState.REVEALED
    buyer.client().settle(order)
    after = buyer.agora(*fetch)
    assert after.code == 4
    assert "Chunk 7 does not decrypt" in after.err
    assert "agora complain" not in after.err


def test_complain_proves_the_wrong_chunk_and_withdraws_price_and_bond(buyer: Buyer) -> None:
    order = wronged(buyer)
    ran = buyer.run("complain", order.hex(), "--json")
    shown = ran.json()
    assert (shown["order"], shown["state"]) == (order.hex(), "Forfeited")
    assert steps(shown) == ["complain", "withdrawCredit"]
    assert buyer.purse_units() == PURSE_UNITS + BOND_UNITS
    assert buyer.agora("order", order.hex(), "--json").json()["reason"] == "wrong byte"
    again = buyer.agora("complain", order.hex())
    assert again.code == 3
    assert "it is Forfeited" in again.error()


def test_complain_shows_its_transactions_to_people(buyer: Buyer) -> None:
    ran = buyer.agora("complain", wronged(buyer).hex())
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["complain", "withdrawCredit"]


def test_complain_about_right_chunks_is_refused(buyer: Buyer) -> None:
    order = buyer.reveal()
    ran = buyer.agora("complain", order.hex())
    assert ran.code == 3
    assert "expected a wrong chunk" in ran.error()
    assert buyer.client().order(order).state is OrderState.REVEALED


def test_fetch_of_an_order_of_another_wallet_says_before_waiting_that_the_result_would_be_lost(
    buyer: Buyer, tmp_path: Path
) -> None:
    order = buyer.place()
    stranger = buyer.market.buyer(tmp_path / "stranger")
    ran = stranger.agora("fetch", order.hex())
    assert ran.code == 2
    assert "without it the result is lost" in ran.error()
    assert "waiting" not in ran.err


def test_fetch_of_a_declined_order_says_so(buyer: Buyer) -> None:
    order = buyer.place()
    buyer.market.provider.decline(order)
    ran = buyer.agora("fetch", order.hex())
    assert ran.code == 3
    assert "the order is Refunded (declined)" in ran.error()


def test_settle_and_settle_again(buyer: Buyer) -> None:
    order = buyer.reveal()
    shown = buyer.agora("settle", order.hex(), "--json").json()
    assert (shown["state"], steps(shown)) == ("Settled", ["settle"])
    again = buyer.agora("settle", order.hex())
    assert again.code == 3
    assert again.error()


def test_reject_then_refund_withdraws_all_but_the_compute_fee(buyer: Buyer) -> None:
    order = buyer.deliver()
    ran = buyer.agora("reject", order.hex())
    assert ran.code == 0
    assert re.fullmatch(r"reject: transaction 0x[0-9a-f]{64}, [0-9,]+ gas\n", ran.out)
    shown = buyer.agora("refund", order.hex(), "--json").json()
    assert (shown["state"], steps(shown)) == ("Refunded", ["withdrawCredit"])
    assert buyer.purse_units() == PURSE_UNITS - FEE_UNITS
    nothing = buyer.agora("refund", order.hex())
    assert nothing.code == 3
    assert "there is nothing" in nothing.error()


def test_refund_too_early_is_refused(buyer: Buyer) -> None:
    ran = buyer.agora("refund", buyer.place().hex())
    assert ran.code == 3
    assert "wait until then" in ran.error()


def test_refund_ends_what_lapsed_and_withdraws_in_one_json_object(buyer: Buyer) -> None:
    placed, delivered = buyer.place(), buyer.deliver()
    accepted = buyer.deliver()
    buyer.client().receive(accepted)
    buyer.client().accept(accepted)
    buyer.market.pass_time(3_700)
    late = buyer.agora("fetch", placed.hex())
    assert late.code == 3
    assert "by its deadline" in late.error()
    shown = [buyer.agora("refund", order.hex(), "--json").json() for order in (placed, delivered, accepted)]
    assert [steps(one) for one in shown] == [
        ["refund", "withdrawCredit"],
        ["refund", "withdrawCredit"],
        ["forfeit", "withdrawCredit"],
    ]
    assert [one["state"] for one in shown] == ["Refunded", "Refunded", "Forfeited"]
    assert buyer.purse_units() == PURSE_UNITS - FEE_UNITS + BOND_UNITS


@pytest.mark.parametrize("command", ["order", "fetch", "settle", "complain", "reject", "refund"])
def test_ids_that_are_none_are_invalid(buyer: Buyer, command: str) -> None:
    for text in ("", "12", "0x" + "g" * 64, "a" * 63, "a" * 66, "ab " * 32):
        ran = buyer.agora(command, text)
        assert ran.code == 2
        assert "the order's id, 64 hexadecimal digits" in ran.error()


@pytest.mark.parametrize("command", ["order", "fetch", "settle", "complain", "reject", "refund"])
def test_an_order_that_nobody_placed_is_invalid(buyer: Buyer, command: str) -> None:
    ran = buyer.agora(command, "ab" * 32)
    assert ran.code == 2
    assert "expected the id of a placed order" in ran.error()


def test_the_library_and_the_command_refuse_alike(buyer: Buyer) -> None:
    order = buyer.reveal()
    with pytest.raises(Refused) as raised:
        buyer.client().refund(order)
    ran = buyer.agora("refund", order.hex())
    assert (ran.code, ran.error()) == (3, f"error: {raised.value}")
