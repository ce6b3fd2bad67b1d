"""A synthetic twin of pooled records bought of three hospitals that hold them apart, end to end: real nodes and processes."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketplace.buying.acceptance import NotAccepted
from marketplace.buying.purchase import Wishes
from marketplace.buying.quote import ask_quote
from marketplace.certificate.certificate import Certificate, Stage, StageKind
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.twins import DIGEST
from marketplace.certificate.verification import verify, verify_against
from marketplace.commands.forecasts import forecast_lines
from marketplace.commands.purchases import _wished_lines
from marketplace.commands.quotes import _terms
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.analysis_quote import Lane, Setting
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Kind, Offer
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.schema import Number, Timeline
from marketplace.protocol.specification import Curve, Workload
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.protocol.threshold import Threshold
from node.commands.main import app
from node.delivery import pack_result
from node.outcome import Outcome
from node.remaking import Remade, remake
from node.workers.job import Name
from tests.node.market import SLOT_S
from tests.node.pooled import ROWS_DECLARED, SCHEMA, TOTAL_MICRO, WORDS, Pool, follow_up, pooled
from tests.synthesis.examples import WIDE, ignore, never

ROWS = 150
WORKLOAD = Workload((("days", "arm"),), (Curve("days", "outcome", "arm"),))
LENIENT, STRICT = Threshold("l1_2way", "2"), Threshold("curve_0", "0.000001")
"""What every table meets; what none does, whose curve would have to be that of the noisy counts at every time."""
PERSONS = (1600, 1700, 1800)
"""So many that the noise of a cell, whose standard deviation is about 45, hides none of the columns' values."""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pooled(tmp_path_factory.mktemp("pool"), PERSONS) as made:
        yield made


@pytest.fixture(scope="module")
def offer(pool: Pool) -> Offer:
    return pool.publish(kind=Kind.SYNTHETIC)


def place(pool: Pool, offer: Offer, *thresholds: Threshold) -> OrderId:
    drafted = pool.client.draft(
        offer.id, rows=ROWS, workload=WORKLOAD, slot_s=SLOT_S, subgroups="arm", thresholds=thresholds
    )
    return pool.client.place(drafted).order


@pytest.fixture(scope="module")
def bought(pool: Pool, offer: Offer) -> tuple[OrderId, Path]:
    """An order that was delivered, and the folder of its opened result."""
    order = place(pool, offer, LENIENT)
    return order, pool.buy(order)


def certificate_of(out: Path) -> Certificate:
    return Manifest.decode((out / "manifest.json").read_bytes()).certificate


