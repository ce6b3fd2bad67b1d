"""The report of a twin of pooled records: what people read. It follows from the opened sums and public facts alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting, learned, threats
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.summed import Scored
from node.evaluation import certified, page
from node.evaluation.joint_report import account, conditions, protection
from node.evaluation.report import PICTURE, Promise, closeness
from node.evaluation.words import order_words

HOW = (
    "The real records enter as counts, each summed over all providers with everybody's noise in it, and columns in few groups "
    "of values. The noise's share is taken out of a score; its interval holds the exact value with a probability of at least "
    "95 %, whatever that is, so it is wide where counts are small beside their noise. The counts were opened after all that "
    "the rows follow from; they stand in sums.json, and `agora verify` computes every score from them and the table again."
)


@dataclass(frozen=True)
class Shown:
    """What is shown of the rows, all of it public. `picture`, `curves`: PNGs; None where no curve can be drawn."""

    scored: Scored
    picture: bytes
    curves: bytes | None


@dataclass(frozen=True)
class Telling:
    """What the report of one kind of twin says in its own words. `what`: a section of HTML that says what the table is."""

    kind: str
    title: str
    unknown: str
    what: str
    how: str


def pooled_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    schema: Schema,
    specification: Specification,
    shown: Shown,
    shares: Sequence[Sequence[Share]],
) -> bytes:
    """As `twin_report`, of records that several providers hold."""
    title = f"a synthetic table of {setting.parties} providers' records"
    telling = Telling("Pooled twin", title, "held all of them", _what(specification), HOW)
    return twin_report(order, setting, promise, schema, specification, shown, shares, telling)


def twin_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    schema: Schema,
    specification: Specification,
    shown: Shown,
    shares: Sequence[Sequence[Share]],
    telling: Telling,
) -> bytes:
    """The report as one HTML file in UTF-8: the same arguments give the same bytes.

    `shares`: the noise of each party in each round. An epsilon is told for the privacy unit.
    """
    words = order_words(schema, specification)
    return page.page(
        f"{telling.kind}: {telling.title}",
        [
            f"<h1>{page.text(telling.title.capitalize())}</h1>",
            f'<p class="lead">Made by {setting.parties} providers together for one order. No record was moved, and nobody '
            f"{telling.unknown}.</p>",
            page.facts(
                [
                    ("synthetic rows", f"{specification.rows:,}"),
                    ("columns", f"{len(schema.columns):,}"),
                    ("providers", f"{setting.parties}"),
                    (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ]
            ),
            conditions(specification.only, "Every synthetic row meets the order's conditions on {}."),
            telling.what,
            certified.thresholds(specification.thresholds, shown.scored.scores, words),
            closeness(shown.scored.scores, words, telling.how, "counted"),
            certified.curves(shown.curves),
            page.section("What it looks like", page.image(shown.picture, PICTURE)),
            protection(schema.unit, setting, promise),
            page.section("Who learnt what", page.points([f"{who}: {what}." for who, what in learned(setting).items()])),
            page.section("Against whom it holds", page.points(threats(setting))),
            account(order, promise, shares, setting.parties),
        ],
    )


def _what(specification: Specification) -> str:
    return page.section(
        "What this is",
        page.paragraph(
            f"A table of {specification.rows:,} invented records. No row is a patient. The rows were drawn from a model that "
            "saw the real records only through noisy counts, each summed over all providers, so groups of rows behave like "
            "groups of real records, and single rows mean nothing."
        ),
        page.paragraph(
            "The counts lie beside the rows, in sums.json: every number that was opened. All providers have signed for them. "
            "The rows follow from them without any record, with a seed that follows from them too, so whoever has the program "
            "makes the rows again (agora-node remake); on another kind of processor a few may differ. They are the lead's word."
        ),
    )
