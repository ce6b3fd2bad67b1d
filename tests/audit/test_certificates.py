from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.audit.evidence import Reading
from marketplace.certificate.certificate import Certificate
from marketplace.content.cid import Cid
from marketplace.ledger.signer import LocalSigner

from ..certificate.examples import Sale, buy, sell
from ..protocol.examples import address
from ..protocol.history import market
from .examples import check, failing, readings_of, truthful


def about(**parts: object) -> Callable[[Certificate], Certificate]:
    return lambda certificate: replace(certificate, **parts)


def promising(**parts: object) -> Callable[[Certificate], Certificate]:
    return lambda certificate: replace(certificate, privacy=replace(certificate.privacy, **parts))


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (about(provider=address(5)), "its provider is not the dataset's"),
        (about(order=bytes(32)), "its order is another"),
        (about(offer=bytes(32)), "its offer is not the order's"),
        (about(dataset=bytes(32)), "its dataset is not the offer's"),
        (about(version=2), "its version is not the order's"),
        (about(commitment=bytes(32)), "its commitment to the records is not the version's"),
        (about(description=bytes(32)), "its description is not the version's"),
        (about(specification=bytes(32)), "its specification is not the order's"),
        (about(plain_root=bytes(32)), "its plain root is not the delivery's"),
        (about(count=1), "its count is not the delivery's"),
        (about(rows=39), "its rows is not the specification's"),
        (promising(rho_micro=1), "its rho is 1 micro-rho, the offer charged 30560"),
        (promising(delta_atto=10**12), "its delta is not the offer's"),
        (promising(epsilon="0.100000"), "its epsilon is '0.100000'"),
        (promising(unit="nobody"), "its unit is not the schema's"),
    ],
)
def test_a_certificate_that_is_not_true_fails_and_says_why(
    tmp_path: Path, lie: Callable[[Certificate], Certificate], words: str
) -> None:
    sale = sell(tmp_path, lie)
    evidence = truthful(sale.history, readings_of(sale))
    assert failing(evidence) == {12}
    assert f"order 0x{sale.id.hex()[:8]}: " in check(12, evidence).evidence
    assert words in check(12, evidence).evidence


def test_a_certificate_that_somebody_else_signed_fails(tmp_path: Path) -> None:
    other = LocalSigner(b"\x08" * 32)
    sale = sell(tmp_path, signer=other)
    found = check(12, truthful(sale.history, readings_of(sale)))
    assert found.passed is False
    assert f"it is signed by {other.address}, not by its provider" in found.evidence


def test_a_manifest_of_another_order_fails(sale: Sale, tmp_path: Path) -> None:
    sale.history.stake(sale.offer.head.bond_units)
    second = buy(sale.history, sale.offer, tmp_path)
    data = sale.manifest.encode()
    readings = readings_of(sale) | readings_of(second)
    assert failing(truthful(sale.history, readings)) == set()
    assert check(12, truthful(sale.history, readings)).evidence == "2 of 2 deliveries"
    delivery = sale.history.view(second.id).delivery
    assert delivery is not None
    sale.history.events = [
        replace(event, delivery=replace(delivery, manifest=Cid.of_raw(data).digest))
        if getattr(event, "delivery", None) == delivery
        else event
        for event in sale.history.events
    ]
    found = check(12, truthful(sale.history, readings))
    assert found.passed is False
    assert f"order 0x{second.id.hex()[:8]}: its order is another" in found.evidence


def test_manifests_that_are_gone_are_counted(sale: Sale, tmp_path: Path) -> None:
    sale.history.settle(sale.id)
    sale.history.stake(sale.offer.head.bond_units)
    second = buy(sale.history, sale.offer, tmp_path)
    found = check(12, truthful(sale.history, readings_of(second)))
    assert found.passed
    assert found.evidence == "1 of 2 deliveries"


def test_where_no_manifest_can_be_read_nothing_is_said(sold: Sale) -> None:
    found = check(12, truthful(sold.history, {Cid.of_raw(b""): Reading(found=True, content=b"")}))
    assert found.passed is None
    assert found.evidence == "no manifest of 1 delivery could be read"


def test_a_ledger_without_deliveries_has_no_false_certificates() -> None:
    history, offer = market()
    history.place(offer)
    assert check(12, truthful(history, {})).passed
