from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.certificate.attacks import PublicAttacks, PublicFigure
from marketplace.certificate.certificate import Certificate, Stage
from marketplace.certificate.folder import DELIVERY, DESCRIPTION, EVIDENCE, INNER, MANIFEST, SPECIFICATION
from marketplace.certificate.opening import Opening
from marketplace.certificate.verification import SENTENCES, Verification, verify, verify_against
from marketplace.errors import Invalid
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import Account
from marketplace.protocol.identity import Address
from marketplace.protocol.result import NAMES, PICTURE, REPORT, TABLE
from marketplace.protocol.threshold import Threshold
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.thresholds import judge

from ..protocol.examples import address
from .examples import SCORING, SIGNER, STAGES, Sale, sell

FILES = (*NAMES, *EVIDENCE)


def failed(verification: Verification) -> set[int]:
    return {check.number for check in verification.checks if check.passed is False}


def not_made(verification: Verification) -> set[int]:
    return {check.number for check in verification.checks if check.passed is None}


def flipped(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)


def test_a_true_result_passes_every_check_and_names_its_signer(sold: Sale) -> None:
    verification = verify(sold.folder)
    assert [(check.number, check.sentence) for check in verification.checks] == list(SENTENCES.items())[:12]
    assert [check.evidence for check in verification.checks if not check.passed] == []
    assert verification.passed
    assert verification.signer == SIGNER.address
    assert all(check.evidence for check in verification.checks)


def test_a_true_result_agrees_with_its_ledger(sold: Sale) -> None:
    verification = verify_against(sold.folder, sold.history.account, sold.history.domain)
    assert [check.number for check in verification.checks] == list(SENTENCES)
    assert verification.passed


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(sale: Sale, name: str) -> None:
    (sale.folder / name).unlink()
    with pytest.raises(Invalid, match=f"expected the file {name} in a result's folder"):
        verify(sale.folder)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="expected a result's folder, found none at 'nowhere'"):
        verify(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [name for name in FILES if name != DELIVERY])
@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bit_of_any_file_can_be_flipped(sold: Sale, sale: Sale, name: str, at: int, bit: int) -> None:
    try:
        flipped(sale.folder / name, at, bit)
        assert failed(verify(sale.folder))
    finally:
        (sale.folder / name).write_bytes((sold.folder / name).read_bytes())


@pytest.mark.parametrize("part", ["commitment_root", "plain_root", "key_hash", "manifest", "count", "key"])
def test_no_part_of_the_delivery_that_the_result_follows_from_can_be_changed(sale: Sale, part: str) -> None:
    opening = Opening.decode((sale.folder / DELIVERY).read_bytes())
    if part == "key":
        changed = replace(opening, key=b"x" * 32)
    else:
        value = 4 if part == "count" else b"x" * 32
        changed = replace(opening, delivery=replace(opening.delivery, **{part: value}))
    (sale.folder / DELIVERY).write_bytes(changed.encode())
    assert failed(verify(sale.folder)) == {4}


@pytest.mark.parametrize(("part", "value"), [("object", b"x" * 32), ("object_codec", 0x70)])
def test_where_the_sealed_object_lies_only_the_ledger_can_tell(sale: Sale, part: str, value: object) -> None:
    opening = Opening.decode((sale.folder / DELIVERY).read_bytes())
    changed = replace(opening, delivery=replace(opening.delivery, **{part: value}))
    (sale.folder / DELIVERY).write_bytes(changed.encode())
    assert verify(sale.folder).passed
    assert failed(verify_against(sale.folder, sale.history.account, sale.history.domain)) == {14}


def test_a_result_from_stock_agrees_with_the_ledger_by_its_own_sale(sale: Sale) -> None:
    history, opening = deepcopy(sale.history), Opening.decode((sale.folder / DELIVERY).read_bytes())
    resold = replace(opening, delivery=replace(opening.delivery, object=b"x" * 32))
    (sale.folder / DELIVERY).write_bytes(resold.encode())
    order = history.place(history.publish_stock(sale.id, bond_units=0))
    history.deliver(order, resold.delivery)
    assert failed(verify_against(sale.folder, history.account, history.domain)) == {14}
    history.accept(order)
    history.reveal(order)
    assert verify_against(sale.folder, history.account, history.domain).passed


