"""The twin of a split table bought of two hospitals and a registry, end to end: real nodes, real processes, real noise."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.buying.purchase import Wishes
from marketplace.buying.quote import ask_quote
from marketplace.certificate.certificate import Certificate, StageKind
from marketplace.certificate.joint import Halves
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.twins import COINCIDENCES
from marketplace.certificate.verification import verify, verify_against
from marketplace.commands.forecasts import forecast_lines
from marketplace.commands.offers import _document, _lines
from marketplace.errors import Invalid
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.analysis_quote import Lane, Setting
from marketplace.protocol.crossing import Side
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Kind, Offer
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Curve, Workload
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.protocol.threshold import Threshold
from node.outcome import Outcome
from node.pool.answering import read_ended
from node.pool.countersignature import DeliveryDraft, Presented, _objection_to_part
from node.pool.joint import read_joint
from node.remaking import Remade, remake
from node.work import Abstain
from node.workers.job import Name
from node.workers.joint import JointWorkers
from tests.mpc import rogue_crossing
from tests.node.market import SLOT_S
from tests.node.pooled import Pool, pooled
from tests.synthesis.examples import ignore, never

ROWS, PERSONS, KNOWN, ROWS_DECLARED = 2_000, (200, 200, 410), 390, 400
"""Of the registry's persons 390 are patients of one of the hospitals, 20 of none: so many that noise hides none of it."""
LEFT = Schema(
    (
        Number("days", Decimal(0), Decimal(400), Decimal(1), False),
        Category("arm", ("old", "new"), missing=False),
    ),
    person="patient",
    rows_per_person=1,
)
RIGHT = Schema(
    (
        Category("outcome", ("alive", "dead"), missing=False),
        Category("cause", ("heart", "other"), missing=True),
    ),
    person="patient",
    rows_per_person=1,
)
SCHEMAS = {0: LEFT, 1: LEFT, 2: RIGHT}
SIDES = (Side.LEFT, Side.LEFT, Side.RIGHT)
WORKLOAD = Workload((("outcome", "arm"),), (Curve("days", "outcome", "arm", "dead"),))
"""Columns of both sides together, and survival by treatment, of which the registry alone has the deaths."""
WISHES = Wishes(ROWS, WORKLOAD, subgroups="outcome", thresholds=(Threshold("l1_1way", "2"),), slot_s=SLOT_S)


def halves(path: Path, persons: int, number: int, _: int) -> Path:
    """A CSV file of one side: hospitals' persons follow each other, and the registry knows all but the last ten of them."""
    if number < 2:
        lines = ["patient,days,arm"]
        found = range(PERSONS[0] * number, PERSONS[0] * number + persons)
        lines += [f"hush-{n},{n * 37 % 400},{('old', 'new')[n % 2]}" for n in found]
    else:
        lines = ["patient,outcome,cause"]
        known = [*range(KNOWN), *range(1_000, 1_000 + persons - KNOWN)]
        lines += [f" hush-{n} ,{('dead', 'alive')[n % 2]},{('heart', '')[n % 2]}" for n in known]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    folder = tmp_path_factory.mktemp("pool")
    with pooled(folder, PERSONS, SCHEMAS, common=1, write=halves, rows_declared=ROWS_DECLARED) as made:
        yield made


@pytest.fixture(scope="module")
def offer(pool: Pool) -> Offer:
    return pool.publish(kind=Kind.SYNTHETIC, epsilon=18.0)


def place(pool: Pool, offer: Offer) -> OrderId:
    return pool.client.place(pool.client.draft(offer.id, **vars(WISHES))).order


@pytest.fixture(scope="module")
def bought(pool: Pool, offer: Offer, agreed: list[bytes]) -> tuple[OrderId, Path]:
    """An order that was delivered, found right in a few chunks and accepted, and the folder of its opened result."""
    order = place(pool, offer)
    pool.run_until(order, OrderState.DELIVERED)
    verdict = pool.client.spot_check(order)
    assert verdict.passed and len(verdict.chunks) > 1, verdict
    return order, pool.buy(order)


def certificate_of(out: Path) -> Certificate:
    return Manifest.decode((out / "manifest.json").read_bytes()).certificate


