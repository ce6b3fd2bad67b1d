from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from marketplace.certificate.agreement import (
    delta_faults,
    disagreements,
    epsilon_faults,
    is_delta_small,
    made_for,
    rho_faults,
    signer_of,
)
from marketplace.certificate.certificate import ASSUMPTIONS, NO_EPSILON, NO_PROMISE, Certificate
from marketplace.certificate.manifest import Manifest
from marketplace.errors import Corrupt
from marketplace.protocol.identity import Address
from marketplace.protocol.order import pack_versions

from ..protocol.examples import address
from .examples import SIGNER, Sale

Changed = tuple[Manifest, dict[str, Any]]


def asked(sale: Sale, **changes: Any) -> tuple[str, ...]:
    """What disagrees, everything but the signature, which any change of a certificate breaks."""
    values: dict[str, Any] = {
        "manifest": sale.manifest,
        "account": sale.history.account,
        "order": sale.order,
        "domain": sale.history.domain,
        "description": sale.description,
        "specification": sale.specification,
    }
    values |= changes
    found = disagreements(values.pop("manifest"), **values)
    return tuple(fault for fault in found if "signed by" not in fault and "its hash" not in fault)


def certified(sale: Sale, change: Callable[[Certificate], Certificate]) -> Manifest:
    return replace(sale.manifest, certificate=change(sale.manifest.certificate))


def test_a_true_manifest_agrees_with_everything(sold: Sale) -> None:
    assert (
        disagreements(
            sold.manifest,
            account=sold.history.account,
            order=sold.order,
            domain=sold.history.domain,
            description=sold.description,
            specification=sold.specification,
        )
        == ()
    )
    assert signer_of(sold.manifest) == SIGNER.address


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("order", bytes(32), "its order is another"),
        ("offer", bytes(32), "its offer is not the order's"),
        ("provider", address(5), "its provider is not the dataset's"),
        ("dataset", bytes(32), "its dataset is not the offer's"),
        ("version", 2, "its version is not the order's"),
        ("commitment", bytes(32), "its commitment to the records is not the version's"),
        ("description", bytes(32), "its description is not the version's"),
        ("specification", bytes(32), "its specification is not the order's"),
        ("plain_root", bytes(32), "its plain root is not the delivery's"),
        ("count", 1, "its count is not the delivery's"),
        ("rows", 41, "its rows is not the specification's"),
    ],
)
def test_each_part_of_a_certificate_is_compared(sold: Sale, part: str, value: object, fault: str) -> None:
    assert fault in asked(sold, manifest=certified(sold, lambda one: replace(one, **{part: value})))


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("unit", "one row", "its unit is not the schema's"),
        ("rows_per_person", 1, "its rows per person is not the schema's"),
        ("rho_micro", 30_559, "its rho is 30559 micro-rho, the offer charged 30560"),
        ("rho_micro", 30_561, "its stages sum to 30560 micro-rho, its rho is 30561"),
        ("delta_atto", 5 * 10**12, "its delta is not the offer's"),
        ("delta_atto", 7 * 10**12, "its delta is not within min(1e-5, 1/(10 n)) for 15000 rows"),
        ("delta_atto", 0, "its delta does not lie between 0 and 1"),
        ("epsilon", "0.5", "its epsilon is '0.5', its rho implies"),
    ],
)
def test_each_part_of_the_promise_is_compared(sold: Sale, part: str, value: object, fault: str) -> None:
    changed = certified(sold, lambda one: replace(one, privacy=replace(one.privacy, **{part: value})))
    assert any(found.startswith(fault) for found in asked(sold, manifest=changed))


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [("chain_id", 1, "its chain is not the ledger's"), ("contract", address(5), "its contract is not the ledger's")],
)
def test_the_ledger_that_a_manifest_names_is_compared(sold: Sale, part: str, value: object, fault: str) -> None:
    assert asked(sold, manifest=replace(sold.manifest, **{part: value})) == (fault,)


def test_a_delivery_of_another_manifest_is_noticed(sold: Sale) -> None:
    changed = replace(sold.manifest, source_hash=bytes(32))
    found = disagreements(changed, account=sold.history.account, order=sold.order, domain=sold.history.domain)
    assert found == ("its hash is not the delivery's",)


def test_an_order_without_a_delivery_is_noticed(sold: Sale) -> None:
    assert asked(sold, order=replace(sold.order, delivery=None)) == ("its order has no delivery",)


def test_an_order_of_a_version_that_is_not_there_is_noticed(sold: Sale) -> None:
    order = replace(sold.order, order=replace(sold.order.order, versions=pack_versions([2])))
    changed = certified(sold, lambda one: replace(one, version=2))
    assert asked(sold, order=order, manifest=changed) == ("its version is not the order's",)


