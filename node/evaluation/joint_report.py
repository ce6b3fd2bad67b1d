"""The report of a joint analysis: what people read. It follows from the opened sums and public facts alone."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting, guarantee_words, learned, threats
from marketplace.protocol.closing_fits import ClosedFit
from marketplace.protocol.constraints import Condition
from marketplace.protocol.rho import MICRO
from marketplace.protocol.schema import Schema
from marketplace.protocol.unit import PrivacyUnit
from node.evaluation import joint_answers, page
from node.evaluation.drawing import number
from node.evaluation.report import Promise

NAMED_SHARES = 40
ONLY = "Only rows that meet the order's conditions on {} were counted, at every provider."


def joint_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    schema: Schema,
    specification: AnalysisSpecification,
    answers: Sequence[Any],
    shares: Sequence[Sequence[Share]] = (),
) -> bytes:
    """The report as one HTML file in UTF-8: the same arguments give the same bytes, so that every party makes the same.

    `answers`: one for each analysis. `shares`: the noise of each party in each round; none of an exact result. An epsilon is
    told for the privacy unit.
    """
    questions = [joint_answers.heading(analysis) for analysis in specification.analyses]
    title = questions[0] if len(questions) == 1 else f"{len(questions)} questions"
    body = [
        f"<h1>{page.text(title)}</h1>",
        f'<p class="lead">Answered by {setting.parties} providers together for one order. No record was moved.</p>',
        page.facts(
            [
                ("providers", f"{setting.parties}"),
                ("guarantee", guarantee_words(setting))
                if setting.is_exact
                else (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ("lane", setting.lane.value),
            ]
        ),
        conditions(specification.only, ONLY),
        *map(joint_answers.section_of, specification.analyses, [schema] * len(answers), answers),
        _without_noise(setting, specification) if setting.is_exact else protection(schema.unit, setting, promise),
        page.section("Who learnt what", page.points([f"{who}: {what}." for who, what in learned(setting).items()])),
        page.section("Against whom it holds", page.points(threats(setting))),
        account(order, promise, _named(specification, shares), setting.parties),
    ]
    return page.page(f"Joint analysis: {title}", body)


def _named(specification: AnalysisSpecification, shares: Sequence[Sequence[Share]]) -> list[list[Share]]:
    """The noise by the questions that it is for."""
    return [[replace(share, name=specification.words_of(share.name)) for share in each] for each in shares]


def conditions(only: Sequence[Condition], sentence: str) -> str:
    """The `sentence` about an order's conditions, with the names of their columns in it; nothing where there are none."""
    names = ", ".join(sorted({condition.column for condition in only}))
    return page.paragraph(sentence.format(names)) if only else ""


def _without_noise(setting: Setting, specification: AnalysisSpecification) -> str:
    public = "The providers declare these records to be public data. " if setting.is_public else ""
    points = [
        "It was made under an authority's permit, whose conditions bind whoever holds it.",
        "It took one of each dataset's allowance of such orders, which the ledger counts.",
    ]
    if not setting.is_public:
        points += [
            f"No number of fewer than {setting.smallest_cell} persons is in it, nor one that such a number follows from. "
            "That hides small groups from a single look; it bounds nothing for somebody who knows much already.",
            "Handle it as you would handle the records themselves.",
        ]
    if not setting.is_public and isinstance(specification.analyses[0], ClosedFit | CoxRegression):
        points.append(
            "Coefficients and their errors are rounded, and each value of a column, and each pair of columns of two values, has "
            "enough rows. What three columns together have may still follow, where predictors are many and rows are few."
        )
    return page.section(
        "Nobody is protected by noise",
        page.paragraph(
            f"{public}These are the very numbers of the pooled records. Nothing bounds what they may reveal about one "
            "person: somebody who knows a lot about the records may learn from them whether a person is in them, or more."
        ),
        page.points(points),
    )