@pytest.mark.parametrize(
    ("name", "numbers"), [(TABLE, {5, 6, 11}), (REPORT, {5}), (PICTURE, {5}), (DESCRIPTION, {3}), (SPECIFICATION, {3})]
)
def test_bytes_at_the_end_of_a_file_are_noticed(sale: Sale, name: str, numbers: set[int]) -> None:
    with (sale.folder / name).open("ab") as file:
        file.write(b"x")
    verification = verify(sale.folder)
    assert failed(verification) <= numbers
    assert failed(verification)


def test_a_manifest_that_cannot_be_read_leaves_nothing_to_check(sale: Sale) -> None:
    (sale.folder / MANIFEST).write_bytes((sale.folder / MANIFEST).read_bytes().replace(b"manifest/1", b"manifest/2"))
    verification = verify_against(sale.folder, sale.history.account, sale.history.domain)
    assert failed(verification) == {1}
    assert not_made(verification) == set(range(2, 15))
    assert "got 'agora/manifest/2'" in verification.checks[0].evidence
    assert verification.signer is None
    assert not verification.passed


def test_a_report_that_grew_beyond_its_size_is_noticed(sale: Sale) -> None:
    (sale.folder / REPORT).write_bytes(bytes(4 * 2**20))
    assert failed(verify(sale.folder)) == {5}


def test_an_inner_file_that_is_none_is_noticed(sale: Sale) -> None:
    (sale.folder / INNER).write_bytes(b"agora/inner/2\n")
    verification = verify(sale.folder)
    assert failed(verification) == {4}
    assert not_made(verification) == {5}


def stage(changed: Stage) -> Callable[[Certificate], Certificate]:
    def change(certificate: Certificate) -> Certificate:
        return replace(certificate, mechanism=replace(certificate.mechanism, generate=(changed, *STAGES[1:])))

    return change


def privacy(**parts: object) -> Callable[[Certificate], Certificate]:
    def change(certificate: Certificate) -> Certificate:
        return replace(certificate, privacy=replace(certificate.privacy, **parts))

    return change


def scored(certificate: Certificate) -> Certificate:
    better = replace(certificate.scores[0], floor="1.900000")
    return replace(certificate, scores=(better, *certificate.scores[1:]))


FIGURE = PublicFigure(
    "prostate", "epsilon 1", "membership", "TPR at 1 % FPR",
    "0.012000", "0.010000", "0.014000", "0.010000", None, 64, 1_000, 5_000,
)  # fmt: skip
ATTACKS = PublicAttacks("some-generator/1", "ab" * 12, "2026-01-31", (FIGURE,))
OWN_ATTACKS = replace(ATTACKS, generator="marginals/1")


def test_a_certificate_carries_public_attacks_on_its_own_generator(tmp_path: Path) -> None:
    sale = sell(tmp_path, lambda c: replace(c, attacks=OWN_ATTACKS))
    assert Certificate.decode(sale.manifest.certificate.encode()).attacks == OWN_ATTACKS
    verification = verify_against(sale.folder, sale.history.account, sale.history.domain)
    assert verification.passed
    assert "1 public figures of attacks" in verification.checks[11].evidence