def test_without_the_documents_the_ledger_is_still_compared(sold: Sale) -> None:
    changed = certified(sold, lambda one: replace(one, rows=41, count=1))
    assert asked(sold, manifest=changed, description=None, specification=None) == ("its count is not the delivery's",)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"signature": bytes(65)}, "expected a signature"),
        ({"signature": b"\xff" * 64 + b"\x1b"}, "expected a signature"),
        ({"contract": Address("somewhere")}, "expected a manifest that names a contract"),
    ],
)
def test_a_signature_that_is_none_is_corrupt_and_a_fault(sold: Sale, changes: dict[str, Any], fault: str) -> None:
    changed = replace(sold.manifest, **changes)
    with pytest.raises(Corrupt, match=fault):
        signer_of(changed)
    assert any(
        found.startswith(f"its signature is none: {fault}")
        for found in disagreements(changed, account=sold.history.account, order=sold.order, domain=sold.history.domain)
    )


@pytest.mark.parametrize(
    ("delta_atto", "rows", "small"),
    [
        (10**13, 1, True),
        (10**13 + 1, 1, False),
        (10**13, 10_000, True),
        (10**13, 10_001, False),
        (6 * 10**12, 15_000, True),
        (0, 15_000, False),
    ],
)
def test_a_delta_is_small_within_both_bounds(delta_atto: int, rows: int, small: bool) -> None:
    assert is_delta_small(delta_atto, rows) is small


def resold(sold: Sale, **changes: Any) -> tuple[Any, Any]:
    """A history in which the sale's delivery was sold again as stock, twice removed, and that last order."""
    history = deepcopy(sold.history)
    order = sold.id
    for max_open in (2, 3):
        offer = history.publish_stock(order, bond_units=0, max_open=max_open)
        before, order = history.view(order).delivery, history.place(offer)
        assert before
        history.deliver(order, replace(before, commitment_root=bytes(32), object=bytes(32), **changes))
    return history, history.view(order)


def test_a_sale_of_stock_has_the_manifest_of_the_order_that_its_result_was_made_for(sold: Sale) -> None:
    history, order = resold(sold)
    assert made_for(history.account, order) == sold.order
    assert made_for(history.account, sold.order) == sold.order
    documents = {"description": sold.description, "specification": sold.specification}
    assert disagreements(sold.manifest, account=history.account, order=order, domain=history.domain, **documents) == ()


def test_offers_that_name_each_other_as_stock_are_corrupt(sold: Sale) -> None:
    account, order = deepcopy(sold.history.account), sold.order
    account.offers[order.order.offer] = replace(account.offers[order.order.offer], origin=order.id)
    with pytest.raises(Corrupt, match="name each other"):
        made_for(account, order)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"manifest": bytes(32)}, "its hash is not the delivery's"),
        ({"plain_root": bytes(32)}, "its plain root is not the delivery's"),
        ({"count": 1}, "its count is not the delivery's"),
    ],
)
def test_a_sale_of_stock_that_differs_from_its_manifest_is_noticed(
    sold: Sale, changes: dict[str, Any], fault: str
) -> None:
    history, order = resold(sold, **changes)
    assert disagreements(sold.manifest, account=history.account, order=order, domain=history.domain) == (fault,)


# ------------------------------------------------------------------------------------------------------ exact results


def exact(sale: Sale, **changes: Any) -> Certificate:
    """The certificate of the same result, had it been made without any promise."""
    certificate = sale.manifest.certificate
    bare = {"rho_micro": 0, "delta_atto": 0, "epsilon": NO_EPSILON, "assumptions": NO_PROMISE}
    return replace(certificate, privacy=replace(certificate.privacy, **(bare | changes)))


def test_an_exact_certificate_says_that_it_promises_nothing_and_sums_no_rho(sold: Sale) -> None:
    certificate = exact(sold)
    assert Certificate.decode(certificate.encode()).privacy.is_exact
    assert not sold.manifest.certificate.privacy.is_exact
    for faults in (rho_faults, epsilon_faults):
        assert faults(certificate) == ()
    assert delta_faults(certificate, sold.description) == ()


@pytest.mark.parametrize(
    "changes",
    [{"epsilon": "0.000"}, {"epsilon": "1.000"}, {"assumptions": ASSUMPTIONS}, {"assumptions": (*NO_PROMISE, "But.")}],
)
def test_an_exact_certificate_in_other_words_is_at_fault(sold: Sale, changes: dict[str, Any]) -> None:
    assert epsilon_faults(exact(sold, **changes)) == (
        "it is exact and does not say that it carries no differential privacy",
    )


def test_a_rho_without_a_delta_is_no_exact_certificate(sold: Sale) -> None:
    assert epsilon_faults(exact(sold, rho_micro=5)) == ("its delta does not lie between 0 and 1",)


def test_an_exact_certificate_is_none_for_an_offer_with_a_promise(sold: Sale) -> None:
    found = asked(sold, manifest=replace(sold.manifest, certificate=exact(sold)))
    assert "its delta is not the offer's" in found
    assert any(fault.startswith("its rho is 0 micro-rho") for fault in found)
