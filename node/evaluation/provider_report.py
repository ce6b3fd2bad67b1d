"""The provider's own report: the released one, and everything exact besides. It never leaves the node."""

from node.evaluation import page
from node.evaluation.provider import Copies, Estimate, ExactScore, ProviderScores
from node.evaluation.report import Exhibit, Promise, Subject, body

BANNER = (
    "Provider only. This page holds exact numbers about patients' records. It must not leave the hospital, and whoever "
    "decides whether a result is delivered must not read it first."
)


def provider_report(subject: Subject, promise: Promise, exhibit: Exhibit, exact: ProviderScores) -> bytes:
    """The provider's report as one HTML file in UTF-8. The same arguments give the same bytes."""
    return page.page(
        f"Provider only: {subject.title}",
        [
            f'<div class="banner" role="alert">{page.text(BANNER)}</div>',
            _scores(exact),
            _copies(exact.copies),
            _attack(exact),
            "<hr>",
            *body(subject, promise, exhibit),
        ],
    )


def _scores(exact: ProviderScores) -> str:
    return page.section(
        "Exact scores",
        page.paragraph(
            f"Distances from {exact.training_rows:,} training and {exact.holdout_rows:,} holdout rows; 0 is the same. Bins "
            f"are cut on the training rows, so these are not the released scores without noise. Seed {exact.seed}."
        ),
        page.table(
            ["Measure", "Training", "Ceiling: bootstrap", "Floor: shuffle", "Holdout", "Training rows on the holdout"],
            [_score(score) for score in exact.scores],
            numbers=(1, 2, 3, 4, 5),
        ),
    )


def _score(score: ExactScore) -> list[str]:
    return [
        page.text(score.name),
        f"{score.training:.4f}",
        _estimate(score.ceiling),
        _estimate(score.floor),
        f"{score.holdout:.4f}",
        f"{score.real_on_holdout:.4f}",
    ]


def _copies(copies: Copies) -> str:
    return page.section(
        "Exact copies",
        page.paragraph(
            "How many real rows stand in the synthetic table word for word. With few columns some do by chance, and as many "
            "of the holdout as of the training rows; many more of the training rows would mean that the table copies."
        ),
        page.table(
            ["Rows", "Share found"],
            [
                ["training rows that stand in the synthetic table", _estimate(copies.training)],
                ["holdout rows that stand in the synthetic table", _estimate(copies.holdout)],
                ["synthetic rows that equal a training row", _estimate(copies.synthetic)],
            ],
            numbers=(1,),
        ),
    )


def _attack(exact: ProviderScores) -> str:
    attack = exact.attack
    return page.section(
        "A membership attack",
        page.paragraph(
            f"Telling {attack.records:,} training rows from {attack.records:,} holdout rows by how near the closest synthetic "
            "row is, beside the closest of other holdout rows. One attack that fails proves nothing; one that succeeds does."
        ),
        page.table(
            ["Measure", "Found", "Chance"],
            [
                ["area under the ROC curve", _estimate(attack.auc), "0.5000"],
                ["true positives at 1 % false positives", _estimate(attack.true_positives), "0.0100"],
            ],
            numbers=(1, 2),
        ),
    )


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} <small>{estimate.low:.4f} to {estimate.high:.4f}</small>"
