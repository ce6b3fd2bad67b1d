"""The report of the twin of a split table: what people read. It follows from what was opened and public facts alone."""

from collections.abc import Sequence

from marketplace.protocol.analysis_noise import Share
from marketplace.protocol.analysis_quote import Setting
from marketplace.protocol.crossing import Side
from marketplace.protocol.specification import Specification
from marketplace.protocol.split import SplitSchema
from node.evaluation import page
from node.evaluation.pooled_report import Shown, Telling, twin_report
from node.evaluation.report import Promise

HOW = (
    "The real records enter as counts of persons whom both sides know and who share their secret bucket with nobody of their "
    "side, each with everybody's noise in it, and columns in few groups of values. The noise's share is taken out of a score; "
    "its interval holds the exact value with a probability of at least 95 %, different persons who meet in a bucket counted in, "
    "so it is wide where counts are small beside their noise. The counts were opened after all that the rows follow from; they "
    "stand in sums.json, and `agora verify` computes every score from them and the table again."
)


def split_report(
    order: bytes,
    setting: Setting,
    promise: Promise,
    split: SplitSchema,
    specification: Specification,
    shown: Shown,
    shares: Sequence[Sequence[Share]],
) -> bytes:
    """As `twin_report`, of columns that lie at different providers."""
    title = f"a synthetic table of columns that lie at {setting.parties} providers"
    telling = Telling(
        "Twin of a split table",
        title,
        "knows which persons two of them have in common",
        _what(split, specification),
        HOW,
    )
    return twin_report(order, setting, promise, split.joined, specification, shown, shares, telling)


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
