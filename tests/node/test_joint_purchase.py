"""An analysis bought of three hospitals that answer together, end to end: real nodes, real processes, mutual TLS."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.buying.quote import ask_quote
from marketplace.certificate.joint import assumptions
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.verification import verify, verify_against
from marketplace.commands.forecasts import forecast_lines
from marketplace.commands.quotes import _terms as terms_of
from marketplace.errors import Refused
from marketplace.protocol import analysis_answer, analysis_sums
from marketplace.protocol.identity import OrderId
from marketplace.protocol.unit import PrivacyUnit
from node.admission import Rules
from tests.node.pooled import QUESTIONS, SCHEMA, Pool, pooled


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pooled(tmp_path_factory.mktemp("pool"), rules=Rules(units=frozenset(PrivacyUnit))) as made:
        yield made


@pytest.fixture(scope="module")
def bought(pool: Pool) -> tuple[OrderId, Path]:
    """An order that was delivered, and the folder of its opened result."""
    order = pool.place(pool.publish())
    return order, pool.buy(order)


def test_three_hospitals_answer_one_order_together(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    order, out = bought
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    count, survival = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    assert abs(count["answer"]["rows"] - 210) < 7 * float(count["answer"]["error"]) < 90
    assert [curve["group"] for curve in survival["answer"]["curves"]] == ["old", "new"]
    assert len(opened) == 1
    assert b"differentially private" in (out / "report.html").read_bytes()
    for one in pool.hospitals:
        assert one.debits(order) == [one.used_micro()]
        assert (one.folder(order) / analysis_sums.SUMS).read_bytes() == (out / analysis_sums.SUMS).read_bytes()
    pool.assert_settles(order)


def test_the_result_stands_every_check_alone_and_against_the_ledger(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    _, out = bought
    assert [check for check in verify(out).checks if not check.passed] == []
    verified = verify_against(out, pool.client.account(), pool.ledger.domain)
    assert verified.passed, verified
    assert verified.signer == pool.lead.address
    assert [check.number for check in verified.checks] == list(range(1, 15))


def change_answers(out: Path) -> None:
    path = out / analysis_answer.ANSWERS
    path.write_bytes(path.read_bytes().replace(b'"kind":"count"', b'"kind":"Count"'))


def change_sums(out: Path) -> None:
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    (out / analysis_sums.SUMS).write_bytes(analysis_sums.encode([{**opened[0], "0/rows": (5,)}]))


def change_joint(**changes: object) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        manifest = Manifest.decode((out / "manifest.json").read_bytes())
        joint = manifest.certificate.joint
        assert joint is not None
        altered = replace(manifest.certificate, joint=replace(joint, **changes))  # type: ignore[arg-type]
        (out / "manifest.json").write_bytes(replace(manifest, certificate=altered).encode())

    return change


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (change_answers, {5, 6}),
        (change_sums, {5, 6}),
        (change_joint(transcript=bytes(32)), {2, 4, 11, 13}),
        (change_joint(threshold=2), {2, 4, 6, 11, 13}),
        (change_joint(unit=PrivacyUnit.PERSON_AT_PROVIDER), {2, 4, 6, 10, 11, 13}),
        (change_joint(parties=()), {2, 4, 6, 11, 13}),
    ],
)
def test_a_changed_result_fails_by_number(
    pool: Pool, bought: tuple[OrderId, Path], tmp_path: Path, change: Callable[[Path], None], failing: set[int]
) -> None:
    import shutil

    out = tmp_path / "copy"
    shutil.copytree(bought[1], out)
    change(out)
    checks = verify_against(out, pool.client.account(), pool.ledger.domain).checks
    assert {check.number for check in checks if check.passed is False} == failing


def test_the_certificate_names_every_party_and_what_each_said(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    certificate = Manifest.decode((bought[1] / "manifest.json").read_bytes()).certificate
    joint = certificate.joint
    assert joint is not None
    assert {party.provider for party in joint.parties} == {one.address for one in pool.hospitals}
    assert (
        len({party.register for party in joint.parties})
        == len({party.noise_commitment for party in joint.parties})
        == 3
    )
    assert certificate.privacy.rho_micro == sum(one.debits(bought[0])[0] for one in pool.hospitals)
    assert (joint.lane, joint.threshold) == ("sums", QUESTIONS.threshold)
    assert certificate.privacy.rows_per_person == SCHEMA.rows_per_person


def test_where_the_offer_protects_a_person_at_one_provider_noise_charge_and_words_are_of_that_unit(pool: Pool) -> None:
    unit = PrivacyUnit.PERSON_AT_PROVIDER
    offer = pool.publish(unit=unit)
    assert pool.client.account().offers[offer.id].offer.head.unit is unit
    pool.tick()
    quoted = ask_quote(pool.client, offer.id, QUESTIONS)
    charged = offer.members[0].rho_micro
    assert (quoted.quote.rho_micro, quoted.quote.refusal) == (charged, None)
    assert quoted.quote.forecast is not None
    shown = "\n".join((*terms_of(quoted), *forecast_lines(quoted.quote.forecast)))
    for words in (
        "unit        one person at one provider",
        "person      one person",
        "in all      epsilon",
        "at all of them 9 times",
    ):
        assert words in " ".join(shown.split("\n              ")), shown
    order = pool.place(offer)
    out = pool.buy(order)
    assert verify_against(out, pool.client.account(), pool.ledger.domain).passed
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.joint is not None
    assert (certificate.joint.unit, certificate.privacy.rho_micro) == (unit, charged)
    assert certificate.privacy.unit == f"{unit.text}; {SCHEMA.unit}"
    assert certificate.privacy.assumptions == assumptions(unit)
    assert {stage.sensitivity for stage in certificate.mechanism.generate} == {"1"}
    assert charged - 2 * len(certificate.mechanism.generate) <= certificate.mechanism.rho_generate_micro <= charged
    assert all(one.debits(order) == [charged] for one in pool.hospitals)
    assert b"One with records at k of them loses k * k times the rho" in (out / "report.html").read_bytes()
    pool.assert_settles(order)


def test_an_order_that_others_took_part_in_is_not_replayed_by_one(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    pool.lead.closing.close()
    with pytest.raises(Refused, match="others took part"):
        pool.lead.node.replay(bought[0], print)
