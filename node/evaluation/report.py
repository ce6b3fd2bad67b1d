"""The report of a result: what people read before they trust a table. Only released and public numbers go in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from marketplace.certificate.certificate import Mechanism
from marketplace.protocol.rho import DELTA_UNIT, MICRO, delta_of, epsilon_of
from marketplace.protocol.threshold import Threshold
from marketplace.scores.score import Score
from node.evaluation import certified, page
from node.evaluation.released import ReleasedScores
from node.evaluation.words import Words, score_words

PICTURE = (
    "Bar charts of every column of the synthetic table, with the released noisy counts of the real records as points, "
    "and a matrix of how strongly the synthetic columns are associated."
)


@dataclass(frozen=True)
class Subject:
    """What a report is about, in public words: the dataset's title, its provider, the order, the unit of protection.

    `files`: the tables of a result whose rows hang together under persons, the main one first, and then `rows` counts
    persons; none of another. `words`: of the scores that only this order has. `thresholds`: what the buyer set as its limits.
    """

    title: str
    provider: str
    order: str
    unit: str
    rows: int
    columns: int
    rows_declared: int
    files: tuple[str, ...] = ()
    words: Words = field(default_factory=dict)
    thresholds: tuple[Threshold, ...] = ()

    @property
    def counted(self) -> str:
        """What `rows` counts."""
        return "persons" if self.files else "rows"


@dataclass(frozen=True)
class Promise:
    """The privacy that an order paid for. `mechanism`: what made the table, in words. Rho in millionths.

    A delta of 0 says that nothing is promised.
    """

    mechanism: str
    rho_generate_micro: int
    rho_evaluate_micro: int
    delta_atto: int

    @property
    def is_exact(self) -> bool:
        """Whether nothing is promised about a person."""
        return self.delta_atto == 0

    @property
    def rho_micro(self) -> int:
        """Rho of table and scores together."""
        return self.rho_generate_micro + self.rho_evaluate_micro

    @property
    def epsilon(self) -> str:
        """The epsilon that follows from rho and delta, three decimals, rounded up."""
        return f"{math.ceil(epsilon_of(self.rho_micro, delta_of(self.delta_atto)) * 1000) / 1000:.3f}"

    @property
    def delta(self) -> str:
        """Delta as a plain decimal."""
        return f"{Decimal(self.delta_atto) / DELTA_UNIT:f}"

    @property
    def guess(self) -> str:
        """How often, in per cent rounded up, the best guess of an even question about one person can be right.

        (e^epsilon + delta) / (e^epsilon + 1). Source: Kairouz, Oh and Viswanath 2015, Theorem 2.1, at even odds.
        """
        epsilon = float(self.epsilon)
        return f"{math.ceil(1000 * (1 + delta_of(self.delta_atto) * math.exp(-epsilon)) / (1 + math.exp(-epsilon))) / 10:.1f}"


@dataclass(frozen=True)
class Exhibit:
    """What a report shows, all of it released or public. `picture`, `curves`: PNGs; None where no curve can be drawn."""

    released: ReleasedScores
    mechanism: Mechanism
    picture: bytes
    curves: bytes | None = None


def report(subject: Subject, promise: Promise, exhibit: Exhibit) -> bytes:
    """The released report as one HTML file in UTF-8. The same arguments give the same bytes."""
    return page.page(f"Synthetic table: {subject.title}", body(subject, promise, exhibit))


def body(subject: Subject, promise: Promise, exhibit: Exhibit) -> list[str]:
    """The parts of the released report as HTML."""
    scores = exhibit.released.scores
    return [
        f"<h1>{page.text(subject.title)}: a synthetic table</h1>",
        f'<p class="lead">Made by the provider {page.text(subject.provider)} for one order.</p>',
        page.facts(
            [
                (f"synthetic {subject.counted}", f"{subject.rows:,}"),
                ("columns", f"{subject.columns:,}"),
                ("differential privacy", "none")
                if promise.is_exact
                else (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ("real rows declared, rounded", f"{subject.rows_declared:,}"),
            ]
        ),
        _what(subject, promise),
        certified.thresholds(subject.thresholds, scores, subject.words),
        _closeness(subject, exhibit.released),
        certified.curves(exhibit.curves),
        page.section("What it looks like", page.image(exhibit.picture, PICTURE)),
        _no_protection() if promise.is_exact else _protection(subject, promise),
        _limits(promise),
        certified.certificate_in_words(exhibit.mechanism, scores, promised=not promise.is_exact),
        _account(subject, promise, exhibit.released),
    ]


def _what(subject: Subject, promise: Promise) -> str:
    made = f"A table of {subject.rows:,} {'drawn' if promise.is_exact else 'invented'} records."
    if subject.files:
        made = (
            f"The rows of {subject.rows:,} invented persons, in {' and '.join(subject.files)}. What follows is about the "
            "rows of the first."
        )
    if promise.is_exact:
        saw = (
            "saw the real records as they are, so groups of rows behave like groups of real records, and a row may come "
            "close to a real one."
        )
        return page.section("What this is", page.paragraph(f"{made} The model {saw}"))
    return page.section(
        "What this is",
        page.paragraph(
            f"{made} No row is a patient. The rows were drawn from a model that "
            "saw the real records only through noisy measurements, so groups of rows behave like groups of real records, "
            "and single rows mean nothing."
        ),
    )


def _no_protection() -> str:
    return page.section(
        "Nobody is protected by noise",
        page.paragraph(
            "This result carries no differential privacy. Nothing bounds what it may reveal about one person: somebody who "
            "knows a lot about the dataset may learn from it whether a person is in it, or more."
        ),
        page.points(
            [
                "It was made under an authority's permit, whose conditions bind whoever holds it.",
                "It took one of the dataset's allowance of such orders, which the ledger counts.",
                "Handle it as you would handle the records themselves.",
            ]
        ),
    )


def _protection(subject: Subject, promise: Promise) -> str:
    generate, evaluate = promise.rho_generate_micro, promise.rho_evaluate_micro
    return page.section(
        "Who is protected, and how well",
        page.paragraph(f"The unit of protection: {subject.unit}."),
        page.paragraph(
            f"Table and scores together are differentially private with epsilon {promise.epsilon} and delta "
            f"{promise.delta}. In words: suppose that somebody knows everything about the dataset except whether one "
            "given person is in it, and holds both to be equally likely. After seeing all of this, the best guess is "
            f"right at most {promise.guess} times in 100, where 50 would be a coin. That is a limit, not what we expect."
        ),
        page.paragraph(
            f"The budget behind it is rho = {_rho(promise.rho_micro)}: {_rho(generate)} for the table and "
            f"{_rho(evaluate)} for the scores below."
        ),
        page.paragraph("This holds under the following assumptions:"),
        page.points(
            [
                "The noise comes from a secret key of 32 bytes, stretched by a pseudo-random function. The guarantee is "
                "therefore computational: it holds against everyone who cannot tell that function from chance.",
                "The provider ran the program that the certificate names and keeps the key secret. The signature says so; "
                "nobody else can see that noise was added.",
                "Other orders on the same records spend more. What one person risks follows from the sum, which the "
                "ledger shows.",
                "Only persons in these records are meant. What is true of a whole population, such as that a disease is "
                "more frequent at an age, can be learnt from the table: that is its purpose.",
            ]
        ),
    )


def _closeness(subject: Subject, released: ReleasedScores) -> str:
    return closeness(
        released.scores,
        subject.words,
        "Real records enter with noise, so each score has an interval that holds the exact value with a probability of at "
        "least 95 %.",
        "declared",
    )


def closeness(scores: Sequence[Score], words: Words, how: str, known: str) -> str:
    """The section of scores. `how`: sentences on how records enter. `known`: what says how many of them there are."""
    rows = [
        [
            f"{page.text(title)}<small>{page.text(explanation)}</small>",
            page.text(_short(score.value)),
            page.text(f"{_short(score.interval[0])} to {_short(score.interval[1])}"),
            page.text(_short(score.ceiling)),
            page.text(_short(score.floor)) if _has_floor(score) else "–",
            gauge(score),
            _verdict(score),
        ]
        for score in scores
        for title, explanation in [score_words(score.name, words)]
    ]
    return page.section(
        "How close it is to the real records",
        page.paragraph(
            "Each score is a distance between shares of synthetic and of real rows, summed over all values: 0 is the same, "
            f"2 is nothing in common (for missing values and survival curves, 1). Smaller is better. {how}"
        ),
        page.paragraph(
            f"Ceiling: what as many records as {known} would score if they were drawn anew, so that anything better is "
            "chance or copying. Floor: what this table would score against itself after each of its columns is "
            "shuffled, which keeps the columns and destroys every relation; a dash where a shuffle changes nothing. Both "
            "are computed from the synthetic table alone, so anyone can repeat them."
        ),
        page.table(
            ["What is compared", "Score", "95 % interval", "Ceiling", "Floor", "", "Reading"],
            rows,
            numbers=(1, 2, 3, 4),
        ),
        '<p class="note">In the drawing: 0 at the left; the band reaches from ceiling to floor; the dot is the score, the '
        "line its interval.</p>",
    )


def _has_floor(score: Score) -> bool:
    return Fraction(score.floor) > Fraction(score.ceiling)


def _verdict(score: Score) -> str:
    low, high = (Fraction(end) for end in score.interval)
    ceiling, floor = Fraction(score.ceiling), Fraction(score.floor)
    if _has_floor(score) and high >= floor:
        reading = "too noisy to tell from a shuffle" if low <= ceiling else "not shown to be better than a shuffle"
        return f'<span class="weak">{page.text(reading)}</span>'
    if low <= ceiling:
        reading = "no worse than sampling, as far as the noise lets one see"
        if _has_floor(score) and high > ceiling:
            surely = math.floor(100 * (floor - high) / (floor - ceiling))
            reading += f"; at least {surely} % of the way from floor to ceiling"
        return page.text(reading)
    if not _has_floor(score):
        return page.text("further away than sampling explains")
    share = round(100 * (floor - Fraction(score.value)) / (floor - ceiling))
    return page.text(f"{share} % of the way from floor to ceiling")


def gauge(score: Score) -> str:
    """A drawing of one score between ceiling and floor as inline SVG, 150 pixels wide."""
    low, high = (Fraction(end) for end in score.interval)
    ceiling, floor, value = Fraction(score.ceiling), Fraction(score.floor), Fraction(score.value)
    widest = max(high, floor, ceiling, value, Fraction(1, 1000))

    def across(number: Fraction) -> str:
        return f"{float(4 + 142 * number / widest):.1f}"

    ends = f'x1="{across(low)}" x2="{across(high)}"'
    band = f"{max(0.0, float(142 * (floor - ceiling) / widest)):.1f}"
    return (
        '<svg width="150" height="20" viewBox="0 0 150 20" role="img" '
        f'aria-label="score {_short(score.value)}, ceiling {_short(score.ceiling)}, floor {_short(score.floor)}">'
        '<line x1="4" x2="146" y1="10" y2="10" stroke="#ccc"/>'
        f'<rect x="{across(ceiling)}" y="4" width="{band}" height="12" fill="#cfe3f1"/>'
        f'<line x1="{across(ceiling)}" x2="{across(ceiling)}" y1="3" y2="17" stroke="#2b6c99" stroke-width="2"/>'
        f'<line {ends} y1="10" y2="10" stroke="#a63d00" stroke-width="2"/>'
        f'<circle cx="{across(value)}" cy="10" r="4" fill="#a63d00"/></svg>'
    )


def _limits(promise: Promise) -> str:
    measure = "They are no measure of privacy." + (
        "" if promise.is_exact else " Privacy is the guarantee above, which holds whether or not the table is good."
    )
    return page.section(
        "What the scores do not say",
        page.points(
            [
                "They do not say that a single row is plausible, or that rare combinations are right. Small groups are "
                "where the noise weighs most.",
                "They look at up to three columns at a time. A result that rests on finer structure, on the order of events "
                "in time, or on the tail of a number can still be wrong.",
                "They compare with the records of this provider, not with the population, and say nothing of how the "
                "records were collected.",
                measure,
                "Confirm on real records whatever matters for patients.",
            ]
        ),
    )


def _account(subject: Subject, promise: Promise, released: ReleasedScores) -> str:
    rows = [
        [
            page.text(charge.name),
            f"{charge.rho_micro:,}",
            f"{charge.sensitivity:,}",
            f"{math.sqrt(charge.sigma2):,.1f}",
        ]
        for charge in released.charges
    ]
    return page.section(
        "The account",
        page.paragraph(f"The table was made by: {promise.mechanism}."),
        f'<p class="note">Order <code>{page.text(subject.order)}</code></p>',
        page.paragraph(
            "Each score is one whole number in rows, released with discrete Gaussian noise. Sensitivity is the most that one "
            f"person can move it. The number of rows compared was released as {released.rows_noisy:,}."
        ),
        page.table(
            ["Stage", "Rho, millionths", "Sensitivity, rows", "Standard deviation, rows"], rows, numbers=(1, 2, 3)
        ),
    )


def _short(quoted: str) -> str:
    return f"{Decimal(quoted):.3f}"


def _rho(micro: int) -> str:
    return f"{Decimal(micro) / MICRO:f}"