def test_two_hospitals_and_a_registry_make_one_table_that_nobody_holds(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    order, out = bought
    lines = (out / result.TABLE).read_text().splitlines()
    assert lines[0] == "days,arm,outcome,cause" and len(lines) == ROWS + 1
    together = sum(line.split(",")[1:3] in (["old", "dead"], ["new", "alive"]) for line in lines[1:])
    assert together > 0.9 * ROWS
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    joined = sum(opened[0]["cells/1/0"])
    assert 250 < joined < 450  # about 350, since some share a bucket, with a standard deviation of 11, most of it noise
    report = (out / result.REPORT).read_text()
    assert "persons whom both sides know" in report and "How close it is to the real records" in report
    for one in pool.hospitals:
        assert one.debits(order) == [one.used_micro()]
        for name in (*result.NAMES, analysis_sums.SUMS):
            assert (one.folder(order) / name).read_bytes() == (out / name).read_bytes()
        assert one.notes == []
    pool.assert_settles(order)


def test_the_result_stands_every_check_alone_and_against_the_ledger(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    _, out = bought
    assert [check for check in verify(out).checks if not check.passed] == []
    verified = verify_against(out, pool.client.account(), pool.ledger.domain)
    assert verified.passed, verified


def test_the_certificate_says_lane_sides_unit_and_every_stage_with_its_noise(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    order, out = bought
    certificate = certificate_of(out)
    joint, mechanism = certificate.joint, certificate.mechanism
    assert joint is not None and joint.split is not None
    assert (joint.lane, joint.threshold, joint.unit.word) == (Lane.CROSSING.value, 1, "person")
    sides = dict(zip((party.provider for party in joint.parties), joint.split.sides, strict=True))
    assert [sides[one.address] for one in pool.hospitals] == list(SIDES)
    assert joint.split.right.schema == RIGHT
    assert dict(mechanism.parameters)["buckets"] == "4096"
    stages = (*mechanism.generate, *mechanism.evaluate)
    assert {stage.kind for stage in stages} == {StageKind.JOINT_GAUSSIAN}
    moved = {stage.name.partition("/")[2]: int(stage.sensitivity) for stage in stages}
    assert moved["cells/1/0"] == moved["rows"] == 9  # a bucket at each of three parties
    assert (moved["l1_1way"], moved["l1_2way"], moved["subgroups"], moved["curve_0"]) == (4 * 9, 6 * 9, 3 * 9, 9)
    paid = sum(one.debits(order)[0] for one in pool.hospitals)
    spent = sum(stage.rho_micro for stage in stages)
    assert paid - 2 * len(stages) <= spent <= paid == certificate.privacy.rho_micro


def test_scores_are_released_that_everybody_computes_again_and_thresholds_are_judged_by_them(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    order, out = bought
    certificate = certificate_of(out)
    names = {score.name for score in certificate.scores}
    assert names >= {"l1_1way", "l1_2way", "l1_3way", "workload", "curve_0"}
    assert {name for name in names if name.startswith("subgroup_")} and len(certificate.curves) == 1
    assert [one.met for one in certificate.thresholds] == [True]
    for one in pool.hospitals:
        outcome = Outcome.decode((one.folder(order) / Name.OUTCOME).read_bytes())
        assert (outcome.scores, outcome.curves) == (certificate.scores, certificate.curves)


def test_neither_identifiers_nor_keys_are_in_a_file(
    pool: Pool, bought: tuple[OrderId, Path], agreed: list[bytes], tmp_path: Path
) -> None:
    assert len(agreed) == 3 and len(set(agreed)) == 1 and len(agreed[0]) == 32
    hidden = [b"hush-", agreed[0], agreed[0].hex().encode()]
    copied = tmp_path / "copy"
    subprocess.run(["cp", "-r", pool.folder, copied], check=True)
    for path in (path for path in copied.rglob("*") if path.is_file() and path.suffix != ".csv"):
        assert not [one for one in hidden if one in path.read_bytes()], path


def test_anybody_makes_the_rows_again_from_what_was_opened(bought: tuple[OrderId, Path]) -> None:
    assert remake(bought[1], ignore, never) == Remade(ROWS, 0, ())


def change(certify: Callable[[Certificate], Certificate]) -> Callable[[Path], None]:
    def changed(out: Path) -> None:
        manifest = Manifest.decode((out / "manifest.json").read_bytes())
        altered = replace(manifest, certificate=certify(manifest.certificate))
        (out / "manifest.json").write_bytes(altered.encode())

    return changed


def change_joint(**changes: object) -> Callable[[Path], None]:
    return change(lambda made: replace(made, joint=replace(made.joint, **changes)))  # type: ignore[arg-type, type-var]


def change_split(alter: Callable[[Halves], Halves]) -> Callable[[Path], None]:
    return change(lambda made: replace(made, joint=replace(made.joint, split=alter(made.joint.split))))  # type: ignore[arg-type, type-var, union-attr]


def change_stage(**changes: str) -> Callable[[Path], None]:
    def altered(made: Certificate) -> Certificate:
        first, *others = made.mechanism.generate
        stages = (replace(first, **changes), *others)  # type: ignore[arg-type]
        return replace(made, mechanism=replace(made.mechanism, generate=stages))

    return change(altered)


def fewer_coincidences(made: Certificate) -> Certificate:
    said = tuple((name, "1" if name == COINCIDENCES else value) for name, value in made.mechanism.parameters)
    return replace(made, mechanism=replace(made.mechanism, parameters=said))


def no_coincidences(made: Certificate) -> Certificate:
    said = tuple(one for one in made.mechanism.parameters if one[0] != COINCIDENCES)
    return replace(made, mechanism=replace(made.mechanism, parameters=said))


def other_right(split: Halves) -> Halves:
    return replace(split, right=replace(split.right, title="Another registry"))


@pytest.mark.parametrize(
    ("alter", "failing"),
    [
        (change_joint(lane=Lane.SUMS.value), {11}),
        (change_joint(split=None), {6, 11}),
        (change_split(lambda split: replace(split, sides=(Side.LEFT, Side.RIGHT))), {11}),
        (change_split(lambda split: replace(split, sides=tuple(Side(1 - side) for side in split.sides))), {11}),
        (change_split(other_right), {11}),
        (change_stage(sensitivity="1"), {11}),
        (change_stage(parameter="1"), {7, 11}),
        (change(lambda made: replace(made, scores=made.scores[:-1])), {11}),
        (change(lambda made: replace(made, scores=(replace(made.scores[1], value="0.000001"), *made.scores))), {11}),
        (change(lambda made: replace(made, curves=())), {11}),
        (change(fewer_coincidences), {11}),
        (change(no_coincidences), {11}),
    ],
)
def test_a_changed_certificate_of_a_split_table_fails_by_number(
    pool: Pool, bought: tuple[OrderId, Path], tmp_path: Path, alter: Callable[[Path], None], failing: set[int]
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(bought[1], out)
    alter(out)
    checks = verify_against(out, pool.client.account(), pool.ledger.domain).checks
    assert {check.number for check in checks if check.passed is False} == failing | {2, 4, 13}


def test_a_member_does_not_sign_for_other_sides_than_members_declare(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    order, out = bought
    account, one = pool.client.account(), pool.hospitals[1]
    manifest = Manifest.decode((out / "manifest.json").read_bytes())
    made = read_joint(account, account.orders[order], one.address, one.folder(order), pool.store)
    assert made is not None
    draft = DeliveryDraft(pool.ledger.domain, order, account.orders[order].delivery, b"")  # type: ignore[arg-type]
    ended = read_ended(one.folder(order))
    presented = Presented(draft, manifest, pool.ledger.domain, one.address, account, made, *ended)
    assert _objection_to_part(presented, made.index) is None
    joint = manifest.certificate.joint
    assert joint is not None and joint.split is not None
    turned = replace(joint.split, sides=tuple(Side(1 - side) for side in joint.split.sides))
    altered = replace(manifest, certificate=replace(manifest.certificate, joint=replace(joint, split=turned)))
    words = _objection_to_part(replace(presented, manifest=altered), made.index)
    assert words == "what it says of the sides is not what the members declare"


def test_a_quote_says_who_learns_what_and_an_offer_shows_the_columns_of_both_sides(pool: Pool, offer: Offer) -> None:
    pool.tick()
    quoted = ask_quote(pool.client, offer.id, Wishes(rows=ROWS, workload=WORKLOAD, slot_s=SLOT_S))
    forecast = quoted.quote.forecast
    assert quoted.quote.refusal is None and forecast is not None
    assert forecast.setting == Setting(Lane.CROSSING, 3, 1, None)
    assert forecast.cost.seconds >= 1 and forecast.cost.waits > 10
    words = " ".join(" ".join(forecast_lines(forecast)).split())
    assert "whom another party knows" in words and "from up to 1 of the 3 parties together" in words
    assert _document(quoted.entry)["columns"] == ["days", "arm", "outcome", "cause"]
    assert "made from  4 columns" in "\n".join(_lines(quoted.entry))
    drafted = pool.client.draft(offer.id, slot_s=SLOT_S).specification
    assert drafted.rows == ROWS_DECLARED  # type: ignore[union-attr] # what the registry declares, and no more than that


def test_a_quote_tells_the_bytes_that_an_order_takes_within_a_half(
    pool: Pool, offer: Offer, bought: tuple[OrderId, Path]
) -> None:
    quoted = ask_quote(pool.client, offer.id, WISHES)
    assert quoted.quote.forecast is not None
    folders = [one.folder(bought[0]) for one in pool.hospitals]
    moved = max(read_ended(folder)[1].moved_bytes for folder in folders)
    assert quoted.quote.forecast.cost.bytes == pytest.approx(moved, rel=0.5)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(rows=ROWS, subgroups="height", slot_s=SLOT_S), "height"),
        (Wishes(rows=ROWS, thresholds=(Threshold("workload", "2"),), slot_s=SLOT_S), "workload"),
        (Wishes(rows=ROWS, workload=Workload((("arm", "height"),)), slot_s=SLOT_S), "height"),
        (Wishes(rows=ROWS, generator="tabular-diffusion", slot_s=SLOT_S), "expected private-marginals"),
    ],
)
def test_what_no_split_table_can_have_is_refused_before_purchase(
    pool: Pool, offer: Offer, wishes: Wishes, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        pool.client._drafted(offer.id, wishes)


def test_too_little_rho_ends_the_order_before_any_record(pool: Pool) -> None:
    small = pool.publish(kind=Kind.SYNTHETIC, epsilon=0.02)
    pool.tick()
    refusal = ask_quote(pool.client, small.id, Wishes(rows=ROWS, slot_s=SLOT_S)).quote.refusal
    assert refusal is not None and "expected a rho of at least" in refusal.words
    order = place(pool, small)
    assert pool.run_until(order, OrderState.REFUNDED).declined is DeclineReason.SPECIFICATION
    assert [one.debits(order) for one in pool.hospitals] == [[], [], []]


def test_a_party_that_dies_in_the_middle_is_named_and_the_order_is_refunded_with_all_charged(
    pool: Pool, offer: Offer, bought: tuple[OrderId, Path], agreed: list[bytes]
) -> None:
    pool.restart(2, joint=JointWorkers(party=(sys.executable, "-P", rogue_crossing.__file__, "middle", "die")))
    order = place(pool, offer)
    pool.run(lambda: all(one.troubles(order) for one in pool.hospitals[:2]))
    for one in pool.hospitals[:2]:
        assert f"({pool.hospitals[2].address}) was cut off" in " | ".join(one.troubles(order))
    assert pool.run_out(order).state is OrderState.REFUNDED
    pool.restart(2)
    assert [len(one.debits(order)) for one in pool.hospitals] == [1, 1, 1]
    assert len(agreed) == 6 and len(set(agreed)) == 2
    pool.assert_sound()


def test_a_registry_that_forgot_identifiers_takes_no_part_and_no_record_is_touched(tmp_path: Path) -> None:
    with pooled(tmp_path, (30, 30, PERSONS[2]), SCHEMAS, common=1, write=halves) as pool:
        one = pool.hospitals[2]
        one.node.provider().forget_identifiers(one.listed.dataset)
        pool.limit(stall_s=10.0, join_s=1.0)
        order = place(pool, pool.publish(kind=Kind.SYNTHETIC, epsilon=10.0))
        pool.run_until(order, OrderState.REFUNDED)
        assert pool.order(order).reason is Reason.DECLINED
        (abstained,) = (each.step for each in one.happened if isinstance(each.step, Abstain))
        assert "keeps no identifiers of the dataset" in abstained.why
        assert [each.debits(order) for each in pool.hospitals] == [[], [], []]
        pool.assert_sound()