def test_three_hospitals_make_one_table_of_records_that_nobody_holds(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    order, out = bought
    lines = (out / result.TABLE).read_text().splitlines()
    assert lines[0] == "days,outcome,arm"
    assert len(lines) == ROWS + 1
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    (arms,) = (stage for stage in certificate_of(out).mechanism.generate if stage.name == "0/cells/2/0")
    variance = Fraction(arms.parameter) * 3 / 2  # of three parties' noise, of which two are counted on
    assert abs(sum(opened[0]["cells/2/0"]) - sum(PERSONS)) < 6 * float(2 * variance) ** 0.5
    assert (out / result.PICTURE).read_bytes().startswith(b"\x89PNG")
    report = (out / result.REPORT).read_text()
    assert "arm = new" in report and "What the buyer set as its limits" in report
    assert "differentially private" in report
    for one in pool.hospitals:
        assert one.debits(order) == [one.used_micro()]
        for name in (analysis_sums.SUMS, result.TABLE):
            assert (one.folder(order) / name).read_bytes() == (out / name).read_bytes()
        assert one.notes == []
    pool.assert_settles(order)


def test_the_twin_stands_every_check_alone_and_against_the_ledger(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    _, out = bought
    assert [check for check in verify(out).checks if not check.passed] == []
    verified = verify_against(out, pool.client.account(), pool.ledger.domain)
    assert verified.passed, verified
    assert verified.signer == pool.lead.address


def test_the_certificate_names_every_party_and_every_sum_with_its_noise(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    order, out = bought
    certificate = certificate_of(out)
    mechanism, joint = certificate.mechanism, certificate.joint
    stages = (*mechanism.generate, *mechanism.evaluate)
    assert joint is not None
    assert {party.provider for party in joint.parties} == {one.address for one in pool.hospitals}
    assert (joint.lane, joint.threshold, certificate.rows) == ("sums", 1, ROWS)
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    assert {stage.name for stage in stages} == {f"{n}/{name}" for n, sums in enumerate(opened) for name in sums}
    assert {stage.kind for stage in stages} == {StageKind.JOINT_GAUSSIAN}
    assert {stage.sensitivity for stage in mechanism.generate} == {"9"}  # one row at each of three hospitals
    sensitivities = {stage.name.partition("/")[2]: stage.sensitivity for stage in mechanism.evaluate}
    assert sensitivities == {
        "rows": "9", "l1_1way": "27", "l1_2way": "27", "l1_3way": "9", "workload": "18", "subgroup_rows": "9",
        "subgroups": "18", "curve_0": "9",
    }  # fmt: skip
    paid = sum(one.debits(order)[0] for one in pool.hospitals)
    assert paid - 2 * len(stages) <= sum(stage.rho_micro for stage in stages) <= paid == certificate.privacy.rho_micro


def test_scores_are_released_that_everybody_computes_again_and_thresholds_are_judged_by_them(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    order, out = bought
    certificate = certificate_of(out)
    names = [score.name for score in certificate.scores]
    assert names == ["l1_1way", "l1_2way", "l1_3way", "workload", "subgroup_0", "subgroup_1", "curve_0"]
    assert [(one.threshold, one.met) for one in certificate.thresholds] == [(LENIENT, True)]
    assert all(0 < float(score.ceiling) < float(score.interval[1]) for score in certificate.scores[:-1])
    outcome = Outcome.decode((pool.hospitals[2].folder(order) / Name.OUTCOME).read_bytes())
    assert (outcome.scores, outcome.curves) == (certificate.scores, certificate.curves)


def test_a_missed_threshold_has_the_buyers_program_reject_the_delivery(pool: Pool, offer: Offer) -> None:
    order = place(pool, offer, STRICT)
    pool.run_until(order, OrderState.DELIVERED)
    pool.client.receive(order)
    with pytest.raises(NotAccepted, match="curve_0"):
        pool.client.accept(order)
    view = pool.order(order)
    assert (view.state, view.reason) == (OrderState.REFUNDED, Reason.REJECTED)


def made_by_all(pool: Pool, offer: Offer) -> OrderId:
    """An order whose result every member has made, and that the lead has not sealed yet."""
    order = place(pool, offer)
    pool.run(lambda: pool.lead.daemon.effects.together.workers.tried(order))
    pool.run(lambda: all((one.folder(order) / Name.OUTCOME).exists() for one in pool.hospitals), but=[0])
    return order


def test_where_rows_differ_as_on_another_processor_members_sign_for_the_sums(pool: Pool, offer: Offer) -> None:
    order, member = made_by_all(pool, offer), pool.hospitals[1]
    folder, names = member.folder(order), (*result.NAMES, analysis_sums.SUMS)
    change_rows(folder)
    pack_result(folder, names)
    out = pool.buy(order)
    assert (out / result.TABLE).read_bytes() != (folder / result.TABLE).read_bytes()
    assert [note for note in member.notes if "you sign for the sums" in note] == member.notes != []
    assert pool.hospitals[2].notes == []
    assert verify_against(out, pool.client.account(), pool.ledger.domain).passed
    member.notes.clear()


def test_a_member_that_has_other_sums_does_not_sign_and_the_order_is_refunded_with_all_charged(
    pool: Pool, offer: Offer
) -> None:
    order, member = made_by_all(pool, offer), pool.hospitals[1]
    path = member.folder(order) / Name.OUTCOME
    outcome = Outcome.decode(path.read_bytes())
    parameters = tuple((name, "0" * 64 if name == DIGEST else value) for name, value in outcome.mechanism.parameters)
    assert parameters != outcome.mechanism.parameters
    path.write_bytes(replace(outcome, mechanism=replace(outcome.mechanism, parameters=parameters)).encode())
    pool.run(lambda: any("names another mechanism" in note for note in member.notes))
    assert pool.run_out(order).state is OrderState.REFUNDED
    assert pool.order(order).reason is Reason.NOT_DELIVERED
    assert [len(one.debits(order)) for one in pool.hospitals] == [1, 1, 1]
    pool.assert_sound()
    member.notes.clear()


def test_anybody_makes_the_rows_again_from_the_sums(bought: tuple[OrderId, Path], tmp_path: Path) -> None:
    assert remake(bought[1], ignore, never) == Remade(ROWS, 0, ())
    said = CliRunner().invoke(app, ["remake", str(bought[1])])
    assert (said.exit_code, said.output) == (0, "The same 150 rows follow from the sums\n")
    out = tmp_path / "copy"
    shutil.copytree(bought[1], out)
    change_rows(out)
    found = remake(out, ignore, never)
    assert (found.rows, found.differing) == (ROWS - 1, 1)
    with pytest.raises(Refused, match="1 differ; a few may on another processor"):
        found.check()
    change_sums(out)
    with pytest.raises(Corrupt, match="the sums and documents that the certificate names"):
        remake(out, ignore, never)


def change_certificate(change: Callable[[Certificate], Certificate]) -> Callable[[Path], None]:
    def changed(out: Path) -> None:
        manifest = Manifest.decode((out / "manifest.json").read_bytes())
        altered = replace(manifest, certificate=change(manifest.certificate))
        (out / "manifest.json").write_bytes(altered.encode())

    return changed


def change_stages(**changes: str) -> Callable[[Path], None]:
    def change(certificate: Certificate) -> Certificate:
        first, *others = certificate.mechanism.generate
        altered: tuple[Stage, ...] = (replace(first, **changes), *others)  # type: ignore[arg-type]
        return replace(certificate, mechanism=replace(certificate.mechanism, generate=altered))

    return change_certificate(change)


def change_parameter(name: str, text: str) -> Callable[[Path], None]:
    def change(certificate: Certificate) -> Certificate:
        parameters = tuple(sorted({**dict(certificate.mechanism.parameters), name: text}.items()))
        return replace(certificate, mechanism=replace(certificate.mechanism, parameters=parameters))

    return change_certificate(change)


def change_sums(out: Path) -> None:
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    first = {**opened[0], "cells/2/0": (5, 5)}
    (out / analysis_sums.SUMS).write_bytes(analysis_sums.encode([first, *opened[1:]]))


def change_rows(out: Path) -> None:
    path = out / result.TABLE
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (change_sums, {5, 6}),
        (change_rows, {5, 6, 11}),
        (change_stages(name="0/cells/9/0"), {2, 6, 11, 13}),
        (change_stages(sensitivity="1"), {2, 11, 13}),
        (change_stages(parameter="1"), {2, 7, 11, 13}),
        (change_certificate(lambda made: replace(made, joint=replace(made.joint, lane="closed"))), {2, 11, 13}),  # type: ignore[arg-type]
        (change_certificate(lambda made: replace(made, joint=replace(made.joint, threshold=2))), {2, 11, 13}),  # type: ignore[arg-type]
        (
            change_certificate(lambda made: replace(made, joint=replace(made.joint, transcript=bytes(32)))),  # type: ignore[arg-type]
            {2, 11, 13},
        ),
        (change_certificate(lambda made: replace(made, joint=None)), {2, 10, 11, 13}),
        (
            change_certificate(
                lambda made: replace(made, scores=(replace(made.scores[0], value="0.000001"), *made.scores[1:]))
            ),
            {2, 11, 13},
        ),
        (change_certificate(lambda made: replace(made, scores=made.scores[1:])), {2, 11, 13}),
        (
            change_certificate(lambda made: replace(made, curves=(replace(made.curves[0], sigma2=Fraction(1)),))),
            {2, 11, 13},
        ),
        (change_certificate(lambda made: replace(made, thresholds=())), {2, 12, 13}),
        (change_parameter("groups/2", "0:0;0:0;0:0"), {2, 11, 13}),
        (change_parameter("groups/2", "0:0 7:2;0:0;0:0"), {2, 11, 13}),
        (lambda out: (out / result.TABLE).write_text("days,outcome,arm\n1,alive,newer\n"), {5, 6, 11}),
    ],
)
def test_a_changed_twin_fails_by_number(
    pool: Pool, bought: tuple[OrderId, Path], tmp_path: Path, change: Callable[[Path], None], failing: set[int]
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(bought[1], out)
    change(out)
    checks = verify_against(out, pool.client.account(), pool.ledger.domain).checks
    assert {check.number for check in checks if check.passed is False} == failing | ({4} if 2 in failing else set())


def test_a_quote_says_lane_views_and_what_it_takes_and_no_record_is_opened(pool: Pool, offer: Offer) -> None:
    pool.tick()
    before = [one.node.vault.account.entries() for one in pool.hospitals]
    quoted = ask_quote(pool.client, offer.id, Wishes(rows=ROWS, workload=WORKLOAD, slot_s=SLOT_S))
    quote, forecast = quoted.quote, quoted.quote.forecast
    rho_micro, delta = 3 * offer.members[0].rho_micro, delta_of(offer.head.delta_atto)
    assert (quote.rho_micro, quote.refusal, quote.expectation) == (rho_micro, None, None)
    assert forecast is not None
    assert (forecast.setting, forecast.rounds) == (Setting(Lane.SUMS, 3, 1, None), 4)
    assert float(forecast.own_view or 0) == pytest.approx(epsilon_of(rho_micro, delta), abs=1e-4)
    assert float(forecast.outside or 0) == pytest.approx(epsilon_of(rho_micro * 2 // 3 + 1, delta), abs=1e-3)
    assert forecast.cost.bytes > 2 * 16 * 64
    shown = "\n".join((*_terms(quoted), *forecast_lines(forecast)))
    for words in (
        "150 synthetic rows of 3 parties by pooled-marginals",
        "sums, 3 parties, 4 rounds",
        "learns",
        "own view",
    ):
        assert words in shown
    purchase = pool.client.draft(offer.id, rows=ROWS, workload=WORKLOAD, slot_s=SLOT_S)
    assert all(one.address in "\n".join(_wished_lines(purchase)) for one in pool.hospitals)
    assert [one.node.vault.account.entries() for one in pool.hospitals] == before


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(rows=ROWS, subgroups="days", slot_s=SLOT_S), "to group by"),
        (Wishes(rows=ROWS, thresholds=(Threshold("days", "0.5"),), slot_s=SLOT_S), "threshold"),
        (Wishes(rows=ROWS, generator="tabular-diffusion", slot_s=SLOT_S), "expected private-marginals"),
        (Wishes(rows=ROWS, workload=Workload((("days", "height"),)), slot_s=SLOT_S), "height"),
    ],
)
def test_what_no_pooled_twin_can_have_is_refused_before_purchase(
    pool: Pool, offer: Offer, wishes: Wishes, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        pool.client._drafted(offer.id, wishes)


def test_too_little_rho_is_quoted_as_a_refusal_and_ends_the_order_before_any_record(pool: Pool) -> None:
    small = pool.publish(kind=Kind.SYNTHETIC, epsilon=0.02)
    pool.tick()
    refusal = ask_quote(pool.client, small.id, Wishes(rows=ROWS, slot_s=SLOT_S)).quote.refusal
    assert refusal is not None
    assert (refusal.code, "expected a rho of at least" in refusal.words) == (DeclineReason.SPECIFICATION, True)
    order = place(pool, small)
    view = pool.run_until(order, OrderState.REFUNDED)
    assert view.declined is DeclineReason.SPECIFICATION
    assert [one.debits(order) for one in pool.hospitals] == [[], [], []]


def test_an_order_that_names_questions_under_an_offer_of_rows_is_refused_before_purchase(
    pool: Pool, offer: Offer
) -> None:
    from tests.node.pooled import QUESTIONS

    with pytest.raises(Invalid, match="expected an offer of analyses"):
        pool.client.draft_analysis(offer.id, QUESTIONS)


def test_two_hospitals_are_too_few_and_schemas_must_be_alike(tmp_path: Path) -> None:
    weeks = [replace(one, unit="wk") if isinstance(one, Number) else one for one in SCHEMA.columns]
    with pooled(tmp_path / "few", persons=(20, 20)) as few:
        published = few.publish(kind=Kind.SYNTHETIC)
        with pytest.raises(Refused, match="3 to 16 parties"):
            few.client.draft(published.id, rows=ROWS)
    with pooled(
        tmp_path / "unlike", persons=(20, 20, 20), schemas={2: replace(SCHEMA, columns=tuple(weeks))}
    ) as unlike:
        published = unlike.publish(kind=Kind.SYNTHETIC)
        with pytest.raises(Invalid, match=r"differs in the unit of 'days', (wk for none|none for wk)"):
            unlike.client.draft(published.id, rows=ROWS)


def test_records_that_hang_together_under_persons_and_a_provider_that_stands_twice_are_refused_before_purchase(
    tmp_path: Path,
) -> None:
    visits = replace(SCHEMA, rows_per_person=3, timeline=Timeline("days", strict=False))
    with pooled(tmp_path / "linked", persons=(20, 20, 20), schemas=dict.fromkeys(range(3), visits)) as linked:
        published = linked.publish(kind=Kind.SYNTHETIC)
        with pytest.raises(Invalid, match="do not hang together"):
            linked.client.draft(published.id, rows=ROWS)
    with pooled(tmp_path / "twice", persons=(20, 20)) as twice:
        again = follow_up(tmp_path / "again.csv", 20, 9)
        own = twice.hospitals[1]
        second = own.node.provider().list_dataset(again, SCHEMA, WORDS, TOTAL_MICRO, rows_declared=ROWS_DECLARED)
        published = twice.publish(second.dataset, kind=Kind.SYNTHETIC)
        with pytest.raises(Refused, match="a party twice"):
            twice.client.draft(published.id, rows=ROWS)


@pytest.mark.slow
def test_of_many_columns_a_sketch_says_what_is_measured_in_an_order_like_any_other(tmp_path: Path) -> None:
    with pooled(tmp_path, persons=(300, 350, 400), schemas=dict.fromkeys(range(3), WIDE)) as wide:
        order = wide.client.place(
            wide.client.draft(wide.publish(kind=Kind.SYNTHETIC).id, rows=ROWS, slot_s=SLOT_S)
        ).order
        out = wide.buy(order)
        opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
        assert [min(sums).split("/")[0] for sums in opened] == ["cells", "cells", "sketch", "marginal", "l1_1way"]
        sketched = {stage.name: stage.sensitivity for stage in certificate_of(out).mechanism.generate}["2/sketch"]
        assert sketched == str((3 * WIDE.rows_per_person) ** 2 * 6)  # six pairs of four columns
        assert remake(out, ignore, never) == Remade(ROWS, 0, ())
        assert verify_against(out, wide.client.account(), wide.ledger.domain).passed
        wide.assert_sound()
