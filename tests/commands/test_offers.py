"""`agora offers` and `agora buy`."""

from dataclasses import replace
from hashlib import sha256

import pytest

from marketplace.content.store import put_bytes
from marketplace.protocol.specification import ATTESTATION, Specification
from tests.buying.provider import BOND_UNITS, EURO, PRICE_UNITS
from tests.certificate.examples import RHO_MICRO
from tests.commands.market import PURSE_UNITS, Buyer
from tests.protocol.examples import DESCRIPTION


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


# -------------------------------------------------------------------------------------------------------------- buying


def test_buy_shows_every_price_line_the_rho_and_the_hash_of_the_terms(buyer: Buyer) -> None:
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--rows", "5", "--yes")
    assert ran.code == 0
    lines = ran.err.splitlines()
    assert lines[0] == f"{DESCRIPTION.title}: 5 synthetic rows"
    expected = {
        "cost": "EUR 200.00 (test)",
        "margin": "EUR 50.00 (test)",
        "price": "EUR 250.00 (test)",
        "compute fee": "EUR 12.50 (test) of it is lost if you reject the delivery or let it lapse",
        "unit": DESCRIPTION.schema.unit,
        "licence": "365 days from the reveal",
        "terms": buyer.market.offer.head.terms.hex(),
        "you declare": ATTESTATION,
    }
    for name, words in expected.items():
        assert f"  {name:<11} {words}" in lines
    assert any(line.startswith(f"  rho         {RHO_MICRO:,} micro, of ") for line in lines)
    order = ran.out.removeprefix("Order ").strip()
    assert f"placing order {order}" in lines
    assert buyer.agora("order", order, "--json").json()["state"] == "Placed"
    assert buyer.purse_units() == PURSE_UNITS - PRICE_UNITS


def test_buy_as_json_names_the_order_and_its_transactions(buyer: Buyer) -> None:
    wishes = ("--rows", "7", "--marginal", "sex, age", "--marginal", "ward", "--slot", "30")
    shown = buyer.agora("buy", buyer.market.offer.id.hex(), *wishes, "--yes", "--json").json()
    assert [transaction["step"] for transaction in shown["transactions"]] == ["approve", "place"]
    kept = (buyer.home / "orders" / shown["order"] / "specification.json").read_bytes()
    specification = Specification.decode(kept)
    assert (specification.rows, specification.slot_s) == (7, 30)
    assert specification.workload.marginals == (("sex", "age"), ("ward",))


def test_buy_without_a_keyboard_asks_for_yes_and_moves_no_money(buyer: Buyer) -> None:
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--json")
    assert ran.code == 2
    assert "give --yes" in ran.error()
    assert ran.out == ""
    assert buyer.purse_units() == PURSE_UNITS


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (("--rows", "0"), "1 to 10000000 rows, got 0"),
        (("--rows", "-3"), "got -3"),
        (("--marginal", "sex,blood"), "one of the columns"),
        (("--marginal", ""), "one of the columns"),
        (("--slot", "4000"), "slot"),
    ],
)
def test_wishes_that_cannot_be_met_are_invalid_and_move_no_money(
    buyer: Buyer, wishes: tuple[str, ...], words: str
) -> None:
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), *wishes, "--yes")
    assert ran.code == 2
    assert words in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


@pytest.mark.parametrize("wish", [("--rows", "many"), ("--rows", "1.5"), ("--slot", "0"), ("--nonsense",)])
def test_options_that_are_none_are_a_matter_of_usage(buyer: Buyer, wish: tuple[str, ...]) -> None:
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), *wish, "--yes")
    assert ran.code == 2
    assert ran.out == ""


def test_an_offer_that_is_none_is_invalid(buyer: Buyer) -> None:
    malformed = buyer.agora("buy", "0x12", "--yes")
    assert malformed.code == 2
    assert "the offer's id" in malformed.error()
    unknown = buyer.agora("buy", "cd" * 32, "--yes")
    assert unknown.code == 2
    assert "`agora offers` shows them" in unknown.error()


def test_a_budget_too_small_is_refused_before_any_money_moves(buyer: Buyer) -> None:
    provider = buyer.market.provider
    offer = provider.offer(provider.list_dataset(RHO_MICRO - 1), staked_units=0)
    try:
        ran = buyer.agora("buy", offer.id.hex(), "--yes")
    finally:
        provider.ledger.retire(provider.signer, offer)
    assert ran.code == 3
    assert f"the dataset has {RHO_MICRO - 1} left" in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


def test_a_provider_without_bond_is_refused_before_any_money_moves(buyer: Buyer) -> None:
    provider = buyer.market.provider
    offer = provider.offer(staked_units=0, bond_units=10_000 * BOND_UNITS)
    try:
        ran = buyer.agora("buy", offer.id.hex(), "--yes")
    finally:
        provider.ledger.retire(provider.signer, offer)
    assert ran.code == 3
    assert "post its bond of EUR 1,000,000.00 (test)" in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


def test_a_purse_too_small_is_refused(buyer: Buyer) -> None:
    provider = buyer.market.provider
    offer = provider.offer(staked_units=0, cost_units=2_000 * EURO)
    try:
        ran = buyer.agora("buy", offer.id.hex(), "--yes")
    finally:
        provider.ledger.retire(provider.signer, offer)
    assert ran.code == 3
    assert "balance that pays the price" in ran.error()


def test_a_description_that_is_none_is_corrupt(buyer: Buyer) -> None:
    provider = buyer.market.provider
    digest = put_bytes(provider.store, b"no description").digest
    dataset, _ = provider.ledger.register(provider.signer, sha256(digest).digest(), bytes(32), digest, RHO_MICRO)
    offer = provider.offer(dataset, staked_units=0)
    try:
        ran = buyer.agora("buy", offer.id.hex(), "--yes")
    finally:
        provider.ledger.retire(provider.signer, offer)
    assert ran.code == 4
    assert "agora/description/1" in ran.error()
