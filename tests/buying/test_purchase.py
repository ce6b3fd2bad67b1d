"""Drafting and placing an order: what is refused, and in which order things happen."""

from dataclasses import replace
from hashlib import sha256

import pytest

from marketplace.buying.purchase import Purchase
from marketplace.content.cid import Cid
from marketplace.errors import Invalid, MarketplaceError, Refused, Unreachable
from marketplace.keys.sealing import order_key
from marketplace.protocol.identity import OfferId
from marketplace.protocol.offer import Offer
from marketplace.protocol.specification import ATTESTATION, LARGEST_ROWS, Specification, Workload
from marketplace.protocol.states import OrderState
from tests.buying.provider import BOND_UNITS, PRICE_UNITS
from tests.buying.world import PURSE_UNITS, SEED, World
from tests.certificate.examples import RHO_MICRO


def offered(world: World) -> Offer:
    """The offer that stands."""
    assert world.standing
    return world.standing


def refused_draft(world: World, offer: Offer, kind: type[MarketplaceError], words: str, **wishes: object) -> None:
    """Asks for a draft that is refused, and sees that nothing moved."""
    blocks, purse = world.ledger.head_block(), world.purse_units()
    with pytest.raises(kind, match=words):
        world.client().draft(offer.id, **wishes)  # type: ignore[arg-type]
    assert (world.ledger.head_block(), world.purse_units()) == (blocks, purse)


def test_a_draft_takes_the_declared_rows_and_a_key_of_its_own(world: World) -> None:
    offer = offered(world)
    first, second = (world.client().draft(offer.id) for _ in range(2))
    assert first.specification.rows == world.provider.description.rows_declared
    assert first.specification.attestation == ATTESTATION
    assert first.specification.sealing_key == order_key(SEED, first.specification.nonce).public_key.raw
    assert first.specification.nonce != second.specification.nonce
    assert first.specification.sealing_key != second.specification.sealing_key
    assert first.order.specification == sha256(first.specification.encode()).digest()
    assert first.order.buyer == world.buyer.address
    assert first.terms_hash == offer.head.terms


def test_a_draft_names_the_newest_version(world: World) -> None:
    dataset = world.provider.list_dataset()
    offer = world.provider.offer(dataset, staked_units=0)
    world.provider.revise(dataset)
    assert world.client().draft(offer.id).order.version() == 2


def test_an_unknown_offer_is_invalid(world: World) -> None:
    with pytest.raises(Invalid, match="agora offers"):
        world.client().draft(OfferId(bytes(32)))


def test_a_retired_offer_is_refused(world: World) -> None:
    offer = world.provider.offer(staked_units=0)
    world.ledger.retire(world.provider.signer, offer)
    refused_draft(world, offer, Refused, "open offer")


def test_an_expired_offer_is_refused(world: World) -> None:
    offer = world.provider.offer(staked_units=0, valid_until_s=world.ledger.now_s() + 50)
    world.ledger.advance(60)
    refused_draft(world, offer, Refused, "expired")


def test_a_full_offer_is_refused(world: World) -> None:
    offer = world.provider.offer(staked_units=0, max_open=1)
    world.place(offer)
    refused_draft(world, offer, Refused, "no place left")


def test_a_budget_too_small_is_refused_before_any_money_moves(world: World) -> None:
    offer = world.provider.offer(world.provider.list_dataset(2 * RHO_MICRO - 1), staked_units=0)
    world.place(offer)
    refused_draft(world, offer, Refused, f"{RHO_MICRO} micro-rho, the dataset has {RHO_MICRO - 1} left")


def test_a_provider_without_bond_is_refused_before_any_money_moves(fresh: World) -> None:
    offer = fresh.provider.offer(staked_units=BOND_UNITS - 1)
    refused_draft(fresh, offer, Refused, r"bond of EUR 100.00 \(test\), it has EUR 99.999999 \(test\)")


@pytest.mark.parametrize("rows", [0, -1, LARGEST_ROWS + 1])
def test_rows_that_nobody_can_have_are_invalid(world: World, rows: int) -> None:
    refused_draft(world, offered(world), Invalid, f"1 to {LARGEST_ROWS} rows, got {rows}", rows=rows)


@pytest.mark.parametrize(
    ("marginal", "words"),
    [
        (("sex", "blood"), "one of the columns"),
        (("sex", "sex"), "different columns"),
        ((), "1 to 3"),
        (("sex", "ward", "age", "age"), "1 to 3"),
    ],
)
def test_a_workload_that_the_schema_does_not_have_is_invalid(
    world: World, marginal: tuple[str, ...], words: str
) -> None:
    refused_draft(world, offered(world), Invalid, words, workload=Workload((marginal,)))


