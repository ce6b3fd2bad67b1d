from dataclasses import replace
from hashlib import sha256

import pytest

from marketplace.audit.documents import shelve, wanted
from marketplace.audit.evidence import Reading
from marketplace.content.cid import Cid
from marketplace.protocol import events as ev
from marketplace.protocol.decision import Act, Decision
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.identity import NOTHING, DeliveryHash
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import CODEC_DAG_PB
from marketplace.protocol.states import OrderState

from ..certificate.examples import LICENCE, Sale
from ..protocol.examples import DESCRIPTION, address
from ..protocol.history import AUTHORITY, BUYER, PROVIDER, PURPOSE, History, arbitrated, delivery, market
from .examples import check, failing, readings_of, truthful

NOUNS = ("description", "specification", "manifest", "terms", "object")


def cid_of(sale: Sale, noun: str) -> Cid:
    (found,) = {one.cid for one in wanted(sale.history.account) if one.noun == noun}
    return found


def test_a_sale_whose_documents_are_all_there_passes(sold: Sale) -> None:
    evidence = truthful(sold.history, readings_of(sold))
    assert failing(evidence) == set()
    assert check(11, evidence).evidence == "5 files read"
    assert check(12, evidence).evidence == "1 of 1 delivery"
    assert check(14, evidence).evidence == "1 offer"


@pytest.mark.parametrize("noun", NOUNS)
def test_a_file_with_other_bytes_fails_and_is_named(sold: Sale, noun: str) -> None:
    cid = cid_of(sold, noun)
    readings = readings_of(sold) | {cid: Reading(found=True, fault="a block is wrong")}
    found = check(11, truthful(sold.history, readings))
    assert found.passed is False
    assert f"the {noun} of" in found.evidence
    assert f"({cid.text[:16]}...) has other bytes" in found.evidence


@pytest.mark.parametrize("noun", NOUNS[:-1])
def test_bytes_are_hashed_again_whatever_the_store_says(sold: Sale, noun: str) -> None:
    cid = cid_of(sold, noun)
    content = readings_of(sold)[cid].content
    readings = readings_of(sold) | {cid: Reading(found=True, content=(content or b"") + b" ")}
    assert 11 in failing(truthful(sold.history, readings))


@pytest.mark.parametrize("noun", ["description", "manifest", "terms", "object"])
def test_a_file_that_an_order_waits_for_must_be_there(sold: Sale, noun: str) -> None:
    readings = readings_of(sold)
    del readings[cid_of(sold, noun)]
    assert check(11, truthful(sold.history, readings)).passed is False
    readings[cid_of(sold, noun)] = Reading(found=False)
    found = check(11, truthful(sold.history, readings))
    assert found.passed is False
    assert f"the {noun} of" in found.evidence
    assert found.evidence.endswith("is not there")


@pytest.mark.parametrize("noun", NOUNS)
def test_a_file_of_the_past_may_be_gone_and_is_named(sale: Sale, noun: str) -> None:
    sale.history.settle(sale.id)
    readings = readings_of(sale)
    del readings[cid_of(sale, noun)]
    found = check(11, truthful(sale.history, readings))
    assert found.passed
    assert f"4 files read; no longer there or of no use, which nobody promised: the {noun} of" in found.evidence


def test_what_nobody_has_ordered_yet_harms_nobody(sale: Sale) -> None:
    sale.history.revise(sale.offer.members[0].dataset)
    sale.history.publish(sale.history.register())
    found = check(11, truthful(sale.history, readings_of(sale)))
    assert found.passed
    assert found.evidence.count("is not there") == 3


@pytest.mark.parametrize("noun", ["description", "terms"])
def test_an_ended_order_waits_for_no_document(sale: Sale, noun: str) -> None:
    sale.history.settle(sale.id)
    unreadable = readings_of(sale) | {cid_of(sale, noun): Reading(found=True)}
    assert check(11, truthful(sale.history, unreadable)).passed


def test_a_specification_is_its_buyers_business(sold: Sale) -> None:
    readings = readings_of(sold)
    cid = cid_of(sold, "specification")
    for reading in (Reading(found=False), Reading(found=True)):
        readings[cid] = reading
        assert failing(truthful(sold.history, readings)) == set()


