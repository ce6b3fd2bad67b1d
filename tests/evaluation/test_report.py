import base64
import math
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from marketplace.certificate.attacks import PublicAttacks, PublicFigure
from marketplace.certificate.certificate import Mechanism, Stage, StageKind
from marketplace.protocol.rho import epsilon_of
from marketplace.protocol.threshold import Threshold
from marketplace.scores.score import Score
from node.evaluation import certified
from node.evaluation.provider import Attack, Copies, Estimate, ExactScore, ProviderScores
from node.evaluation.provider_report import provider_report
from node.evaluation.released import Charge, ReleasedScores
from node.evaluation.report import Exhibit, Promise, Subject, closeness, report

SUBJECT = Subject("Hearts & <b>lungs</b>", 'Ward "7" <script>', "ab" * 32, "one row is one person", 12_000, 5, 14_000)
PROMISE = Promise("noisy <marginals>", 28_000, 1_450, 7 * 10**12)
PICTURE = b"\x89PNG picture"
RELEASED = ReleasedScores(
    13_987,
    (
        Score("l1_1way", "0.020000", "0.004000", "0.000000", "0.012000"),
        Score("l1_2way", "0.300000", "0.004000", "0.210000", "0.032000"),
        Score("l1_3way_1000_of_161700", "0.150000", "0.004000", "0.340000", "0.064000"),
        Score("missingness", "0.050000", "0.002000", "0.000000", "0.002000"),
        Score("workload", "0.200000", "0.100000", "0.250000", "0.030000"),
    ),
    (Charge("rows", 400, 1, Fraction(1250)), Charge("l1_1way", 1_050, 5, Fraction(2500, 3))),
)

STAGES = (
    Stage("cells/0/0", StageKind.GAUSSIAN, 28_000, "1", "18"),
    Stage("tree/1", StageKind.EXPONENTIAL, 50, "1", "1/50"),
)
MECHANISM = Mechanism("some-generator", "3", (), STAGES, ())
EXHIBIT = Exhibit(RELEASED, MECHANISM, PICTURE)


def provider_scores() -> ProviderScores:
    """Every number is a sentinel that no released number looks like."""
    numbers = iter(f"0.{7000 + index * 13}" for index in range(100))

    def estimate() -> Estimate:
        return Estimate(float(next(numbers)), float(next(numbers)), float(next(numbers)))

    exact = ExactScore("l1_3way", *(float(next(numbers)) for _ in range(3)), estimate(), estimate())
    return ProviderScores(
        776_655,
        554_433,
        (exact,),
        Copies(estimate(), estimate(), estimate()),
        Attack(estimate(), estimate(), 998_877),
        7,
    )


def sentinels(value: object) -> set[str]:
    if isinstance(value, float):
        return {f"{value:.4f}"}
    if isinstance(value, int):
        return {f"{value:,}"} if value > 1_000 else set()
    if isinstance(value, tuple):
        return set().union(*(sentinels(part) for part in value))
    return set().union(*(sentinels(part) for part in vars(value).values())) if hasattr(value, "__dict__") else set()


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.decode()))


def test_no_provider_only_number_is_in_the_released_report_and_all_are_in_the_providers() -> None:
    exact = provider_scores()
    wanted = sentinels(exact)
    assert len(wanted) > 20
    released, own = (
        report(SUBJECT, PROMISE, EXHIBIT),
        provider_report(SUBJECT, PROMISE, EXHIBIT, exact),
    )
    assert not [number for number in wanted if number.encode() in released]
    assert not [number for number in wanted if number.encode() not in own]
    assert b"Provider only" in own
    assert b"Provider only" not in released


def test_everything_released_is_said() -> None:
    page = words(report(SUBJECT, PROMISE, EXHIBIT))
    for said in (
        "12,000", "14,000", "13,987", "one row is one person", PROMISE.epsilon, "0.000007", "0.02945", "0.028", "0.00145",
        "computational", "0.150", "0.340", "0.064", "1000 of 161700 sets", "not shown to be better than a shuffle",
        "too noisy to tell from a shuffle",
        "further away than sampling explains", "69 % of the way", "ab" * 32, "1,050",
    ):  # fmt: skip
        assert said in page


def test_thresholds_curves_and_subgroups_are_said_in_the_words_of_the_order() -> None:
    scores = (Score("subgroup_1", "0.300000", "0.004000", "0.210000", "0.032000"), *RELEASED.scores)
    released = replace(RELEASED, scores=(Score("curve_0", "0.020000", "0.004000", "0.100000", "0.012000"), *scores))
    words_of = {"subgroup_1": ("sex = <male>", "within"), "curve_0": ("days until death", "curves")}
    limits = (Threshold("curve_0", "0.02"), Threshold("subgroup_1", "0.2"), Threshold("subgroup_9", "1"))
    subject = replace(SUBJECT, words=words_of, thresholds=limits)
    page = report(subject, PROMISE, Exhibit(released, MECHANISM, PICTURE, b"\x89PNG curves"))
    said = words(page)
    for each in (
        "sex = &lt;male&gt;",
        "days until death",
        "0.020000 met",
        "0.300000 missed",
        "not released missed",
        "Survival",
    ):
        assert each in said
    assert base64.b64encode(b"\x89PNG curves") in page
    assert "What the buyer set" not in words(report(SUBJECT, PROMISE, EXHIBIT))


