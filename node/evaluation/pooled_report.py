"""The report of a twin of pooled records: what people read. It follows from the opened sums and public facts alone."""

from collections.abc import Sequence

from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting, learned, threats
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.evaluation import page
from node.evaluation.joint_report import account, conditions, protection
from node.evaluation.report import PICTURE, Promise


def pooled_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    schema: Schema,
    specification: Specification,
    image: bytes,
    shares: Sequence[Sequence[Share]],
) -> bytes:
    """The report as one HTML file in UTF-8: the same arguments give the same bytes.

    `image`: the rows' picture. `shares`: the noise of each party in each round. An epsilon is told for the privacy unit.
    """
    title = f"a synthetic table of {setting.parties} providers' records"
    return page.page(
        f"Pooled twin: {title}",
        [
            f"<h1>{page.text(title.capitalize())}</h1>",
            f'<p class="lead">Made by {setting.parties} providers together for one order. No record was moved, and nobody '
            "held all of them.</p>",
            page.facts(
                [
                    ("synthetic rows", f"{specification.rows:,}"),
                    ("columns", f"{len(schema.columns):,}"),
                    ("providers", f"{setting.parties}"),
                    (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ]
            ),
            conditions(specification.only, "Every synthetic row meets the order's conditions on {}."),
            _what(specification),
            _no_scores(),
            page.section("What it looks like", page.image(image, PICTURE)),
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


def _no_scores() -> str:
    return page.section(
        "How close it is to the real records",
        page.paragraph(
            "Nobody has measured it: scores of a table would have to be paid for like any number that touches records, and "
            "this order paid for counts alone. The noise of each count stands below, and the picture shows the noisy counts "
            "beside the rows. Confirm on real records whatever matters for patients."
        ),
    )
