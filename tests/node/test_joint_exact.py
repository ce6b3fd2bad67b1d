"""Exact analyses bought of three hospitals under a permit: the very numbers of public records, and small cells closed."""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.certificate.certificate import NO_EPSILON, NO_PROMISE
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.verification import verify_against
from marketplace.errors import Invalid
from marketplace.protocol import analysis_answer, analysis_sums
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.offer import Offer
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import OrderState
from node.admission import Rules
from node.workers.job import Name
from tests.node.market import HOUR_S
from tests.node.pooled import SLOT_S, SURVIVAL, TOTAL_MICRO, Pool, Questions, pooled

RESEARCH = 4
PUBLIC = Questions((Count(), SURVIVAL, Contingency("outcome", "arm")), slot_s=SLOT_S, smallest_cell=1)
CLOSED = Questions((Histogram("days", 20),), slot_s=SLOT_S)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pool, Offer]]:
    """Three hospitals that declare their records public, an exact offer of theirs, and a permit for it."""
    with pooled(tmp_path_factory.mktemp("exact")) as pool:
        authority = pool.ledger.account()
        for number, one in enumerate(pool.hospitals):
            pool.restart(number, rules=Rules(smallest_cell=1))
            one.node.provider().open_epoch(one.listed.dataset, TOTAL_MICRO, 5, "Five exact answers for one study.")
        offer = pool.publish(epsilon=None, authority=authority.address, purposes=1 << RESEARCH)
        now_s = pool.ledger.now_s()
        grant = Grant(pool.client.signer.address, RESEARCH, now_s - 1, now_s + 720 * HOUR_S, b"d" * 32, (offer.id,))
        pool.ledger.grant(authority, grant)
        yield pool, offer


def records(pool: Pool) -> list[dict[str, str]]:
    """The rows of all hospitals together, which nobody but a test has."""
    found = []
    for number in range(len(pool.hospitals)):
        with (pool.folder / f"{number}.csv").open() as file:
            found += list(csv.DictReader(file))
    return found


def test_public_records_give_the_very_numbers_and_nothing_is_called_private(sold: tuple[Pool, Offer]) -> None:
    pool, offer = sold
    order = pool.place(offer, PUBLIC)
    out = pool.buy(order)
    count, survival, table = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    rows = records(pool)
    assert count["answer"]["rows"] == len(rows)
    cells = Counter((row["outcome"], row["arm"]) for row in rows)
    assert table["answer"]["counts"] == [[cells[a, b] for b in ("old", "new")] for a in ("alive", "dead")]
    first = survival["answer"]["curves"][0]["steps"][0]
    old = [row for row in rows if row["arm"] == "old"]
    assert first["at_risk"] == len(old)
    assert first["events"] == sum(int(row["days"]) <= 50 and row["outcome"] == "dead" for row in old)
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.joint is not None
    assert (certificate.joint.lane, certificate.mechanism.generate) == ("sums", ())
    assert (certificate.privacy.epsilon, certificate.privacy.assumptions) == (NO_EPSILON, NO_PROMISE)
    report = (out / "report.html").read_text()
    assert "public data, exact" in report
    assert "private" not in report.lower()
    assert verify_against(out, pool.client.account(), pool.ledger.domain).passed
    assert [one.used_micro() for one in pool.hospitals] == [0, 0, 0]
    assert [one.node.vault.account.exact_left(one.listed.snapshot.dataset) for one in pool.hospitals] == [4, 4, 4]
    pool.assert_settles(order)


@pytest.mark.slow
def test_cells_of_few_persons_are_closed_before_anybody_sees_them(sold: tuple[Pool, Offer]) -> None:
    pool, offer = sold
    out = pool.buy(pool.place(offer, CLOSED))
    (answer,) = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    days = [int(row["days"]) for row in records(pool)]
    texts, counts = answer["answer"]["texts"], answer["answer"]["counts"]
    truth = [sum(int(first) <= day <= int(last) for day in days) for first, last in texts]
    assert any(count < 10 for count in truth)
    assert 0 < sum(count is None for count in counts) < len(counts) == 20
    assert all(count is None or count == there >= 10 for count, there in zip(counts, truth, strict=True))
    certificate = Manifest.decode((out / "manifest.json").read_bytes()).certificate
    assert certificate.joint is not None
    assert (certificate.joint.lane, certificate.mechanism.name) == ("closed", "closed-sums")
    verified = verify_against(out, pool.client.account(), pool.ledger.domain)
    assert verified.passed, verified
    pool.assert_sound()


@pytest.mark.slow
def test_a_regression_is_bought_whose_parties_and_buyer_see_coefficients_and_no_sums(sold: tuple[Pool, Offer]) -> None:
    pool, offer = sold
    asked = LogisticRegression("outcome", "dead", ("arm",), rounds=5)
    out = pool.buy(pool.place(offer, Questions((asked,), slot_s=SLOT_S, smallest_cell=10)))
    (answer,) = analysis_answer.decode((out / analysis_answer.ANSWERS).read_bytes())
    cells = Counter((row["outcome"], row["arm"]) for row in records(pool))
    assert min(cells.values()) >= 10 + 2
    odds = [math.log(cells["dead", arm] / cells["alive", arm]) for arm in ("old", "new")]
    _, term = answer["answer"]["terms"]
    assert float(term["coefficient"]) == pytest.approx(odds[1] - odds[0], abs=0.01 * float(term["standard_error"]))
    assert float(term["standard_error"]) == pytest.approx(
        math.sqrt(sum(1 / count for count in cells.values())), rel=0.01
    )
    opened = analysis_sums.decode((out / analysis_sums.SUMS).read_bytes())
    assert [len(next(iter(each.values()))) for each in opened] == [2, 2, 2, 2, 2, 4]
    verified = verify_against(out, pool.client.account(), pool.ledger.domain)
    assert verified.passed, verified
    pool.assert_sound()


def test_a_cohort_that_differs_from_an_earlier_one_by_few_is_refused_by_the_providers_own_node(
    sold: tuple[Pool, Offer],
) -> None:
    pool, offer = sold
    one = pool.hospitals[0]
    one.node.vault.note_opt_outs(one.listed.snapshot.dataset, ["hush-0-1"], out=True, at_s=0)
    order = pool.place(offer, CLOSED)
    pool.run(lambda: (one.folder(order) / Name.FAILURE).exists())
    assert "differs from all earlier ones" in (one.folder(order) / Name.FAILURE).read_text()
    assert pool.run_out(order).state is OrderState.REFUNDED


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        (Questions((Count(),), smallest_cell=9), "10 or more"),
        (Questions((Count(), Count())), "one analysis in an exact order"),
    ],
)
def test_what_cannot_be_closed_is_refused_before_purchase(
    sold: tuple[Pool, Offer], questions: Questions, words: str
) -> None:
    pool, offer = sold
    with pytest.raises(Invalid, match=words):
        pool.client.draft_analysis(offer.id, questions)


def test_the_folder_of_a_result_has_no_other_files(sold: tuple[Pool, Offer], tmp_path: Path) -> None:
    pool, _ = sold
    for out in (pool.folder / "results").iterdir():
        assert {path.name for path in out.iterdir()} == {
            "answers.json", "sums.json", "report.html", "manifest.json", "description.json", "specification.json",
            "inner.bin", "delivery.json",
        }  # fmt: skip
