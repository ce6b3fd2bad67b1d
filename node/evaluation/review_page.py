"""The provider's second report: what a reviewer asks of the table, on real records. It never leaves the node."""

from collections.abc import Sequence
from math import isnan

from marketplace.protocol.schema import Schema
from node.evaluation import page
from node.evaluation.links import NAMES
from node.evaluation.provider import Attacked, Compared, Estimate, Evaluation, Subgroup
from node.evaluation.provider_report import BANNER
from node.evaluation.report import Subject
from node.evaluation.reviewed import Review

HEADS = ["What", "Synthetic", "Real: the ceiling", "Shuffled: the floor", ""]
LINK_WORDS = (
    "how many rows a person has",
    "the time from a row to the next",
    "a value together with the one before",
    "how far a value tells the next",
    "what is a person's together with a row's",
)
ATTACK_HEADS = ["Attack", "Training records", "Held-out records", "Of each", "Reading"]


def review_page(subject: Subject, schema: Schema, column: str | None, found: Review) -> bytes:
    """The review as one HTML file in UTF-8. `column`: the one whose values are the subgroups."""
    return page.page(
        f"Provider only, review: {subject.title}",
        [
            f'<div class="banner" role="alert">{page.text(BANNER)}</div>',
            f"<h1>{page.text(subject.title)}: what a reviewer asks</h1>",
            f'<p class="lead">Order <code>{page.text(subject.order)}</code>. Seed {found.main.seed}. Each number stands with its '
            "95 % interval, where it has one. Rows are resampled, not persons.</p>",
            *_sections("", schema, column, found.main),
            *_linked(schema, found),
        ],
    )


def _sections(table: str, schema: Schema, column: str | None, found: Evaluation) -> list[str]:
    """What a reviewer asks of one table. `table`: what stands before each title."""
    return [
        _section(
            f"{table}Prediction",
            "A model learns to predict one column from the others, and is tested on records that were held out. The "
            "number is the area under the ROC curve: 0.5 is guessing, 1 is perfect. Good synthetic rows teach about as "
            "much as the real training records do.",
            found.utility,
        ),
        _section(
            f"{table}Survival",
            "For each curve of the order. Concordance: how often a Cox model, learnt from the table, ranks two held-out "
            "patients rightly. Overlap: how far the 95 % intervals of its coefficients agree with those from the real "
            "training records (ceiling: those of the holdout). Distance: of the curve from the real one. Log-rank: how much "
            "greater the hazard is than the real one; where the interval leaves out 1, the two differ at 5 %.",
            found.survival,
        ),
        _section(
            f"{table}Where the rows lie",
            "Precision and density: are synthetic rows near real ones? Recall and coverage: are real records near "
            "synthetic ones? Missing patterns: which columns are empty together, 0 is the same.",
            found.fidelity,
        ),
        page.paragraph(f"Rows that break a constraint of the schema: {found.violations:,}."),
        _subgroups(f"{table}Subgroups", schema, column, found.subgroups),
        _attacks(f"{table}Attacks", found.attacks),
    ]


def _linked(schema: Schema, found: Review) -> list[str]:
    """How rows hang together under persons, and each further table."""
    rows = [
        [page.text(f"{one.scores.strand}: {words}"), f"{getattr(one.scores, name):.3f}",
         _estimate(one.ceiling[place]), _estimate(one.floor[place])]
        for one in found.links
        for place, (name, words) in enumerate(zip(NAMES, LINK_WORDS, strict=True))
        if not isnan(getattr(one.scores, name))
    ]  # fmt: skip
    told = "Distances from the training records, 0 is the same. Ceiling: persons drawn again. Floor: columns shuffled."
    sections = (
        [page.section("Rows under persons", page.paragraph(told), page.table(HEADS[:4], rows, (1, 2, 3)))]
        if rows
        else []
    )
    for further in found.further:
        declared = next(table.schema for table in schema.tables if table.name == further.table)
        if further.evaluation is None:
            sections.append(page.section(further.table, page.paragraph("Not looked into: fewer than 40 rows.")))
        else:
            sections += _sections(f"{further.table}: ", declared, None, further.evaluation)
    return sections


def _section(title: str, words: str, found: Sequence[Compared]) -> str:
    if not found:
        return page.section(title, page.paragraph("Not computed: the order or the tables do not have what it takes."))
    return page.section(title, page.paragraph(words), page.table(HEADS, [_row(each) for each in found], (1, 2, 3)))