def protection(words: str, setting: Setting, promise: Promise) -> str:
    """The section about what is promised to the offer's privacy unit. `words`: the schema's, of a person."""
    whole = "a given person" if setting.unit is PrivacyUnit.PERSON else "a given person's records at one provider"
    return page.section(
        "Who is protected, and how well",
        page.paragraph(f"The privacy unit: {setting.unit.of(words)}. {_several(setting, promise)}"),
        page.paragraph(
            f"All numbers together are differentially private with epsilon {promise.epsilon} and delta {promise.delta}. In "
            f"words: suppose that somebody knows everything about the pooled records except whether {whole} is in "
            "them, and holds both to be equally likely. After seeing all of this, the best guess is right at most "
            f"{promise.guess} times in 100, where 50 would be a coin. That is a limit, not what we expect."
        ),
        page.paragraph("This holds under the following assumptions:"),
        page.points(
            [
                "The noise comes from each provider's secret key, stretched by a pseudo-random function. The guarantee is "
                "therefore computational.",
                "Other orders on the same records spend more. What one person risks follows from the sum, which the "
                "ledger shows.",
                "Only persons in these records are meant. What is true of a whole population can be learnt: that is its "
                "purpose.",
            ]
        ),
    )


def _several(setting: Setting, promise: Promise) -> str:
    """What is promised to a person with records at several providers."""
    if setting.unit is PrivacyUnit.PERSON:
        return "A person may be at every one of the providers; the noise is sized for that."
    everywhere_micro = setting.unit.everywhere_micro(promise.rho_micro, setting.parties)
    everywhere = replace(promise, rho_generate_micro=everywhere_micro, rho_evaluate_micro=0)
    return (
        "The providers state that the noise is sized for a person's records at one of them; nobody checks that no person has "
        "records at several. One with records at k of them loses k * k times the rho: at all "
        f"{setting.parties}, epsilon {everywhere.epsilon}."
    )


def account(order: bytes, promise: Promise, shares: Sequence[Sequence[Share]], parties: int) -> str:
    """The section about what was opened and charged."""
    parts = [
        page.paragraph(f"It was made by: {promise.mechanism}."),
        f'<p class="note">Order <code>{order.hex()}</code></p>',
    ]
    rows = [
        [
            page.text(share.name if len(shares) == 1 else f"{share.name}, {_rounds(turns)}"),
            f"{share.cells:,}",
            f"{share.rho_micro:,}",
            number(math.sqrt(share.sensitivity_squared)),
            number(math.sqrt(parties * share.sigma2)),
        ]
        for share, turns in _alike(shares).items()
    ]
    if rows:
        heads = ["Statistic", "Cells", "Rho, millionths", "Sensitivity", "Standard deviation"]
        parts += [
            page.paragraph(
                f"Every number that was opened is charged; the order paid rho = {Decimal(promise.rho_micro) / MICRO:f}. "
                "Sensitivity is the most that one person can move a statistic's sums, as a length over all of its cells; the "
                "standard deviation is that of all providers' noise in one cell. Both are in the units that are counted: "
                "rows, or steps of a column's declared grid."
            ),
            page.table(heads, rows[:NAMED_SHARES], numbers=(1, 2, 3, 4)),
        ]
    if len(rows) > NAMED_SHARES:
        parts.append(f'<p class="note">{len(rows) - NAMED_SHARES:,} more are charged alike.</p>')
    return page.section("The account", *parts)


def _alike(shares: Sequence[Sequence[Share]]) -> dict[Share, list[int]]:
    """Each noise with the rounds, counting from 1, in which it is the same."""
    found: dict[Share, list[int]] = {}
    for turn, each in enumerate(shares, 1):
        for share in each:
            found.setdefault(share, []).append(turn)
    return found


def _rounds(turns: Sequence[int]) -> str:
    """Whole stretches of rounds as people write them: `round 3`, `each of rounds 1 to 4`, `each of rounds 1, 3`."""
    if len(turns) == 1:
        return f"round {turns[0]}"
    whole = turns[-1] - turns[0] + 1 == len(turns)
    return f"each of rounds {f'{turns[0]} to {turns[-1]}' if whole else ', '.join(map(str, turns))}"