def test_the_certificate_is_there_in_words() -> None:
    said = words(report(SUBJECT, PROMISE, EXHIBIT))
    for each in ("some-generator, version 3", "2 stages", "1 noisy measurements and 1 noisy choices", "agora verify FOLDER",
                 "No attacks on public data are on record for some-generator/3", "signed word"):  # fmt: skip
        assert each in said
    exact = words(report(SUBJECT, replace(PROMISE, delta_atto=0), EXHIBIT))
    assert "promises nothing about a person" in exact
    assert "signed word" not in exact


def test_public_attacks_stand_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = PublicFigure(
        "prostate", "epsilon 1", "shadow models", "TPR at 1 % FPR",
        "0.012000", "0.010000", "0.014000", "0.010000", None, 64, 1_000, 5_000,
    )  # fmt: skip
    found = PublicAttacks(
        "some-generator/3", "ab" * 12, "2026-01-31", (replace(figure, setting="control: bare"), *(figure,) * 12)
    )
    monkeypatch.setattr(certified, "public_attacks", lambda _: found)
    said = words(report(SUBJECT, PROMISE, EXHIBIT))
    for each in (
        "not about the records of this order",
        "shadow models",
        "0.012 (0.010 to 0.014)",
        "1 more stand in the",
    ):
        assert each in said
    assert "control: bare" not in said


class Outside(HTMLParser):
    """Collects whatever a page would fetch or run, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "hr", "line", "rect", "circle", "br") or tag in ("line", "rect", "circle"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data") and not (value or "").startswith("data:image/png;base64,"):
                self.found.append(f"{name}={value}")
            if name.startswith("on"):
                self.found.append(name)
        if tag in ("script", "iframe", "link", "object", "form", "base"):
            self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("own", [False, True])
def test_the_page_stands_alone_and_escapes_every_text(own: bool) -> None:
    page = report(SUBJECT, PROMISE, EXHIBIT)
    if own:
        page = provider_report(SUBJECT, PROMISE, EXHIBIT, provider_scores())
    reader = Outside()
    reader.feed(page.decode())
    assert reader.found == []
    assert reader.open == []
    assert b"http://" not in page
    assert b"https://" not in page
    assert b"<b>lungs" not in page
    assert b"&lt;b&gt;lungs" in page
    assert b"&lt;marginals&gt;" in page
    assert base64.b64encode(PICTURE) in page


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert report(SUBJECT, PROMISE, EXHIBIT) == report(SUBJECT, PROMISE, EXHIBIT)


def test_epsilon_and_guess_are_never_too_small() -> None:
    exact = epsilon_of(29_450, 7e-6)
    assert exact <= float(PROMISE.epsilon) < exact + 0.001
    right = (math.exp(exact) + 7e-6) / (math.exp(exact) + 1)
    assert 100 * right <= float(PROMISE.guess) < 100 * right + 0.2
    assert Promise("m", 0, 0, 10**12).guess == "50.1"
    assert float(Promise("m", 10**8, 1, 10**12).guess) == 100.0


def test_an_exact_report_promises_nothing() -> None:
    page = words(report(SUBJECT, replace(PROMISE, delta_atto=0), EXHIBIT))
    assert "This result carries no differential privacy" in page
    for promise in ("differentially private", "epsilon", "No row is a patient", "guarantee above"):
        assert promise not in page
        assert promise in words(report(SUBJECT, PROMISE, EXHIBIT))


def test_a_report_on_persons_with_their_rows_names_the_tables_and_which_one_its_scores_are_about() -> None:
    page = words(report(replace(SUBJECT, files=("synthetic.csv", "labs.csv")), PROMISE, EXHIBIT))
    assert "The rows of 12,000 invented persons, in synthetic.csv and labs.csv." in page
    assert "What follows is about the rows of the first." in page and "synthetic persons" in page
    plain = words(report(SUBJECT, PROMISE, EXHIBIT))
    assert "A table of 12,000 invented records." in plain and "synthetic rows" in plain


def test_a_score_whose_noise_reaches_the_ceiling_is_read_by_what_its_interval_shows() -> None:
    shown = [
        Score("l1_2way", "0.100000", "0.089226", floor="0.500000", ceiling="0.050000"),
        Score("l1_3way", "0.100000", "0.223065", floor="0.500000", ceiling="0.050000"),
    ]
    page = closeness(shown, {}, "Counts have noise.", "counted").split("<tr>")
    assert "at least 44 % of the way from floor to ceiling" in page[2]
    assert "too noisy to tell from a shuffle" in page[3] and "as counted would score" in page[0]
