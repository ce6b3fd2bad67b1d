"""A purchase by signature alone: the buyer sends nothing and has no gas, and whoever hands it in can change nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.buying.client import Client
from marketplace.buying.relaying import relay
from marketplace.buying.signed_purchase import SignedPurchase
from marketplace.content.cid import Cid
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import deploy
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import Receipt
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.order import Means, Payment
from marketplace.protocol.specification import ATTESTATION, Specification
from marketplace.protocol.states import OrderState
from tests.buying.provider import EURO, PRICE_UNITS
from tests.buying.world import PURSE_UNITS, World


@pytest.fixture
def buyer(world: World) -> Client:
    """A buyer with money and without gas."""
    signer = LocalSigner.random()
    world.ledger.mint(world.ledger.treasury, world.ledger.token, signer.address, PURSE_UNITS)
    return world.client(signer=signer)


@pytest.fixture
def relayer(world: World) -> LocalSigner:
    """Somebody with gas and without money."""
    return world.ledger.account()


def signed(world: World, buyer: Client, **wishes: Any) -> SignedPurchase:
    """A purchase of the offer that stands."""
    assert world.standing
    return buyer.sign(buyer.draft(world.standing.id, rows=5, **wishes))


def handed_in(world: World, by: LocalSigner, purchase: SignedPurchase) -> Receipt:
    """What relaying the purchase gives."""
    return relay(world.ledger, world.client().account(), world.store, by, purchase)


def purse_units(world: World, buyer: Client) -> int:
    return world.ledger.balance_units(world.ledger.token, buyer.signer.address)


def test_signing_sends_nothing_and_relaying_places_the_order_for_the_buyer(
    world: World, buyer: Client, relayer: LocalSigner
) -> None:
    blocks = world.ledger.head_block()
    purchase = signed(world, buyer)
    assert world.ledger.head_block() == blocks
    receipt = handed_in(world, relayer, purchase)
    view = buyer.order(purchase.id)
    assert receipt.function == "placeFor"
    assert (view.state, view.order.buyer) == (OrderState.PLACED, buyer.signer.address)
    assert purse_units(world, buyer) == PURSE_UNITS - PRICE_UNITS
    assert world.ledger.gas_balance_wei(buyer.signer.address) == 0
    assert world.ledger.allowance_units(world.ledger.token, buyer.signer.address) == 0


def test_a_relayed_order_is_delivered_and_read_like_any_other(
    world: World, buyer: Client, relayer: LocalSigner, tmp_path: Path
) -> None:
    purchase = signed(world, buyer)
    handed_in(world, relayer, purchase)
    world.provider.deliver(purchase.id)
    assert buyer.receive(purchase.id).manifest.certificate.rows == 5


def test_the_file_has_all_that_a_relayer_needs(world: World, buyer: Client, relayer: LocalSigner) -> None:
    purchase = signed(world, buyer)
    world.store.replace(Cid.raw(purchase.order.specification), None)
    read = SignedPurchase.decode(purchase.encode())
    assert read == purchase
    handed_in(world, relayer, read)
    assert b"".join(world.store.read(Cid.raw(purchase.order.specification))) == purchase.specification.encode()


def test_what_the_buyer_signs_holds_the_attestation_of_prohibited_uses(world: World, buyer: Client) -> None:
    purchase = signed(world, buyer)
    assert purchase.specification.attestation == ATTESTATION
    other = replace(purchase.specification, attestation="We will do as we please.")
    assert replace(purchase, specification=other).encode() != purchase.encode()
    document = json.loads(purchase.encode())
    document["specification"]["attestation"] = other.attestation
    changed = SignedPurchase.decode(spelled(document))
    assert changed.id != purchase.id


def test_a_token_with_authorizations_is_paid_by_one(world: World, buyer: Client) -> None:
    purchase = signed(world, buyer, place_within_s=50)
    assert purchase.payment.means is Means.AUTHORIZATION
    assert purchase.payment.deadline_s == purchase.order.place_by_s + 1


def test_a_balance_below_the_price_is_refused_before_anything_is_signed(world: World, buyer: Client) -> None:
    assert world.standing
    purchase = buyer.draft(world.standing.id)
    with pytest.raises(Refused, match="balance that pays the price"):
        world.client(signer=LocalSigner.random()).sign(purchase)


def test_the_specification_lies_in_store_and_wallet_before_anything_is_signed(world: World, buyer: Client) -> None:
    purchase = signed(world, buyer)
    kept = world.wallet / purchase.id.hex() / "specification.json"
    assert Specification.decode(kept.read_bytes()) == purchase.specification
    assert world.store.has(Cid.raw(purchase.order.specification))


# -------------------------------------------------------------------------------------------- what a relayer cannot do


STRANGER = LocalSigner(b"z" * 32)


def with_order(purchase: SignedPurchase, **changes: Any) -> SignedPurchase:
    return replace(purchase, order=replace(purchase.order, **changes))


def with_wish(purchase: SignedPurchase, **changes: Any) -> SignedPurchase:
    """Other wishes, and the order as it follows from them."""
    document = json.loads(purchase.encode())
    document["specification"].update(changes)
    return SignedPurchase.decode(spelled(document))


def spelled(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


CHANGES: dict[str, Callable[[SignedPurchase], SignedPurchase]] = {
    "buyer": lambda purchase: with_order(purchase, buyer=STRANGER.address),
    "rows": lambda purchase: with_wish(purchase, rows=6),
    "slot": lambda purchase: with_wish(purchase, slot_s=61),
    "attestation": lambda purchase: with_wish(purchase, attestation="We will do as we please."),
    "sealing key": lambda purchase: with_wish(purchase, sealing_key="00" * 1_216),
    "version": lambda purchase: with_order(purchase, versions=2),
    "permit": lambda purchase: with_order(purchase, permit=b"p" * 32),
    "time": lambda purchase: with_order(purchase, place_by_s=purchase.order.place_by_s + 1),
    "signature": lambda purchase: replace(purchase, signature=purchase.signature[:32] + b"\1" * 32 + b"\x1b"),
    "no signature": lambda purchase: replace(purchase, signature=b"\0"),
    "another's signature": lambda purchase: replace(purchase, signature=STRANGER.sign_digest(purchase.id)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_changed_in_the_order_the_signature_is_another(
    world: World, buyer: Client, relayer: LocalSigner, change: Callable[[SignedPurchase], SignedPurchase]
) -> None:
    purchase = signed(world, buyer)
    refused(world, buyer, relayer, change(purchase), Corrupt, "expected a signature of")
    handed_in(world, relayer, purchase)


def test_a_cheaper_or_dearer_offer_is_not_what_was_signed(world: World, buyer: Client, relayer: LocalSigner) -> None:
    purchase = signed(world, buyer)
    for cost_units in (10 * EURO, 600 * EURO):
        other = world.provider.offer(staked_units=0, cost_units=cost_units)
        refused(world, buyer, relayer, with_wish(purchase, offer=other.id.hex()), Corrupt, "expected a signature of")
        with pytest.raises(Invalid, match="expected the terms of offer"):
            world.ledger.place_for(relayer, other, purchase.order, purchase.signature, purchase.payment)
    assert purse_units(world, buyer) == PURSE_UNITS


PAYMENTS: dict[str, Callable[[Payment], Payment]] = {
    "a later end": lambda payment: replace(payment, deadline_s=payment.deadline_s + 1),
    "another signature": lambda payment: replace(payment, s=b"\1" * 32),
    "as an approval": lambda payment: replace(payment, means=Means.SIGNED_APPROVAL),
    "as one that stands": lambda payment: Payment(Means.APPROVAL),
}


@pytest.mark.parametrize("change", PAYMENTS.values(), ids=PAYMENTS)
def test_whatever_is_changed_in_the_payment_nothing_is_paid(
    world: World, buyer: Client, relayer: LocalSigner, change: Callable[[Payment], Payment]
) -> None:
    purchase = signed(world, buyer)
    changed = replace(purchase, payment=change(purchase.payment))
    refused(world, buyer, relayer, changed, MarketplaceError, "expected")
    handed_in(world, relayer, purchase)


def test_a_payment_left_out_by_the_relayer_takes_the_price_once_from_what_the_buyer_had_approved(
    world: World, relayer: LocalSigner
) -> None:
    buyer = world.client()
    world.ledger.approve(world.buyer, world.ledger.token, 2 * PRICE_UNITS)
    purchase = signed(world, buyer)
    handed_in(world, relayer, replace(purchase, payment=Payment(Means.APPROVAL)))
    assert purse_units(world, buyer) == PURSE_UNITS - PRICE_UNITS
    refused(world, buyer, relayer, purchase, Refused, "placed already")


def test_a_purchase_is_placed_once(world: World, buyer: Client, relayer: LocalSigner) -> None:
    purchase = signed(world, buyer)
    handed_in(world, relayer, purchase)
    refused(world, buyer, relayer, purchase, Refused, "placed already")
    refused(world, buyer, world.ledger.account(), purchase, Refused, "placed already")


def test_a_purchase_is_not_placed_after_its_time(world: World, buyer: Client, relayer: LocalSigner) -> None:
    purchase = signed(world, buyer, place_within_s=60)
    world.ledger.advance(100)
    refused(world, buyer, relayer, purchase, Refused, "to be placed by")


def test_a_purchase_counts_at_no_other_marketplace(world: World, buyer: Client, relayer: LocalSigner) -> None:
    ledger = world.ledger
    other = Contract(ledger.chain, deploy(ledger.chain, ledger.treasury).marketplace)
    purchase, account = signed(world, buyer), world.client().account()
    with pytest.raises(Invalid, match=f"expected a purchase for {other.domain.contract} .*; hand it in there"):
        relay(other, account, world.store, relayer, purchase)
    assert world.standing
    with pytest.raises(Invalid, match="expected the terms of offer"):
        other.place_for(relayer, world.standing, purchase.order, purchase.signature, purchase.payment)


def test_a_purchase_counts_on_no_other_chain(world: World, buyer: Client, relayer: LocalSigner) -> None:
    here = world.ledger.domain
    purchase = signed(world, buyer)
    elsewhere = replace(purchase, domain=Domain(here.chain_id + 1, here.contract))
    assert elsewhere.id != purchase.id
    refused(world, buyer, relayer, elsewhere, Invalid, f"on chain {here.chain_id + 1}; hand it in there")


def test_a_purchase_of_an_offer_that_is_none_is_invalid(world: World, buyer: Client, relayer: LocalSigner) -> None:
    purchase = with_wish(signed(world, buyer), offer="ab" * 32)
    refused(world, buyer, relayer, purchase, Invalid, "the ledger has no such offer")


def refused(
    world: World, buyer: Client, by: LocalSigner, purchase: SignedPurchase, kind: type[MarketplaceError], words: str
) -> None:
    """Hands in a purchase that is refused, and sees that nothing moved and no gas was spent."""
    before = (world.ledger.head_block(), purse_units(world, buyer), world.ledger.gas_balance_wei(by.address))
    with pytest.raises(kind, match=words):
        handed_in(world, by, purchase)
    assert (world.ledger.head_block(), purse_units(world, buyer), world.ledger.gas_balance_wei(by.address)) == before


# ------------------------------------------------------------------------------------------------------------ the file


def document_of(purchase: SignedPurchase, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(purchase.encode())
    for path, value in changes.items():
        *inner, last = path.split("__")
        place = document
        for name in inner:
            place = place[name]
        place[last] = value
    return document


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": "1"},
        {"chain_id": -1},
        {"contract": "0x12"},
        {"contract": "0x" + "AB" * 20},
        {"specification": {}},
        {"specification__rows": 0},
        {"specification__nonce": "00"},
        {"order": []},
        {"order__buyer": "me"},
        {"order__versions": 1},
        {"order__versions": "ff" * 33},
        {"order__permit": ""},
        {"order__place_by_s": 1.5},
        {"order__place_by_s": True},
        {"order__more": 1},
        {"signature": ""},
        {"signature": "zz"},
        {"signature": "AB"},
        {"signature": "00" * 4_097},
        {"payment__means": "cash"},
        {"payment__deadline_s": None},
        {"payment__signature": "00" * 64},
        {"more": 1},
        {"format": "agora/purchase/2"},
    ],
    ids=repr,
)
def test_a_file_with_another_part_is_refused(world: World, buyer: Client, changes: dict[str, Any]) -> None:
    purchase = signed(world, buyer)
    with pytest.raises(Corrupt, match="expected"):
        SignedPurchase.decode(spelled(document_of(purchase, **changes)))


def test_bytes_that_are_no_purchase_are_refused(world: World, buyer: Client) -> None:
    data = signed(world, buyer).encode()
    for wrong in (b"", b"{}", b"\xff", data[:-1], data + b"\n", b"[" * 100):
        with pytest.raises(Corrupt, match="expected"):
            SignedPurchase.decode(wrong)


def test_a_purchase_shows_no_signature_when_it_is_printed(world: World, buyer: Client) -> None:
    purchase = signed(world, buyer)
    shown = repr(purchase)
    assert purchase.signature.hex() not in shown
    assert repr(purchase.payment.s) not in shown
