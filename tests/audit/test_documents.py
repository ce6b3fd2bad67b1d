from dataclasses import replace
from hashlib import sha256

import pytest

from marketplace.audit.documents import wanted
from marketplace.audit.evidence import Reading
from marketplace.content.cid import Cid
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import CODEC_DAG_PB

from ..certificate.examples import LICENCE, Sale
from ..protocol.examples import DESCRIPTION
from ..protocol.history import History, delivery, market
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
