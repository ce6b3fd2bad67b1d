"""The certificate in words, the buyer's thresholds and the curves: sections of the released report."""

from collections.abc import Sequence

from marketplace.certificate.certificate import Mechanism, StageKind
from marketplace.protocol.threshold import Threshold
from marketplace.scores.score import Score
from marketplace.scores.thresholds import judge
from node.evaluation import page
from node.evaluation.public_attacks import PublicFigure, public_attacks
from node.evaluation.words import Words, score_words

CURVES = (
    "For each curve of the order, survival in the synthetic rows and, with noise, in the real records, with a band in which the "
    "curve without noise lies."
)
MOST_FIGURES = 12


def thresholds(wanted: Sequence[Threshold], scores: Sequence[Score], of_order: Words) -> str:
    """Whether the released scores meet what the buyer asked for; nothing where it asked for nothing."""
    if not wanted:
        return ""
    values = {score.name: score.value for score in scores}
    rows = [
        [
            page.text(score_words(each.threshold.score, of_order)[0]),
            page.text(each.threshold.at_most),
            page.text(values.get(each.threshold.score, "not released")),
            "met" if each.met else '<span class="weak">missed</span>',
        ]
        for each in judge(wanted, scores)
    ]
    return page.section(
        "What the buyer set as its limits",
        page.paragraph(
            "Fixed in the order before any record was opened, and judged by the released scores alone. The table was made once "
            "and is delivered either way; the buyer's program accepts it only if all are met."
        ),
        page.table(["Score", "At most", "Released", ""], rows, (1, 2)),
    )


def curves(image: bytes | None) -> str:
    """The picture of the curves; nothing where the order has none that can be read."""
    if image is None:
        return ""
    return page.section(
        "Survival",
        page.paragraph(
            "Blue: the synthetic rows. Orange: the real records, from counts that were released once, with noise; the band holds "
            "the curve without noise at least 19 times in 20 at each time. Where the noise hides who is left, nothing is drawn."
        ),
        page.image(image, CURVES),
    )


def certificate_in_words(mechanism: Mechanism, scores: Sequence[Score], *, promised: bool) -> str:
    """What the signed certificate says, for people. `promised`: whether the order has a guarantee; without one, attacks
    on models that had one say nothing of it and are left out."""
    stages = (*mechanism.generate, *mechanism.evaluate)
    noisy = sum(stage.kind is StageKind.GAUSSIAN for stage in stages)
    chosen = len(stages) - noisy
    attacks = public_attacks(f"{mechanism.name}/{mechanism.version}")
    return page.section(
        "The certificate, in words",
        page.points(
            [
                f"The generator is {mechanism.name}, version {mechanism.version}. The records were read in {len(stages)} "
                "stages, each listed with its sensitivity, its noise and its cost: "
                f"{noisy} noisy measurements and {chosen} noisy choices.",
                f"It carries the {len(scores)} scores of this page, hashes of the order, the dataset's description, the records' "
                "commitment, the program, its libraries and the kind of machine, and a commitment to the secret noise key.",
                "The provider has signed it. Anyone can check it: `agora verify FOLDER` computes again everything that follows "
                "from the synthetic table and public documents. The provider can draw again with the same key and must come to "
                "the same bytes.",
                "It proves what was charged. That noise was added is the provider's signed word."
                if promised
                else "It promises nothing about a person, and says so.",
            ]
        ),
        page.paragraph(attacks.sentence),
        _figures([figure for figure in attacks.figures if promised or figure.maximum is None]),
    )


def _figures(figures: Sequence[PublicFigure]) -> str:
    """The first of them, controls left out; nothing where there are none."""
    rows = [
        [
            page.text(f"{each.attack}, {each.measure}"),
            page.text(f"{each.dataset}, {each.setting}"),
            page.text(f"{_short(each.value)} ({_short(each.low)} to {_short(each.high)})"),
            page.text(_short(each.baseline)),
            "–" if each.maximum is None else page.text(_short(each.maximum)),
        ]
        for each in [figure for figure in figures if not figure.setting.startswith("control")][:MOST_FIGURES]
    ]
    more = len(figures) - len(rows)
    if not rows:
        return ""
    return page.table(
        ["Attack", "Public data", "Reached (95 %)", "Without the table", "Most that rho allows"], rows, (2, 3, 4)
    ) + (f'<p class="note">{more} more stand in the certificate.</p>' if more > 0 else "")


def _short(quoted: str) -> str:
    return quoted[:-3]