LIES: list[tuple[str, Callable[[Certificate], Certificate], set[int]]] = [
    ("another provider", lambda c: replace(c, provider=address(5)), {2}),
    ("another description", lambda c: replace(c, description=bytes(32)), {3}),
    ("another specification", lambda c: replace(c, specification=bytes(32)), {3, 11}),
    ("another offer", lambda c: replace(c, offer=bytes(32)), {3}),
    ("another plain root", lambda c: replace(c, plain_root=bytes(32)), {4}),
    ("another count", lambda c: replace(c, count=c.count + 1), {4}),
    ("more rows", lambda c: replace(c, rows=41), {3, 6}),
    ("a stage without its cost", stage(replace(STAGES[0], parameter="224")), {7}),
    ("a stage with no noise", stage(replace(STAGES[0], parameter="0")), {7}),
    ("a stage in other words", stage(replace(STAGES[0], sensitivity="1e9")), {7}),
    ("a cheaper stage", stage(replace(STAGES[0], rho_micro=19_999)), {7}),
    ("a stage left out", lambda c: replace(c, mechanism=replace(c.mechanism, evaluate=())), {7}),
    ("a stage twice", lambda c: replace(c, mechanism=replace(c.mechanism, evaluate=(SCORING, SCORING))), {7}),
    ("less rho", privacy(rho_micro=30_559), {7, 8}),
    ("a smaller epsilon", privacy(epsilon="0.999999"), {8}),
    ("a larger delta", privacy(delta_atto=7 * 10**12), {8, 9}),
    ("no delta", privacy(delta_atto=0), {8, 9}),
    ("a delta far too large", privacy(delta_atto=10**15 * 5), {8, 9}),
    ("another unit", privacy(unit="one row is one person"), {10}),
    ("fewer rows per person", privacy(rows_per_person=1), {10}),
    ("a worse floor", scored, {11}),
    ("no scores", lambda c: replace(c, scores=()), {11}),
    ("a threshold of its own", lambda c: replace(c, thresholds=judge((Threshold("l1_1way", "1"),), c.scores)), {12}),
    ("attacks on another generator", lambda c: replace(c, attacks=ATTACKS), {12}),
    ("attacks without a figure", lambda c: replace(c, attacks=replace(OWN_ATTACKS, figures=())), {12}),
    ("counts of no curve", lambda c: replace(c, curves=(NoisyCurve((1,), Fraction(1)),)), {11}),
    ("a score twice", lambda c: replace(c, scores=(*c.scores, c.scores[0])), {11}),
]


@pytest.mark.parametrize(("lie", "numbers"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_certificate_that_its_provider_signed_but_that_is_not_true_is_found_out(
    tmp_path: Path, lie: Callable[[Certificate], Certificate], numbers: set[int]
) -> None:
    sale = sell(tmp_path, lie)
    assert failed(verify(sale.folder)) == numbers
    assert failed(verify_against(sale.folder, sale.history.account, sale.history.domain)) - numbers <= {13}


def test_a_certificate_that_somebody_else_signed_is_found_out(tmp_path: Path) -> None:
    other = LocalSigner(b"\x08" * 32)
    verification = verify(sell(tmp_path, signer=other).folder)
    assert failed(verification) == {2}
    assert verification.signer == other.address
    assert f"signed by {other.address}, not by its provider" in verification.checks[1].evidence


def test_a_manifest_of_something_that_is_no_contract_has_no_signer(sale: Sale) -> None:
    changed = replace(sale.manifest, contract=Address("somewhere"))
    (sale.folder / MANIFEST).write_bytes(changed.encode())
    verification = verify(sale.folder)
    assert failed(verification) == {2, 4}
    assert verification.signer is None


def test_an_order_that_the_ledger_does_not_have_is_said_so(sold: Sale) -> None:
    verification = verify_against(sold.folder, Account(), sold.history.domain)
    assert failed(verification) == {13, 14}
    assert verification.checks[-1].evidence == "the ledger has no such order"


def test_another_ledger_is_found_out(sold: Sale) -> None:
    domain = replace(sold.history.domain, chain_id=1)
    verification = verify_against(sold.folder, sold.history.account, domain)
    assert failed(verification) == {13}
    assert verification.checks[12].evidence == "its chain is not the ledger's"


def test_a_workload_of_columns_that_are_not_there_cannot_be_scored(sale: Sale) -> None:
    specification = (sale.folder / SPECIFICATION).read_bytes().replace(b'["sex","age"]', b'["sex","abc"]')
    (sale.folder / SPECIFICATION).write_bytes(specification)
    verification = verify(sale.folder)
    assert failed(verification) == {3, 6}
    assert not_made(verification) == {11}


def test_nothing_in_the_evidence_carries_a_record(sale: Sale) -> None:
    table = sale.folder / TABLE
    table.write_text(table.read_text().replace("female", "secretly", 1))
    verification = verify(sale.folder)
    assert failed(verification) == {5, 6}
    assert not any("secretly" in check.evidence for check in verification.checks)
