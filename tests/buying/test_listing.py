"""Offers as a buyer reads them."""

from hashlib import sha256

import pytest

from marketplace.buying.listing import open_entries, read_entry
from marketplace.content.cid import Cid
from marketplace.errors import Corrupt, Invalid, Unreachable
from marketplace.protocol.identity import OfferId
from tests.buying.provider import BOND_UNITS
from tests.buying.world import World
from tests.certificate.examples import RHO_MICRO


def nobody(_: OfferId, __: str) -> None:
    raise AssertionError("an offer was missed")


def test_an_entry_has_the_offer_its_description_and_its_terms(fresh: World) -> None:
    offer = fresh.provider.offer()
    entry = read_entry(fresh.client().account(), offer.id, fresh.store)
    assert entry.view.offer == offer
    assert entry.description == fresh.provider.description
    assert sha256(entry.terms.encode()).digest() == offer.head.terms
    assert [source.dataset.left_micro for source in entry.sources] == [100 * RHO_MICRO]


def test_an_unknown_offer_is_invalid(fresh: World) -> None:
    with pytest.raises(Invalid, match="published offer"):
        read_entry(fresh.client().account(), OfferId(bytes(32)), fresh.store)


def test_only_open_offers_are_listed(fresh: World) -> None:
    dataset = fresh.provider.list_dataset()
    stays, retired = fresh.provider.offer(dataset), fresh.provider.offer(dataset, max_open=7)
    fresh.ledger.retire(fresh.provider.signer, retired)
    fresh.provider.offer(dataset, valid_until_s=fresh.ledger.now_s() + 50)
    fresh.ledger.advance(100)
    assert [entry.view.offer.id for entry in fresh.client().entries()] == [stays.id]


def test_a_full_offer_is_not_listed(fresh: World) -> None:
    offer = fresh.provider.offer(max_open=1)
    fresh.place(offer)
    assert fresh.client().entries() == ()


def test_orders_left_is_the_least_of_budget_places_and_bonds(fresh: World) -> None:
    def left(**changes: int) -> int:
        dataset = fresh.provider.list_dataset(5 * RHO_MICRO + 1)
        offer = fresh.provider.offer(dataset, staked_units=changes.pop("staked_units", 0), **changes)
        return read_entry(fresh.client().account(), offer.id, fresh.store).orders_left

    assert left(max_open=9) == 0
    assert left(max_open=9, staked_units=3 * BOND_UNITS) == 3
    assert left(max_open=9, staked_units=30 * BOND_UNITS) == 5
    assert left(max_open=2) == 2
    assert left(max_open=9, bond_units=0) == 5


def test_an_offer_whose_documents_are_gone_hides_no_other(fresh: World) -> None:
    kept = fresh.provider.offer()
    lost = fresh.provider.offer(terms=sha256(b"never stored").digest())
    missed: list[OfferId] = []
    entries = open_entries(
        fresh.client().account(), fresh.store, fresh.ledger.now_s(), lambda offer, _: missed.append(offer)
    )
    assert [entry.view.offer.id for entry in entries] == [kept.id]
    assert missed == [lost.id]


def test_an_offer_whose_description_is_none_hides_no_other(fresh: World) -> None:
    kept = fresh.provider.offer()
    nonsense = sha256(b"no description").digest()
    fresh.store.put([b"no description"])
    dataset, _ = fresh.ledger.register(fresh.provider.signer, bytes(32), bytes(32), nonsense, 100 * RHO_MICRO)
    fresh.provider.offer(dataset)
    assert [entry.view.offer.id for entry in fresh.client().entries()] == [kept.id]


def test_a_store_without_any_document_is_an_error(fresh: World) -> None:
    fresh.provider.offer()
    fresh.store.answers = 0
    with pytest.raises(Unreachable):
        fresh.client().entries()


def test_an_altered_description_is_corrupt_and_names_its_address(fresh: World) -> None:
    offer = fresh.provider.offer()
    cid = Cid.raw(sha256(fresh.provider.description.encode()).digest())
    fresh.store.replace(cid, b"something else")
    with pytest.raises(Corrupt, match=cid.text):
        read_entry(fresh.client().account(), offer.id, fresh.store)


def test_no_offers_are_no_error(fresh: World) -> None:
    assert open_entries(fresh.client().account(), fresh.store, fresh.ledger.now_s(), nobody) == ()
