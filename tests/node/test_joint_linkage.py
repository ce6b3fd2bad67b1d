"""A linkage count bought of three hospitals that keep identifiers, end to end: real nodes, real processes, real noise."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.buying.purchase import Questions
from marketplace.buying.quote import ask_quote
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.verification import verify_against
from marketplace.errors import Invalid
from marketplace.protocol import analysis_answer, analysis_sums, result
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_quote import Lane
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from node.vault.access import Access, day_of
from node.work import Abstain
from node.workers.joint import JointWorkers
from tests.mpc import rogue_closed
from tests.node.market import SLOT_S
from tests.node.pooled import Pool, pooled

COMMON, PERSONS = 40, (60, 70, 80)
LINKAGE = Linkage(3, 4096, KnownTo.ALL)
QUESTIONS = Questions((LINKAGE,), slot_s=SLOT_S)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pooled(tmp_path_factory.mktemp("pool"), PERSONS, common=COMMON) as made:
        yield made


@pytest.fixture(scope="module")
def offer(pool: Pool) -> Offer:
    return pool.publish(epsilon=8.0)


@pytest.fixture(scope="module")
def bought(pool: Pool, offer: Offer, agreed: list[bytes]) -> tuple[OrderId, Path]:
    order = pool.place(offer, QUESTIONS)
    return order, pool.buy(order)


def test_three_hospitals_count_the_persons_that_all_of_them_know(pool: Pool, bought: tuple[OrderId, Path]) -> None:
    order, out = bought
    (answer,) = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    persons, error = answer["answer"]["persons"], float(answer["answer"]["error"])
    assert abs(persons - COMMON) < 7 * error < 30
    assert answer["answer"]["low"] <= persons <= answer["answer"]["high"]
    assert b"differentially private" in (out / result.REPORT).read_bytes()
    (sums,) = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    assert [len(numbers) for numbers in sums.values()] == [7]
    for one in pool.hospitals:
        assert one.debits(order) == [one.used_micro()]
    pool.assert_settles(order)


def test_the_result_stands_every_check_and_its_certificate_says_how_it_was_made(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    _, out = bought
    assert verify_against(out, pool.client.account(), pool.ledger.domain).passed
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.joint is not None and certificate.joint.lane == Lane.CLOSED.value
    assert certificate.privacy.rho_micro == sum(one.debits(bought[0])[0] for one in pool.hospitals)


def test_neither_identifiers_nor_keys_are_in_a_file_or_a_message(
    pool: Pool, bought: tuple[OrderId, Path], agreed: list[bytes], tmp_path: Path
) -> None:
    rosters = [one.node.roster_keys.open(one.listed.snapshot.dataset) for one in pool.hospitals]
    assert len(agreed) == 3 and len(set(agreed)) == 1 and len(agreed[0]) == 32 and len(set(rosters)) == 3
    hidden = [b"hush-", *(form for key in (agreed[0], *rosters) for form in (key, key.hex().encode()))]
    copied = (
        tmp_path / "copy"
    )  # by another process: who opens and closes a database beside a connection drops its locks
    subprocess.run(["cp", "-r", pool.folder, copied], check=True)
    for path in (path for path in copied.rglob("*") if path.is_file() and path.suffix != ".csv"):
        assert not [one for one in hidden if one in path.read_bytes()], path


def test_that_identifiers_were_opened_is_in_the_access_log_before_the_records(
    pool: Pool, bought: tuple[OrderId, Path]
) -> None:
    for one in pool.hospitals:
        log = one.node.vault.access
        lines = [line for day in (-1, 0) for line in log.day(day_of(int(time.time())) + day).entries if line.order]
        assert [(line.access, line.order) for line in lines] == [
            (Access.IDENTIFIERS_OPENED, bought[0]),
            (Access.OPENED, bought[0]),
        ]


def test_an_exact_count_is_refused_before_it_is_paid(pool: Pool, offer: Offer) -> None:
    with pytest.raises(Invalid, match="alone in an order and with noise"):
        pool.client.draft_analysis(offer.id, Questions((LINKAGE,), slot_s=SLOT_S, smallest_cell=10))


def test_a_party_that_dies_in_the_middle_is_named_the_order_is_refunded_and_the_next_has_another_key(
    pool: Pool, offer: Offer, bought: tuple[OrderId, Path], agreed: list[bytes]
) -> None:
    dying = (sys.executable, "-P", rogue_closed.__file__, "middle", "die")
    pool.restart(2, joint=JointWorkers(party=dying))
    before = [one.used_micro() for one in pool.hospitals]
    order = pool.place(offer, QUESTIONS)
    pool.run(lambda: all(one.troubles(order) for one in pool.hospitals[:2]))
    for one in pool.hospitals[:2]:
        assert f"({pool.hospitals[2].address}) was cut off" in " | ".join(one.troubles(order))
    assert pool.run_out(order).state is OrderState.REFUNDED
    pool.restart(2)
    for one, used in zip(pool.hospitals, before, strict=True):
        assert one.used_micro() == 2 * used and len(one.debits(order)) == 1
    assert len(agreed) == 6 and len(set(agreed)) == 2
    pool.assert_sound()


def test_what_a_lead_that_forgot_identifiers_would_decline_is_told_before_it_is_paid(pool: Pool, offer: Offer) -> None:
    pool.tick()
    quote = ask_quote(pool.client, offer.id, QUESTIONS).quote
    assert quote.refusal is None and quote.forecast is not None and quote.forecast.setting.lane is Lane.CLOSED
    lead = pool.lead
    lead.node.provider().forget_identifiers(lead.listed.dataset)
    refusal = ask_quote(pool.client, offer.id, QUESTIONS).quote.refusal
    assert refusal is not None and refusal.code is DeclineReason.RECORDS
    assert "keeps no identifiers of the dataset" in refusal.words


def test_a_member_that_forgot_identifiers_takes_no_part_and_no_record_is_touched(tmp_path: Path) -> None:
    with pooled(tmp_path, (30, 30, 30), common=10) as pool:
        one = pool.hospitals[1]
        one.node.provider().forget_identifiers(one.listed.dataset)
        pool.limit(stall_s=10.0, join_s=1.0)
        order = pool.place(pool.publish(epsilon=8.0), QUESTIONS)
        pool.run_until(order, OrderState.REFUNDED)
        assert pool.order(order).reason is Reason.DECLINED
        (abstained,) = (each.step for each in one.happened if isinstance(each.step, Abstain))
        assert "keeps no identifiers of the dataset" in abstained.why
        pool.run(lambda: all(order in each.daemon._ended for each in pool.hospitals))
        assert [each.used_micro() for each in pool.hospitals] == [0, 0, 0]
        assert [each.debits(order) for each in pool.hospitals] == [[], [], []]
        pool.assert_sound()
