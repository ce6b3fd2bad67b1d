"""`agora licence`."""

import pytest

from marketplace.ledger.addresses import places_of
from marketplace.ledger.signer import LocalSigner
from tests.commands.market import Buyer

YEAR_S = 365 * 86_400


def test_a_licence_is_asked_for_by_the_order_alone(buyer: Buyer) -> None:
    order = buyer.reveal()
    view = buyer.client().order(order)
    shown = buyer.run("licence", order.hex(), "--json").json()
    assert (shown["licensed"], shown["licence"], shown["who"]) == (True, "live", buyer.signer.address)
    assert shown["until_s"] == view.revealed_at_s + YEAR_S
    assert shown["token"] == {
        "contract": places_of(buyer.market.ledger.domain.contract).licences,
        "id": str(int.from_bytes(order)),
    }
    assert buyer.agora("licence", "holds", order.hex(), "--json").json()["licensed"] is True
    assert buyer.agora("licence", "--json", order.hex()).json()["licensed"] is True


def test_asking_needs_no_keys(buyer: Buyer) -> None:
    order = buyer.reveal()
    for path in (buyer.home / "keys").iterdir():
        path.unlink()
    ran = buyer.agora("licence", order.hex())
    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("licence  live, until ")
    assert ran.out.splitlines()[-1].startswith(f"{buyer.signer.address} is licensed at ")


def test_somebody_without_a_licence_is_told_why_with_exit_code_three(buyer: Buyer) -> None:
    order, stranger = buyer.reveal(), LocalSigner.random().address
    ran = buyer.agora("licence", order.hex(), "--who", stranger)
    assert ran.code == 3
    assert f"expected a licence of {stranger} at " in ran.error()
    assert f"it is the licence of {buyer.signer.address}" in ran.error()
    asked = buyer.agora("licence", order.hex(), "--who", stranger, "--json")
    assert asked.code == 3
    assert '"licensed": false' in asked.out


def test_a_licence_is_asked_for_at_any_time(buyer: Buyer) -> None:
    order = buyer.reveal()
    revealed_s = buyer.client().order(order).revealed_at_s
    for at_s, code in ((revealed_s, 0), (revealed_s - 1, 3), (revealed_s + YEAR_S, 0), (revealed_s + YEAR_S + 1, 3)):
        assert buyer.agora("licence", order.hex(), "--at", str(at_s)).code == code
    assert buyer.agora("licence", order.hex(), "--at", "2020-01-01").code == 3


def test_a_user_is_named_and_licensed(buyer: Buyer) -> None:
    order, user = buyer.reveal(), LocalSigner.random().address
    shown = buyer.run("licence", "name-user", order.hex(), user, "--json").json()
    assert (shown["order"], shown["user"]) == (order.hex(), user)
    assert [transaction["step"] for transaction in shown["transactions"]] == ["nameUser"]
    asked = buyer.agora("licence", order.hex(), "--who", user, "--json").json()
    assert asked["licensed"] is True
    assert [one["who"] for one in asked["users"]] == [user]
    assert f"user     {user}, named " in buyer.agora("licence", order.hex()).out
    again = buyer.agora("licence", "name-user", order.hex(), user)
    assert again.code == 3
    assert "expected a further user" in again.error()


def test_a_licence_is_shown_once_as_a_token_of_its_buyer(buyer: Buyer) -> None:
    order = buyer.reveal()
    ran = buyer.agora("licence", "show", order.hex())
    assert ran.out.startswith("show: transaction 0x")
    assert f"held by {buyer.signer.address}" in ran.err
    assert str(int.from_bytes(order)) in ran.err
    again = buyer.agora("licence", "show", order.hex())
    assert again.code == 3
    assert "a licence that no wallet shows" in again.error()


def test_a_licence_that_is_not_live_is_not_shown(buyer: Buyer) -> None:
    ran = buyer.agora("licence", "show", buyer.deliver().hex())
    assert ran.code == 3
    assert "expected a live licence" in ran.error()


@pytest.mark.parametrize("words", [("licence",), ("licence", "show"), ("licence", "name-user")])
def test_ids_that_are_none_are_invalid(buyer: Buyer, words: tuple[str, ...]) -> None:
    more = (LocalSigner.random().address,) if words[-1] == "name-user" else ()
    for text in ("12", "0x" + "g" * 64, "ab" * 32):
        ran = buyer.agora(*words, text, *more)
        assert ran.code == 2
        assert "expected the" in ran.error()


def test_addresses_and_times_that_are_none_are_invalid(buyer: Buyer) -> None:
    order = buyer.place().hex()
    for options in (("--who", "me"), ("--who", "0x12"), ("--at", "soon"), ("--at", "-1")):
        assert buyer.agora("licence", order, *options).code == 2
    assert buyer.agora("licence", "name-user", order, "0x12").code == 2


def test_help_names_every_command(buyer: Buyer) -> None:
    for words in (("licence",), ("licence", "--help")):
        text = buyer.agora(*words)
        assert all(name in text.out + text.err for name in ("holds", "name-user", "show"))