def _row(found: Compared) -> list[str]:
    estimates = (found.synthetic, found.real, found.shuffled)
    return [page.text(found.name), *map(_estimate, estimates), _gauge(found)]


def _subgroups(title: str, schema: Schema, column: str | None, groups: Sequence[Subgroup]) -> str:
    if column is None:
        return page.section(title, page.paragraph("The order names no column of subgroups."))
    names = [page.text(f"{column} = {schema.column(column).text(group.code)}") for group in groups]
    compared, attacked = [], []
    for name, group in zip(names, groups, strict=True):
        compared += [[f"{name}: {row[0]}", *row[1:]] for row in map(_row, group.compared)]
        area, copies = group.attack.auc, group.copies
        attacked += [
            [f"{name}: told from held-out records (area, 0.5 is guessing)", _estimate(area), "", f"{group.attack.records:,}",
             _told(area.low > 0.5)],
            [f"{name}: copies, word for word", _estimate(copies.training), _estimate(copies.holdout), f"{group.rows:,}",
             _told(copies.training.low > copies.holdout.high)],
            *([f"{name}: {row[0]}", *row[1:]] for row in map(_attacked, group.attacks)),
        ]  # fmt: skip
    return page.section(
        title,
        page.paragraph(
            "The same within each value that all tables have 40 times. Distance: of the other columns' distributions from "
            "the training records, 0 is the same. A group that is much worse off than the others is served worse; one "
            "whose records can be told apart is protected worse."
        ),
        page.table(HEADS, compared, (1, 2, 3)),
        page.table(ATTACK_HEADS, attacked, (1, 2, 3)),
    )


def _attacks(title: str, attacks: Sequence[Attacked]) -> str:
    if not attacks:
        return page.section(title, page.paragraph("Not made: fewer than 40 records are held out."))
    return page.section(
        title,
        page.paragraph(
            "How often an attacker with the synthetic table is right about records that it was made from, and about as many "
            "that were held out. What is right on both is knowledge about the population. These attacks fit no model: that "
            "they fail proves nothing, that one succeeds does."
        ),
        page.table(ATTACK_HEADS, [_attacked(each) for each in attacks], (1, 2, 3)),
    )


def _attacked(attack: Attacked) -> list[str]:
    told = _told(attack.members.low > attack.others.high)
    return [page.text(attack.name), _estimate(attack.members), _estimate(attack.others), f"{attack.records:,}", told]


def _told(apart: bool) -> str:
    return '<span class="weak">tells training records apart</span>' if apart else page.text("no difference shown")


def _estimate(estimate: Estimate) -> str:
    if estimate.low == estimate.high == estimate.value:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} <small>{estimate.low:.3f} to {estimate.high:.3f}</small>"


def _gauge(found: Compared) -> str:
    """The three numbers on one line as inline SVG, 150 pixels wide: a band from floor to ceiling, the dot the synthetic."""
    ends = (found.synthetic.low, found.synthetic.high, found.real.value, found.shuffled.value)
    low, high = min(*ends), max(*ends, min(*ends) + 1e-9)

    def across(value: float) -> str:
        return f"{6 + 138 * (value - low) / (high - low):.1f}"

    left, right = sorted((found.real.value, found.shuffled.value))
    return (
        f'<svg width="150" height="20" viewBox="0 0 150 20" role="img" aria-label="{page.text(found.name)}">'
        f'<rect x="{across(left)}" y="4" width="{float(across(right)) - float(across(left)):.1f}" height="12" fill="#e3edf4"/>'
        f'<line x1="{across(found.real.value)}" x2="{across(found.real.value)}" y1="2" y2="18" stroke="#2b6c99" '
        'stroke-width="2"/>'
        f'<line x1="{across(found.shuffled.value)}" x2="{across(found.shuffled.value)}" y1="2" y2="18" stroke="#999"/>'
        f'<line x1="{across(found.synthetic.low)}" x2="{across(found.synthetic.high)}" y1="10" y2="10" stroke="#a63d00" '
        'stroke-width="2"/>'
        f'<circle cx="{across(found.synthetic.value)}" cy="10" r="4" fill="#a63d00"/></svg>'
    )