def named(noun: str, data: bytes) -> tuple[History, dict[Cid, Reading]]:
    """A delivered order of which one document is `data`, and a store that has nothing else."""
    digest = sha256(data).digest()
    history = History()
    dataset = history.register(description=digest if noun == "description" else None)
    offer = history.publish(dataset, **({"terms": digest} if noun == "terms" else {}))
    history.stake(offer.head.bond_units)
    order = history.place(offer, **({"specification": digest} if noun == "specification" else {}))
    history.deliver(order, delivery(manifest=digest) if noun == "manifest" else delivery())
    return history, {Cid.of_raw(data): Reading(found=True, content=data)}


@pytest.mark.parametrize(
    ("noun", "fails"), [("description", True), ("terms", True), ("manifest", True), ("specification", False)]
)
def test_a_document_of_the_provider_that_is_none_fails(noun: str, fails: bool) -> None:
    history, readings = named(noun, b"no document")
    found = check(11, truthful(history, readings))
    assert (f"the {noun} of" in found.evidence and "cannot be read" in found.evidence.split(";")[0]) == fails


def test_every_address_that_the_ledger_names_is_wanted_with_its_codec() -> None:
    history, offer = market()
    order = history.place(offer)
    made = delivery(object_codec=CODEC_DAG_PB)
    history.deliver(order, made)
    found = {one.noun: one.cid for one in wanted(history.account)}
    assert set(found) == set(NOUNS)
    assert found["object"] == Cid(made.object, CODEC_DAG_PB)
    assert found["manifest"] == Cid.raw(made.manifest)
    assert found["terms"] == Cid.raw(offer.head.terms)


# ----------------------------------------------------------------------- reasons, decisions, grounds and descriptors


def reading(data: bytes) -> dict[Cid, Reading]:
    return {Cid.of_raw(data): Reading(found=True, content=data)}


@pytest.mark.parametrize("noun", ["reason", "decision", "grounds"])
def test_what_others_than_the_provider_say_may_be_gone_or_be_nothing_but_never_other_bytes(noun: str) -> None:
    history, offer = arbitrated()
    history.contest(history.reach(offer, OrderState.REVEALED))
    history.open_epoch(offer.members[0].dataset, 10**6)
    history.revoke(history.grant(offer.id))
    found = [one for one in wanted(history.account) if one.noun == noun]
    assert len(found) == (2 if noun == "decision" else 1)
    assert not any(one.kept for one in found)
    other = check(11, truthful(history, {found[0].cid: Reading(found=True, content=b"other bytes")}))
    assert f"{found[0]} has other bytes" in other.evidence.split("; ")


def test_a_decision_and_grounds_that_are_none_are_said_to_be_of_no_use() -> None:
    nonsense = b"no document"
    digest = sha256(nonsense).digest()
    history, offer = arbitrated()
    history.grant(offer.id, document=digest)
    order = history.reach(offer, OrderState.REVEALED)
    history.record(ev.OrderContested, order, digest)
    history.rule(order, 10_000, 10_000)
    shelf = shelve(history.account, reading(nonsense))
    assert not shelf.wrong
    unread = [words.split(" (")[0] for words in shelf.past if words.endswith("cannot be read")]
    (permit,) = history.account.permits
    assert unread == [f"the grounds of order 0x{order.hex()[:8]}", f"the decision of permit 0x{permit.hex()[:8]}"]
    assert check(11, truthful(history, reading(nonsense))).passed


def test_a_decision_and_grounds_that_are_right_are_read() -> None:
    history, offer = arbitrated()
    order = history.reach(offer, OrderState.REVEALED)
    grounds = Grounds(order, DeliveryHash(history.view(order).delivery_hash or b""), "A column is empty.").encode()
    decision = Decision(Act.GRANT, AUTHORITY, BUYER, PURPOSE, 0, 9, (offer.id,), "File 1", "Granted.").encode()
    history.grant(offer.id, document=sha256(decision).digest())
    history.record(ev.OrderContested, order, sha256(grounds).digest())
    history.rule(order, 10_000, 10_000)
    shelf = shelve(history.account, reading(grounds) | reading(decision))
    assert shelf.found == 2
    assert not any("cannot be read" in words for words in shelf.past)


