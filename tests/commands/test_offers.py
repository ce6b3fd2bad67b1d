"""`agora offers`."""

from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

from marketplace.protocol.constraints import Condition, Implies
from tests.buying.provider import PRICE_UNITS
from tests.certificate.examples import RHO_MICRO
from tests.commands.market import Buyer
from tests.protocol.examples import DESCRIPTION
from tests.vault.linked import CLINIC, LIVER


def test_offers_are_shown_with_whole_ids_and_amounts_for_people(buyer: Buyer) -> None:
    ran = buyer.agora("offers")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert DESCRIPTION.title in lines
    assert f"  offer      {buyer.market.offer.id.hex()}" in lines
    assert "  price      EUR 250.00 (test)" in lines
    assert any(line.startswith("  guarantee  dp: epsilon 1.") and line.endswith("delta 6e-6") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_offers_as_json(buyer: Buyer) -> None:
    shown = buyer.agora("offers", "--json").json()
    (offer,) = [one for one in shown["offers"] if one["id"] == buyer.market.offer.id.hex()]
    assert offer["kind"] == "synthetic"
    assert offer["guarantee"] == "dp"
    assert offer["price_units"] == PRICE_UNITS
    assert offer["rho_micro"] == RHO_MICRO
    assert offer["columns"] == list(DESCRIPTION.schema.names)
    assert offer["rows_declared"] == DESCRIPTION.rows_declared
    assert offer["delta"] == 6e-6
    assert 0 < offer["epsilon"] < 2
    assert offer["orders_left"] > 0


def test_offers_need_no_keys(buyer: Buyer) -> None:
    for path in (buyer.home / "keys").iterdir():
        path.unlink()
    assert buyer.agora("offers", "--json").json()["offers"]


def test_an_offer_whose_documents_are_gone_is_named_and_hides_no_other(buyer: Buyer) -> None:
    provider = buyer.market.provider
    lost = provider.offer(staked_units=0, terms=sha256(b"never stored").digest())
    try:
        ran = buyer.agora("offers", "--json")
        assert [one["id"] for one in ran.json()["offers"]] == [buyer.market.offer.id.hex()]
        assert f"left out offer {lost.id.hex()[:16]}" in ran.err
    finally:
        provider.ledger.retire(provider.signer, lost)


def test_what_holds_in_every_row_is_shown(buyer: Buyer) -> None:
    rule = Implies(Condition("ward", values=("über",)), Condition("age", upper=Decimal(9)))
    described = replace(DESCRIPTION, schema=replace(DESCRIPTION.schema, constraints=(rule,)))
    provider = replace(buyer.market.provider, description=described)
    offer = provider.offer(staked_units=0)
    try:
        assert "  each row   where ward is über, age is at most 9" in buyer.agora("offers").out.splitlines()
        shown = {one["id"]: one["constraints"] for one in buyer.agora("offers", "--json").json()["offers"]}
        assert shown[offer.id.hex()] == ["where ward is über, age is at most 9"]
        assert shown[buyer.market.offer.id.hex()] == []
    finally:
        provider.ledger.retire(provider.signer, offer)


def test_a_title_is_shown_as_it_is_and_steers_nothing(buyer: Buyer) -> None:
    title = "Cheap [bold]x[/] [link=https://example.org]y"
    provider = replace(buyer.market.provider, description=replace(DESCRIPTION, title=title))
    offer = provider.offer(staked_units=0)
    try:
        ran = buyer.agora("offers")
        assert title in ran.out.splitlines()
        assert "\x1b" not in ran.out
        bought = buyer.agora("buy", offer.id.hex())
        assert f"{title}: 15,000 synthetic rows" in bought.err.splitlines()
        assert sum(line.startswith("  price ") for line in bought.err.splitlines()) == 1
    finally:
        provider.ledger.retire(provider.signer, offer)


def test_no_offer_is_no_error(buyer: Buyer) -> None:
    block = buyer.market.ledger.head_block() + 1
    ran = buyer.agora("offers", AGORA_FROM_BLOCK=str(block))
    assert (ran.code, ran.out) == (0, "")
    assert "no open offers" in ran.err
    assert buyer.agora("offers", "--json", AGORA_FROM_BLOCK=str(block)).json() == {"offers": []}


def test_how_rows_hang_together_under_persons_is_shown(buyer: Buyer) -> None:
    visits = replace(CLINIC, tables=LIVER.tables)
    provider = replace(buyer.market.provider, description=replace(DESCRIPTION, schema=visits))
    offer = provider.offer(staked_units=0)
    try:
        lines = buyer.agora("offers").out.splitlines()
        assert "  in time    by day, of a person" in lines
        assert "  and        labs: 3 columns, under the same persons" in lines
        shown = {one["id"]: one for one in buyer.agora("offers", "--json").json()["offers"]}
        assert shown[offer.id.hex()]["tables"] == {"labs": ["days", "test", "value"]}
        assert shown[offer.id.hex()]["timeline"] == "day"
        assert shown[buyer.market.offer.id.hex()]["tables"] == {}
        assert shown[buyer.market.offer.id.hex()]["timeline"] is None
    finally:
        provider.ledger.retire(provider.signer, offer)
