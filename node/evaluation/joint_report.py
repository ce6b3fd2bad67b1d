"""The report of a joint analysis: what people read. It follows from the opened sums and public facts alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.rho import MICRO
from marketplace.protocol.schema import Schema
from node.evaluation import joint_answers, page
from node.evaluation.drawing import number
from node.evaluation.report import Promise

NAMED_CHARGES = 40


@dataclass(frozen=True)
class JointSubject:
    """What a report is about, in public words. `providers`: the parties, the lead first. `unit`: of protection.

    `threshold`: how many dishonest parties the noise is sized against. `smallest_cell`: no cell of an exact result is
    of fewer persons; None with noise. `is_public`: whether the providers declare their records to be public data.
    """

    title: str
    providers: tuple[str, ...]
    order: str
    unit: str
    lane: str
    threshold: int
    smallest_cell: int | None = None
    is_public: bool = False


@dataclass(frozen=True)
class Charge:
    """What opening one statistic cost. `variance`: of the noise that all parties together added to each of its cells.

    `sensitivity_squared`: the squared L2 distance by which one person moves the sums.
    """

    name: str
    cells: int
    rho_micro: int
    sensitivity_squared: int
    variance: Fraction


def joint_report(
    subject: JointSubject,
    promise: Promise,
    schema: Schema,
    specification: AnalysisSpecification,
    answers: Sequence[Any],
    charges: Sequence[Charge] = (),
) -> bytes:
    """The report as one HTML file in UTF-8: the same arguments give the same bytes, so that every party makes the same.

    `answers`: one for each analysis. `charges`: of a result with noise, in the order in which sums were opened.
    """
    body = [
        f"<h1>{page.text(subject.title)}: a joint analysis</h1>",
        f'<p class="lead">Answered by {len(subject.providers)} providers together for one order. No record was moved.</p>',
        page.facts(
            [
                ("providers", f"{len(subject.providers)}"),
                ("guarantee", _exact_words(subject))
                if promise.is_exact
                else (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ("lane", subject.lane),
            ]
        ),
        _conditions(specification),
        *map(joint_answers.section_of, specification.analyses, [schema] * len(answers), answers),
        _without_noise(subject) if promise.is_exact else _protection(subject, promise),
        _who_learns(subject),
        _account(subject, promise, charges),
    ]
    return page.page(f"Joint analysis: {subject.title}", body)


def _exact_words(subject: JointSubject) -> str:
    return "public data, exact" if subject.is_public else "exact"


def _conditions(specification: AnalysisSpecification) -> str:
    if not specification.only:
        return ""
    names = ", ".join(sorted({condition.column for condition in specification.only}))
    return page.paragraph(f"Only rows that meet the order's conditions on {names} were counted, at every provider.")


def _without_noise(subject: JointSubject) -> str:
    public = "The providers declare these records to be public data. " if subject.is_public else ""
    points = [
        "It was made under an authority's permit, whose conditions bind whoever holds it.",
        "It took one of each dataset's allowance of such orders, which the ledger counts.",
    ]
    if subject.smallest_cell is not None and subject.smallest_cell > 1:
        points.append(
            f"No number of fewer than {subject.smallest_cell} persons is in it, nor one that such a number follows from. "
            "That hides small groups from a single look; it bounds nothing for somebody who knows much already."
        )
    if not subject.is_public:
        points.append("Handle it as you would handle the records themselves.")
    return page.section(
        "Nobody is protected by noise",
        page.paragraph(
            f"{public}These are the very numbers of the pooled records. Nothing bounds what they may reveal about one "
            "person: somebody who knows a lot about the records may learn from them whether a person is in them, or more."
        ),
        page.points(points),
    )


def _protection(subject: JointSubject, promise: Promise) -> str:
    honest = len(subject.providers) - subject.threshold
    return page.section(
        "Who is protected, and how well",
        page.paragraph(
            f"The unit of protection: {subject.unit}. A person may be at every one of the providers; the noise counts with it."
        ),
        page.paragraph(
            f"All numbers together are differentially private with epsilon {promise.epsilon} and delta {promise.delta}. In "
            "words: suppose that somebody knows everything about the pooled records except whether one given person is in "
            "them, and holds both to be equally likely. After seeing all of this, the best guess is right at most "
            f"{promise.guess} times in 100, where 50 would be a coin. That is a limit, not what we expect."
        ),
        page.paragraph("This holds under the following assumptions:"),
        page.points(
            [
                f"Every provider adds noise of its own before anything leaves it, so much that that of {honest} suffices: up "
                f"to {subject.threshold} of the {len(subject.providers)} may tell theirs to others. All follow the protocol; "
                "that noise was added, the signatures say, and nobody else can see.",
                "The noise comes from each provider's secret key, stretched by a pseudo-random function. The guarantee is "
                "therefore computational.",
                "Other orders on the same records spend more. What one person risks follows from the sum, which the "
                "ledger shows.",
                "Only persons in these records are meant. What is true of a whole population can be learnt: that is its "
                "purpose.",
            ]
        ),
    )


def _who_learns(subject: JointSubject) -> str:
    others = len(subject.providers) - 1
    return page.section(
        "Who learnt what",
        page.points(
            [
                "Every provider: the same answers as stand here, and its own records, which it had.",
                "The buyer: what stands here and in the document beside it.",
                f"Nobody: another provider's own numbers, even if {others} of the {others + 1} join hands, as long as they "
                "follow the protocol. Nobody can see whether a provider counted its records truly.",
            ]
        ),
    )


def _account(subject: JointSubject, promise: Promise, charges: Sequence[Charge]) -> str:
    parts = [
        page.paragraph(f"The answers were made by: {promise.mechanism}."),
        f'<p class="note">Order <code>{page.text(subject.order)}</code></p>',
        page.table(
            ["", "Provider"], [[f"{n}", f"<code>{page.text(p)}</code>"] for n, p in enumerate(subject.providers, 1)]
        ),
    ]
    if charges:
        rows = [
            [
                page.text(charge.name),
                f"{charge.cells:,}",
                f"{charge.rho_micro:,}",
                number(math.sqrt(charge.sensitivity_squared)),
                number(math.sqrt(charge.variance)),
            ]
            for charge in charges[:NAMED_CHARGES]
        ]
        parts += [
            page.paragraph(
                f"Every number that was opened is charged; together rho = {Decimal(promise.rho_micro) / MICRO:f}. Sensitivity "
                "is the most that one person can move a statistic's sums, as a length over all of its cells; the standard "
                "deviation is that of all providers' noise in one cell. Both are in the units that are counted: rows, or "
                "steps of a column's declared grid."
            ),
            page.table(
                ["Statistic", "Cells", "Rho, millionths", "Sensitivity", "Standard deviation"],
                rows,
                numbers=(1, 2, 3, 4),
            ),
        ]
        if len(charges) > NAMED_CHARGES:
            parts.append(f'<p class="note">{len(charges) - NAMED_CHARGES:,} more are charged alike.</p>')
    return page.section("The account", *parts)
