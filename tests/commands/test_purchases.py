"""`agora buy` and `agora relay`."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.buying.phrases import condition_text
from marketplace.buying.signed_purchase import SignedPurchase
from marketplace.content.store import put_bytes
from marketplace.protocol.order import Means
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import ATTESTATION, Curve, Specification
from marketplace.protocol.threshold import Threshold
from tests.buying.provider import BOND_UNITS, EURO, PRICE_UNITS
from tests.certificate.examples import RHO_MICRO
from tests.commands.market import PURSE_UNITS, Buyer
from tests.ledger.fixtures import tell_anvil
from tests.protocol.examples import DESCRIPTION
from tests.vault.linked import CLINIC, LIVER


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
    wishes = ("--rows", "7", "--workload", "sex, age", "--workload", "ward", "--slot", "30")
    shown = buyer.agora("buy", buyer.market.offer.id.hex(), *wishes, "--yes", "--json").json()
    assert [transaction["step"] for transaction in shown["transactions"]] == ["approve", "place"]
    kept = (buyer.home / "orders" / shown["order"] / "specification.json").read_bytes()
    specification = Specification.decode(kept)
    assert (specification.rows, specification.slot_s) == (7, 30)
    assert specification.workload.marginals == (("sex", "age"), ("ward",))


def test_buy_says_which_thresholds_decide_whether_it_is_accepted(buyer: Buyer) -> None:
    wishes = ("--subgroups", "sex", "--at-most", "l1_1way=0.1", "--at-most", "subgroup_2=0.5", "--yes")
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--rows", "5", *wishes)
    assert "  accepted if l1_1way is at most 0.1" in ran.err.splitlines()
    order = ran.out.removeprefix("Order ").strip()
    specification = Specification.decode((buyer.home / "orders" / order / "specification.json").read_bytes())
    assert specification.subgroups == "sex"
    assert specification.thresholds == (Threshold("l1_1way", "0.1"), Threshold("subgroup_2", "0.5"))


@pytest.mark.parametrize(("schema", "persons"), [(LIVER, 500), (CLINIC, 125)])
def test_buy_without_rows_asks_for_so_many_persons_and_names_the_generator_that_runs(
    buyer: Buyer, schema: Schema, persons: int
) -> None:
    """Of 500 rows declared: each a person, or up to four of one."""
    linked = replace(DESCRIPTION, schema=schema, rows_declared=500)
    provider = replace(buyer.market.provider, description=linked)
    offer = provider.offer(staked_units=0)
    try:
        lines = buyer.agora("buy", offer.id.hex()).err.splitlines()
        assert f"{DESCRIPTION.title}: {persons} synthetic persons, each with its rows" in lines
        assert "  generator   private-visits" in lines
    finally:
        provider.ledger.retire(provider.signer, offer)


def test_buy_asks_for_a_generator_by_its_name(buyer: Buyer) -> None:
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--rows", "5", "--generator", "neural", "--yes")
    assert "  generator   neural" in ran.err.splitlines()
    order = ran.out.removeprefix("Order ").strip()
    kept = (buyer.home / "orders" / order / "specification.json").read_bytes()
    assert Specification.decode(kept).generator == "neural"


def test_curves_and_conditions_stand_in_the_specification_and_on_the_screen(buyer: Buyer) -> None:
    wishes = ("--curve", "age,ward,sex", "--only", "age<5", "--only", 'ward=über,"x, y"')
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), *wishes, "--yes")
    order = ran.out.removeprefix("Order ").strip()
    specification = Specification.decode((buyer.home / "orders" / order / "specification.json").read_bytes())
    assert specification.workload.curves == (Curve("age", "ward", "sex"),)
    assert [condition_text(condition) for condition in specification.only] == [
        "age is at most 4.5",
        "ward is über or x, y",
    ]
    assert "  only where  age is at most 4.5" in ran.err.splitlines()


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
        (("--workload", "sex,blood"), "one of the columns"),
        (("--workload", ""), "one of the columns"),
        (("--curve", "age"), "a curve as TIME,EVENT"),
        (("--curve", "ward,age"), "the category 'ward'"),
        (("--only", "blood=0"), "'blood=0', the columns are"),
        (("--only", "age<-1"), "condition on 'age'"),
        (("--only", "age<5", "--only", "age>6"), "conditions on 'age'"),
        (("--slot", "4000"), "slot"),
        (("--generator", "The best"), "a generator's name"),
        (("--subgroups", "age"), "a category of at most"),
        (("--at-most", "l1_1way"), "a decimal from 0 to 9"),
        (("--at-most", "accuracy=0.1"), "a threshold on one of the scores"),
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


# -------------------------------------------------------------------------------------------------------- by signature


@pytest.fixture
def relayer(buyer: Buyer, tmp_path: Path) -> Buyer:
    """Somebody else with a wallet, whose sealing seed is not needed."""
    relayer = buyer.market.buyer(tmp_path / "relayer")
    (relayer.home / "keys" / "sealing-seed.json").unlink()
    return relayer


def signed(buyer: Buyer, file: Path, *wishes: str) -> SignedPurchase:
    """What `agora buy --sign` wrote."""
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--rows", "5", "--sign", str(file), "--yes", *wishes)
    assert ran.code == 0, ran.err
    return SignedPurchase.decode(file.read_bytes())


def test_a_signed_purchase_needs_no_gas_and_sends_nothing(buyer: Buyer, tmp_path: Path) -> None:
    tell_anvil(buyer.market.url, "anvil_setBalance", buyer.signer.address, "0x0")
    file, blocks = tmp_path / "purchase.json", buyer.market.ledger.head_block()
    ran = buyer.run("buy", buyer.market.offer.id.hex(), "--rows", "5", "--sign", str(file), "--yes", "--json")
    shown, purchase = ran.json(), SignedPurchase.decode(file.read_bytes())
    assert shown == {
        "order": purchase.id.hex(),
        "file": str(file),
        "place_by_s": purchase.order.place_by_s,
        "transactions": [],
    }
    assert purchase.payment.means is Means.AUTHORIZATION
    assert "  price       EUR 250.00 (test)" in ran.err.splitlines()
    assert buyer.market.ledger.head_block() == blocks
    assert buyer.purse_units() == PURSE_UNITS


def test_relay_places_what_was_signed_and_the_buyer_fetches_it(buyer: Buyer, relayer: Buyer, tmp_path: Path) -> None:
    purchase = signed(buyer, tmp_path / "purchase.json")
    shown = relayer.run("relay", str(tmp_path / "purchase.json"), "--json").json()
    assert shown["order"] == purchase.id.hex()
    assert [transaction["step"] for transaction in shown["transactions"]] == ["placeFor"]
    assert (buyer.purse_units(), relayer.purse_units()) == (PURSE_UNITS - PRICE_UNITS, PURSE_UNITS)
    buyer.market.provider.deliver(purchase.id)
    waits = buyer.agora("fetch", purchase.id.hex(), "--wait", "0")
    assert waits.code == 3
    assert "expected the key while waiting" in waits.error()


def test_relay_for_people_names_the_order(buyer: Buyer, relayer: Buyer, tmp_path: Path) -> None:
    purchase = signed(buyer, tmp_path / "purchase.json")
    ran = relayer.agora("relay", str(tmp_path / "purchase.json"))
    assert ran.out == f"Order {purchase.id.hex()}\n"
    assert ran.err.startswith("placeFor: transaction 0x")


def test_relaying_twice_is_refused(buyer: Buyer, relayer: Buyer, tmp_path: Path) -> None:
    signed(buyer, tmp_path / "purchase.json")
    assert relayer.agora("relay", str(tmp_path / "purchase.json")).code == 0
    again = relayer.agora("relay", str(tmp_path / "purchase.json"))
    assert again.code == 3
    assert "placed already" in again.error()


def test_relaying_too_late_is_refused(buyer: Buyer, relayer: Buyer, tmp_path: Path) -> None:
    signed(buyer, tmp_path / "purchase.json", "--within", "60")
    buyer.market.pass_time(100)
    ran = relayer.agora("relay", str(tmp_path / "purchase.json"))
    assert ran.code == 3
    assert "to be placed by" in ran.error()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"rows":5', b'"rows":6'), (b'"place_by_s":1', b'"place_by_s":2'), (b'"slot_s":60', b'"slot_s":61')],
)
def test_a_purchase_that_was_changed_is_corrupt(
    buyer: Buyer, relayer: Buyer, tmp_path: Path, old: bytes, new: bytes
) -> None:
    file = tmp_path / "purchase.json"
    signed(buyer, file)
    assert file.read_bytes().count(old) == 1
    file.write_bytes(file.read_bytes().replace(old, new))
    ran = relayer.agora("relay", str(file))
    assert ran.code == 4
    assert f"a signature of {buyer.signer.address}" in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


def test_a_file_that_is_no_purchase_is_refused(relayer: Buyer, tmp_path: Path) -> None:
    file = tmp_path / "purchase.json"
    assert relayer.agora("relay", str(file)).code == 2
    assert relayer.agora("relay", str(tmp_path)).code == 2
    file.write_bytes(b"{}")
    assert relayer.agora("relay", str(file)).code == 4
    file.write_bytes(b" " * 300_000)
    ran = relayer.agora("relay", str(file))
    assert ran.code == 2
    assert "at most 262,144 bytes" in ran.error()


def test_signing_overwrites_no_file(buyer: Buyer, tmp_path: Path) -> None:
    file = tmp_path / "purchase.json"
    file.write_text("something else")
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--sign", str(file), "--yes")
    assert ran.code == 3
    assert "found one; choose another place" in ran.error()
    assert file.read_text() == "something else"


@pytest.mark.parametrize("within", ["0", "-1", "soon"])
def test_a_time_that_is_none_is_a_matter_of_usage(buyer: Buyer, within: str) -> None:
    assert buyer.agora("buy", buyer.market.offer.id.hex(), "--within", within, "--yes").code == 2
