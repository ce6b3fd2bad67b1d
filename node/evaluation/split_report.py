"""The report of the twin of a split table: what people read. It follows from what was opened and public facts alone."""

from collections.abc import Sequence

from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting, learned, threats
from marketplace.protocol.crossing import Side
from marketplace.protocol.specification import Specification
from marketplace.protocol.split import SplitSchema
from node.evaluation import page
from node.evaluation.joint_report import account, conditions, protection
from node.evaluation.report import PICTURE, Promise


def split_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    split: SplitSchema,
    specification: Specification,
    picture: bytes,
    shares: Sequence[Sequence[Share]],
) -> bytes:
    """The report as one HTML file in UTF-8: the same arguments give the same bytes.

    `picture`: of the rows, a PNG. `shares`: the noise of each party in each round. An epsilon is told for the privacy unit.
    """
    title = f"a synthetic table of columns that lie at {setting.parties} providers"
    return page.page(
        f"Twin of a split table: {title}",
        [
            f"<h1>{page.text(title.capitalize())}</h1>",
            f'<p class="lead">Made by {setting.parties} providers together for one order. No record was moved, and nobody '
            "knows which persons two of them have in common.</p>",
            page.facts(
                [
                    ("synthetic rows", f"{specification.rows:,}"),
                    ("columns", f"{len(split.joined.columns):,}"),
                    ("providers", f"{setting.parties}"),
                    (f"epsilon, at a delta of {promise.delta}", promise.epsilon),
                ]
            ),
            conditions(specification.only, "Every synthetic row meets the order's conditions on {}."),
            _what(split, specification),
            page.section(
                "How close it is",
                page.paragraph(
                    "No scores are released of such a table: what it should be compared with lies nowhere. How much noise each "
                    "count has stands below and in the certificate."
                ),
            ),
            page.section("What it looks like", page.image(picture, PICTURE)),
            protection(split.joined.unit, setting, promise),
            page.section("Who learnt what", page.points([f"{who}: {what}." for who, what in learned(setting).items()])),
            page.section("Against whom it holds", page.points(threats(setting))),
            account(order, promise, shares, setting.parties),
        ],
    )


def _what(split: SplitSchema, specification: Specification) -> str:
    left, right = (", ".join(split.schema(side).names) for side in Side)
    counts = [sum(own is side for own in split.sides) for side in Side]
    return page.section(
        "What this is",
        page.paragraph(
            f"A table of {specification.rows:,} invented records. No row is a patient. Of real persons, {left} lie at "
            f"{_providers(counts[0])}, and {right} at {_providers(counts[1])}. The table is like those persons whom both sides "
            "know, each at one provider of a side. Who is at several of one side is left out, and so is who shares a secret "
            "bucket with another person of the same side."
        ),
        page.paragraph(
            "The rows were drawn from a model that saw the real records only through noisy counts of joined persons. They lie "
            "beside the rows, in sums.json: every number that was opened. All providers have signed for them. The rows follow "
            "from them without any record, with a seed that follows from them too, so whoever has the program makes the rows "
            "again (agora-node remake); on another kind of processor a few may differ. They are the lead's word."
        ),
    )


def _providers(count: int) -> str:
    return "one provider" if count == 1 else f"{count} providers"