@pytest.mark.parametrize("busy", [True, False])
def test_the_newest_descriptor_of_a_provider_with_open_orders_must_be_there(busy: bool) -> None:
    history, offer = market()
    order = history.place(offer)
    history.describe(PROVIDER, b"a" * 32, b"c" * 32)
    history.describe(PROVIDER, b"b" * 32, b"c" * 32)
    history.describe(address(6), b"d" * 32, b"c" * 32)
    if not busy:
        history.decline(order)
    found = {one.cid.digest: one.kept for one in wanted(history.account) if one.noun == "descriptor"}
    assert found == {b"b" * 32: busy, b"d" * 32: False}


def test_a_provider_that_has_no_node_any_more_names_nothing() -> None:
    history, offer = market()
    history.place(offer)
    history.describe(PROVIDER, b"a" * 32, b"c" * 32)
    history.describe(PROVIDER, NOTHING, NOTHING)
    assert not [one for one in wanted(history.account) if one.noun == "descriptor"]


def test_stock_on_sale_relies_on_what_the_order_named_that_its_result_was_made_for(sale: Sale) -> None:
    history = sale.history
    history.settle(sale.id)
    history.revise(sale.offer.members[0].dataset)
    stock = history.publish_stock(sale.id, bond_units=0)
    assert sale.order.delivery is not None
    history.reach(stock, OrderState.DELIVERED, replace(sale.order.delivery, commitment_root=bytes(32)))
    kept = {one.cid for one in wanted(history.account) if one.kept}
    assert Cid.of_raw(sale.description.encode()) in kept
    assert Cid.of_raw(sale.manifest.encode()) in kept
    evidence = truthful(history, readings_of(sale))
    assert check(12, evidence).evidence == "2 of 2 deliveries"
    assert check(12, evidence).passed


def test_an_object_under_an_unknown_codec_has_no_address_and_ends_no_audit() -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order, delivery(object_codec=0x51))
    assert "object" not in {one.noun for one in wanted(history.account)}
    assert 10 in failing(truthful(history, {}))


def described(delta_atto: int, *rows: int) -> tuple[History, dict[Cid, Reading]]:
    """An offer of this delta on a dataset whose versions declare so many rows, each sold once."""
    history = History()
    readings = {Cid.of_raw(LICENCE.encode()): Reading(found=True, content=LICENCE.encode())}
    offer = None
    for declared in rows:
        data = replace(DESCRIPTION, rows_declared=declared).encode()
        readings[Cid.of_raw(data)] = Reading(found=True, content=data)
        if offer is None:
            dataset = history.register(description=sha256(data).digest())
            offer = history.publish(dataset, delta_atto=delta_atto)
            history.stake(10 * offer.head.bond_units)
        else:
            history.revise(dataset, description=sha256(data).digest())
            history.place(offer)
    return history, readings


@pytest.mark.parametrize(
    ("delta_atto", "rows", "passed"),
    [
        (10**13, (9_900,), True),
        (10**13 + 1, (9_900,), False),
        (10**13, (11_000,), False),
        (6 * 10**12, (15_000,), True),
        (6 * 10**12, (15_000, 16_000), True),
        (6 * 10**12, (15_000, 17_000), False),
    ],
)
def test_a_delta_must_be_small_for_every_version_that_was_sold(
    delta_atto: int, rows: tuple[int, ...], passed: bool
) -> None:
    history, readings = described(delta_atto, *rows)
    found = check(14, truthful(history, readings))
    assert found.passed is passed
    assert passed or f"delta {delta_atto} / 10^18 for {rows[-1]:,} rows" in found.evidence


def test_a_delta_cannot_be_judged_without_a_description() -> None:
    history, _ = described(10**13, 9_900)
    found = check(14, truthful(history, {}))
    assert found.passed is None
    assert found.evidence == "1 offer with a description that could not be read"


def test_an_exact_offer_has_no_delta_to_judge() -> None:
    history, readings = described(10**13, 9_900)
    history.publish(history.register(), guarantee=Guarantee.EXACT, delta_atto=0)
    found = check(14, truthful(history, readings))
    assert found.passed
    assert found.evidence == "1 offer"