@pytest.mark.parametrize("slot_s", [0, 1_801, 86_401])
def test_a_slot_that_does_not_fit_the_window_is_invalid(world: World, slot_s: int) -> None:
    refused_draft(world, offered(world), Invalid, f"slot of .*, got {slot_s}", slot_s=slot_s)


def test_the_longest_slot_is_half_the_window(world: World) -> None:
    assert world.client().draft(offered(world).id, slot_s=1_800).specification.slot_s == 1_800


# ------------------------------------------------------------------------------------------------------------- placing


def drafted(world: World) -> Purchase:
    return world.client().draft(offered(world).id, rows=5)


def test_placing_takes_exactly_the_price_and_allows_no_more(world: World) -> None:
    placed = world.client().place(drafted(world))
    assert [receipt.function for receipt in placed.receipts] == ["approve", "place"]
    assert world.purse_units() == PURSE_UNITS - PRICE_UNITS
    assert world.ledger.allowance_units(world.ledger.token, world.buyer.address) == 0
    assert world.client().order(placed.order).state is OrderState.PLACED


def test_an_allowance_that_is_there_is_used(world: World) -> None:
    world.ledger.approve(world.buyer, world.ledger.token, PRICE_UNITS)
    placed = world.client().place(drafted(world))
    assert [receipt.function for receipt in placed.receipts] == ["place"]


def test_an_allowance_too_small_is_raised_to_the_price(world: World) -> None:
    world.ledger.approve(world.buyer, world.ledger.token, PRICE_UNITS - 1)
    placed = world.client().place(drafted(world))
    assert [receipt.function for receipt in placed.receipts] == ["approve", "place"]
    assert world.ledger.allowance_units(world.ledger.token, world.buyer.address) == 0


def test_the_id_of_an_order_is_known_before_it_is_placed(world: World) -> None:
    purchase, client = drafted(world), world.client()
    foretold = client.order_of(purchase)
    assert client.place(purchase).order == foretold


def test_the_specification_lies_in_store_and_wallet_before_the_order_is_placed(world: World) -> None:
    offer, client = world.provider.offer(staked_units=0), world.client()
    purchase = client.draft(offer.id, rows=5)
    world.ledger.retire(world.provider.signer, offer)
    with pytest.raises(Refused, match="retired"):
        client.place(purchase)
    data = purchase.specification.encode()
    assert b"".join(world.store.read(Cid.raw(sha256(data).digest()))) == data
    kept = world.wallet / client.order_of(purchase).hex() / "specification.json"
    assert Specification.decode(kept.read_bytes()) == purchase.specification
    assert world.purse_units() == PURSE_UNITS


def test_a_store_that_takes_nothing_stops_the_order_before_anything_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise Unreachable("expected room on the disk, got none; free some and try again")

    purchase, blocks = drafted(world), world.ledger.head_block()
    monkeypatch.setattr(world.store, "put_block", fails)
    with pytest.raises(Unreachable):
        world.client().place(purchase)
    assert world.ledger.head_block() == blocks


def test_a_balance_below_the_price_is_refused_before_anything_is_sent(world: World) -> None:
    purchase = drafted(world)
    poor = world.ledger.account(PRICE_UNITS - 1)
    poorly = replace(purchase, order=replace(purchase.order, buyer=poor.address))
    blocks = world.ledger.head_block()
    with pytest.raises(Refused, match="balance that pays the price"):
        world.client(signer=poor).place(poorly)
    assert world.ledger.head_block() == blocks


def test_placing_the_same_purchase_twice_pays_once(world: World) -> None:
    purchase = drafted(world)
    world.client().place(purchase)
    with pytest.raises(Refused, match="placed already"):
        world.client().place(purchase)
    assert world.purse_units() == PURSE_UNITS - PRICE_UNITS


def test_an_order_for_a_version_that_was_replaced_is_refused(world: World) -> None:
    dataset = world.provider.list_dataset()
    purchase = world.client().draft(world.provider.offer(dataset, staked_units=0).id, rows=5)
    world.provider.revise(dataset)
    with pytest.raises(Refused, match="version 2"):
        world.client().place(purchase)
    assert world.purse_units() == PURSE_UNITS


def test_an_order_that_waited_too_long_for_its_yes_is_refused(world: World) -> None:
    purchase = drafted(world)
    world.ledger.advance(3_700)
    with pytest.raises(Refused, match="placed by"):
        world.client().place(purchase)
    assert world.purse_units() == PURSE_UNITS
